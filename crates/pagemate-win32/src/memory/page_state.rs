//! What each page of a region has, a byte for each run of pages that are alike.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// A page of a shared view that is copied on write. It may stand beside a protection, and none is a
/// page that is not committed.
pub(crate) const COPIED: u8 = 0x80;

/// The byte of each page. However many pages there are, what they take grows with how often that of
/// neighbours differs.
#[derive(Debug)]
pub(crate) struct Pages {
    count: usize,
    /// By the first page of a run; one begins at zero, and no two neighbours are equal.
    runs: BTreeMap<usize, u8>,
}

impl Pages {
    /// So many that have the same.
    pub(crate) fn new(count: usize, byte: u8) -> Pages {
        Pages { count, runs: BTreeMap::from([(0, byte)]) }
    }

    pub(crate) fn at(&self, page: usize) -> u8 {
        let (_, byte) = self.runs.range(..=page).next_back().expect("a run begins at zero");
        *byte
    }

    /// How many pages from this one on have the same of these bits.
    pub(crate) fn alike(&self, page: usize, bits: u8) -> usize {
        let first = self.at(page);
        let mut after = self.runs.range((Bound::Excluded(page), Bound::Unbounded));
        let end = after.find(|(_, other)| (*other ^ first) & bits != 0);
        end.map_or(self.count, |(page, _)| *page) - page
    }

    /// Makes of what each of these pages has what it is to have.
    pub(crate) fn change(&mut self, pages: Range<usize>, to: impl Fn(u8) -> u8) {
        if pages.is_empty() {
            return;
        }
        self.split(pages.start);
        self.split(pages.end);
        for (_, byte) in self.runs.range_mut(pages.clone()) {
            *byte = to(*byte);
        }
        self.join(pages);
    }

    /// Lets a run begin here.
    fn split(&mut self, page: usize) {
        if page < self.count {
            self.runs.insert(page, self.at(page));
        }
    }

    /// Makes one run of what was changed and is alike, and of what it touches.
    fn join(&mut self, pages: Range<usize>) {
        let mut before = pages.start.checked_sub(1).map(|page| self.at(page));
        let within: Vec<(usize, u8)> =
            self.runs.range(pages.start..=pages.end).map(|(page, byte)| (*page, *byte)).collect();
        for (page, byte) in within {
            if before == Some(byte) {
                self.runs.remove(&page);
            }
            before = Some(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, a byte for each page.
    struct Model(Vec<u8>);

    impl Model {
        fn alike(&self, page: usize, bits: u8) -> usize {
            let own = &self.0[page..];
            own.iter().take_while(|other| (*other ^ own[0]) & bits == 0).count()
        }

        fn runs(&self) -> usize {
            self.0.chunk_by(|a, b| a == b).count()
        }
    }

    #[test]
    fn runs_are_as_good_as_a_byte_for_each_page() {
        const BYTES: [u8; 4] = [0, 2, 4, 8];
        let mut state = 1_u64;
        let mut roll = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % sides
        };
        for count in 1..40 {
            let (mut pages, mut model) = (Pages::new(count, 4), Model(vec![4; count]));
            for _ in 0..100 {
                let start = roll(count + 1);
                let range = start..start + roll(count - start + 1);
                let (byte, copied) = (BYTES[roll(4)], [0, COPIED][roll(2)]);
                let protects = roll(2) == 0;
                let to = |own| if protects { own & COPIED | byte } else { own & !COPIED | copied };
                pages.change(range.clone(), to);
                model.0[range].iter_mut().for_each(|own| *own = to(*own));
                for page in 0..count {
                    assert_eq!(pages.at(page), model.0[page]);
                    for bits in [COPIED, !COPIED, 0xFF] {
                        assert_eq!(pages.alike(page, bits), model.alike(page, bits));
                    }
                }
                assert_eq!(pages.runs.len(), model.runs());
            }
        }
    }
}
