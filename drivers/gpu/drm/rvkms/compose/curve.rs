// SPDX-License-Identifier: GPL-2.0

//! The transfer functions that a colour pipeline offers.

use super::{
    power::{
        self,
        power,
        quotient,
        Number,
        ONE, //
    },
    Lut, //
};
use kernel::prelude::*;

/// A transfer function: the `CURVE_1D_TYPE` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Curve {
    /// From sRGB to linear light.
    SrgbEotf,
    /// From linear light to sRGB.
    SrgbInverseEotf,
    /// From linear light to BT.2020, of which BT.709 has the same.
    Bt2020Oetf,
    /// From BT.2020 to linear light.
    Bt2020InverseOetf,
    /// To the power of 2.2.
    Gamma22,
    /// To the power of 1/2.2.
    Gamma22Inverse,
}

/// Number of entries of a table, as in C `vkms`.
const ENTRIES: usize = 256;

static SRGB_EOTF: [u16; ENTRIES] = {
    let mut table = [0; ENTRIES];
    let mut index = 0;

    while index < ENTRIES {
        let n = index as u64;
        // A straight line up to 0.04045.
        let light = if n <= 10 {
            quotient(n * 100, 255 * 1292)
        } else {
            power(quotient(n * 1000 + 55 * 255, 1055 * 255), quotient(12, 5))
        };

        table[index] = power::floor(light, 65535) as u16;
        index += 1;
    }
    table
};

static SRGB_INVERSE_EOTF: [u16; ENTRIES] = {
    let mut table = [0; ENTRIES];
    let mut index = 1;

    // The straight line is for values below the one of index 1.
    while index < ENTRIES {
        let root = power(quotient(index as u64, 255), quotient(5, 12));
        let signal = root + power::multiply(root, quotient(55, 1000)) - quotient(55, 1000);

        table[index] = power::floor(if signal > ONE { ONE } else { signal }, 65535) as u16;
        index += 1;
    }
    table
};

/// The constants of BT.2020, 1.0993 and 0.0181, with more digits.
const ALPHA: Number = quotient(109_929_682_680_944, 100_000_000_000_000);
const BETA: Number = quotient(18_053_968_510_807, 1_000_000_000_000_000);

fn bt2020_oetf(light: Number) -> Number {
    if light < BETA {
        return light * 9 / 2;
    }
    power::multiply(ALPHA, power(light, quotient(9, 20))) - (ALPHA - ONE)
}

fn bt2020_inverse_oetf(signal: Number) -> Number {
    if signal < BETA * 9 / 2 {
        return signal * 2 / 9;
    }
    power(quotient(signal + (ALPHA - ONE), ALPHA), quotient(20, 9))
}

impl Lut {
    /// Prepares the table of a transfer function.
    ///
    /// A driver needs each only once; it takes 128 KiB and some milliseconds to prepare.
    pub(crate) fn curve(curve: Curve) -> Result<Self> {
        let entry = |table: &[u16; ENTRIES], index: usize| {
            [table.get(index).copied().unwrap_or_default(); 3]
        };

        match curve {
            Curve::SrgbEotf => Self::new(ENTRIES, |index| entry(&SRGB_EOTF, index)),
            Curve::SrgbInverseEotf => Self::new(ENTRIES, |index| entry(&SRGB_INVERSE_EOTF, index)),
            Curve::Bt2020Oetf => Self::sampled(|v| rounded(bt2020_oetf(unit(v)))),
            Curve::Bt2020InverseOetf => Self::sampled(|v| rounded(bt2020_inverse_oetf(unit(v)))),
            Curve::Gamma22 => Self::sampled(|v| rounded(power(unit(v), quotient(11, 5)))),
            Curve::Gamma22Inverse => Self::sampled(|v| rounded(power(unit(v), quotient(5, 11)))),
        }
    }
}

/// Returns the number that a channel value stands for.
fn unit(value: u16) -> Number {
    quotient(value.into(), 65535)
}

/// Returns the channel value of a number.
fn rounded(number: Number) -> u16 {
    ((u128::from(number.min(ONE)) * 65535 + (1 << 59)) >> 60) as u16
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_curve))]
mod tests {
    use super::*;

    #[test]
    fn srgb_is_known_at_some_places() {
        assert_eq!(SRGB_EOTF[0], 0);
        assert_eq!(SRGB_EOTF[1], 19);
        // 50 % gray is 21.4 % of the light.
        assert_eq!(SRGB_EOTF[128], 14146);
        assert_eq!(SRGB_EOTF[255], 65535);
        assert_eq!(SRGB_INVERSE_EOTF[0], 0);
        assert_eq!(SRGB_INVERSE_EOTF[55], 32883);
        assert_eq!(SRGB_INVERSE_EOTF[255], 65535);
    }

    #[test]
    fn other_curves_are_known_at_some_places() -> Result {
        let near = |curve, value: u16, expected: u16| -> Result<bool> {
            let lut = Lut::curve(curve)?;
            let tables = lut.tables().ok_or(EINVAL)?;

            Ok(tables[0][usize::from(value)].abs_diff(expected) <= 1)
        };

        // Half of the light, and a value where the curve is straight or steep.
        assert!(near(Curve::Bt2020Oetf, 32768, 46231)?);
        assert!(near(Curve::Bt2020Oetf, 1000, 4500)?);
        assert!(near(Curve::Bt2020InverseOetf, 46231, 32768)?);
        assert!(near(Curve::Bt2020InverseOetf, 4500, 1000)?);
        assert!(near(Curve::Gamma22, 32768, 14263)?);
        assert!(near(Curve::Gamma22Inverse, 14263, 32768)?);
        assert!(near(Curve::Gamma22Inverse, 1, 424)?);
        for curve in [
            Curve::Bt2020Oetf,
            Curve::Bt2020InverseOetf,
            Curve::Gamma22,
            Curve::Gamma22Inverse,
        ] {
            assert!(near(curve, 0, 0)? && near(curve, 65535, 65535)?);
        }
        Ok(())
    }

    #[test]
    fn curves_rise() {
        for table in [&SRGB_EOTF, &SRGB_INVERSE_EOTF] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
