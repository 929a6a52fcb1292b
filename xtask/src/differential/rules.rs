//! Rules for the known differences between Wine 8.0 and Windows. Each rule matches as few answers
//! as possible.

use super::answer::{Answer, hex};
use super::compare::{
    copied, copied_in_shared, memory_alike, more_committed, query_alike, uncached,
};
use super::object_kind::SyncKind;
use super::step::Step;

/// How the runner continues after a difference that a rule explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Both sides are in the same state: continue with the script.
    Continue,
    /// The slot that the call names is in use on one side only: reset the slot on both sides.
    ResetSlot,
    /// The sides are in different states: end the script.
    EndScript,
}

pub(super) struct Rule {
    /// The behaviour of Windows that Wine does not have.
    pub(super) name: &'static str,
    explains: fn(&Step<'_>) -> bool,
    next: Next,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "row 67: PAGE_WRITECOPY on a page of a shared view makes a write copy the page",
        explains: |step| {
            step.call[0] == "write" && step.ours.head == step.wine.head && copied_in_shared(step)
        },
        next: Next::EndScript,
    },
    Rule {
        name: "uncommitted pages are equal, however their ranges are split",
        explains: |step| step.ours.head == step.wine.head && memory_alike(step, |a, b| a == b),
        next: Next::Continue,
    },
    Rule {
        name: "a page of a copy-on-write view is READWRITE after a write, not WRITECOPY",
        explains: |step| step.ours.head == step.wine.head && memory_alike(step, copied),
        next: Next::Continue,
    },
    Rule {
        name: "Wine reports SEC_NOCACHE and not SEC_WRITECOMBINE, and on inaccessible pages too",
        explains: |step| step.ours.head == step.wine.head && memory_alike(step, uncached),
        next: Next::Continue,
    },
    Rule {
        name: "the same in the answer of VirtualQuery",
        explains: |step| {
            step.call[0] == "query" && memory_alike(step, uncached) && query_alike(step)
        },
        next: Next::Continue,
    },
    Rule {
        name: "the same in the old protection of VirtualProtect",
        explains: |step| {
            let old = |answer: &Answer| answer.word(2).and_then(hex);
            step.call[0] == "protect"
                && memory_alike(step, uncached)
                && old(step.ours).zip(old(step.wine)).is_some_and(|(a, b)| uncached(a, b))
        },
        next: Next::Continue,
    },
    Rule {
        name: "row 28: an object is no folder, so a name with a backslash after it is invalid",
        explains: |step| {
            let last = |name: &str| name.ends_with('\\') && step.ours.fails(&[3, 6]);
            let within = |name: &str| name.contains('\\') && step.ours.fails(&[6]);
            step.name().is_some_and(|name| last(name) && step.wine.succeeded() || within(name))
                && (step.wine.succeeded() || step.wine.fails(&[2]))
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 33: ACCESS_SYSTEM_SECURITY requires a privilege",
        explains: |step| {
            step.call[0] == "open"
                && step.call[3] == "1000004"
                && step.ours.fails(&[1314])
                && step.wine.succeeded()
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "rows 37 and 139 to 143: no rights, or rights that the kind of object lacks, are refused",
        explains: |step| {
            let rights = step.rights().and_then(hex);
            let kind = SyncKind::made_by(step.call[0]);
            let all = if kind.is_some() { 0x1F_0003 } else { 0xF_003F };
            let alone = if step.call[0].contains("mutex") { all & !2 } else { all };
            let refused = rights.is_some_and(|rights| rights & !(alone | 0xF200_0000) != 0);
            (rights == Some(0) || refused) && step.ours.fails(&[5, 1314]) && step.wine.succeeded()
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 60: a null process handle means this process",
        explains: |step| step.call[0] == "map3" && step.call[3] == "x0" && step.wine.fails(&[6]),
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 69: all views see a commitment, also of the last page of a view",
        explains: |step| step.ours.succeeded() == step.wine.succeeded() && more_committed(step),
        next: Next::EndScript,
    },
    Rule {
        name: "row 12: a mapping does not extend a file beyond its maximal size or the disk's free space",
        explains: |step| {
            step.call[0] == "create"
                && step.call[6] == "7fffffff"
                && step.ours.fails(&[8, 112])
                && step.wine.succeeded()
        },
        next: Next::EndScript,
    },
    Rule {
        name: "rows 18 and 19: a section's other arguments are checked before its name",
        explains: |step| {
            step.call[0] == "create"
                && step.name().is_some_and(|name| name != "null")
                && step.ours.fails(&[5, 6, 8, 87, 193, 1006, 1314])
                && (step.wine.succeeded() || step.wine.fails(&[3, 6, 123, 161]))
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 46: the protection of a section limits that of its views",
        explains: |step| {
            step.call[0].starts_with("map")
                && step.ours.fails(&[87])
                && (step.wine.succeeded() || step.wine.fails(&[5, 487]))
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 6: SEC_LARGE_PAGES requires a privilege",
        explains: |step| {
            step.call[0] == "create" && step.ours.fails(&[1314]) && step.wine.succeeded()
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "a negative size is refused",
        explains: |step| {
            step.call[0] == "create"
                && ["80000000", "ffffffff"].contains(&step.call[6])
                && step.ours.fails(&[87])
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "an address outside of the user address space is refused before the other checks",
        explains: |step| {
            let base = match step.call[0] {
                "mapex" => step.call[7],
                "map2" | "map3" => step.call[5],
                _ => return false,
            };
            base.len() > 12 && step.ours.fails(&[87]) && step.wine.fails(&[5, 6, 1132])
        },
        next: Next::Continue,
    },
    Rule {
        name: "our side makes mapped shared pages copy-on-write only while a handle is open",
        explains: |step| {
            matches!(step.call[0], "protect" | "alloc")
                && step.ours.fails(&[50])
                && step.wine.succeeded()
        },
        next: Next::EndScript,
    },
    Rule {
        name: "row 71: a mapped file cannot be deleted",
        explains: |step| step.call[0] == "delete" && step.ours.fails(&[5]) && step.wine.succeeded(),
        next: Next::EndScript,
    },
    Rule {
        name: "an open file that is deleted loses its name, on our side at once",
        explains: |step| {
            let error = |answer: &Answer| answer.word(1).map(str::to_owned);
            let made = error(step.ours).as_deref() == Some("0")
                && error(step.wine).as_deref() == Some("183");
            matches!(step.call[0], "file" | "delete")
                && (step.ours.succeeded() && step.wine.succeeded() && made
                    || step.ours.fails(&[2]) && step.wine.succeeded()
                    || step.ours.succeeded() && step.wine.fails(&[80])
                    || error(step.ours).as_deref() == Some("0") && step.wine.fails(&[1224]))
        },
        next: Next::EndScript,
    },
    Rule {
        name: "a duplicate of a file's handle has no more rights than its source",
        explains: |step| step.call[0] == "dup" && step.ours.fails(&[5]) && step.wine.succeeded(),
        next: Next::ResetSlot,
    },
    Rule {
        name: "CreateFile checks its numeric arguments before the name",
        explains: |step| {
            step.call[0] == "file"
                && ["0", "6"].contains(&step.call[6])
                && step.ours.fails(&[87])
                && step.wine.fails(&[2, 3, 5, 123])
        },
        next: Next::Continue,
    },
    Rule {
        name: "TRUNCATE_EXISTING requires the right to write",
        explains: |step| {
            step.call[0] == "file"
                && step.call[6] == "5"
                && step.ours.fails(&[87])
                && (step.wine.succeeded() || step.wine.fails(&[2, 3, 5, 123, 1224]))
        },
        next: Next::EndScript,
    },
    Rule {
        name: "SetEndOfFile requires the right to write",
        explains: |step| {
            step.call[0] == "seteof"
                && step.ours.fails(&[5])
                && (step.wine.succeeded() || step.wine.fails(&[6, 87, 1224]))
        },
        next: Next::EndScript,
    },
    Rule {
        name: "SetFilePointer without a high half is limited to 32-bit positions",
        explains: |step| {
            step.call[0] == "seek"
                && step.call[3] == "-"
                && step.ours.fails(&[87])
                && step.wine.succeeded()
        },
        next: Next::EndScript,
    },
    Rule {
        name: "a file's name does not end in a backslash",
        explains: |step| {
            matches!(step.call[0], "file" | "delete")
                && step.call.last().is_some_and(|name| name.ends_with('\\'))
                && step.ours.fails(&[123])
                && step.wine.fails(&[2, 3])
        },
        next: Next::Continue,
    },
    Rule {
        name: "row 49: the handle is checked before the alignment",
        explains: |step| {
            step.call[0].starts_with("map") && step.ours.fails(&[5, 6]) && step.wine.fails(&[1132])
        },
        next: Next::Continue,
    },
    Rule {
        name: "row 52: an offset beyond the end fails like a length beyond the end",
        explains: |step| {
            step.call[0].starts_with("map") && step.ours.fails(&[5]) && step.wine.fails(&[87])
        },
        next: Next::Continue,
    },
    Rule {
        name: "an invalid protection is refused before the other checks",
        explains: |step| {
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
        next: Next::Continue,
    },
    Rule {
        name: "VirtualProtect of free memory fails with ERROR_INVALID_ADDRESS",
        explains: |step| {
            step.call[0] == "protect" && step.ours.fails(&[487]) && step.wine.fails(&[87])
        },
        next: Next::Continue,
    },
    Rule {
        name: "VirtualProtect of zero bytes is refused",
        explains: |step| step.call[0] == "protect" && step.call[2] == "0" && step.ours.fails(&[87]),
        next: Next::EndScript,
    },
    Rule {
        name: "a length beyond the address space is refused",
        explains: |step| {
            let len = match step.call[0] {
                "protect" | "free" | "flush" => step.call[2],
                "alloc" => step.call[3],
                _ => return false,
            };
            len.len() >= 12 && step.ours.fails(&[87])
        },
        next: Next::EndScript,
    },
    Rule {
        name: "a protection with unknown bits is invalid",
        explains: |step| {
            let protection = match step.call[0] {
                "map2" | "map3" => step.call[8],
                "alloc" => step.call[5],
                "protect" => step.call[3],
                _ => return false,
            };
            ["80004", "200004"].contains(&protection)
                && step.ours.fails(&[87])
                && step.wine.succeeded()
        },
        next: Next::EndScript,
    },
    Rule {
        name: "VirtualFree of free memory fails with ERROR_INVALID_ADDRESS",
        explains: |step| {
            step.call[0] == "free" && step.ours.fails(&[487]) && step.wine.fails(&[87])
        },
        next: Next::Continue,
    },
    Rule {
        name: "FlushViewOfFile does not go beyond the view",
        explains: |step| step.call[0] == "flush" && step.ours.fails(&[87]) && step.wine.succeeded(),
        next: Next::Continue,
    },
    Rule {
        name: "FlushViewOfFile outside of every view fails with ERROR_INVALID_ADDRESS",
        explains: |step| {
            step.call[0] == "flush"
                && step.ours.fails(&[487])
                && (step.wine.succeeded() || step.wine.fails(&[87]))
        },
        next: Next::Continue,
    },
    Rule {
        name: "a semaphore's release count is checked before the handle",
        explains: |step| {
            step.call[0] == "post"
                && ["0", "80000000", "ffffffff"].contains(&step.call[2])
                && step.ours.fails(&[87])
                && (step.wine.succeeded() || step.wine.fails(&[5, 6, 298]))
        },
        next: Next::Continue,
    },
    Rule {
        name: "row 22: CreateMutexA has the same limit for names as the similar functions",
        explains: |step| {
            matches!(step.call[0], "mutex" | "mutexex")
                && step.call[2] == "A"
                && step.ours.fails(&[206])
                && (step.wine.succeeded() || step.wine.fails(&[6]))
        },
        next: Next::ResetSlot,
    },
    Rule {
        name: "row 95: a wait for all refuses an object that occurs twice",
        explains: |step| {
            step.call[0] == "waitmany"
                && step.call[1] != "0"
                && step.ours.fails(&[87])
                && step.wine.succeeded()
        },
        next: Next::EndScript,
    },
    Rule {
        name: "SignalObjectAndWait releases a mutex without any right to it",
        explains: |step| {
            step.call[0] == "signal"
                && (step.ours.succeeded() || step.ours.fails(&[288]))
                && step.wine.fails(&[5])
        },
        next: Next::EndScript,
    },
    Rule {
        name: "SignalObjectAndWait first checks the handle that it signals",
        explains: |step| step.call[0] == "signal" && step.ours.fails(&[6]) && step.wine.fails(&[5]),
        next: Next::Continue,
    },
    Rule {
        name: "row 40: no handle to a section grants the right to wait",
        explains: |step| {
            matches!(step.call[0], "wait" | "waitmany" | "signal")
                && step.ours.fails(&[5])
                && step.wine.fails(&[6])
        },
        next: Next::Continue,
    },
];

/// Returns the first rule that explains a difference.
pub(super) fn explain(step: &Step<'_>) -> Option<(usize, Next)> {
    let found = RULES.iter().position(|rule| (rule.explains)(step))?;
    Some((found, RULES[found].next))
}
