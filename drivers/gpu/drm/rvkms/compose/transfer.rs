// SPDX-License-Identifier: GPL-2.0

//! Transfer functions that need more than 16 bits of linear light: perceptual quantization (SMPTE
//! ST 2084) with 10,000 nits at 125.0, ITU-R BT.2020 and a plain gamma.

use super::power::{
    self,
    power,
    quotient,
    Number,
    ONE, //
};
use kernel::prelude::*;

/// Number of fractional bits of the values that go in and come out.
pub(super) const FRACTION: u32 = 8;

/// The signal, and mostly the light, of full intensity.
const FULL: u64 = 65535 << FRACTION;

/// Signals below this have an entry of their own, the others share one with [`STEP`].
const EXACT: usize = 4096;

/// How many signals share an entry.
const STEP: usize = 16;

/// Number of entries for each doubling of the light.
const PER_OCTAVE: usize = 64;

/// The tables of a transfer function; one set serves all planes.
///
/// Takes 40 KiB and some milliseconds to prepare.
pub(crate) struct Transfer {
    /// The light of signals: [`EXACT`] of them, then each [`STEP`]th.
    light: KVec<i32>,
    /// The signal of light: values below [`PER_OCTAVE`], then as many for each doubling.
    signal: KVec<i32>,
    /// The largest value of light.
    most: i32,
}

impl Transfer {
    /// Prepares perceptual quantization.
    pub(crate) fn pq() -> Result<Self> {
        Self::new(125 * FULL, pq::light_of, pq::signal_of)
    }

    /// Prepares BT.2020, of which BT.709 has the same.
    pub(crate) fn bt2020() -> Result<Self> {
        Self::new(FULL, bt2020::light_of, bt2020::signal_of)
    }

    /// Prepares a gamma of 2.2.
    pub(crate) fn gamma22() -> Result<Self> {
        Self::new(
            FULL,
            |signal| power(signal, quotient(11, 5)),
            |light| power(light, quotient(5, 11)),
        )
    }

    /// Prepares the tables of two functions, which are each other's inverse, do not fall, and
    /// return 1 for 1; `most` is the light of the largest signal.
    fn new(
        most: u64,
        light_of: impl Fn(Number) -> Number,
        signal_of: impl Fn(Number) -> Number,
    ) -> Result<Self> {
        let mut light = KVec::with_capacity(EXACT + 65536 / STEP, GFP_KERNEL)?;
        let mut signal = KVec::with_capacity(32 * PER_OCTAVE, GFP_KERNEL)?;
        let mut last = 0;

        for value in Iterator::chain(0..EXACT, (EXACT..65536).step_by(STEP)) {
            last = scaled(light_of(quotient(value as u64, 65535)), most);
            light.push(last, GFP_KERNEL)?;
        }

        let most = i32::try_from(most).map_err(|_| EOVERFLOW)?;

        // The next entry is beyond the end, where the line through this one and full signal leads.
        light.push(most + (most - last) / (STEP as i32 - 1), GFP_KERNEL)?;

        let mut value = 0;
        let mut step = 1;

        // One entry beyond the end.
        while value < most as u64 + step {
            for _ in 0..PER_OCTAVE {
                let number = quotient(value, most as u64);

                signal.push(scaled(signal_of(number), FULL), GFP_KERNEL)?;
                value += step;
            }
            if value > PER_OCTAVE as u64 {
                step *= 2;
            }
        }
        Ok(Self {
            light,
            signal,
            most,
        })
    }

    /// Returns the largest value of light.
    pub(super) fn most(&self) -> u32 {
        self.most.unsigned_abs()
    }

    /// Returns the linear light of a signal; signals below 0 and above 1 are clamped.
    pub(super) fn light(&self, signal: i32) -> i32 {
        let signal = signal.clamp(0, FULL as i32) as usize;
        let exact = EXACT << FRACTION;

        if signal < exact {
            interpolate(&self.light, signal >> FRACTION, signal, FRACTION)
        } else {
            let rest = signal - exact;
            let shift = FRACTION + STEP.trailing_zeros();

            interpolate(&self.light, EXACT + (rest >> shift), rest, shift)
        }
    }

    /// Returns the signal of linear light; light below 0 and above the most is clamped.
    pub(super) fn signal(&self, light: i32) -> i32 {
        let light = light.clamp(0, self.most) as usize;
        let octave = (light / PER_OCTAVE).checked_ilog2().unwrap_or(0);
        let within = light >> octave;

        interpolate(
            &self.signal,
            octave as usize * PER_OCTAVE + within,
            light,
            octave,
        )
    }
}

/// Rounds to an integer, 1.0 becoming `unit`.
fn scaled(number: Number, unit: u64) -> i32 {
    ((u128::from(number) * u128::from(unit) + (1 << 59)) >> 60) as i32
}

/// Returns what is between entry `index` and the next one, as far as the lowest `bits` of `place`
/// say.
fn interpolate(table: &[i32], index: usize, place: usize, bits: u32) -> i32 {
    let at = |index: usize| {
        table
            .get(index)
            .or(table.last())
            .copied()
            .unwrap_or_default()
    };
    let (low, high) = (i64::from(at(index)), i64::from(at(index + 1)));
    let part = (place & ((1 << bits) - 1)) as i64;

    let rise = ((high - low) * part + ((1 << bits) >> 1)) >> bits;

    (low + rise) as i32
}

mod pq {
    use super::*;

    /// The exponents of the standard, and their inverses.
    const M1: Number = quotient(2610, 16384);
    const SIXTEENTH_OF_M2: Number = quotient(2523 * 128, 4096 * 16);
    const INVERSE_M1: Number = quotient(16384, 2610);
    const INVERSE_M2: Number = quotient(4096, 2523 * 128);

    /// The factors of the standard; the last two are a 16th of what it says, as numbers are less
    /// than 16.
    const C1: Number = quotient(3424, 4096);
    const C2: Number = quotient(2413 * 32, 4096 * 16);
    const C3: Number = quotient(2392 * 32, 4096 * 16);

    pub(super) fn light_of(signal: Number) -> Number {
        let root = power(signal, INVERSE_M2);
        let rest = C2.saturating_sub(power::multiply(C3, root)).max(1);

        power(quotient(root.saturating_sub(C1) / 16, rest), INVERSE_M1)
    }

    pub(super) fn signal_of(light: Number) -> Number {
        let root = power(light, M1);
        // Both are a 32nd of what the standard says.
        let numerator = C1 / 32 + power::multiply(C2, root) / 2;
        let denominator = ONE / 32 + power::multiply(C3, root) / 2;
        let quotient = quotient(numerator, denominator);

        // Numbers are less than 16, the exponent is not.
        let root = power(quotient, SIXTEENTH_OF_M2);

        (0..4).fold(root, |power, _| power::multiply(power, power))
    }
}

mod bt2020 {
    use super::*;

    /// The constants of the standard, 1.0993 and 0.0181, with more digits.
    const ALPHA: Number = quotient(109_929_682_680_944, 100_000_000_000_000);
    const BETA: Number = quotient(18_053_968_510_807, 1_000_000_000_000_000);

    pub(super) fn signal_of(light: Number) -> Number {
        if light < BETA {
            return light * 9 / 2;
        }
        power::multiply(ALPHA, power(light, quotient(9, 20))) - (ALPHA - ONE)
    }

    pub(super) fn light_of(signal: Number) -> Number {
        if signal < BETA * 9 / 2 {
            return signal * 2 / 9;
        }
        power(quotient(signal + (ALPHA - ONE), ALPHA), quotient(20, 9))
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_transfer))]
mod tests {
    use super::*;

    const ALL: i32 = FULL as i32;

    /// Whether light and signal belong together, both as parts of 65535.
    fn are_pair(transfer: &Transfer, signal: i32, light: i32) -> bool {
        let near = |own: i32, expected: i32| own.abs_diff(expected << FRACTION) <= 1 << FRACTION;

        near(transfer.light(signal << FRACTION), light)
            && near(transfer.signal(light << FRACTION), signal)
    }

    #[test]
    fn some_values_are_known() -> Result {
        let pq = Transfer::pq()?;

        assert_eq!(pq.light(0), 0);
        assert_eq!(pq.light(ALL), 125 * ALL);
        assert_eq!(pq.signal(125 * ALL), ALL);
        // Half of the signal is 92.25 nits, 80 of which are 1.0.
        assert!(pq.light(ALL / 2).abs_diff(19_344_900) < 20_000);
        // 100 nits are at 50.81 %.
        assert!(pq.signal(ALL / 4 * 5).abs_diff(8_524_300) < 2_000);

        let bt2020 = Transfer::bt2020()?;

        // Half of the light, and where the curve is a straight line.
        assert!(are_pair(&bt2020, 46231, 32768));
        assert!(are_pair(&bt2020, 4500, 1000));
        assert!(are_pair(&bt2020, 65535, 65535));

        let gamma22 = Transfer::gamma22()?;

        assert!(are_pair(&gamma22, 32768, 14263));
        assert!(are_pair(&gamma22, 424, 1));
        assert!(are_pair(&gamma22, 65535, 65535));
        Ok(())
    }

    #[test]
    fn both_directions_agree() -> Result {
        for (transfer, dark, error) in [
            // In the darkest part light has few steps.
            (Transfer::pq()?, 700, 40),
            (Transfer::gamma22()?, 200, 10),
            (Transfer::bt2020()?, 0, 1),
        ] {
            let mut last = -1;

            for signal in (0..65536).step_by(97) {
                let light = transfer.light(signal << FRACTION);
                let back = transfer.signal(light);

                assert!(light >= last);
                last = light;

                let off = back.abs_diff(signal << FRACTION) >> FRACTION;

                assert!(off <= if signal < dark { error } else { 4 });
            }
        }
        Ok(())
    }
}
