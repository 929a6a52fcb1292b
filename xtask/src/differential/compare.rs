//! Compares two answers, and decides whether they differ only in a way that Wine is known to differ
//! from Windows.

use super::answer::{Answer, Memory, hex};
use super::step::Step;

/// `MEM_COMMIT` and `MEM_RESERVE`.
const COMMITTED: u32 = 0x1000;
const RESERVED: u32 = 0x2000;
/// `PAGE_NOCACHE | PAGE_WRITECOMBINE`.
const UNCACHED: u32 = 0x600;

/// Returns whether both `VirtualQuery` calls describe the same pages. Ignores protections that
/// differ only by caching modifiers, and pages that only one side has copied on write so far.
pub(super) fn query_alike(step: &Step<'_>) -> bool {
    let split = |answer: &'_ Answer| {
        let (before, fields) = answer.head.rsplit_once(' ')?;
        let numbers: Option<Vec<u32>> = fields.split('/').map(hex).collect();
        Some((before.to_owned(), numbers?))
    };
    let (Some((before, ours)), Some((same, wine))) = (split(step.ours), split(step.wine)) else {
        return false;
    };
    before == same
        && ours.len() == 5
        && wine.len() == 5
        && (ours[0] <= wine[0] || ours[1] == RESERVED)
        && ours[1] == wine[1]
        && uncached(ours[2], wine[2])
        && uncached(ours[3], wine[3])
        && ours[4] == wine[4]
}

/// Returns whether only our side has copied a page of a shared view.
pub(super) fn copied_in_shared(step: &Step<'_>) -> bool {
    step.ours.views.iter().zip(&step.wine.views).any(|(ours, wine)| {
        let shared =
            ours.ranges.iter().any(|one| matches!(one.allocation_protection & !UNCACHED, 2 | 4));
        let not_copied = |ours: u32, wine: u32| ours & !UNCACHED == wine & !UNCACHED;
        shared
            && ours.slot == wine.slot
            && !ranges_alike(ours, wine, not_copied)
            && ranges_alike(ours, wine, uncached)
    })
}

/// Returns whether our side has more committed memory than Wine.
pub(super) fn more_committed(step: &Step<'_>) -> bool {
    let committed = |answer: &Answer| -> u64 {
        let ranges = answer.views.iter().flat_map(|view| &view.ranges);
        ranges.filter(|range| range.state == COMMITTED).map(|range| range.len).sum()
    };
    committed(step.ours) > committed(step.wine)
}

/// Returns whether the memory of both sides is equal, except for protections that `alike` accepts.
pub(super) fn memory_alike(step: &Step<'_>, alike: fn(u32, u32) -> bool) -> bool {
    let (ours, wine) = (&step.ours.views, &step.wine.views);
    ours.len() == wine.len()
        && ours.iter().zip(wine).all(|(ours, wine)| {
            ours.slot == wine.slot
                && ours.checksum == wine.checksum
                && ranges_alike(ours, wine, alike)
        })
}

/// Compares both lists of page ranges. The ranges may be split at different addresses.
fn ranges_alike(ours: &Memory, wine: &Memory, alike: fn(u32, u32) -> bool) -> bool {
    let (mut left, mut right) = (ours.ranges.iter(), wine.ranges.iter());
    let (mut one, mut other) = (left.next(), right.next());
    while let (Some(a), Some(b)) = (one, other) {
        let (a_end, b_end) = (a.at + a.len, b.at + b.len);
        let same = |one: u32, other: u32| one == other || alike(one, other);
        if a.at.max(b.at) >= a_end.min(b_end)
            || !same(a.protection, b.protection)
            || !same(a.allocation_protection, b.allocation_protection)
            || (a.state, &a.rest) != (b.state, &b.rest)
        {
            return false;
        }
        one = if a_end <= b_end { left.next() } else { one };
        other = if b_end <= a_end { right.next() } else { other };
    }
    one.is_none() && other.is_none()
}

/// Returns whether our page was copied (`PAGE_READWRITE`) and Wine's reports `PAGE_WRITECOPY`.
pub(super) fn copied(ours: u32, wine: u32) -> bool {
    (ours, wine) == (4, 8)
}

/// Returns whether the protections differ only by `PAGE_NOCACHE` or `PAGE_WRITECOMBINE`. The page
/// may also be copied.
pub(super) fn uncached(ours: u32, wine: u32) -> bool {
    let (ours, wine) = (ours & !UNCACHED, wine & !UNCACHED);
    copied(ours, wine) || ours == wine
}

#[test]
fn ranges_differ_only_in_the_accepted_protections() {
    let memory = |text: &str| {
        let answer = Answer::parse(&format!("ok - | v0 {text} #0")).unwrap();
        answer.views.into_iter().next().unwrap()
    };
    let ours = memory("0+1000/1000/4/8/40000 1000+2000/1000/8/8/40000");
    let wine = memory("0+3000/1000/8/8/40000");
    assert!(ranges_alike(&ours, &wine, copied));
    assert!(!ranges_alike(&wine, &ours, copied), "a page that only Wine copied is a difference");
    assert!(!ranges_alike(&ours, &wine, |ours, wine| ours == wine));
    let shorter = memory("0+2000/1000/8/8/40000");
    assert!(!ranges_alike(&ours, &shorter, copied));
    let reserved = memory("0+1000/1000/8/8/40000 1000+2000/2000/8/8/40000");
    assert!(!ranges_alike(&ours, &reserved, copied));
}
