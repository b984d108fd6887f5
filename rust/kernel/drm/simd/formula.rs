// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What tests compare mixed pixels with.

use super::factors::LENGTHS;

/// Multiplies `colors` with what `columns` hold for their lengths.
pub(super) fn multiplied(
    columns: [&[[i64; 3]; LENGTHS]; 3],
    offsets: [i64; 3],
    colors: [i32; 3],
) -> [i32; 3] {
    let mut sums = offsets;

    for (column, value) in columns.into_iter().zip(colors) {
        let length = 32 - (value ^ (value >> 31)).leading_zeros();

        for (sum, factor) in sums.iter_mut().zip(column[length as usize]) {
            *sum += factor * i64::from(value);
        }
    }
    sums.map(|sum| (sum >> 32) as i32)
}

/// Replaces R, G and B of `pixel` by `colors`, clamped.
pub(super) fn packed(pixel: u64, colors: [i32; 3]) -> u64 {
    let [r, g, b] = colors.map(|color| color.clamp(0, 0xffff) as u64);

    pixel & 0xffff | r << 16 | g << 32 | b << 48
}

/// Returns R, G and B of `pixel`.
pub(super) fn channels(pixel: u64) -> [u16; 3] {
    [16, 32, 48].map(|shift| (pixel >> shift) as u16)
}
