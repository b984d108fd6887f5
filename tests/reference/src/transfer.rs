// SPDX-License-Identifier: GPL-2.0

//! Transfer functions.

/// SMPTE ST 2084: 1.0 is 10,000 nits.
pub(crate) mod pq {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;

    pub(crate) fn light(signal: f64) -> f64 {
        let root = signal.powf(1.0 / M2);

        ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
    }

    pub(crate) fn signal(light: f64) -> f64 {
        let root = light.powf(M1);

        ((C1 + C2 * root) / (1.0 + C3 * root)).powf(M2)
    }
}

/// The opto-electronic transfer function of ITU-R BT.2020, and its inverse.
pub(crate) mod bt2020 {
    const ALPHA: f64 = 1.099_296_826_809_44;
    const BETA: f64 = 0.018_053_968_510_807;

    pub(crate) fn signal(light: f64) -> f64 {
        if light < BETA {
            4.5 * light
        } else {
            ALPHA * light.powf(0.45) - (ALPHA - 1.0)
        }
    }

    pub(crate) fn light(signal: f64) -> f64 {
        if signal < 4.5 * BETA {
            signal / 4.5
        } else {
            ((signal + ALPHA - 1.0) / ALPHA).powf(1.0 / 0.45)
        }
    }
}
