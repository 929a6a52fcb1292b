//! Where Wine 8.0 is known to differ from Windows, as narrow as can be said.

use super::answer::{Answer, hex};
use super::compare::{
    copied, copied_in_shared, memory_alike, more_committed, told_alike, uncached,
};
use super::sync::Sync;

/// A call, and what both answered.
pub(super) struct Step<'a> {
    /// The words of the line.
    pub(super) call: &'a [&'a str],
    pub(super) ours: &'a Answer,
    pub(super) wine: &'a Answer,
}

impl Step<'_> {
    /// The name in the call, if it has one.
    fn name(&self) -> Option<&str> {
        let named = matches!(self.call[0], "create" | "open");
        let named = named || Sync::made_by(self.call[0]).is_some();
        self.call.last().copied().filter(|_| named)
    }

    /// The rights that the call asks for, if it opens or creates an object.
    fn rights(&self) -> Option<&str> {
        let call = self.call[0];
        if call.starts_with("open") {
            return self.call.get(3).copied();
        }
        // Before the name.
        if call.ends_with("ex") && Sync::made_by(call).is_some() {
            return self.call.len().checked_sub(2).map(|at| self.call[at]);
        }
        None
    }
}

/// What to do after a difference that is Wine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Both are as before.
    GoOn,
    /// The slot that the call names is filled on one side alone, and is emptied.
    Empty,
    /// Both went different ways.
    End,
}

pub(super) struct Rule {
    /// What Windows does, and Wine does not.
    pub(super) name: &'static str,
    fits: fn(&Step<'_>) -> bool,
    then: Then,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "row 67: a page of a shared view that is to be copied on write is",
        fits: |step| {
            step.call[0] == "write" && step.ours.head == step.wine.head && copied_in_shared(step)
        },
        then: Then::End,
    },
    Rule {
        name: "pages that are not committed are alike, whatever they were",
        fits: |step| step.ours.head == step.wine.head && memory_alike(step, |a, b| a == b),
        then: Then::GoOn,
    },
    Rule {
        name: "a page of a copy-on-write view is READWRITE once it is written to, not WRITECOPY",
        fits: |step| step.ours.head == step.wine.head && memory_alike(step, copied),
        then: Then::GoOn,
    },
    Rule {
        name: "sections that are not to be cached are cached here",
        fits: |step| step.ours.head == step.wine.head && memory_alike(step, uncached),
        then: Then::GoOn,
    },
    Rule {
        name: "the same, as VirtualQuery tells it",
        fits: |step| step.call[0] == "query" && memory_alike(step, uncached) && told_alike(step),
        then: Then::GoOn,
    },
    Rule {
        name: "the same, as VirtualProtect tells it",
        fits: |step| {
            let old = |answer: &Answer| answer.word(2).and_then(hex);
            step.call[0] == "protect"
                && memory_alike(step, uncached)
                && old(step.ours).zip(old(step.wine)).is_some_and(|(a, b)| uncached(a, b))
        },
        then: Then::GoOn,
    },
    Rule {
        name: "row 28: nothing stands in what is no folder, whatever follows the backslash",
        fits: |step| {
            let last = |name: &str| name.ends_with('\\') && step.ours.fails(&[3, 6]);
            let within = |name: &str| name.contains('\\') && step.ours.fails(&[6]);
            step.name().is_some_and(|name| last(name) && step.wine.done() || within(name))
                && (step.wine.done() || step.wine.fails(&[2]))
        },
        then: Then::Empty,
    },
    Rule {
        name: "row 33: the right to the audit list takes a privilege",
        fits: |step| {
            step.call[0] == "open"
                && step.call[3] == "1000004"
                && step.ours.fails(&[1314])
                && step.wine.done()
        },
        then: Then::Empty,
    },
    Rule {
        name: "rows 37 and 139 to 143: no right, and any that the kind does not have, is refused",
        fits: |step| {
            let rights = step.rights().and_then(hex);
            let kind = Sync::made_by(step.call[0]);
            let all = if kind.is_some() { 0x1F_0003 } else { 0xF_003F };
            let alone = if step.call[0].contains("mutex") { all & !2 } else { all };
            let refused = rights.is_some_and(|rights| rights & !(alone | 0xF200_0000) != 0);
            (rights == Some(0) || refused) && step.ours.fails(&[5, 1314]) && step.wine.done()
        },
        then: Then::Empty,
    },
    Rule {
        name: "row 60: no process is this one",
        fits: |step| step.call[0] == "map3" && step.call[3] == "x0" && step.wine.fails(&[6]),
        then: Then::Empty,
    },
    Rule {
        name: "row 69: all views see what is committed, the last page of one too",
        fits: |step| step.ours.done() == step.wine.done() && more_committed(step),
        then: Then::End,
    },
    Rule {
        name: "row 12: a file that cannot grow so far, or that no disk has room for",
        fits: |step| {
            step.call[0] == "create"
                && step.call[6] == "7fffffff"
                && step.ours.fails(&[8, 112])
                && step.wine.done()
        },
        then: Then::End,
    },
    Rule {
        name: "rows 18 and 19: a section is made before its name is looked up",
        fits: |step| {
            step.call[0] == "create"
                && step.name().is_some_and(|name| name != "null")
                && step.ours.fails(&[5, 6, 8, 87, 193, 1006, 1314])
                && (step.wine.done() || step.wine.fails(&[3, 6, 123, 161]))
        },
        then: Then::Empty,
    },
    Rule {
        name: "row 46: a section's protection limits that of its views",
        fits: |step| {
            step.call[0].starts_with("map")
                && step.ours.fails(&[87])
                && (step.wine.done() || step.wine.fails(&[5, 487]))
        },
        then: Then::Empty,
    },
    Rule {
        name: "row 6: large pages take a privilege",
        fits: |step| step.call[0] == "create" && step.ours.fails(&[1314]) && step.wine.done(),
        then: Then::Empty,
    },
    Rule {
        name: "sizes are not negative",
        fits: |step| {
            step.call[0] == "create"
                && ["80000000", "ffffffff"].contains(&step.call[6])
                && step.ours.fails(&[87])
        },
        then: Then::Empty,
    },
    Rule {
        name: "an address that no process has is refused before all else",
        fits: |step| {
            let base = match step.call[0] {
                "mapex" => step.call[7],
                "map2" | "map3" => step.call[5],
                _ => return false,
            };
            base.len() > 12 && step.ours.fails(&[87]) && step.wine.fails(&[5, 6, 1132])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "to copy on write what is shared takes a handle here, if it is mapped already",
        fits: |step| {
            matches!(step.call[0], "protect" | "alloc")
                && step.ours.fails(&[50])
                && step.wine.done()
        },
        then: Then::End,
    },
    Rule {
        name: "row 71: a file that is mapped is not removed",
        fits: |step| step.call[0] == "delete" && step.ours.fails(&[5]) && step.wine.done(),
        then: Then::End,
    },
    Rule {
        name: "a file that is removed while it is open is gone, which here it is at once",
        fits: |step| {
            let error = |answer: &Answer| answer.word(1).map(str::to_owned);
            let made = error(step.ours).as_deref() == Some("0")
                && error(step.wine).as_deref() == Some("183");
            matches!(step.call[0], "file" | "delete")
                && (step.ours.done() && step.wine.done() && made
                    || step.ours.fails(&[2]) && step.wine.done()
                    || step.ours.done() && step.wine.fails(&[80])
                    || error(step.ours).as_deref() == Some("0") && step.wine.fails(&[1224]))
        },
        then: Then::End,
    },
    Rule {
        name: "a duplicate of a file's handle has no more rights than that",
        fits: |step| step.call[0] == "dup" && step.ours.fails(&[5]) && step.wine.done(),
        then: Then::Empty,
    },
    Rule {
        name: "CreateFile looks at its numbers before the name",
        fits: |step| {
            step.call[0] == "file"
                && ["0", "6"].contains(&step.call[6])
                && step.ours.fails(&[87])
                && step.wine.fails(&[2, 3, 5, 123])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "TRUNCATE_EXISTING takes the right to write",
        fits: |step| {
            step.call[0] == "file"
                && step.call[6] == "5"
                && step.ours.fails(&[87])
                && (step.wine.done() || step.wine.fails(&[2, 3, 5, 123, 1224]))
        },
        then: Then::End,
    },
    Rule {
        name: "SetEndOfFile takes the right to write",
        fits: |step| {
            step.call[0] == "seteof"
                && step.ours.fails(&[5])
                && (step.wine.done() || step.wine.fails(&[6, 87, 1224]))
        },
        then: Then::End,
    },
    Rule {
        name: "SetFilePointer without a high half goes no further than the low one tells",
        fits: |step| {
            step.call[0] == "seek"
                && step.call[3] == "-"
                && step.ours.fails(&[87])
                && step.wine.done()
        },
        then: Then::End,
    },
    Rule {
        name: "no file's name ends in a backslash",
        fits: |step| {
            matches!(step.call[0], "file" | "delete")
                && step.call.last().is_some_and(|name| name.ends_with('\\'))
                && step.ours.fails(&[123])
                && step.wine.fails(&[2, 3])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "row 49: a handle is looked at before alignment",
        fits: |step| {
            step.call[0].starts_with("map") && step.ours.fails(&[5, 6]) && step.wine.fails(&[1132])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "row 52: an offset beyond the end is as bad as a length beyond it",
        fits: |step| {
            step.call[0].starts_with("map") && step.ours.fails(&[5]) && step.wine.fails(&[87])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "a protection that is none is refused before all else",
        fits: |step| {
            let protection = match step.call[0] {
                "map2" | "map3" => step.call[8],
                "alloc" => step.call[5],
                "protect" => step.call[3],
                _ => return false,
            };
            !["1", "2", "4", "8"].contains(&protection)
                && step.ours.fails(&[87])
                && step.wine.fails(&[5, 6, 487, 1132])
        },
        then: Then::GoOn,
    },
    Rule {
        name: "VirtualProtect of what no allocation has is an invalid address",
        fits: |step| step.call[0] == "protect" && step.ours.fails(&[487]) && step.wine.fails(&[87]),
        then: Then::GoOn,
    },
    Rule {
        name: "VirtualProtect of no bytes is refused",
        fits: |step| step.call[0] == "protect" && step.call[2] == "0" && step.ours.fails(&[87]),
        then: Then::End,
    },
    Rule {
        name: "lengths beyond all addresses are refused",
        fits: |step| {
            let len = match step.call[0] {
                "protect" | "free" | "flush" => step.call[2],
                "alloc" => step.call[3],
                _ => return false,
            };
            len.len() >= 12 && step.ours.fails(&[87])
        },
        then: Then::End,
    },
    Rule {
        name: "unknown bits make a protection none",
        fits: |step| {
            let protection = match step.call[0] {
                "map2" | "map3" => step.call[8],
                "alloc" => step.call[5],
                "protect" => step.call[3],
                _ => return false,
            };
            ["80004", "200004"].contains(&protection) && step.ours.fails(&[87]) && step.wine.done()
        },
        then: Then::End,
    },
    Rule {
        name: "VirtualFree of what no allocation has is an invalid address",
        fits: |step| step.call[0] == "free" && step.ours.fails(&[487]) && step.wine.fails(&[87]),
        then: Then::GoOn,
    },
    Rule {
        name: "FlushViewOfFile goes no further than the view",
        fits: |step| step.call[0] == "flush" && step.ours.fails(&[87]) && step.wine.done(),
        then: Then::GoOn,
    },
    Rule {
        name: "FlushViewOfFile of what is no view is an invalid address",
        fits: |step| {
            step.call[0] == "flush"
                && step.ours.fails(&[487])
                && (step.wine.done() || step.wine.fails(&[87]))
        },
        then: Then::GoOn,
    },
    Rule {
        name: "a semaphore is released by more than zero, whatever the handle",
        fits: |step| {
            step.call[0] == "post"
                && ["0", "80000000", "ffffffff"].contains(&step.call[2])
                && step.ours.fails(&[87])
                && (step.wine.done() || step.wine.fails(&[5, 6, 298]))
        },
        then: Then::GoOn,
    },
    Rule {
        name: "row 22: CreateMutexA takes no longer names than its like",
        fits: |step| {
            matches!(step.call[0], "mutex" | "mutexex")
                && step.call[2] == "A"
                && step.ours.fails(&[206])
                && (step.wine.done() || step.wine.fails(&[6]))
        },
        then: Then::Empty,
    },
    Rule {
        name: "row 95: who waits for all of several waits for none of them twice",
        fits: |step| {
            step.call[0] == "waitmany"
                && step.call[1] != "0"
                && step.ours.fails(&[87])
                && step.wine.done()
        },
        then: Then::End,
    },
    Rule {
        name: "SignalObjectAndWait takes no right to the mutex that it gives back",
        fits: |step| {
            step.call[0] == "signal"
                && (step.ours.done() || step.ours.fails(&[288]))
                && step.wine.fails(&[5])
        },
        then: Then::End,
    },
    Rule {
        name: "SignalObjectAndWait looks first at the handle that it signals",
        fits: |step| step.call[0] == "signal" && step.ours.fails(&[6]) && step.wine.fails(&[5]),
        then: Then::GoOn,
    },
    Rule {
        name: "row 40: no handle to a section has the right to wait",
        fits: |step| {
            matches!(step.call[0], "wait" | "waitmany" | "signal")
                && step.ours.fails(&[5])
                && step.wine.fails(&[6])
        },
        then: Then::GoOn,
    },
];

/// The first rule that explains a difference.
pub(super) fn explain(step: &Step<'_>) -> Option<(usize, Then)> {
    let found = RULES.iter().position(|rule| (rule.fits)(step))?;
    Some((found, RULES[found].then))
}
