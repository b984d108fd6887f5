// SPDX-License-Identifier: GPL-2.0

//! From pixels to the bytes of a writeback framebuffer.

use super::{
    convert::u64_from,
    format::{
        Format,
        Order, //
    },
    pixel::{
        self,
        Pixel, //
    },
};

/// The formats that can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoder {
    Rgb32(Order),
    Rgb64(Order),
    Rgb30(Order),
    Rgb565,
}

impl Encoder {
    /// Returns the encoder of `format` if there is one.
    pub(super) const fn new(format: Format) -> Option<Self> {
        Some(match format {
            // Composed pixels are opaque, which is also what X is to be written as.
            Format::Argb8888 | Format::Xrgb8888 => Self::Rgb32(Order::Argb),
            Format::Abgr8888 | Format::Xbgr8888 => Self::Rgb32(Order::Abgr),
            Format::Argb16161616 | Format::Xrgb16161616 => Self::Rgb64(Order::Argb),
            Format::Abgr16161616 | Format::Xbgr16161616 => Self::Rgb64(Order::Abgr),
            Format::Argb2101010 | Format::Xrgb2101010 => Self::Rgb30(Order::Argb),
            Format::Abgr2101010 | Format::Xbgr2101010 => Self::Rgb30(Order::Abgr),
            Format::Rgb565 => Self::Rgb565,
            _ => return None,
        })
    }

    /// Returns the number of bytes of a pixel.
    pub(super) const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb32(_) | Self::Rgb30(_) => 4,
            Self::Rgb64(_) => 8,
            Self::Rgb565 => 2,
        }
    }

    /// Encodes `row` into `bytes`.
    pub(super) fn encode(self, row: &[Pixel], bytes: &mut [u8]) {
        match self {
            Self::Rgb32(Order::Abgr) => each(row, bytes, |p| {
                pixel::narrow(p).rotate_right(8).to_le_bytes()
            }),
            Self::Rgb32(_) => each(row, bytes, |p| pixel::narrow(p).swap_bytes().to_le_bytes()),
            Self::Rgb64(Order::Abgr) => each(row, bytes, |p| p.rotate_right(16).to_le_bytes()),
            Self::Rgb64(_) => each(row, bytes, |p| {
                let swapped = p.rotate_left(32);

                (swapped >> 16 & pixel::EVEN | (swapped & pixel::EVEN) << 16).to_le_bytes()
            }),
            Self::Rgb30(order) => each(row, bytes, |p| {
                let [r, g, b] = pixel::colors(p).map(ten_bits);
                let (high, low) = if order == Order::Abgr { (b, r) } else { (r, b) };

                (3 << 30 | high << 20 | g << 10 | low).to_le_bytes()
            }),
            Self::Rgb565 => each(row, bytes, |p| {
                let [r, g, b] = pixel::colors(p);

                (fraction(r, 31) << 11 | fraction(g, 63) << 5 | fraction(b, 31)).to_le_bytes()
            }),
        }
    }
}

/// Copies pixels of a 32-bit format that has A or X in its most significant byte, and fills this
/// byte.
pub(super) fn copy_rgb32(row: &[u8], bytes: &mut [u8]) {
    const TOPS: u64 = 0xff00_0000_ff00_0000;

    let mut pairs = bytes.chunks_exact_mut(8);
    let mut row_pairs = row.chunks_exact(8);

    for (out, pair) in (&mut pairs).zip(&mut row_pairs) {
        out.copy_from_slice(&(u64_from(pair) | TOPS).to_le_bytes());
    }
    if let ([b, g, r, x], &[first, second, third, _]) =
        (pairs.into_remainder(), row_pairs.remainder())
    {
        (*b, *g, *r, *x) = (first, second, third, 0xff);
    }
}

#[inline(always)]
fn each<const N: usize>(row: &[Pixel], bytes: &mut [u8], convert: impl Fn(Pixel) -> [u8; N]) {
    for (bytes, &pixel) in bytes.chunks_exact_mut(N).zip(row) {
        bytes.copy_from_slice(&convert(pixel));
    }
}

/// Rounds a channel to 10 bits.
#[inline(always)]
const fn ten_bits(channel: u16) -> u32 {
    (channel as u32 * 1023 + 0x7fff) / 0xffff
}

/// Returns `channel * full / 65535`, rounded down as C `vkms` does here; `full` is at most 63.
#[inline(always)]
const fn fraction(channel: u16, full: u16) -> u16 {
    (channel as u32 * full as u32 / 0xffff) as u16
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_encode))]
mod tests {
    use super::*;

    fn encoded<const N: usize>(format: Format) -> Option<[u8; N]> {
        let encoder = Encoder::new(format)?;
        let mut bytes = [0; N];

        encoder.encode(&[pixel::opaque(0x1212, 0x3434, 0x5656)], &mut bytes);
        (encoder.bytes_per_pixel() == N).then_some(bytes)
    }

    #[test]
    fn copies_are_opaque() {
        let mut bytes = [0; 12];

        copy_rgb32(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &mut bytes);
        assert_eq!(bytes, [1, 2, 3, 255, 5, 6, 7, 255, 9, 10, 11, 255]);
    }

    #[test]
    fn orders_of_bytes() {
        assert!(encoded(Format::Argb8888) == Some([0x56, 0x34, 0x12, 0xff]));
        assert!(encoded(Format::Xrgb8888) == Some([0x56, 0x34, 0x12, 0xff]));
        assert!(encoded(Format::Abgr8888) == Some([0x12, 0x34, 0x56, 0xff]));
        assert!(
            encoded(Format::Argb16161616) == Some([0x56, 0x56, 0x34, 0x34, 0x12, 0x12, 0xff, 0xff])
        );
        assert!(
            encoded(Format::Xbgr16161616) == Some([0x12, 0x12, 0x34, 0x34, 0x56, 0x56, 0xff, 0xff])
        );
        assert!(encoded(Format::Xrgb2101010) == Some([0x59, 0x45, 0x83, 0xc4]));
        assert!(encoded(Format::Rgb565) == Some([0x8a, 0x11]));
        assert!(encoded::<4>(Format::Nv12).is_none());
    }
}
