// SPDX-License-Identifier: GPL-2.0

//! Framebuffers, and the pixels of RGB formats.

use std::sync::Arc;

use crate::scene::{Format, Layer};

/// A colour: R, G, B and A, from 0 to 1.
pub type Color = [f64; 4];

/// A framebuffer.
#[derive(Clone)]
pub struct Picture {
    pub format: Format,
    /// The distance between two rows of each colour plane in bytes.
    pub pitches: [u32; 4],
    /// Where each colour plane begins.
    pub offsets: [u32; 4],
    pub bytes: Arc<Vec<u8>>,
}

impl Picture {
    /// Returns a little-endian number of `bytes` bytes, the one of pixel `x` and `y` of a colour
    /// plane if all have as many.
    pub(crate) fn word(&self, plane: usize, x: usize, y: usize, bytes: usize) -> u64 {
        let start = self.offsets[plane] as usize + y * self.pitches[plane] as usize + x * bytes;

        self.bytes[start..start + bytes]
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte))
    }

    /// Returns the colour of a pixel, if the format is one of RGB or gray.
    pub fn rgb(&self, x: usize, y: usize) -> Option<Color> {
        let word = |bytes| self.word(0, x, y, bytes);

        Some(match &self.format {
            b"RG24" => opaque(word(3), [(16, 8), (8, 8), (0, 8)]),
            b"BG24" => opaque(word(3), [(0, 8), (8, 8), (16, 8)]),
            b"RG16" => opaque(word(2), [(11, 5), (5, 6), (0, 5)]),
            b"BG16" => opaque(word(2), [(0, 5), (5, 6), (11, 5)]),
            [b'R' | b'C', digit @ (b'1' | b'2' | b'4' | b'8'), b' ', b' '] => {
                let bits = usize::from(*digit - b'0');
                let per_byte = 8 / bits;
                let byte = self.word(0, x / per_byte, y, 1);
                let shift = 8 - bits - x % per_byte * bits;
                let gray = channel(byte, shift as u32, bits as u32);

                [gray, gray, gray, 1.0]
            }
            [b'A' | b'R' | b'B' | b'X', _, b'2', b'4'] => self.four(word(4), 8, 8, channel),
            [_, b'A' | b'R' | b'B' | b'X', b'3', b'0'] => self.four(word(4), 10, 2, channel),
            [_, b'R' | b'B', b'4', b'8'] => self.four(word(8), 16, 16, channel),
            [b'A' | b'R' | b'B' | b'X', _, b'1', b'2'] => self.four(word(2), 4, 4, channel),
            [_, _, b'1', b'5'] => self.four(word(2), 5, 1, channel),
            [_, _, b'4', b'H'] => self.four(word(8), 16, 16, |word, shift, _| half(word >> shift)),
            _ => return None,
        })
    }

    /// Returns the colour of a pixel with `color` bits for each of three channels, and `alpha` for
    /// A or X, in the order that the name of the format begins with.
    fn four(
        &self,
        word: u64,
        color: u32,
        alpha: u32,
        value: impl Fn(u64, u32, u32) -> f64,
    ) -> Color {
        let [r, g, b, a] = match &self.format {
            [_, b'R', ..] => [2 * color, color, 0, 3 * color],
            [b'R', ..] => [2 * color + alpha, color + alpha, alpha, 0],
            [b'B', ..] => [alpha, color + alpha, 2 * color + alpha, 0],
            _ => [0, color, 2 * color, 3 * color],
        };
        let a = match self.format.contains(&b'X') {
            true => 1.0,
            false => value(word, a, alpha),
        };

        [
            value(word, r, color),
            value(word, g, color),
            value(word, b, color),
            a,
        ]
    }
}

impl Layer {
    /// Returns the colour of a pixel of the framebuffer.
    pub(crate) fn texel(&self, x: usize, y: usize) -> Color {
        self.picture.rgb(x, y).unwrap_or_else(|| self.yuv(x, y))
    }
}

/// Returns a channel of `bits` bits from bit `shift` of `word` on.
pub(crate) fn channel(word: u64, shift: u32, bits: u32) -> f64 {
    let max = (1u64 << bits) - 1;

    (word >> shift & max) as f64 / max as f64
}

/// Returns a colour whose channels begin at these bits, and have as many.
fn opaque(word: u64, channels: [(u32, u32); 3]) -> Color {
    let [r, g, b] = channels.map(|(shift, bits)| channel(word, shift, bits));

    [r, g, b, 1.0]
}

/// Takes a half-precision floating-point number.
fn half(bits: u64) -> f64 {
    let exponent = (bits >> 10 & 0x1f) as i32;
    let fraction = (bits & 0x3ff) as f64 / 1024.0;

    match (bits >> 15 & 1, exponent, fraction) {
        (_, 31, fraction) if fraction != 0.0 => 0.0,
        (1, ..) => 0.0,
        (_, 31, _) => 1.0,
        (_, 0, fraction) => fraction * 2f64.powi(-14),
        (_, exponent, fraction) => ((1.0 + fraction) * 2f64.powi(exponent - 15)).min(1.0),
    }
}
