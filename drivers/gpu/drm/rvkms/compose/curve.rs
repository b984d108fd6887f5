// SPDX-License-Identifier: GPL-2.0

//! The transfer functions of which `vkms` has tables.

use super::{
    power::{
        self,
        power,
        quotient,
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

impl Lut {
    /// Prepares the table of a transfer function.
    ///
    /// A driver needs each only once; it takes 128 KiB.
    pub(crate) fn curve(curve: Curve) -> Result<Self> {
        let table = match curve {
            Curve::SrgbEotf => &SRGB_EOTF,
            Curve::SrgbInverseEotf => &SRGB_INVERSE_EOTF,
        };

        Self::new(ENTRIES, |index| {
            [table.get(index).copied().unwrap_or_default(); 3]
        })
    }
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
    fn curves_rise() {
        for table in [&SRGB_EOTF, &SRGB_INVERSE_EOTF] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
