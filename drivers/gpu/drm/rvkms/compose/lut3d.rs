// SPDX-License-Identifier: GPL-2.0

//! Three-dimensional lookup tables.

use core::cmp::Reverse;
use kernel::prelude::*;

/// The largest number of entries in each direction.
const MAX_SIZE: usize = 65;

/// A table of colours for all combinations of R, G and B, spaced evenly, interpolated between the
/// four corners of the tetrahedron around a colour.
///
/// # Invariants
///
/// `entries` holds `size * size * size` elements, and `size` is at least 2.
pub(crate) struct Lut3d {
    size: usize,
    entries: KVVec<[u16; 3]>,
}

impl Lut3d {
    /// Prepares a table of `size` entries in each direction; `entry` returns R, G and B of each in
    /// the order of the property: R changes with every entry, G when R has gone through, then B.
    ///
    /// Returns [`EINVAL`] if there are fewer than 2 or more than 65 entries in a direction.
    pub(crate) fn new(size: usize, entry: impl Fn(usize) -> [u16; 3]) -> Result<Self> {
        if !(2..=MAX_SIZE).contains(&size) {
            return Err(EINVAL);
        }

        let count = size * size * size;
        let mut entries = KVVec::with_capacity(count, GFP_KERNEL)?;

        for index in 0..count {
            entries.push(entry(index), GFP_KERNEL)?;
        }
        // INVARIANT: The loop pushed all entries, and `size` has been checked.
        Ok(Self { size, entries })
    }

    /// Looks a colour up.
    pub(super) fn look_up(&self, color: [u16; 3]) -> [u16; 3] {
        const ONE: u64 = 1 << 16;

        // Where the colour is in each direction, with 16 fractional bits.
        let last = self.size - 1;
        let places = color.map(|channel| (u64::from(channel) * last as u64 * ONE) / 65535);
        let steps = [1, self.size, self.size * self.size];
        let mut index = 0;
        let mut ways = [(0, 0); 3];

        for ((way, place), step) in ways.iter_mut().zip(places).zip(steps) {
            let base = ((place >> 16) as usize).min(last - 1);

            index += base * step;
            *way = (place - base as u64 * ONE, step);
        }
        // From the corner nearest to black to the opposite one, along the longest way first.
        ways.sort_unstable_by_key(|way| Reverse(way.0));

        let corner = |index: usize| self.entries.get(index).copied().unwrap_or_default();
        let mut before = ONE;
        let mut sums = [ONE / 2; 3];

        for (after, step) in Iterator::chain(ways.into_iter(), [(0, 0)]) {
            for (sum, channel) in sums.iter_mut().zip(corner(index)) {
                *sum += u64::from(channel) * (before - after);
            }
            before = after;
            index += step;
        }
        sums.map(|sum| (sum >> 16) as u16)
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_lut3d))]
mod tests {
    use super::*;

    fn mixed(size: usize) -> Result<Lut3d> {
        let last = size - 1;

        // G, B and the inverse of R.
        Lut3d::new(size, |index| {
            let place = [index % size, index / size % size, index / size / size];
            let [r, g, b] = place.map(|place| (place * 65535 / last) as u16);

            [g, b, 65535 - r]
        })
    }

    #[test]
    fn colours_between_entries_are_interpolated() -> Result {
        for size in [2, 17, 65] {
            let lut = mixed(size)?;

            for color in [
                [0, 0, 0],
                [65535, 65535, 65535],
                [1, 2, 3],
                [30000, 20000, 10000],
                [65535, 1, 40000],
            ] {
                let [r, g, b] = color;
                let own = lut.look_up(color);

                for (own, expected) in own.into_iter().zip([g, b, 65535 - r]) {
                    assert!(own.abs_diff(expected) <= 2);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn sizes_are_checked() {
        assert!(Lut3d::new(1, |_| [0; 3]).is_err());
        assert!(Lut3d::new(66, |_| [0; 3]).is_err());
    }
}
