//! Where Wine 8.0 is known to differ from Windows, as narrow as can be said.

use super::answer::{Answer, Memory, Stretch};

/// A call, and what both answered.
pub(super) struct Step<'a> {
    /// The words of the line.
    pub(super) call: &'a [&'a str],
    pub(super) ours: &'a Answer,
    pub(super) wine: &'a Answer,
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
        name: "a page of a copy-on-write view is READWRITE once it is written to, not WRITECOPY",
        fits: |step| step.ours.head == step.wine.head && only_copied_pages_differ(step),
        then: Then::GoOn,
    },
];

/// The first rule that explains a difference.
pub(super) fn explain(step: &Step<'_>) -> Option<(usize, Then)> {
    let found = RULES.iter().position(|rule| (rule.fits)(step))?;
    Some((found, RULES[found].then))
}

/// Whether the views differ in nothing but this.
fn only_copied_pages_differ(step: &Step<'_>) -> bool {
    let (ours, wine) = (&step.ours.views, &step.wine.views);
    ours.len() == wine.len()
        && ours.iter().zip(wine).all(|(ours, wine)| {
            ours.slot == wine.slot && ours.sum == wine.sum && only_copied(ours, wine)
        })
}

/// Walks along both, from border to border.
fn only_copied(ours: &Memory, wine: &Memory) -> bool {
    let (mut left, mut right) = (ours.stretches.iter(), wine.stretches.iter());
    let (mut one, mut other) = (left.next(), right.next());
    while let (Some(a), Some(b)) = (one, other) {
        let (a_end, b_end) = (a.at + a.len, b.at + b.len);
        if a.at.max(b.at) >= a_end.min(b_end) || !alike(a, b) {
            return false;
        }
        one = if a_end <= b_end { left.next() } else { one };
        other = if b_end <= a_end { right.next() } else { other };
    }
    one.is_none() && other.is_none()
}

fn alike(ours: &Stretch, wine: &Stretch) -> bool {
    let copied = ours.protection == 4 && wine.protection == 8;
    (ours.protection == wine.protection || copied)
        && ours.state == wine.state
        && ours.allocation_protection == wine.allocation_protection
        && ours.rest == wine.rest
}
