// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Matrices for vector registers.

/// The number of lengths of a value, see [`Factors`].
pub(super) const LENGTHS: usize = 32;

/// Factors and offsets of a matrix in double precision.
///
/// [`Self::MATRIX`] of them are a matrix whose factors depend on the length of what they are
/// multiplied with. The length of a value is the number of bits that it needs without its sign; of
/// length 0 are 0 and -1.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct Factors([u64; 4]);

impl Factors {
    /// How many make up a matrix.
    pub const MATRIX: usize = SPREADS + 3;

    /// No factors.
    pub const ZERO: Self = Self([0; 4]);

    /// Returns number `index` of those that make up a matrix.
    ///
    /// `columns` holds what a value of R, G and B is multiplied with for each of R, G and B of the
    /// result, for each length of the value; `offsets` is added. All are numbers with 32 fractional
    /// bits. No value is below the first or above the second of `values`, between which 0 is. The
    /// less the factors of a column differ for these, the faster the matrix is.
    pub const fn of_matrix(
        columns: [&[[i64; 3]; LENGTHS]; 3],
        offsets: [i64; 3],
        values: [i32; 2],
        index: usize,
    ) -> Self {
        if index < OFFSETS {
            // A value has the more leading zeros the shorter it is.
            let [r, g, b] = columns[index / LENGTHS][LENGTHS - 1 - index % LENGTHS];

            return Self([0, double(r), double(g), double(b)]);
        }
        if index == OFFSETS {
            let [r, g, b] = offsets;

            return Self([0, double(r), double(g), double(b)]);
        }

        let row = (index - LONGEST) % 3;
        let (low, high) = spread(columns, values, row);

        Self(if index < LEAST {
            [double(columns[(index - LONGEST) / 3][longest(values)][row]); 4]
        } else if index < SPREADS {
            [double(offsets[row].saturating_add(low)); 4]
        } else {
            [double(high.saturating_sub(low)); 4]
        })
    }
}

/// Where the offsets are among the [`Factors`] of a matrix: after three columns, which begin with
/// the greatest length.
pub(super) const OFFSETS: usize = 3 * LENGTHS;

/// Where the factors for the longest values are: those of R for R, G and B, then those of G and B,
/// each for four pixels.
pub(super) const LONGEST: usize = OFFSETS + 1;

/// Where the offsets are of what a sum with these factors is at least, for R, G and B.
pub(super) const LEAST: usize = LONGEST + 9;

/// Where that is that it can be more.
pub(super) const SPREADS: usize = LEAST + 3;

/// Returns the greatest length of values.
const fn longest([least, most]: [i32; 2]) -> usize {
    let bits = (least ^ (least >> 31)) | (most ^ (most >> 31));

    (32 - bits.leading_zeros()) as usize % LENGTHS
}

/// Returns by how much the sum of the products for channel `row` can be less and more than that of
/// the factors for the longest values.
const fn spread(columns: [&[[i64; 3]; LENGTHS]; 3], values: [i32; 2], row: usize) -> (i64, i64) {
    let longest = longest(values);
    let (mut low, mut high) = (0i64, 0i64);
    let mut column = 0;

    while column < 3 {
        let (mut least, mut most) = (0, 0);
        let mut length = 0;

        while length < longest {
            let more = columns[column][length][row].saturating_sub(columns[column][longest][row]);
            // What has this length, if it is one of the values.
            let largest = (1i64 << length) - 1;
            let ends = [
                if (values[0] as i64) < -largest - 1 {
                    -largest - 1
                } else {
                    values[0] as i64
                },
                if (values[1] as i64) > largest {
                    largest
                } else {
                    values[1] as i64
                },
            ];
            let mut end = 0;

            while end < 2 {
                let product = more.saturating_mul(ends[end]);

                least = if product < least { product } else { least };
                most = if product > most { product } else { most };
                end += 1;
            }
            length += 1;
        }
        low = low.saturating_add(least);
        high = high.saturating_add(most);
        column += 1;
    }
    (low, high)
}

/// Returns a number with 32 fractional bits in double precision, of which the kernel has no type;
/// bits that are too many for it are dropped.
const fn double(number: i64) -> u64 {
    const FRACTION: u32 = 52;
    const BIAS: u64 = 1023;
    let magnitude = number.unsigned_abs();
    let Some(exponent) = magnitude.checked_ilog2() else {
        return 0;
    };
    let fraction = if exponent > FRACTION {
        magnitude >> (exponent - FRACTION)
    } else {
        magnitude << (FRACTION - exponent)
    };
    let sign = number as u64 & 1 << 63;

    sign | (BIAS - 32 + exponent as u64) << FRACTION | fraction & ((1 << FRACTION) - 1)
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_factors))]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_exact() {
        assert_eq!(double(0), 0);
        assert_eq!(double(1 << 32), 0x3ff0_0000_0000_0000);
        assert_eq!(double(-(3 << 31)), 0xbff8_0000_0000_0000);
        assert_eq!(double(1), 0x3df0_0000_0000_0000);
        assert_eq!(double((1 << 53) - 1), 0x413f_ffff_ffff_ffff);
        assert_eq!(double(i64::MIN), 0xc1e0_0000_0000_0000);
    }

    #[test]
    fn what_may_be_missed_is_known() {
        let mut column = [[4 << 32; 3]; LENGTHS];
        let same = column;

        assert_eq!(spread([&same; 3], [-9, 9], 0), (0, 0));
        // 2 and 3, but not 1 or 4, are multiplied with 5.
        column[2] = [5 << 32; 3];
        assert_eq!(spread([&same, &column, &same], [0, 9], 1), (0, 3 << 32));
        assert_eq!(
            spread([&same, &column, &column], [-9, 2], 1),
            (-8 << 32, 4 << 32)
        );
        assert_eq!(longest([0, 9]), 4);
        assert_eq!(longest([-16, 9]), 4);
        assert_eq!(longest([-17, 9]), 5);
    }
}
