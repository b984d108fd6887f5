// SPDX-License-Identifier: GPL-2.0

//! One-dimensional lookup tables: the CRTC's gamma and degamma, and the curves of a colour
//! pipeline.

use super::{
    fixed,
    pixel::{
        self,
        Pixel, //
    },
};
use kernel::prelude::*;

/// Number of values of a channel.
const VALUES: usize = 1 << 16;

/// A table of all values of a channel.
pub(super) type Table = [u16; VALUES];

/// A lookup table, prepared so that a pixel costs one load a channel.
///
/// Takes up to 384 KiB and some milliseconds to prepare: create one for each property blob, not for
/// each frame.
///
/// # Invariants
///
/// `tables` holds one [`Table`] for all channels or one each for R, G and B.
pub(crate) struct Lut {
    tables: KVVec<u16>,
}

impl Lut {
    /// Prepares the table of `len` entries R, G, B that `entry` returns, spaced evenly; values
    /// between them are interpolated.
    ///
    /// Returns [`EINVAL`] if there is no entry or there are more than values.
    pub(crate) fn new(len: usize, entry: impl Fn(usize) -> [u16; 3]) -> Result<Self> {
        let last = len.checked_sub(1).ok_or(EINVAL)?;

        if len > VALUES {
            return Err(EINVAL);
        }

        let gray = (0..len).all(|index| {
            let [r, g, b] = entry(index);

            r == g && r == b
        });
        let channels = if gray { 1 } else { 3 };
        let mut tables = KVVec::from_elem(0u16, channels * VALUES, GFP_KERNEL)?;

        for (channel, table) in tables.chunks_exact_mut(VALUES).enumerate() {
            let entry = |index: usize| {
                let [r, g, b] = entry(index.min(last));

                match channel {
                    0 => r,
                    1 => g,
                    _ => b,
                }
            };

            fill(table, last, entry);
        }

        // INVARIANT: `tables` has room for one or three tables.
        Ok(Self { tables })
    }

    /// Returns the tables of R, G and B.
    #[inline(always)]
    pub(super) fn tables(&self) -> Option<[&Table; 3]> {
        let mut tables = self.tables.chunks_exact(VALUES);
        let r = <&Table>::try_from(tables.next()?).ok()?;
        let table =
            |chunk: Option<_>| chunk.map_or(Some(r), |chunk| <&Table>::try_from(chunk).ok());

        Some([r, table(tables.next())?, table(tables.next())?])
    }

    /// Looks up the colours of `row`.
    pub(super) fn apply(&self, row: &mut [Pixel]) {
        let Some([red, green, blue]) = self.tables() else {
            return;
        };

        let Ok(row) = <[[u16; 4]]>::mut_from_bytes(row.as_mut_bytes()) else {
            return;
        };
        let [r, g, b] = pixel::PLACES;

        // Channel by channel, since to take pixels apart and to put them together is more work.
        for pixel in row {
            pixel[r] = red[usize::from(pixel[r])];
            pixel[g] = green[usize::from(pixel[g])];
            pixel[b] = blue[usize::from(pixel[b])];
        }
    }
}

/// Fills `table` with what C `vkms` interpolates between the entries up to index `last`.
fn fill(table: &mut [u16], last: usize, entry: impl Fn(usize) -> u16) {
    let ratio = fixed::div(fixed::from_int(last as i32), fixed::from_int(65535));

    for (value, out) in (0..).zip(table) {
        let position = fixed::mul(fixed::from_int(value), ratio);
        let index = (position >> 32) as usize;
        let fraction = position & 0xffff_ffff;
        let low = entry(index);
        let high = if fraction == 0 { low } else { entry(index + 1) };
        let rise = fixed::from_int(i32::from(high) - i32::from(low));

        *out = fixed::round(fixed::from_int(low.into()) + fixed::mul(rise, fraction)) as u16;
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_lut))]
mod tests {
    use super::*;

    fn looked_up(lut: &Lut, value: u16) -> [u16; 3] {
        let mut row = [pixel::pack(5, value, value, value)];

        lut.apply(&mut row);
        pixel::colors(row[0])
    }

    #[test]
    fn a_straight_line_changes_nothing() -> Result {
        for len in [2, 256, 4096, 65536] {
            let last = len - 1;
            let lut = Lut::new(len, |index| [((index * 65535 + last / 2) / last) as u16; 3])?;

            for value in (0..=65535).step_by(13) {
                assert!(looked_up(&lut, value)[0].abs_diff(value) <= 1);
            }
            assert_eq!(looked_up(&lut, 0), [0; 3]);
        }
        Ok(())
    }

    #[test]
    fn channels_have_their_own_entries() -> Result {
        let lut = Lut::new(2, |index| [[0, 100, 65535], [65535, 100, 0]][index])?;

        assert_eq!(looked_up(&lut, 0), [0, 100, 65535]);
        assert_eq!(looked_up(&lut, 65535)[1], 100);
        assert!(looked_up(&lut, 65535)[2] <= 1);
        Ok(())
    }

    #[test]
    fn sizes_are_checked() -> Result {
        assert!(Lut::new(0, |_| [0; 3]).is_err());
        assert!(Lut::new(65537, |_| [0; 3]).is_err());
        assert_eq!(looked_up(&Lut::new(1, |_| [7; 3])?, 1234), [7; 3]);
        Ok(())
    }
}
