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

/// Number of entries of a palette.
const COLORS: usize = 256;

/// The distance of two values that stand for entries of a palette.
const COLOR_STEP: u16 = u16::MAX / (COLORS as u16 - 1);

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
    /// The entries, if they are as many as a palette has.
    palette: KVec<[u16; 3]>,
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

        let colors = if len == COLORS { COLORS } else { 0 };
        let mut palette = KVec::with_capacity(colors, GFP_KERNEL)?;
        for index in 0..colors {
            palette.push(entry(index), GFP_KERNEL)?;
        }

        // INVARIANT: `tables` has room for one or three tables.
        Ok(Self { tables, palette })
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

    /// Looks up the colours of `row`, in which there are indices of a palette.
    ///
    /// Interpolation misses some of the entries by a little where the next one is far away, as it
    /// does in C `vkms`. Those of a palette have nothing to do with each other.
    pub(super) fn apply_palette(&self, row: &mut [Pixel]) {
        let Some([red, green, blue]) = self.tables() else {
            return;
        };
        let look_up = |table: &Table, channel: usize, value: u16| {
            let color = self.palette.get(usize::from(value / COLOR_STEP));

            match color.and_then(|color| color.get(channel)) {
                Some(&exact) if value % COLOR_STEP == 0 => exact,
                _ => table[usize::from(value)],
            }
        };

        for pixel in row {
            let [r, g, b] = pixel::colors(*pixel);

            *pixel = pixel::pack(
                pixel::alpha(*pixel),
                look_up(red, 0, r),
                look_up(green, 1, g),
                look_up(blue, 2, b),
            );
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
    fn colors_of_palettes_are_exact() -> Result {
        let palette = |index: usize| match index % 2 {
            0 => [65535, 0, index as u16],
            _ => [0, 65535, 65535],
        };
        let lut = Lut::new(COLORS, palette)?;

        for index in 0..COLORS {
            let value = index as u16 * COLOR_STEP;
            let mut row = [pixel::pack(5, value, value, value)];

            lut.apply_palette(&mut row);
            assert_eq!(pixel::colors(row[0]), palette(index));
            assert_eq!(pixel::alpha(row[0]), 5);
        }

        let mut row = [pixel::opaque(100, 100, 100)];

        lut.apply_palette(&mut row);
        assert_eq!(pixel::colors(row[0]), looked_up(&lut, 100));
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
