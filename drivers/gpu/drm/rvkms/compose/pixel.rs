// SPDX-License-Identifier: GPL-2.0

//! Pixels while they are composed.
//!
//! A [`Pixel`] is a `u64` that holds the channels A, R, G, B from the least significant bits up,
//! each of 16 bits, so that one operation can work on all four.

/// One pixel; see the [module](self).
pub(super) type Pixel = u64;

/// The largest value of a channel.
pub(super) const MAX: u16 = u16::MAX;

/// The mask of the channels A and G, which leaves each of them 16 bits to grow into.
pub(super) const EVEN: u64 = 0x0000_ffff_0000_ffff;

/// Where R, G and B are among the channels of a pixel in memory.
pub(super) const PLACES: [usize; 3] = if cfg!(target_endian = "little") {
    [1, 2, 3]
} else {
    [2, 1, 0]
};

/// Puts a pixel together.
#[inline(always)]
pub(super) const fn pack(a: u16, r: u16, g: u16, b: u16) -> Pixel {
    a as u64 | (r as u64) << 16 | (g as u64) << 32 | (b as u64) << 48
}

/// Puts an opaque pixel together.
#[inline(always)]
pub(super) const fn opaque(r: u16, g: u16, b: u16) -> Pixel {
    pack(MAX, r, g, b)
}

/// Returns the alpha channel.
#[inline(always)]
pub(super) const fn alpha(pixel: Pixel) -> u16 {
    pixel as u16
}

/// Returns the channels R, G and B.
#[inline(always)]
pub(super) const fn colors(pixel: Pixel) -> [u16; 3] {
    [
        (pixel >> 16) as u16,
        (pixel >> 32) as u16,
        (pixel >> 48) as u16,
    ]
}

/// Returns the pixel with another alpha channel.
#[inline(always)]
pub(super) const fn with_alpha(pixel: Pixel, alpha: u16) -> Pixel {
    pixel & !(MAX as Pixel) | alpha as Pixel
}

/// Widens four bytes, A in the least significant one, to a pixel: each channel times 257, so that
/// full stays full.
#[inline(always)]
pub(super) const fn widen(abgr: u32) -> Pixel {
    let pairs = (abgr as u64 | (abgr as u64) << 16) & EVEN;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;

    bytes | bytes << 8
}

/// Rounds a pixel to four bytes, A in the least significant one: each channel divided by 257.
#[inline(always)]
pub(super) const fn narrow(pixel: Pixel) -> u32 {
    const ROUNDING: u64 = 0x0000_807f_0000_807f;
    const BYTES: u64 = 0x0000_00ff_0000_00ff;

    // c / 257 rounded is c * 255 / 65536 plus a bit over a half; two channels in each of two
    // numbers.
    let even = ((pixel & EVEN) * 255 + ROUNDING) >> 16 & BYTES;
    let odd = ((pixel >> 16 & EVEN) * 255 + ROUNDING) >> 16 & BYTES;
    let pairs = even | odd << 8;

    (pairs | pairs >> 16) as u32
}

/// Returns `a * b / 65535`, rounded.
#[inline(always)]
pub(super) const fn scale(a: u16, b: u16) -> u16 {
    let sum = a as u32 * b as u32 + 0x8000;

    // The sum is at most 65535 * 65535 + 32768, to which another 65535 can be added.
    ((sum + (sum >> 16)) >> 16) as u16
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_pixel))]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_widened_and_narrowed() {
        for byte in 0..=255u32 {
            let all = byte << 24 | (255 - byte) << 16 | byte << 8 | 7;
            let c = byte as u16 * 257;

            assert_eq!(widen(all), pack(7 * 257, c, 65535 - c, c));
            assert_eq!(narrow(widen(all)), all);
        }
    }

    #[test]
    fn narrowing_rounds() {
        for c in 0..=65535u16 {
            let byte = (u32::from(c) + 128) / 257;

            assert_eq!(narrow(pack(c, 0, c, 65535)), 0xff << 24 | byte << 16 | byte);
        }
    }

    #[test]
    fn scaling_rounds() {
        for a in (0..=65535u16).step_by(251) {
            for b in (0..=65535u16).step_by(127).chain([65534]) {
                let exact = (u64::from(a) * u64::from(b) + 32767) / 65535;

                assert_eq!(u64::from(scale(a, b)), exact);
            }
            assert_eq!(scale(a, MAX), a);
        }
    }
}
