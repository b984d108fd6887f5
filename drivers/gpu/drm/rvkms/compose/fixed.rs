// SPDX-License-Identifier: GPL-2.0

//! Signed 32.32 fixed-point numbers that round exactly as those of C's `drm_fixed.h`.
//!
//! C `vkms` converts pixels with these, so a pixel is equal only if every product loses the same
//! bits. [`mul`] drops low bits of its factors as soon as the product needs more than 62 bits; how
//! many it drops depends on the magnitude of both factors.

/// Number of fractional bits.
const POINT: u32 = 32;

/// Half a unit, what is added before rounding down.
pub(super) const HALF: i64 = 1 << (POINT - 1);

/// Converts an integer.
pub(super) const fn from_int(value: i32) -> i64 {
    (value as i64) << POINT
}

/// Converts the sign-magnitude numbers of the KMS properties.
pub(super) const fn from_sign_magnitude(value: u64) -> i64 {
    let magnitude = (value & (u64::MAX >> 1)) as i64;

    if value >> 63 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// Rounds to the nearest integer, halves up.
pub(super) const fn round(value: i64) -> i32 {
    (value.wrapping_add(HALF) >> POINT) as i32
}

/// Returns the index of the highest bit that differs from the sign bit, 0 if there is none.
const fn highest_bit(value: i64) -> u32 {
    let bits = (value ^ (value >> 63)) as u64;

    63 - (bits | 1).leading_zeros()
}

/// Multiplies two fixed-point numbers as `drm_fixp_mul()` does.
pub(super) const fn mul(a: i64, b: i64) -> i64 {
    let bits = highest_bit(a) + highest_bit(b);
    let dropped = bits.saturating_sub(61);
    let product = (a >> dropped.div_ceil(2)).wrapping_mul(b >> (dropped / 2));

    if dropped > POINT {
        product << (dropped - POINT)
    } else {
        product >> (POINT - dropped)
    }
}

/// Divides two fixed-point numbers as `drm_fixp_div()` does; `b` is not to be 0.
pub(super) const fn div(a: i64, b: i64) -> i64 {
    let shift = 62 - highest_bit(a);
    let a = a << shift;
    let b = if shift < POINT {
        b >> (POINT - shift)
    } else {
        b
    };
    let quotient = match a.checked_div(b) {
        Some(quotient) => quotient,
        None => 0,
    };

    if shift > POINT {
        quotient >> (shift - POINT)
    } else {
        quotient
    }
}

/// Number of lengths of an integer, see [`Coefficient::length`].
pub(super) const LENGTHS: usize = 32;

/// A coefficient that is multiplied with many integers.
///
/// [`mul`] of a coefficient and an integer drops low bits of the coefficient alone, as many as the
/// length of the integer demands: the coefficients that remain are few enough to be kept in a
/// table.
///
/// # Invariants
///
/// `by_length[n]` is what counts of the coefficient when the other factor is an integer whose
/// magnitude has `n` bits.
#[derive(Clone, Copy)]
pub(super) struct Coefficient {
    by_length: [i64; LENGTHS],
}

impl Coefficient {
    /// Prepares `value`, a fixed-point number, for products as those of [`mul`].
    pub(super) const fn new(value: i64) -> Self {
        let mut by_length = [0; LENGTHS];
        let mut length = 0;

        while length < LENGTHS {
            // The only integer of length 0 with a product is -1, whose highest bit is below the
            // point.
            let bits = highest_bit(value) + POINT - 1 + length as u32;
            let dropped = bits.saturating_sub(61).div_ceil(2);

            by_length[length] = (value >> dropped) << dropped;
            length += 1;
        }
        // INVARIANT: The loop dropped for each length what `mul` drops of its first factor.
        Self { by_length }
    }

    /// Prepares `value`, of which nothing is to be dropped.
    pub(super) const fn whole(value: i64) -> Self {
        // INVARIANT: All of it counts.
        Self {
            by_length: [value; LENGTHS],
        }
    }

    /// Returns the index that belongs to `factor`, for [`Self::times`]: how many bits its magnitude
    /// has, less than [`LENGTHS`].
    #[inline(always)]
    pub(super) const fn length(factor: i32) -> usize {
        let bits = (factor ^ (factor >> 31)) as u32;

        // Twice as much, and never 0, is quicker to measure.
        (bits << 1 | 1).ilog2() as usize
    }

    /// Returns what counts of the coefficient for factors of a [`length`](Self::length).
    #[inline(always)]
    pub(super) const fn reduced(&self, length: usize) -> i64 {
        self.by_length[length % LENGTHS]
    }

    /// Returns the product of what counts of the coefficient and `factor`, of which `length` is the
    /// [`length`](Self::length); wraps around.
    #[inline(always)]
    pub(super) const fn times(&self, factor: i32, length: usize) -> i64 {
        self.reduced(length).wrapping_mul(factor as i64)
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_fixed))]
mod tests {
    use super::*;

    #[test]
    fn products_and_quotients() {
        assert_eq!(mul(from_int(3), from_int(-5)), from_int(-15));
        assert_eq!(mul(from_int(1), HALF), HALF);
        assert_eq!(div(from_int(1), from_int(2)), HALF);
        assert_eq!(div(from_int(65535), from_int(31)) >> 32, 2114);
        assert_eq!(round(HALF), 1);
        assert_eq!(round(-HALF), 0);
        assert_eq!(from_sign_magnitude(1 << 63 | 7), -7);
    }

    #[test]
    fn coefficients_multiply_alike() {
        let mut random = 1u64;

        for step in 0..4000u32 {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(step.into());
            let value = (random as i64) >> (20 + step % 40);
            let coefficient = Coefficient::new(value);

            for factor in [0, 1, -1, 2, -2, 255, 65535, -65536, (random >> 40) as i32] {
                let length = Coefficient::length(factor);

                assert_eq!(
                    coefficient.times(factor, length),
                    mul(value, from_int(factor))
                );
            }
        }
    }
}
