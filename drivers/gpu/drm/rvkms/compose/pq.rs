// SPDX-License-Identifier: GPL-2.0

//! Perceptual quantization, SMPTE ST 2084, with 10,000 nits at 125.0.

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

/// Signals below this have an entry of their own, the others share one with [`STEP`].
const EXACT: usize = 4096;

/// How many signals share an entry.
const STEP: usize = 16;

/// Number of entries for each doubling of the light.
const PER_OCTAVE: usize = 64;

/// The largest value of linear light.
const MOST: u64 = 125 * 65535 << FRACTION;

/// The tables of perceptual quantization; one set serves all planes.
///
/// Takes some milliseconds to prepare.
pub(crate) struct Pq {
    /// The light of signals: [`EXACT`] of them, then each [`STEP`]th.
    light: KVec<i32>,
    /// The signal of light: values below [`PER_OCTAVE`], then as many for each doubling.
    signal: KVec<i32>,
}

/// The exponents of the standard, and their inverses.
const M1: Number = quotient(2610, 16384);
const SIXTEENTH_OF_M2: Number = quotient(2523 * 128, 4096 * 16);
const INVERSE_M1: Number = quotient(16384, 2610);
const INVERSE_M2: Number = quotient(4096, 2523 * 128);

/// The factors of the standard; the last two are a 16th of what it says, as numbers are less than
/// 16.
const C1: Number = quotient(3424, 4096);
const C2: Number = quotient(2413 * 32, 4096 * 16);
const C3: Number = quotient(2392 * 32, 4096 * 16);

/// Returns the light, of which 1.0 is the most, of a signal.
fn light_of(signal: Number) -> Number {
    let root = power(signal, INVERSE_M2);
    let rest = C2.saturating_sub(power::multiply(C3, root)).max(1);

    power(quotient(root.saturating_sub(C1) / 16, rest), INVERSE_M1)
}

/// Returns the signal of a light.
fn signal_of(light: Number) -> Number {
    let root = power(light, M1);
    // Both are a 32nd of what the standard says.
    let numerator = C1 / 32 + power::multiply(C2, root) / 2;
    let denominator = ONE / 32 + power::multiply(C3, root) / 2;
    let quotient = quotient(numerator, denominator);

    // Numbers are less than 16, the exponent is not.
    let root = power(quotient, SIXTEENTH_OF_M2);

    (0..4).fold(root, |power, _| power::multiply(power, power))
}

/// Rounds to an integer, 1.0 becoming `unit`.
fn scaled(number: Number, unit: u64) -> i32 {
    ((u128::from(number) * u128::from(unit) + (1 << 59)) >> 60) as i32
}

impl Pq {
    /// Prepares the tables.
    pub(crate) fn new() -> Result<Self> {
        let mut light = KVec::with_capacity(EXACT + 65536 / STEP, GFP_KERNEL)?;
        let mut signal = KVec::with_capacity(32 * PER_OCTAVE, GFP_KERNEL)?;
        let mut last = 0;

        for value in (0..EXACT).chain((EXACT..65536).step_by(STEP)) {
            last = scaled(light_of(quotient(value as u64, 65535)), MOST);
            light.push(last, GFP_KERNEL)?;
        }
        // The next entry is beyond the end, where the line through this one and full signal leads.
        light.push(
            MOST as i32 + (MOST as i32 - last) / (STEP as i32 - 1),
            GFP_KERNEL,
        )?;

        let mut value = 0;
        let mut step = 1;

        // One entry beyond the end.
        while value < MOST + step {
            for _ in 0..PER_OCTAVE {
                let number = quotient(value, MOST);

                signal.push(scaled(signal_of(number), 65535 << FRACTION), GFP_KERNEL)?;
                value += step;
            }
            if value > PER_OCTAVE as u64 {
                step *= 2;
            }
        }
        Ok(Self { light, signal })
    }

    /// Returns the linear light of a signal; signals below 0 and above 1 are clamped.
    pub(super) fn eotf(&self, signal: i32) -> i32 {
        let signal = signal.clamp(0, 65535 << FRACTION) as usize;
        let exact = EXACT << FRACTION;

        if signal < exact {
            interpolate(&self.light, signal >> FRACTION, signal, FRACTION)
        } else {
            let rest = signal - exact;
            let shift = FRACTION + STEP.trailing_zeros();

            interpolate(&self.light, EXACT + (rest >> shift), rest, shift)
        }
    }

    /// Returns the signal of linear light; light below 0 and above 125.0 is clamped.
    pub(super) fn inverse_eotf(&self, light: i32) -> i32 {
        let light = light.clamp(0, MOST as i32) as usize;
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

    (low + ((high - low) * part + ((1 << bits) >> 1) >> bits)) as i32
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_pq))]
mod tests {
    use super::*;

    const FULL: i32 = 65535 << FRACTION;

    #[test]
    fn some_values_are_known() -> Result {
        let pq = Pq::new()?;

        assert_eq!(pq.eotf(0), 0);
        assert_eq!(pq.eotf(FULL), 125 * FULL);
        assert_eq!(pq.inverse_eotf(125 * FULL), FULL);
        // Half of the signal is 92.25 nits, 80 of which are 1.0.
        assert!(pq.eotf(FULL / 2).abs_diff(19_344_900) < 20_000);
        // 100 nits are at 50.81 %.
        assert!(pq.inverse_eotf(FULL / 4 * 5).abs_diff(8_524_300) < 2_000);
        Ok(())
    }

    #[test]
    fn both_directions_agree() -> Result {
        let pq = Pq::new()?;
        let mut last = -1;

        for signal in (0..65536).step_by(97) {
            let light = pq.eotf(signal << FRACTION);
            let back = pq.inverse_eotf(light);

            assert!(light >= last);
            last = light;
            // In the darkest part light has few steps.
            let error = back.abs_diff(signal << FRACTION) >> FRACTION;

            assert!(error <= if signal < 700 { 40 } else { 4 });
        }
        Ok(())
    }
}
