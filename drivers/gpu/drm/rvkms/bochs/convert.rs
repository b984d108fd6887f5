// SPDX-License-Identifier: GPL-2.0

//! Pixels: formats, blending and gamma.

use crate::registers::BYTES_PER_PIXEL;
use kernel::{
    drm::kms::{
        blend::BlendMode,
        color::ColorLut,
        fourcc::{
            fourcc,
            ARGB8888,
            XRGB8888, //
        }, //
    },
    prelude::*, //
};

/// A pixel in the order of the device: blue, green, red; and alpha, which it does not look at.
pub(crate) type Pixel = [u8; BYTES_PER_PIXEL];

/// A pixel format of framebuffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// What the device scans out.
    Xrgb8888,
    /// The same with alpha.
    Argb8888,
    /// 5, 6 and 5 bits.
    Rgb565,
    /// 3 bytes: blue, green, red.
    Rgb888,
    /// 10 bits each.
    Xrgb2101010,
}

impl Format {
    /// The size of the largest pixel in bytes.
    pub(crate) const MAX_BYTES_PER_PIXEL: usize = 4;

    /// All formats, the preferred one first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Xrgb8888,
        Self::Argb8888,
        Self::Rgb565,
        Self::Rgb888,
        Self::Xrgb2101010,
    ];

    /// Returns the code of the format.
    pub(crate) const fn fourcc(self) -> u32 {
        match self {
            Self::Xrgb8888 => XRGB8888,
            Self::Argb8888 => ARGB8888,
            Self::Rgb565 => fourcc(b"RG16"),
            Self::Rgb888 => fourcc(b"RG24"),
            Self::Xrgb2101010 => fourcc(b"XR30"),
        }
    }

    /// Returns the format with the code `code`.
    pub(crate) fn from_fourcc(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.fourcc() == code)
    }

    /// The size of a pixel in bytes.
    pub(crate) const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Xrgb8888 | Self::Argb8888 | Self::Xrgb2101010 => 4,
            Self::Rgb888 => 3,
            Self::Rgb565 => 2,
        }
    }

    /// Converts pixels to those of the device, as many as are in both.
    pub(crate) fn convert(self, src: &[u8], dst: &mut [Pixel]) {
        match self {
            Self::Argb8888 => each(src, dst, |pixel: [u8; 4]| pixel),
            Self::Xrgb8888 => each(src, dst, |[blue, green, red, _]| [blue, green, red, 255]),
            Self::Rgb888 => each(src, dst, |[blue, green, red]| [blue, green, red, 255]),
            Self::Rgb565 => each(src, dst, |pixel| expand_565(u16::from_le_bytes(pixel))),
            Self::Xrgb2101010 => each(src, dst, |pixel| reduce_10(u32::from_le_bytes(pixel))),
        }
    }
}

fn each<const N: usize>(src: &[u8], dst: &mut [Pixel], convert: impl Fn([u8; N]) -> Pixel) {
    for (dst, src) in dst.iter_mut().zip(src.chunks_exact(N)) {
        if let Ok(src) = src.try_into() {
            *dst = convert(src);
        }
    }
}

/// Converts a pixel of 5, 6 and 5 bits, so that the largest value stays the largest.
fn expand_565(pixel: u16) -> Pixel {
    let five = |shift: u32| {
        let value = ((pixel >> shift) & 0x1f) as u8;

        (value << 3) | (value >> 2)
    };
    let green = ((pixel >> 5) & 0x3f) as u8;

    [five(0), (green << 2) | (green >> 4), five(11), 255]
}

/// Converts a pixel of 10 bits each, dropping the lowest bits.
fn reduce_10(pixel: u32) -> Pixel {
    let eight = |shift: u32| (pixel >> shift) as u8;

    [eight(2), eight(12), eight(22), 255]
}

/// Returns the product of two numbers from 0 to 255, which stand for 0 to 1.
fn multiply(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;

    ((product + (product >> 8)) >> 8) as u8
}

/// Puts pixels over others.
pub(crate) fn blend(mode: BlendMode, above: &[Pixel], below: &mut [Pixel]) {
    for (below, above) in below.iter_mut().zip(above) {
        let alpha = match mode {
            BlendMode::None => 255,
            _ => above[3],
        };
        let factor = match mode {
            BlendMode::Coverage => alpha,
            _ => 255,
        };

        for (below, above) in below.iter_mut().zip(above) {
            *below = multiply(*above, factor).saturating_add(multiply(*below, 255 - alpha));
        }
    }
}

/// How many entries the gamma table of the CRTC has.
pub(crate) const GAMMA_SIZE: usize = 256;

/// What each value of blue, green and red is shown as.
pub(crate) struct Gamma([[u8; GAMMA_SIZE]; 3]);

impl Gamma {
    /// Creates the table that user space has set. Fails with `EINVAL` if it has another size.
    pub(crate) fn new(lut: &[ColorLut]) -> Result<Self> {
        let lut: &[ColorLut; GAMMA_SIZE] = lut.try_into().map_err(|_| EINVAL)?;
        let channel = |index: usize| {
            let mut table = [0; GAMMA_SIZE];

            for (to, from) in table.iter_mut().zip(lut) {
                // Rounds 16 bits to 8.
                let value = u32::from(from.rgb()[index]);
                *to = ((value * 255 + 0x7fff) / 0xffff) as u8;
            }
            table
        };

        Ok(Self([channel(2), channel(1), channel(0)]))
    }

    /// Applies the table.
    pub(crate) fn apply(&self, pixels: &mut [Pixel]) {
        for pixel in pixels {
            for (value, table) in pixel.iter_mut().zip(&self.0) {
                *value = table[usize::from(*value)];
            }
        }
    }
}

#[kunit_tests(rvkms_bochs_convert)]
mod tests {
    use super::*;

    fn convert(format: Format, src: &[u8]) -> Pixel {
        let mut dst = [[0x55; 4]; 2];

        format.convert(src, &mut dst);
        assert_eq!(dst[1], [0x55; 4]);
        dst[0]
    }

    #[test]
    fn formats_have_their_bytes() {
        assert_eq!(convert(Format::Xrgb8888, &[1, 2, 3, 4]), [1, 2, 3, 255]);
        assert_eq!(convert(Format::Argb8888, &[1, 2, 3, 4]), [1, 2, 3, 4]);
        assert_eq!(convert(Format::Rgb888, &[1, 2, 3]), [1, 2, 3, 255]);
        assert_eq!(
            convert(Format::Rgb565, &0xf800u16.to_le_bytes()),
            [0, 0, 255, 255]
        );
        assert_eq!(
            convert(Format::Rgb565, &0x0841u16.to_le_bytes()),
            [8, 8, 8, 255]
        );
        assert_eq!(
            convert(
                Format::Xrgb2101010,
                &((0x3ffu32 << 20) | (0x200 << 10) | 7).to_le_bytes()
            ),
            [1, 128, 255, 255]
        );
    }

    #[test]
    fn half_a_pixel_is_none() {
        assert_eq!(convert(Format::Xrgb8888, &[1, 2, 3]), [0x55; 4]);
    }

    #[test]
    fn codes_are_unique() {
        for format in Format::ALL {
            assert_eq!(Format::from_fourcc(format.fourcc()), Some(format));
        }
        assert_eq!(Format::from_fourcc(0), None);
    }

    #[test]
    fn blending_rounds_to_the_nearest() {
        let over = |mode, above, below| {
            let mut pixel = [below];
            blend(mode, &[above], &mut pixel);
            pixel[0]
        };

        for value in 0..=255u8 {
            let product = u32::from(value) * 100;
            assert_eq!(u32::from(multiply(value, 100)), (product + 127) / 255);
        }
        assert_eq!(
            over(BlendMode::None, [9, 8, 7, 0], [1, 1, 1, 0])[..3],
            [9, 8, 7]
        );
        assert_eq!(
            over(BlendMode::Premultiplied, [10, 0, 0, 128], [200, 100, 0, 0])[..3],
            [110, 50, 0]
        );
        assert_eq!(
            over(BlendMode::Coverage, [200, 0, 0, 128], [100, 0, 0, 0])[..3],
            [150, 0, 0]
        );
        // More than there can be is the most.
        assert_eq!(
            over(BlendMode::Premultiplied, [200; 4], [255; 4])[..3],
            [255; 3]
        );
    }
}
