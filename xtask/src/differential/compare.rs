//! In what way two answers differ.

use super::answer::{Answer, Memory, hex};
use super::rules::Step;

/// `MEM_COMMIT`, `MEM_RESERVE`.
const COMMITTED: u32 = 0x1000;
const RESERVED: u32 = 0x2000;
/// `PAGE_NOCACHE`, `PAGE_WRITECOMBINE`.
const UNCACHED: u32 = 0x600;

/// Whether both tell the same of an address, or of the same page before and after it was copied.
pub(super) fn told_alike(step: &Step<'_>) -> bool {
    let split = |answer: &'_ Answer| {
        let (before, told) = answer.head.rsplit_once(' ')?;
        let numbers: Option<Vec<u32>> = told.split('/').map(hex).collect();
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

/// Whether some page was copied on our side alone, in a view that is shared.
pub(super) fn copied_in_shared(step: &Step<'_>) -> bool {
    step.ours.views.iter().zip(&step.wine.views).any(|(ours, wine)| {
        let shared = ours.stretches.iter().any(|one| matches!(one.allocation_protection, 2 | 4));
        let not_copied = |ours: u32, wine: u32| ours == wine & !UNCACHED;
        shared
            && ours.slot == wine.slot
            && !stretches_alike(ours, wine, not_copied)
            && stretches_alike(ours, wine, uncached)
    })
}

/// Whether some page is committed on our side alone.
pub(super) fn more_committed(step: &Step<'_>) -> bool {
    let committed = |answer: &Answer| -> u64 {
        let stretches = answer.views.iter().flat_map(|view| &view.stretches);
        stretches.filter(|stretch| stretch.state == COMMITTED).map(|stretch| stretch.len).sum()
    };
    committed(step.ours) > committed(step.wine)
}

/// Whether what stands in memory differs in nothing but such protections, ours and Wine's.
pub(super) fn memory_alike(step: &Step<'_>, alike: fn(u32, u32) -> bool) -> bool {
    let (ours, wine) = (&step.ours.views, &step.wine.views);
    ours.len() == wine.len()
        && ours.iter().zip(wine).all(|(ours, wine)| {
            ours.slot == wine.slot && ours.sum == wine.sum && stretches_alike(ours, wine, alike)
        })
}

/// Walks along both, from border to border.
fn stretches_alike(ours: &Memory, wine: &Memory, alike: fn(u32, u32) -> bool) -> bool {
    let (mut left, mut right) = (ours.stretches.iter(), wine.stretches.iter());
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

pub(super) fn copied(ours: u32, wine: u32) -> bool {
    (ours, wine) == (4, 8)
}

/// Wine tells that a page is not cached, or written together with others.
pub(super) fn uncached(ours: u32, wine: u32) -> bool {
    copied(ours, wine & !UNCACHED) || ours == wine & !UNCACHED
}

#[test]
fn only_the_protections_named_may_differ() {
    let memory = |text: &str| {
        let answer = Answer::parse(&format!("ok - | v0 {text} #0")).unwrap();
        answer.views.into_iter().next().unwrap()
    };
    let ours = memory("0+1000/1000/4/8/40000 1000+2000/1000/8/8/40000");
    let wine = memory("0+3000/1000/8/8/40000");
    assert!(stretches_alike(&ours, &wine, copied));
    assert!(!stretches_alike(&wine, &ours, copied), "Wine does not copy where we do not");
    assert!(!stretches_alike(&ours, &wine, |ours, wine| ours == wine));
    let shorter = memory("0+2000/1000/8/8/40000");
    assert!(!stretches_alike(&ours, &shorter, copied));
    let reserved = memory("0+1000/1000/8/8/40000 1000+2000/2000/8/8/40000");
    assert!(!stretches_alike(&ours, &reserved, copied));
}
