// SPDX-License-Identifier: GPL-2.0

//! From the bytes of pixels, in the formats of RGB and gray, to pixels.
//!
//! `alpha` says that the format has an A and that it counts; else A is full.

use super::{
    fixed,
    format::Order,
    pixel::{
        self,
        Pixel, //
    },
};
use kernel::{
    drm::simd,
    prelude::*, //
};

/// Fewer pixels than that are converted faster than vector registers are borrowed.
const FEW: usize = 32;

/// Converts pixels of a 32-bit format.
#[inline(always)]
pub(super) fn rgb32(order: Order, alpha: bool, bytes: &[u8], out: &mut [Pixel]) {
    let done = rgb32_fast(order, alpha, bytes, out);
    let bytes = bytes.get(4 * done..).unwrap_or_default();
    let out = out.get_mut(done..).unwrap_or_default();

    match (order, alpha) {
        (Order::Argb, true) => each_32(bytes, out, |v| widen_argb(v) | (u64::from(v >> 24) * 257)),
        (Order::Abgr, true) => each_32(bytes, out, |v| widen(v, [24, 0, 8, 16])),
        (Order::Rgba, true) => each_32(bytes, out, |v| widen(v, [0, 24, 16, 8])),
        (Order::Bgra, true) => each_32(bytes, out, |v| widen(v, [0, 8, 16, 24])),
        (Order::Argb, false) => each_32(bytes, out, |v| widen_argb(v) | 0xffff),
        (Order::Abgr, false) => each_32(bytes, out, |v| widen_opaque(v, [0, 8, 16])),
        (Order::Rgba, false) => each_32(bytes, out, |v| widen_opaque(v, [24, 16, 8])),
        (Order::Bgra, false) => each_32(bytes, out, |v| widen_opaque(v, [8, 16, 24])),
    }
}

/// As [`rgb32`] in vector registers; returns how many pixels are done.
fn rgb32_fast(order: Order, alpha: bool, bytes: &[u8], out: &mut [Pixel]) -> usize {
    let Ok(pixels) = <[[u8; 4]]>::ref_from_bytes(bytes) else {
        return 0;
    };

    if out.len() < FEW {
        return 0;
    }
    match order {
        Order::Argb => simd::widen::<0b00_01_10_11>(!alpha, pixels, out),
        Order::Abgr => simd::widen::<0b10_01_00_11>(!alpha, pixels, out),
        Order::Rgba => simd::widen::<0b01_10_11_00>(!alpha, pixels, out),
        Order::Bgra => simd::widen::<0b11_10_01_00>(!alpha, pixels, out),
    }
}

/// Converts pixels of 3 bytes.
pub(super) fn rgb24(order: Order, bytes: &[u8], out: &mut [Pixel]) {
    match order {
        Order::Abgr => each_24(bytes, out, |v| widen_opaque(v, [0, 8, 16])),
        _ => each_24(bytes, out, |v| widen_argb(v) | 0xffff),
    }
}

/// Converts pixels with channels of 16 bits.
pub(super) fn rgb64(order: Order, alpha: bool, bytes: &[u8], out: &mut [Pixel]) {
    let set = opaque_unless(alpha);

    match order {
        Order::Abgr => each_64(bytes, out, |v| v.rotate_left(16) | set),
        _ => each_64(bytes, out, |v| reverse(v) | set),
    }
}

/// Converts pixels with channels of half precision.
pub(super) fn half(order: Order, alpha: bool, bytes: &[u8], out: &mut [Pixel]) {
    let set = opaque_unless(alpha);

    each_64(bytes, out, |v| {
        let v = match order {
            Order::Abgr => v.rotate_left(16),
            _ => reverse(v),
        };
        let [r, g, b] = pixel::colors(v).map(from_half);

        pixel::pack(from_half(pixel::alpha(v)), r, g, b) | set
    });
}

/// Converts pixels with channels of 5, 6 and 5 bits.
pub(super) fn rgb565(order: Order, bytes: &[u8], out: &mut [Pixel]) {
    match order {
        Order::Abgr => each_16(bytes, out, |v| pixel_565(v, v >> 5, v >> 11)),
        _ => each_16(bytes, out, |v| pixel_565(v >> 11, v >> 5, v)),
    }
}

/// Converts pixels with channels of 4 bits if `four`, else of 5 bits and an A of 1 bit.
pub(super) fn rgb16_alpha(order: Order, alpha: bool, four: bool, bytes: &[u8], out: &mut [Pixel]) {
    let fields = Fields::new(order, if four { [4, 4] } else { [5, 1] });
    let set = opaque_unless(alpha);

    match four {
        true => each_16(bytes, out, |v| {
            fields.widen(v.into(), &FOUR_BITS, 0x1111) | set
        }),
        false => each_16(bytes, out, |v| {
            fields.widen(v.into(), &FIVE_BITS, 0xffff) | set
        }),
    }
}

/// Converts pixels with channels of 10 bits and an A of 2 bits.
pub(super) fn rgb30(order: Order, alpha: bool, bytes: &[u8], out: &mut [Pixel]) {
    let fields = Fields::new(order, [10, 2]);
    let set = opaque_unless(alpha);

    each_32(bytes, out, |v| fields.widen(v, &TEN_BITS, 0x5555) | set);
}

/// Converts pixels of `bits` bits of one channel, that are R, G and B; the first one is after
/// `skipped` others in its byte.
pub(super) fn gray(bits: u32, bytes: &[u8], skipped: usize, out: &mut [Pixel]) {
    match bits {
        8 => each_gray::<8>(bytes, skipped, out),
        4 => each_gray::<4>(bytes, skipped, out),
        2 => each_gray::<2>(bytes, skipped, out),
        _ => each_gray::<1>(bytes, skipped, out),
    }
}

/// Returns the bits to set in a pixel, all of A if its own does not count.
fn opaque_unless(alpha: bool) -> Pixel {
    if alpha {
        0
    } else {
        0xffff
    }
}

/// Moves the byte at bit `from` of `v` to bit `to`, with the other bits 0.
#[inline(always)]
const fn moved(v: u32, from: u32, to: u32) -> u64 {
    let byte = v as u64 & 0xff << from;

    if from > to {
        byte >> (from - to)
    } else {
        byte << (to - from)
    }
}

/// Makes a pixel of the lower three bytes, R, G and B from the most significant one down, with an A
/// of 0.
#[inline(always)]
const fn widen_argb(v: u32) -> Pixel {
    // Three copies side by side, in each of which one of the bytes is in place.
    let copies = (v as u64 & 0xff_ffff).wrapping_mul(1 | 1 << 24 | 1 << 48);
    let bytes = copies & 0x00ff_00ff_00ff_0000;

    bytes | bytes << 8
}

/// Makes a pixel of four bytes, of which `shifts` says where A, R, G and B are.
#[inline(always)]
const fn widen(v: u32, [a, r, g, b]: [u32; 4]) -> Pixel {
    let bytes = moved(v, a, 0) | moved(v, r, 16) | moved(v, g, 32) | moved(v, b, 48);

    bytes.wrapping_mul(257)
}

/// Makes an opaque pixel of three bytes, of which `shifts` says where R, G and B are.
#[inline(always)]
const fn widen_opaque(v: u32, [r, g, b]: [u32; 3]) -> Pixel {
    let bytes = 0xff | moved(v, r, 16) | moved(v, g, 32) | moved(v, b, 48);

    bytes.wrapping_mul(257)
}

/// Reverses the order of the channels.
#[inline(always)]
const fn reverse(v: u64) -> u64 {
    let swapped = v.rotate_left(32);

    swapped >> 16 & pixel::EVEN | (swapped & pixel::EVEN) << 16
}

/// Takes a little-endian number from the first two bytes.
#[inline(always)]
fn u16_from(bytes: &[u8]) -> u16 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

/// Takes a little-endian number from the first four bytes.
#[inline(always)]
fn u32_from(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Takes a little-endian number from the first eight bytes.
#[inline(always)]
pub(super) fn u64_from(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline(always)]
fn each_16(bytes: &[u8], out: &mut [Pixel], convert: impl Fn(u16) -> Pixel) {
    for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *out = convert(u16_from(bytes));
    }
}

/// Hands three bytes each to `convert`, as the lower bytes of a number.
#[inline(always)]
fn each_24(bytes: &[u8], out: &mut [Pixel], convert: impl Fn(u32) -> Pixel) {
    let mut fours = out.chunks_exact_mut(4);
    let mut twelves = bytes.chunks_exact(12);

    for (out, bytes) in (&mut fours).zip(&mut twelves) {
        if let ([p, q, r, s], &[b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11]) = (out, bytes) {
            // Three loads of four bytes.
            let low = u32::from_le_bytes([b0, b1, b2, b3]);
            let middle = u32::from_le_bytes([b4, b5, b6, b7]);
            let high = u32::from_le_bytes([b8, b9, b10, b11]);

            *p = convert(low & 0xff_ffff);
            *q = convert(low >> 24 | (middle & 0xffff) << 8);
            *r = convert(middle >> 16 | (high & 0xff) << 16);
            *s = convert(high >> 8);
        }
    }
    for (out, bytes) in fours
        .into_remainder()
        .iter_mut()
        .zip(twelves.remainder().chunks_exact(3))
    {
        if let [a, b, c] = *bytes {
            *out = convert(u32::from_le_bytes([a, b, c, 0]));
        }
    }
}

/// Hands the pixels to `convert`, two a step.
#[inline(always)]
fn each_32(bytes: &[u8], out: &mut [Pixel], convert: impl Fn(u32) -> Pixel) {
    let mut pairs = out.chunks_exact_mut(2);
    let mut eights = bytes.chunks_exact(8);

    for (pair, bytes) in (&mut pairs).zip(&mut eights) {
        if let [first, second] = pair {
            let v = u64_from(bytes);

            *first = convert(v as u32);
            *second = convert((v >> 32) as u32);
        }
    }
    for (out, bytes) in pairs
        .into_remainder()
        .iter_mut()
        .zip(eights.remainder().chunks_exact(4))
    {
        *out = convert(u32_from(bytes));
    }
}

#[inline(always)]
fn each_64(bytes: &[u8], out: &mut [Pixel], convert: impl Fn(u64) -> Pixel) {
    for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(8)) {
        *out = convert(u64_from(bytes));
    }
}

#[inline(always)]
fn each_gray<const BITS: u32>(bytes: &[u8], skipped: usize, out: &mut [Pixel]) {
    let per_byte = (8 / BITS) as usize;
    let max = (1u32 << BITS) - 1;
    // 65535 is a multiple of 1, 3, 15 and 255.
    let unit = 0xffff / max;
    let gray = |byte: u8, index: usize| {
        let shift = 8 - BITS - index as u32 * BITS;
        let level = (u32::from(byte) >> shift & max) * unit;

        (u64::from(level) * 0x0001_0001_0001_0000) | 0xffff
    };
    let mut bytes = bytes.iter();
    let head = ((per_byte - skipped) % per_byte).min(out.len());
    let (head, body) = out.split_at_mut_checked(head).unwrap_or_default();

    if skipped > 0 {
        let byte = bytes.next().copied().unwrap_or_default();

        for (index, out) in (skipped..per_byte).zip(head) {
            *out = gray(byte, index);
        }
    }
    for (out, &byte) in body.chunks_mut(per_byte).zip(bytes) {
        for (index, out) in out.iter_mut().enumerate() {
            *out = gray(byte, index);
        }
    }
}

/// `FULL_SCALE[n][v]` is what C `vkms` makes of `v`, a channel of which `n` is full.
const fn full_scale<const N: usize>() -> [u16; N] {
    let ratio = fixed::div(fixed::from_int(65535), fixed::from_int(N as i32 - 1));
    let mut table = [0; N];
    let mut v = 0;

    while v < N {
        table[v] = fixed::round(fixed::mul(fixed::from_int(v as i32), ratio)) as u16;
        v += 1;
    }
    table
}

static FOUR_BITS: [u16; 16] = full_scale();
static FIVE_BITS: [u16; 32] = full_scale();
static SIX_BITS: [u16; 64] = full_scale();
pub(super) static TEN_BITS: [u16; 1024] = full_scale();

/// Where the channels of a pixel are that has three of one size and a smaller one.
struct Fields {
    /// The lowest bits of R, G and B.
    colors: [u32; 3],
    /// The lowest bit of A.
    alpha: u32,
    alpha_mask: u32,
}

impl Fields {
    /// Finds channels of so many bits for colours and for A.
    const fn new(order: Order, [color, alpha]: [u32; 2]) -> Self {
        let (colors, at) = match order {
            Order::Argb => ([2 * color, color, 0], 3 * color),
            Order::Abgr => ([0, color, 2 * color], 3 * color),
            Order::Rgba => ([2 * color + alpha, color + alpha, alpha], 0),
            Order::Bgra => ([alpha, color + alpha, 2 * color + alpha], 0),
        };

        Self {
            colors,
            alpha: at,
            alpha_mask: (1 << alpha) - 1,
        }
    }

    /// Makes a pixel of `v`: `table` widens its colours, `alpha` is what A is multiplied with.
    #[inline(always)]
    fn widen<const N: usize>(&self, v: u32, table: &[u16; N], alpha: u32) -> Pixel {
        let [r, g, b] = self.colors.map(|shift| table[(v >> shift) as usize % N]);

        pixel::pack(
            ((v >> self.alpha & self.alpha_mask) * alpha) as u16,
            r,
            g,
            b,
        )
    }
}

/// Converts a half-precision floating-point number, of which 1.0 is full and anything above as
/// well.
#[inline(always)]
const fn from_half(half: u16) -> u16 {
    let exponent = half as u32 >> 10 & 0x1f;
    let fraction = half as u32 & 0x3ff;

    if half >> 15 != 0 || exponent == 31 && fraction != 0 {
        return 0;
    }
    if exponent >= 15 {
        return pixel::MAX;
    }
    // The number is `magnitude * 2^(exponent - 25)`; below the exponent 1 it is the same without
    // the leading 1.
    let (magnitude, shift) = if exponent == 0 {
        (fraction, 24)
    } else {
        (fraction | 0x400, 25 - exponent)
    };

    ((magnitude * 65535 + (1 << (shift - 1))) >> shift) as u16
}

/// Makes a pixel of three channels of 5, 6 and 5 bits.
#[inline(always)]
fn pixel_565(r: u16, g: u16, b: u16) -> Pixel {
    let five = |v: u16| FIVE_BITS[usize::from(v & 0x1f)];

    pixel::opaque(five(r), SIX_BITS[usize::from(g & 0x3f)], five(b))
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_convert))]
mod tests {
    use super::*;

    #[test]
    fn orders_of_bytes() {
        // Some more than vector registers take at once.
        const PIXELS: usize = FEW + 3;
        // Where A, R, G and B are.
        let orders = [
            (Order::Argb, [3, 2, 1, 0]),
            (Order::Abgr, [3, 0, 1, 2]),
            (Order::Rgba, [0, 3, 2, 1]),
            (Order::Bgra, [0, 1, 2, 3]),
        ];

        for (order, places) in orders {
            let mut bytes = [[0u8; 4]; PIXELS];
            let mut expected = [0; PIXELS];

            for (index, (bytes, expected)) in bytes.iter_mut().zip(&mut expected).enumerate() {
                let [a, r, g, b] = [1u8, 2, 3, 4].map(|c| c.wrapping_mul(61 + index as u8));

                for (place, byte) in places.into_iter().zip([a, r, g, b]) {
                    bytes[place] = byte;
                }

                let [a, r, g, b] = [a, r, g, b].map(|byte| u16::from(byte) * 257);

                *expected = pixel::pack(a, r, g, b);
            }

            let mut out = [0; PIXELS];

            rgb32(order, true, bytes.as_flattened(), &mut out);
            assert_eq!(out, expected);
            rgb32(order, false, bytes.as_flattened(), &mut out);
            assert_eq!(out, expected.map(|pixel| pixel | 0xffff));
        }
        assert_eq!(reverse(0x0001_0002_0003_0004), pixel::pack(1, 2, 3, 4));
    }

    #[test]
    fn three_bytes_at_any_place() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut out = [0; 5];

        each_24(&bytes, &mut out, u64::from);
        assert_eq!(out[0], 0x03_0201);
        assert_eq!(out[1], 0x06_0504);
        assert_eq!(out[2], 0x09_0807);
        assert_eq!(out[3], 0x0c_0b0a);
        assert_eq!(out[4], 0x0f_0e0d);
    }

    #[test]
    fn gray_starts_inside_of_a_byte() {
        let mut out = [0; 4];

        each_gray::<2>(&[0b00_01_10_11, 0b11_00_00_00], 1, &mut out);
        assert_eq!(out[0], pixel::opaque(0x5555, 0x5555, 0x5555));
        assert_eq!(out[1], pixel::opaque(0xaaaa, 0xaaaa, 0xaaaa));
        assert_eq!(out[2], pixel::opaque(0xffff, 0xffff, 0xffff));
        assert_eq!(out[3], pixel::opaque(0xffff, 0xffff, 0xffff));

        // The part before the first whole byte is all there is.
        each_gray::<2>(&[0b00_01_10_11], 1, &mut out[..2]);
        assert_eq!(out[1], pixel::opaque(0xaaaa, 0xaaaa, 0xaaaa));
    }

    #[test]
    fn fields_of_any_order() {
        let pixel = |order, v| Fields::new(order, [10, 2]).widen(v, &TEN_BITS, 0x5555);
        let expected = pixel::pack(0x5555, 64, 128, 192);

        assert_eq!(
            pixel(Order::Argb, 1 << 30 | 1 << 20 | 2 << 10 | 3),
            expected
        );
        assert_eq!(
            pixel(Order::Abgr, 1 << 30 | 3 << 20 | 2 << 10 | 1),
            expected
        );
        assert_eq!(pixel(Order::Rgba, 1 << 22 | 2 << 12 | 3 << 2 | 1), expected);
        assert_eq!(pixel(Order::Bgra, 3 << 22 | 2 << 12 | 1 << 2 | 1), expected);
    }

    #[test]
    fn half_precision_is_rounded_and_clamped() {
        assert_eq!(from_half(0), 0);
        // 2^-24 is nothing, 2^-17 is a half.
        assert_eq!(from_half(1), 0);
        assert_eq!(from_half(1 << 10 | 0x3ff), 8);
        assert_eq!(from_half(0x3800), 32768);
        assert_eq!(from_half(0x3bff), 65503);
        assert_eq!(from_half(0x3c00), 65535);
        assert_eq!(from_half(0x7bff), 65535);
        assert_eq!(from_half(0x7c00), 65535);
        // Not a number, and below zero.
        assert_eq!(from_half(0x7c01), 0);
        assert_eq!(from_half(0xbc00), 0);
    }

    #[test]
    fn channels_of_few_bits_reach_both_ends() {
        assert_eq!(FIVE_BITS[0], 0);
        assert_eq!(FIVE_BITS[31], 0xffff);
        assert_eq!(SIX_BITS[63], 0xffff);
        assert_eq!(FIVE_BITS[1], 2114);
    }
}
