// SPDX-License-Identifier: GPL-2.0

//! Powers of fractions, in integers: transfer functions are made of them.
//!
//! Nothing here divides numbers of 128 bits, which the kernel cannot do.

/// Number of fractional bits of a [`Number`].
const POINT: u32 = 60;

/// Number of fractional bits of a logarithm.
const LOG_POINT: u32 = 48;

/// A number from 0 up to 16.
pub(super) type Number = u64;

/// The number 1.
pub(super) const ONE: Number = 1 << POINT;

/// Returns `a / b`, of two integers or two numbers; the quotient is to be less than 16 and `b`
/// neither 0 nor more than 2^63.
pub(super) const fn quotient(a: u64, b: u64) -> Number {
    let mut quotient = a / b;
    let mut rest = a % b;
    let mut bit = 0;

    while bit < POINT {
        rest <<= 1;
        quotient <<= 1;
        if rest >= b {
            rest -= b;
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
    } else if exponent > -(u64::BITS as i64) {
        power >> -exponent
    } else {
        0
    }
}

/// Returns `a` to the power of `exponent`; the result is to be less than 16.
pub(super) const fn power(a: Number, exponent: Number) -> Number {
    if a == 0 {
        return 0;
    }

    let log = log2(a);
    let product = multiply(log.unsigned_abs(), exponent) as i64;

    exp2(if log < 0 { -product } else { product })
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

        assert!(close(power(quotient(1, 4), quotient(1, 2)), quotient(1, 2)));
        assert!(close(
            power(quotient(9, 4), quotient(3, 2)),
            quotient(27, 8)
        ));
        assert!(close(power(quotient(1, 3), quotient(2, 1)), quotient(1, 9)));
        assert!(close(power(ONE, quotient(12, 5)), ONE));
        assert_eq!(power(0, quotient(12, 5)), 0);
        for n in 1..100 {
            let a = quotient(n, 100);

            assert!(close(power(power(a, quotient(12, 5)), quotient(5, 12)), a));
        }
    }

    #[test]
    fn floors_forgive_small_errors() {
        assert_eq!(floor(ONE, 65535), 65535);
        assert_eq!(floor(ONE - ERROR, 65535), 65535);
        assert_eq!(floor(ONE / 2, 65535), 32767);
    }
}
