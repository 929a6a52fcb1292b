//! The state of each page of a region, stored as one byte for each run of equal pages.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// The flag for a copy-on-write page of a shared view. The other bits are the protection of the
/// page. They are zero if the page is not committed.
pub(crate) const COPY_ON_WRITE: u8 = 0x80;

/// The state byte of each page of a region.
///
/// Memory use grows with the number of runs, not with the number of pages.
#[derive(Debug)]
pub(crate) struct Pages {
    count: usize,
    /// The byte of each run, by the index of its first page. Invariants: the first run begins at
    /// page zero, and adjacent runs have different bytes.
    runs: BTreeMap<usize, u8>,
}

impl Pages {
    /// Creates `count` pages with the same byte.
    pub(crate) fn new(count: usize, byte: u8) -> Pages {
        Pages { count, runs: BTreeMap::from([(0, byte)]) }
    }

    pub(crate) fn at(&self, page: usize) -> u8 {
        let (_, byte) = self.runs.range(..=page).next_back().expect("a run begins at zero");
        *byte
    }

    /// Returns the number of consecutive pages from `page` on that have the same values of `bits`
    /// as it.
    pub(crate) fn run_len(&self, page: usize, bits: u8) -> usize {
        let first = self.at(page);
        let mut after = self.runs.range((Bound::Excluded(page), Bound::Unbounded));
        let end = after.find(|(_, other)| (*other ^ first) & bits != 0);
        end.map_or(self.count, |(page, _)| *page) - page
    }

    /// Replaces the byte `b` of each page in `pages` by `to(b)`.
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

    /// Splits the run that contains `page`, so that a run begins at `page`.
    fn split(&mut self, page: usize) {
        if page < self.count {
            self.runs.insert(page, self.at(page));
        }
    }

    /// Merges equal adjacent runs in and around `pages`, which restores the invariant.
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

    /// A reference model that stores a byte for each page.
    struct Model(Vec<u8>);

    impl Model {
        fn run_len(&self, page: usize, bits: u8) -> usize {
            let own = &self.0[page..];
            own.iter().take_while(|other| (*other ^ own[0]) & bits == 0).count()
        }

        fn runs(&self) -> usize {
            self.0.chunk_by(|a, b| a == b).count()
        }
    }

    #[test]
    fn runs_agree_with_a_byte_for_each_page() {
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
                let (byte, copied) = (BYTES[roll(4)], [0, COPY_ON_WRITE][roll(2)]);
                let protects = roll(2) == 0;
                let to = |own| {
                    if protects {
                        own & COPY_ON_WRITE | byte
                    } else {
                        own & !COPY_ON_WRITE | copied
                    }
                };
                pages.change(range.clone(), to);
                model.0[range].iter_mut().for_each(|own| *own = to(*own));
                for page in 0..count {
                    assert_eq!(pages.at(page), model.0[page]);
                    for bits in [COPY_ON_WRITE, !COPY_ON_WRITE, 0xFF] {
                        assert_eq!(pages.run_len(page, bits), model.run_len(page, bits));
                    }
                }
                assert_eq!(pages.runs.len(), model.runs());
            }
        }
    }
}
