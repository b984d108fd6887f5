// SPDX-License-Identifier: GPL-2.0

//! The pixels of YUV formats.

use crate::layout::plane_layouts;
use crate::picture::{channel, Color, Picture};
use crate::scene::{Encoding, Layer, Range};

impl Layer {
    /// Returns the colour of a pixel of a YUV format.
    pub(crate) fn yuv(&self, x: usize, y: usize) -> Color {
        let (l, u, v) = self.picture.samples(x, y);
        let (kr, kb) = match self.encoding {
            Encoding::Bt601 => (0.299, 0.114),
            Encoding::Bt709 => (0.2126, 0.0722),
            Encoding::Bt2020 => (0.2627, 0.0593),
        };
        let neutral = 128.0 / 255.0;
        let limited = |most: f64| {
            (
                (l - 16.0 / 255.0) * most / 219.0,
                (u - neutral) * most / 224.0,
                (v - neutral) * most / 224.0,
            )
        };
        let (l, u, v) = match self.range {
            Range::Full => (l, u - neutral, v - neutral),
            Range::Limited => limited(255.0),
            Range::Stretched => limited(256.0),
        };
        let r = l + 2.0 * (1.0 - kr) * v;
        let b = l + 2.0 * (1.0 - kb) * u;
        let g = (l - kr * r - kb * b) / (1.0 - kr - kb);

        let [r, g, b] = [r, g, b].map(|channel| channel.clamp(0.0, 1.0));

        [r, g, b, self.picture.alpha_beside_yuv(x, y)]
    }
}

impl Picture {
    fn alpha_beside_yuv(&self, x: usize, y: usize) -> f64 {
        match &self.format {
            b"Y410" => channel(self.word(0, x, y, 4), 30, 2),
            b"Y412" | b"Y416" => channel(self.word(0, x, y, 8), 48, 16),
            _ => 1.0,
        }
    }

    /// Returns Y, U and V of a pixel.
    fn samples(&self, x: usize, y: usize) -> (f64, f64, f64) {
        let byte = |value: u64| (value & 0xff) as f64 / 255.0;
        let wide = |value: u64| (value & 0xffff) as f64 / 65535.0;
        let word = |plane, x, y, bytes| self.word(plane, x, y, bytes);
        let layouts = plane_layouts(&self.format);
        let (sub_x, sub_y) = layouts
            .get(1)
            .map_or((1, 1), |plane| (plane.sub_x, plane.sub_y));

        match &self.format {
            b"NV12" | b"NV16" | b"NV24" => {
                let pair = word(1, x / sub_x, y / sub_y, 2);

                (byte(word(0, x, y, 1)), byte(pair), byte(pair >> 8))
            }
            b"NV21" | b"NV61" | b"NV42" => {
                let pair = word(1, x / sub_x, y / sub_y, 2);

                (byte(word(0, x, y, 1)), byte(pair >> 8), byte(pair))
            }
            b"P010" | b"P012" | b"P016" | b"P210" => {
                let pair = word(1, x / sub_x, y / sub_y, 4);

                (wide(word(0, x, y, 2)), wide(pair), wide(pair >> 16))
            }
            b"YUYV" | b"YVYU" | b"UYVY" | b"VYUY" => {
                let pair = word(0, x / 2, y, 4);
                let at = |letter: u8, nth: usize| {
                    let mut places = (0..4).filter(|&place| self.format[place] == letter);

                    places
                        .nth(nth)
                        .map_or(0.0, |place| byte(pair >> (8 * place)))
                };

                (at(b'Y', x % 2), at(b'U', 0), at(b'V', 0))
            }
            b"Y210" | b"Y212" | b"Y216" => {
                let pair = word(0, x / 2, y, 8);

                (
                    wide(pair >> (32 * (x % 2))),
                    wide(pair >> 16),
                    wide(pair >> 48),
                )
            }
            b"VU24" => {
                let word = word(0, x, y, 3);

                (byte(word), byte(word >> 8), byte(word >> 16))
            }
            b"XYUV" => {
                let word = word(0, x, y, 4);

                (byte(word >> 16), byte(word >> 8), byte(word))
            }
            b"XV30" | b"Y410" => {
                let word = word(0, x, y, 4);

                (
                    channel(word, 10, 10),
                    channel(word, 0, 10),
                    channel(word, 20, 10),
                )
            }
            b"XV36" | b"XV48" | b"Y412" | b"Y416" => {
                let word = word(0, x, y, 8);

                (wide(word >> 16), wide(word), wide(word >> 32))
            }
            _ => {
                let (first, second) = (
                    byte(word(1, x / sub_x, y / sub_y, 1)),
                    byte(word(2, x / sub_x, y / sub_y, 1)),
                );
                let luma = byte(word(0, x, y, 1));

                match self.format.starts_with(b"YV") {
                    true => (luma, second, first),
                    false => (luma, first, second),
                }
            }
        }
    }
}
