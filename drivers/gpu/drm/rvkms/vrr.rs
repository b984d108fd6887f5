// SPDX-License-Identifier: GPL-2.0

//! Displays whose refresh rate may vary.

use kernel::{
    drm::kms::MAX_OBJECTS,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::Delta, //
};

/// The rate of a connector of which nothing is known, e.g. one for writeback.
const UNKNOWN: u32 = u32::MAX;

/// How slow the displays of a device can be: the lowest refresh rate in Hz for each index of a
/// connector, 0 if it cannot vary, or [`UNKNOWN`].
pub(crate) struct SlowestRates([Atomic<u32>; MAX_OBJECTS as usize]);

impl SlowestRates {
    /// Returns those of a device on which nothing is known of any display.
    pub(crate) fn new() -> Self {
        Self([const { Atomic::new(UNKNOWN) }; MAX_OBJECTS as usize])
    }

    /// Notes the range of the refresh rates of a display, in Hz.
    pub(crate) fn set(&self, connector: u32, range: Option<(u32, u32)>) {
        if let Some(rate) = self.0.get(connector as usize) {
            rate.store(range.map_or(0, |(slowest, _)| slowest), Relaxed);
        }
    }

    /// Returns how long all displays of `connectors`, as bits, can show a frame, if they can do
    /// with frames of different lengths.
    pub(crate) fn longest_frame(&self, connectors: u32) -> Option<Delta> {
        let rates = (0u32..).zip(&self.0);
        let rate = rates
            .filter(|(index, _)| connectors & 1u32.wrapping_shl(*index) != 0)
            .map(|(_, rate)| rate.load(Relaxed))
            .filter(|rate| *rate != UNKNOWN)
            .reduce(|one, other| match one.min(other) {
                0 => 0,
                _ => one.max(other),
            })?;
        // What rounds to this rate is as slow.
        let duration = 2_000_000_000u32.checked_div(rate.checked_mul(2)?.checked_sub(1)?)?;

        Some(Delta::from_nanos(duration.into()))
    }
}

#[kunit_tests(rvkms_vrr)]
mod tests {
    use super::*;

    #[test]
    fn all_displays_of_a_crtc_must_be_able_to_wait() {
        let rates = SlowestRates::new();
        let ms = |connectors| rates.longest_frame(connectors).map(Delta::as_millis);

        assert_eq!(ms(0), None);
        assert_eq!(ms(1 << 3), None);

        rates.set(3, Some((40, 144)));
        rates.set(5, Some((50, 60)));
        rates.set(u32::MAX, Some((1, 2)));
        assert_eq!(ms(1 << 3), Some(25));
        assert_eq!(ms(1 << 5), Some(20));
        assert_eq!(ms(1 << 3 | 1 << 5), Some(20));
        assert_eq!(ms(1 << 3 | 1 << 4), Some(25));

        rates.set(3, None);
        assert_eq!(ms(1 << 3), None);
        assert_eq!(ms(1 << 3 | 1 << 5), None);
    }
}
