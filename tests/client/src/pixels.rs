// SPDX-License-Identifier: GPL-2.0

//! Pixel formats of a scanned-out picture, as RGB bytes.

use drm_fourcc::DrmFourcc;

/// How to read one pixel.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub bytes: usize,
    to_rgb: fn(u32) -> [u8; 3],
}

impl Layout {
    /// The layout of a format, if it is one that is known here.
    pub fn of(fourcc: u32) -> Option<Layout> {
        let (bytes, to_rgb): (usize, fn(u32) -> [u8; 3]) = match DrmFourcc::try_from(fourcc).ok()? {
            DrmFourcc::Xrgb8888 | DrmFourcc::Argb8888 => {
                (4, |p| [at8(p, 16), at8(p, 8), at8(p, 0)])
            }
            DrmFourcc::Xbgr8888 | DrmFourcc::Abgr8888 => {
                (4, |p| [at8(p, 0), at8(p, 8), at8(p, 16)])
            }
            DrmFourcc::Xrgb2101010 | DrmFourcc::Argb2101010 => {
                (4, |p| [at8(p, 22), at8(p, 12), at8(p, 2)])
            }
            DrmFourcc::Rgb888 => (3, |p| [at8(p, 16), at8(p, 8), at8(p, 0)]),
            DrmFourcc::Rgb565 => (2, |p| [wide(p >> 11, 5), wide(p >> 5, 6), wide(p, 5)]),
            _ => return None,
        };
        Some(Layout { bytes, to_rgb })
    }

    /// Converts one line.
    pub fn line(&self, pixels: &[u8], rgb: &mut Vec<u8>) {
        for pixel in pixels.chunks_exact(self.bytes) {
            let mut bytes = [0; 4];
            bytes[..self.bytes].copy_from_slice(pixel);
            rgb.extend((self.to_rgb)(u32::from_le_bytes(bytes)));
        }
    }
}

/// Eight bits of a pixel, from `shift` on.
fn at8(pixel: u32, shift: u32) -> u8 {
    (pixel >> shift) as u8
}

/// The lowest `bits` of a value, stretched to eight.
fn wide(value: u32, bits: u32) -> u8 {
    let most = (1 << bits) - 1;
    ((value & most) * 255 / most) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(format: DrmFourcc, pixels: &[u8]) -> Vec<u8> {
        let mut rgb = Vec::new();
        Layout::of(format as u32)
            .expect("a known format")
            .line(pixels, &mut rgb);
        rgb
    }

    #[test]
    fn formats_give_their_colours() {
        let orange = [0x20, 0x80, 0xff, 0x00];
        assert_eq!(convert(DrmFourcc::Xrgb8888, &orange), [0xff, 0x80, 0x20]);
        assert_eq!(convert(DrmFourcc::Xbgr8888, &orange), [0x20, 0x80, 0xff]);
        assert_eq!(convert(DrmFourcc::Rgb888, &orange[..3]), [0xff, 0x80, 0x20]);
        let red = 0xf800u16.to_le_bytes();
        assert_eq!(convert(DrmFourcc::Rgb565, &red), [255, 0, 0]);
        let green = 0x07e0u16.to_le_bytes();
        assert_eq!(convert(DrmFourcc::Rgb565, &green), [0, 255, 0]);
        let deep = ((0x3ffu32 << 20) | (0x200 << 10) | 0x004).to_le_bytes();
        assert_eq!(convert(DrmFourcc::Xrgb2101010, &deep), [255, 128, 1]);
    }

    #[test]
    fn unknown_formats_are_refused() {
        assert!(Layout::of(0).is_none());
        assert!(Layout::of(DrmFourcc::Nv12 as u32).is_none());
    }
}
