// SPDX-License-Identifier: GPL-2.0

//! Powers of fractions, in integers: transfer functions are made of them.

/// Number of fractional bits of a [`Number`].
const POINT: u32 = 60;

/// Number of fractional bits of a logarithm.
const LOG_POINT: u32 = 48;

/// A number from 0 up to 16.
pub(super) type Number = u64;

/// The number 1.
pub(super) const ONE: Number = 1 << POINT;

/// Returns `numerator / denominator`, of which the quotient is to be less than 16.
///
/// `denominator` is to be less than half of the range of its type.
pub(super) const fn ratio(numerator: u64, denominator: u64) -> Number {
    let mut quotient = numerator / denominator;
    let mut remainder = numerator % denominator;
    let mut bit = 0;

    // Bit by bit, since there is no division of 128-bit numbers in the kernel.
    while bit < POINT {
        quotient <<= 1;
        remainder <<= 1;
        if remainder >= denominator {
            remainder -= denominator;
            quotient |= 1;
        }
        bit += 1;
    }
    quotient
}

/// Multiplies two numbers, of which the product is to be less than 16.
pub(super) const fn multiply(a: Number, b: Number) -> Number {
    ((a as u128 * b as u128) >> POINT) as Number
}

/// Rounds down to an integer `1 / unit` of which is 1, after adding 1/256 of it: what is an integer
/// but for the error of the computation stays one.
pub(super) const fn floor(a: Number, unit: u64) -> u64 {
    ((a as u128 * unit as u128 + (1 << (POINT - 8))) >> POINT) as u64
}

/// Returns the logarithm of `a`, which is not to be 0, to base 2, with [`LOG_POINT`] fractional
/// bits.
const fn log2(a: Number) -> i64 {
    let exponent = a.ilog2() as i64 - POINT as i64;
    let mut mantissa = if exponent >= 0 {
        a >> exponent
    } else {
        a << -exponent
    };
    let mut log = exponent;
    let mut bit = 0;

    // Squaring doubles the logarithm: the next bit is whether the square has reached 2.
    while bit < LOG_POINT {
        mantissa = multiply(mantissa, mantissa);
        log *= 2;
        if mantissa >= 2 * ONE {
            mantissa >>= 1;
            log += 1;
        }
        bit += 1;
    }
    log
}

/// `ROOTS[n]` is 2 to the power of 1/2, 1/4, 1/8 and so on.
const ROOTS: [Number; LOG_POINT as usize] = {
    let mut roots = [0; LOG_POINT as usize];
    let mut root = 2 * ONE;
    let mut index = 0;

    while index < roots.len() {
        root = ((root as u128) << POINT).isqrt() as Number;
        roots[index] = root;
        index += 1;
    }
    roots
};

/// Returns 2 to the power of `a`, which has [`LOG_POINT`] fractional bits and is to be less than 4.
const fn exp2(a: i64) -> Number {
    let exponent = a >> LOG_POINT;
    let mut power = ONE;
    let mut index = 0;

    while index < ROOTS.len() {
        if a >> (LOG_POINT as usize - 1 - index) & 1 != 0 {
            power = multiply(power, ROOTS[index]);
        }
        index += 1;
    }

    if exponent >= 0 {
        power << exponent
    } else if exponent > -64 {
        power >> -exponent
    } else {
        0
    }
}

/// Returns `a` to the power of `numerator / denominator`, which is to be less than 16.
pub(super) const fn power(a: Number, numerator: u32, denominator: u32) -> Number {
    if a == 0 {
        return 0;
    }

    exp2(log2(a) * numerator as i64 / denominator as i64)
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_power))]
mod tests {
    use super::*;

    /// Less than a millionth of a channel value.
    const ERROR: u64 = ONE >> 36;

    #[test]
    fn powers_are_exact_enough() {
        let close = |a: Number, b: Number| a.abs_diff(b) < ERROR;

        assert!(close(power(ratio(1, 4), 1, 2), ratio(1, 2)));
        assert!(close(power(ratio(9, 4), 3, 2), ratio(27, 8)));
        assert!(close(power(ratio(1, 3), 2, 1), ratio(1, 9)));
        assert!(close(power(ONE, 12, 5), ONE));
        assert_eq!(power(0, 12, 5), 0);
        for n in 1..100 {
            let a = ratio(n, 100);

            assert!(close(power(power(a, 12, 5), 5, 12), a));
        }
    }

    #[test]
    fn floors_forgive_small_errors() {
        assert_eq!(floor(ONE, 65535), 65535);
        assert_eq!(floor(ONE - ERROR, 65535), 65535);
        assert_eq!(floor(ONE / 2, 65535), 32767);
    }
}
