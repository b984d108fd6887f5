// SPDX-License-Identifier: GPL-2.0

//! Random tables and numbers, and how the kernel takes them.

use crate::random::Random;

/// An entry of a table.
type Entry = [u16; 3];

/// A table of powers. A steep one would enlarge errors of rounding.
pub fn curve(length: usize, random: &mut Random) -> Vec<Entry> {
    let exponents = [0; 3].map(|_| 0.8 + f64::from(random.below(100)) / 100.0);
    let last = (length - 1) as f64;
    let entry = |index: usize| {
        exponents.map(|exponent| ((index as f64 / last).powf(exponent) * 65535.0).round() as u16)
    };
    (0..length).map(entry).collect()
}

/// A table that rises from entry to entry by any amount.
pub fn rising(length: usize, random: &mut Random) -> Vec<Entry> {
    let mut values = [0u64; 3];
    let mut steps = Vec::new();
    for _ in 0..length {
        values = values.map(|value| value + u64::from(random.below(1000)));
        steps.push(values);
    }
    let scaled = |step: [u64; 3]| {
        let channels: [usize; 3] = [0, 1, 2];
        channels.map(|channel| (step[channel] * 65535 / values[channel].max(1)) as u16)
    };
    steps.into_iter().map(scaled).collect()
}

/// A table of any colours.
pub fn any(length: usize, random: &mut Random) -> Vec<Entry> {
    let mut entry = || [0; 3].map(|_| random.any() as u16);
    (0..length).map(|_| entry()).collect()
}

/// A number of sign and magnitude with 32 fractional bits.
pub fn number(low: f64, high: f64, random: &mut Random) -> u64 {
    let value = low + (high - low) * f64::from(random.below(1 << 20)) / f64::from(1 << 20);
    let sign = if value < 0.0 { 1 << 63 } else { 0 };
    (value.abs() * 2f64.powi(32)) as u64 | sign
}

/// Numbers as they are in a blob.
pub fn numbers(numbers: &[u64]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_ne_bytes());
    bytes.collect()
}

/// `struct drm_color_lut32` for each entry.
pub fn wide_entries(entries: &[Entry]) -> Vec<u8> {
    let wide = |[red, green, blue]: &Entry| [*red, *green, *blue, 0].map(|v| u32::from(v) * 65537);
    let bytes = entries.iter().flat_map(wide).flat_map(u32::to_ne_bytes);
    bytes.collect()
}
