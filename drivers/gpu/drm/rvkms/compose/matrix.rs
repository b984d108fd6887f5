// SPDX-License-Identifier: GPL-2.0

//! Matrices that mix the colours of a pixel.

use super::{
    fixed::{
        self,
        Coefficient,
        LENGTHS, //
    },
    pixel::{
        self,
        Pixel, //
    },
};
use kernel::{
    drm::simd::{
        Factors,
        Linear, //
    },
    prelude::*, //
};

/// What counts of the three coefficients of one channel, for each length of the channel's value.
type Column = [[i64; 3]; LENGTHS];

/// The colours of a pixel while a pipeline works on them: 0 is black, 65535 full intensity.
pub(super) type Wide = [i32; 3];

/// A matrix of three rows of four numbers: R, G, B and 1 go in, R, G and B come out.
///
/// # Invariants
///
/// `columns` holds three [`Column`]s.
pub(crate) struct Matrix {
    columns: KVec<[i64; 3]>,
    /// The last column, in channel values.
    offsets: [i128; 3],
    /// The magnitudes of each row's coefficients and of its offset.
    magnitudes: [(u128, u128); 3],
}

impl Matrix {
    /// Prepares a matrix in the order and format of `struct drm_color_ctm_3x4`: row by row,
    /// sign-magnitude numbers with 32 fractional bits. 1.0 in the last column is full intensity.
    ///
    /// Bits of the coefficients are dropped as `drm_fixp_mul()` does, so that results are those of
    /// C `vkms`: the larger the value of a channel, the more.
    pub(crate) fn new(matrix: &[u64; 12]) -> Result<Self> {
        Self::with(matrix, Coefficient::new)
    }

    /// As [`Self::new`], but all bits count: values far above full intensity can cancel each other
    /// out.
    pub(crate) fn exact(matrix: &[u64; 12]) -> Result<Self> {
        Self::with(matrix, Coefficient::whole)
    }

    fn with(matrix: &[u64; 12], coefficient: fn(i64) -> Coefficient) -> Result<Self> {
        let mut columns = KVec::with_capacity(3 * LENGTHS, GFP_KERNEL)?;
        let at = |row: usize, column: usize| {
            fixed::from_sign_magnitude(matrix.get(4 * row + column).copied().unwrap_or_default())
        };

        for column in 0..3 {
            let coefficients = [0, 1, 2].map(|row| coefficient(at(row, column)));

            for length in 0..LENGTHS {
                let reduced = coefficients.each_ref().map(|c| c.reduced(length));

                columns.push(reduced, GFP_KERNEL)?;
            }
        }

        let offsets = [0, 1, 2].map(|row| i128::from(at(row, 3)).wrapping_mul(65535));
        let magnitudes = [0, 1, 2].map(|row| {
            let sum = (0..3)
                .map(|column| u128::from(at(row, column).unsigned_abs()))
                .sum();

            (sum, u128::from(at(row, 3).unsigned_abs()) * 65536)
        });

        // INVARIANT: The loop pushed one column each for R, G and B.
        Ok(Self {
            columns,
            offsets,
            magnitudes,
        })
    }

    /// Prepares a matrix in the order and format of `struct drm_color_ctm`: as [`Self::exact`],
    /// without the last column. C `vkms` has none.
    pub(crate) fn from_3x3(matrix: &[u64; 9]) -> Result<Self> {
        let [a, b, c, d, e, f, g, h, i] = *matrix;

        Self::exact(&[a, b, c, 0, d, e, f, 0, g, h, i, 0])
    }

    /// Prepares a factor for all channels, a sign-magnitude number with 32 fractional bits.
    pub(crate) fn multiplier(factor: u64) -> Result<Self> {
        Self::exact(&[factor, 0, 0, 0, 0, factor, 0, 0, 0, 0, factor, 0])
    }

    /// Returns the largest magnitude of a result when that of the factors is at most `limit`, or
    /// [`None`] if the sum could overflow then. Both have `fraction` fractional bits, at most 8.
    pub(super) fn limit(&self, limit: u32, fraction: u32) -> Option<u32> {
        self.magnitudes
            .iter()
            .try_fold(0, |largest, &(sum, offset)| {
                let total = sum * u128::from(limit) + (offset << fraction);

                if total >= 1 << 62 {
                    return None;
                }
                Some(largest.max((total >> 32) as u32 + 1))
            })
    }

    /// Returns the largest results if no factor is negative or more than that of `most`, or
    /// [`None`] if a result can be negative or more than full intensity then.
    ///
    /// All have `fraction` fractional bits, at most 8.
    pub(super) fn inside(&self, most: [u32; 3], fraction: u32) -> Option<[u32; 3]> {
        let columns = self.columns()?;
        let mut largest = [0; 3];

        for ((row, offset), largest) in self.offsets(fraction).iter().enumerate().zip(&mut largest)
        {
            let (mut low, mut high) = (*offset, *offset);

            for (column, most) in columns.iter().zip(most) {
                // The longer the factor, the more the coefficient is rounded down. Of no length
                // is only 0.
                let [_, short, .., long] = column.map(|coefficients| i128::from(coefficients[row]));

                low += long.min(0).wrapping_mul(most.into());
                high += short.max(0).wrapping_mul(most.into());
            }
            if low < 0 || high >> 32 > 65535 << fraction {
                return None;
            }
            *largest = (high >> 32) as u32;
        }
        Some(largest)
    }

    /// Returns the offsets for results with `fraction` fractional bits, with what rounds added.
    #[inline(always)]
    fn offsets(&self, fraction: u32) -> [i128; 3] {
        self.offsets
            .map(|offset| (offset << fraction.min(8)) + i128::from(fixed::HALF))
    }

    /// As [`Self::offsets`], where [`Self::limit`] says that they fit.
    #[inline(always)]
    fn short_offsets(&self, fraction: u32) -> [i64; 3] {
        self.offsets(fraction).map(|offset| offset as i64)
    }

    /// Returns the columns.
    #[inline(always)]
    fn columns(&self) -> Option<[&Column; 3]> {
        let mut columns = self.columns.chunks_exact(LENGTHS);
        let mut next = || <&Column>::try_from(columns.next()?).ok();

        Some([next()?, next()?, next()?])
    }

    /// Appends the matrix for vector registers to `factors`; no value is below the first or above
    /// the second of `values`, of which [`Self::limit`] rules overflow out.
    pub(super) fn push_to(&self, factors: &mut KVVec<Factors>, values: [i32; 2]) -> Result {
        let columns = self.columns().ok_or(EINVAL)?;

        for index in 0..Factors::MATRIX {
            let factor = Factors::of_matrix(columns, self.short_offsets(0), values, index);

            factors.push(factor, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Returns the matrix for vector registers if it is exact for channels of 16 bits there.
    pub(super) fn linear(&self) -> Option<Linear> {
        Linear::of_matrix(self.columns()?, self.short_offsets(0), [0; 3])
    }

    /// Returns what channel `channel`, of value `value`, adds to each result; the offsets and what
    /// rounds come with the first channel.
    ///
    /// The values are to be such that [`Self::limit`] rules overflow out.
    pub(super) fn products(&self, channel: usize, value: i32, fraction: u32) -> [i64; 3] {
        let products = self
            .columns()
            .and_then(|columns| Some(columns.get(channel)?[length(value)]))
            .unwrap_or_default()
            .map(|coefficient| coefficient.wrapping_mul(value.into()));
        let offsets = if channel == 0 {
            self.short_offsets(fraction)
        } else {
            [0; 3]
        };

        add(products, offsets)
    }

    /// Multiplies each of `colors`, of which [`Self::limit`] rules overflow out.
    pub(super) fn apply(&self, colors: &mut [Wide], fraction: u32) {
        let offsets = self.short_offsets(fraction);
        let Some(columns) = self.columns() else {
            return;
        };

        for color in colors {
            *color = multiply(columns, offsets, *color);
        }
    }

    /// Multiplies each of `colors`, whatever their values; results that do not fit are clamped.
    pub(super) fn apply_saturating(&self, colors: &mut [Wide], fraction: u32) {
        let offsets = self.offsets(fraction);
        let Some([red, green, blue]) = self.columns() else {
            return;
        };

        for color in colors {
            let mut sums = offsets;

            for (column, value) in [red, green, blue].into_iter().zip(*color) {
                for (sum, coefficient) in sums.iter_mut().zip(column[length(value)]) {
                    *sum += i128::from(coefficient).wrapping_mul(value.into());
                }
            }
            *color = sums.map(|sum| (sum >> 32).clamp(i32::MIN.into(), i32::MAX.into()) as i32);
        }
    }

    /// Multiplies the colours of `row` and clamps the results.
    pub(super) fn apply_to_row(&self, row: &mut [Pixel]) {
        let Some(columns) = self.columns() else {
            return;
        };

        if self.limit(65535, 0).is_some() {
            let offsets = self.short_offsets(0);

            for pixel in row {
                *pixel = clamped(*pixel, multiply(columns, offsets, widened(*pixel)));
            }
        } else {
            for pixel in row {
                let mut color = [widened(*pixel)];

                self.apply_saturating(&mut color, 0);
                *pixel = clamped(*pixel, color[0]);
            }
        }
    }
}

#[inline(always)]
fn multiply([red, green, blue]: [&Column; 3], offsets: [i64; 3], [r, g, b]: Wide) -> Wide {
    let products = |column: &Column, value: i32| {
        column[length(value)].map(|coefficient| coefficient.wrapping_mul(value.into()))
    };
    let sum = add(offsets, products(red, r));

    add(add(sum, products(green, g)), products(blue, b)).map(|sum| (sum >> 32) as i32)
}

/// Returns the index of a value in a [`Column`].
#[inline(always)]
fn length(value: i32) -> usize {
    Coefficient::length(value) % LENGTHS
}

#[inline(always)]
pub(super) fn add([a, b, c]: [i64; 3], [d, e, f]: [i64; 3]) -> [i64; 3] {
    [a.wrapping_add(d), b.wrapping_add(e), c.wrapping_add(f)]
}

/// Takes the colours of `pixel`.
#[inline(always)]
pub(super) fn widened(pixel: Pixel) -> Wide {
    pixel::colors(pixel).map(i32::from)
}

/// Replaces the colours of `pixel`.
#[inline(always)]
pub(super) fn clamped(pixel: Pixel, color: Wide) -> Pixel {
    let [r, g, b] = color.map(clamp);

    pixel::pack(pixel::alpha(pixel), r, g, b)
}

#[inline(always)]
pub(super) fn clamp(value: i32) -> u16 {
    value.clamp(0, 0xffff) as u16
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_matrix))]
mod tests {
    use super::*;

    const ONE: u64 = 1 << 32;
    const NEGATIVE: u64 = 1 << 63;

    fn multiplied(matrix: &Matrix, color: Wide) -> Wide {
        let mut colors = [color];

        matrix.apply_saturating(&mut colors, 0);
        colors[0]
    }

    #[test]
    fn channels_are_mixed() -> Result {
        let matrix = Matrix::new(&[
            0,
            ONE,
            0,
            0, //
            ONE / 2,
            0,
            ONE / 2,
            0, //
            NEGATIVE | ONE,
            0,
            0,
            ONE,
        ])?;
        let color = [1000, 2000, 3000];

        assert_eq!(multiplied(&matrix, color), [2000, 2000, 64535]);

        let mut colors = [color];

        matrix.apply(&mut colors, 0);
        assert_eq!(colors[0], [2000, 2000, 64535]);

        let sum = add(matrix.products(0, 1000, 0), matrix.products(1, 2000, 0));

        assert_eq!(
            add(sum, matrix.products(2, 3000, 0)).map(|sum| sum >> 32),
            [2000, 2000, 64535]
        );
        Ok(())
    }

    #[test]
    fn huge_coefficients_do_not_wrap() -> Result {
        let huge = u64::MAX >> 1;
        let matrix = Matrix::new(&[
            huge,
            huge,
            huge,
            huge, //
            NEGATIVE | huge,
            0,
            0,
            0, //
            ONE,
            0,
            0,
            0,
        ])?;

        assert!(matrix.limit(65535, 0).is_none());
        assert_eq!(multiplied(&matrix, [65535; 3]), [i32::MAX, i32::MIN, 65535]);

        let mut row = [pixel::opaque(65535, 1, 1)];

        matrix.apply_to_row(&mut row);
        assert_eq!(row[0], pixel::opaque(65535, 0, 65535));
        Ok(())
    }

    #[test]
    fn large_offsets_count() -> Result {
        let (a, d) = (20 * ONE, NEGATIVE | (19 * ONE));
        let matrix = Matrix::new(&[a, 0, 0, d, 0, a, 0, d, 0, 0, a, d])?;
        let color = [55705, 63000, 65535];
        let expected = [-131065, 14835, 65535];
        let mut colors = [color];

        assert_eq!(multiplied(&matrix, color), expected);
        matrix.apply(&mut colors, 0);
        assert_eq!(colors[0], expected);

        let sum = add(matrix.products(0, 55705, 0), matrix.products(1, 63000, 0));

        assert_eq!(
            add(sum, matrix.products(2, 65535, 0)).map(|sum| (sum >> 32) as i32),
            expected
        );
        assert_eq!(matrix.inside([65535; 3], 0), None);

        let [below, above] = [NEGATIVE | (u64::MAX >> 1), u64::MAX >> 1]
            .map(|d| Matrix::new(&[a, 0, 0, d, 0, a, 0, d, 0, 0, a, d]));

        assert_eq!(multiplied(&below?, color), [i32::MIN; 3]);
        assert_eq!(multiplied(&above?, color), [i32::MAX; 3]);
        Ok(())
    }

    #[test]
    fn matrices_of_crtcs_are_exact() -> Result {
        let (a, b) = (1_000_000 * ONE + ONE / 5 * 2, NEGATIVE | (1_000_000 * ONE));
        let matrix = Matrix::from_3x3(&[a, b, 0, 0, a, b, b, 0, a])?;
        let mut row = [pixel::opaque(65535, 65535, 65535)];

        assert_eq!(multiplied(&matrix, [65535; 3]), [26214; 3]);
        matrix.apply_to_row(&mut row);
        assert_eq!(row[0], pixel::opaque(26214, 26214, 26214));
        Ok(())
    }

    #[test]
    fn bright_colours_cancel_out() -> Result {
        let third = ONE / 3;
        let (a, b, c) = (third, NEGATIVE | third, ONE);
        let matrix = Matrix::exact(&[a, b, c, 0, a, b, c, 0, a, b, c, 0])?;
        let mut colors = [[1 << 29, (1 << 29) - 30_000, 7]];

        assert_eq!(multiplied(&matrix, colors[0]), [10_007; 3]);
        matrix.apply(&mut colors, 0);
        assert_eq!(colors[0], [10_007; 3]);
        Ok(())
    }

    #[test]
    fn what_is_inside_needs_no_clamping() -> Result {
        let gray = [ONE / 4, ONE / 2, ONE / 4, 0];
        let [a, b, c, d] = gray;
        let matrix = Matrix::new(&[a, b, c, d, a, b, c, d, a, b, c, d])?;

        assert_eq!(matrix.inside([65535; 3], 0), Some([65535; 3]));
        assert_eq!(matrix.inside([0, 65535, 0], 0), Some([32768; 3]));
        assert_eq!(matrix.inside([65536; 3], 0), None);

        let negative = Matrix::new(&[a, b, c, d, NEGATIVE | a, b, c, d, a, b, c, d])?;

        assert_eq!(negative.inside([65535; 3], 0), None);

        let above = Matrix::new(&[a, b, c, ONE / 65535, a, b, c, d, a, b, c, d])?;

        assert_eq!(above.inside([65535; 3], 0), None);
        assert_eq!(above.inside([65534; 3], 0), Some([65535, 65534, 65534]));
        Ok(())
    }

    #[test]
    fn limits_hold() -> Result {
        let one = Matrix::from_3x3(&[ONE, 0, 0, 0, ONE, 0, 0, 0, ONE])?;

        assert_eq!(one.limit(65535, 0), Some(65536));

        let ten = Matrix::from_3x3(&[10 * ONE, 0, 0, 0, NEGATIVE | (9 * ONE), 0, 0, 0, ONE])?;

        assert_eq!(ten.limit(65535, 0), Some(655351));
        assert_eq!(ten.limit(1 << 30, 0), None);
        Ok(())
    }
}
