// SPDX-License-Identifier: GPL-2.0

//! From Y, U and V to pixels.
//!
//! Each channel is a sum of products, which vector registers compute if there are any. Otherwise,
//! since each product depends on one of Y, U and V alone, there are 256 of each with 8 bits a
//! channel: they are tables, computed at compile time. With more bits they are computed.

use super::{
    fixed::{
        self,
        Coefficient,
        LENGTHS, //
    },
    frame::{
        Encoding,
        Range, //
    },
    pixel::{
        self,
        Pixel, //
    },
};
use kernel::drm::simd::{
    Factors,
    Input,
    Linear,
    Mixing, //
};

/// The value of U and V that stands for no colour.
const NEUTRAL: i32 = 128 * 257;

/// The weights of red and blue in the luminance of an encoding, in units of 1/10000.
const fn weights(encoding: Encoding) -> (i128, i128) {
    match encoding {
        Encoding::Bt601 => (2990, 1140),
        Encoding::Bt709 => (2126, 722),
        Encoding::Bt2020 => (2627, 593),
    }
}

/// Returns `numerator / denominator` as a fixed-point number, rounded.
const fn ratio(numerator: i128, denominator: i128) -> i64 {
    let half = if numerator < 0 {
        -denominator / 2
    } else {
        denominator / 2
    };

    (((numerator << 32) + half) / denominator) as i64
}

/// The products of one coefficient: of all bytes, and of any number.
struct Products {
    of_byte: [i64; 256],
    of_number: Coefficient,
}

impl Products {
    /// Prepares `coefficient`, with `offset` taken from each factor first.
    const fn new(coefficient: i64, offset: i32) -> Self {
        let mut of_byte = [0; 256];
        let mut byte = 0;

        while byte < 256 {
            of_byte[byte] = fixed::mul(coefficient, fixed::from_int(byte as i32 * 257 - offset));
            byte += 1;
        }
        Self {
            of_byte,
            of_number: Coefficient::new(coefficient),
        }
    }
}

/// Converts pixels of one encoding and range.
pub(super) struct Converter {
    /// What is taken from Y first.
    black: i32,
    y: Products,
    v_to_r: Products,
    u_to_g: Products,
    v_to_g: Products,
    u_to_b: Products,
    /// All of them as a matrix that takes Y for R, U for G and V for B.
    matrix: [Factors; Factors::MATRIX],
    /// The same, if it is exact for vector registers.
    linear: Option<Linear>,
}

/// What U and V add to the channels R, G and B.
type Chroma = [i64; 3];

/// How pairs of U and V belong to pixels.
#[derive(Clone, Copy)]
pub(super) struct Pairing {
    /// How many pixels share a pair, 1 or 2.
    pub(super) sub: usize,
    /// How many pixels of the first pair come before the first pixel.
    pub(super) skipped: usize,
    /// V is the first half of a pair.
    pub(super) v_first: bool,
}

impl Pairing {
    /// Each pixel has a pair of its own.
    pub(super) const EACH: Self = Self {
        sub: 1,
        skipped: 0,
        v_first: false,
    };

    /// Returns U and V of a pair.
    #[inline(always)]
    fn in_order<T>(self, (first, second): (T, T)) -> (T, T) {
        if self.v_first {
            (second, first)
        } else {
            (first, second)
        }
    }
}

impl Converter {
    const fn make(encoding: Encoding, range: Range) -> Self {
        let (red, blue) = weights(encoding);
        let green = 10000 - red - blue;
        // Limited Y spans 219 steps, limited U and V span 224; C `vkms` scales both to 256.
        let (black, y, uv) = match range {
            Range::Full => (0, (1, 1), (1, 1)),
            Range::Limited => (16 * 257, (256, 219), (256, 224)),
        };
        let y = ratio(y.0, y.1);
        let v_to_r = ratio(2 * (10000 - red) * uv.0, 10000 * uv.1);
        let u_to_g = ratio(-2 * (10000 - blue) * blue * uv.0, 10000 * green * uv.1);
        let v_to_g = ratio(-2 * (10000 - red) * red * uv.0, 10000 * green * uv.1);
        let u_to_b = ratio(2 * (10000 - blue) * uv.0, 10000 * uv.1);

        let factors = reduced([[y, y, y], [0, u_to_g, u_to_b], [v_to_r, v_to_g, 0]]);
        let columns = [&factors[0], &factors[1], &factors[2]];

        Self {
            black,
            y: Products::new(y, black),
            v_to_r: Products::new(v_to_r, NEUTRAL),
            u_to_g: Products::new(u_to_g, NEUTRAL),
            v_to_g: Products::new(v_to_g, NEUTRAL),
            u_to_b: Products::new(u_to_b, NEUTRAL),
            matrix: matrix(columns),
            linear: Linear::of_matrix(columns, [fixed::HALF; 3], less(black)),
        }
    }

    /// Returns the converter of `encoding` and `range`.
    pub(super) fn new(encoding: Encoding, range: Range) -> &'static Self {
        static BT601_LIMITED: Converter = Converter::make(Encoding::Bt601, Range::Limited);
        static BT601_FULL: Converter = Converter::make(Encoding::Bt601, Range::Full);
        static BT709_LIMITED: Converter = Converter::make(Encoding::Bt709, Range::Limited);
        static BT709_FULL: Converter = Converter::make(Encoding::Bt709, Range::Full);
        static BT2020_LIMITED: Converter = Converter::make(Encoding::Bt2020, Range::Limited);
        static BT2020_FULL: Converter = Converter::make(Encoding::Bt2020, Range::Full);

        match (encoding, range) {
            (Encoding::Bt601, Range::Limited) => &BT601_LIMITED,
            (Encoding::Bt601, Range::Full) => &BT601_FULL,
            (Encoding::Bt709, Range::Limited) => &BT709_LIMITED,
            (Encoding::Bt709, Range::Full) => &BT709_FULL,
            (Encoding::Bt2020, Range::Limited) => &BT2020_LIMITED,
            (Encoding::Bt2020, Range::Full) => &BT2020_FULL,
        }
    }

    /// Converts pixels of 8-bit channels.
    #[inline(always)]
    pub(super) fn narrow<T>(
        &self,
        mixing: Option<Mixing>,
        luma: &[T],
        luma_of: impl Fn(&T) -> u8,
        chroma: impl Iterator<Item = (u8, u8)> + Clone,
        pairing: Pairing,
        out: &mut [Pixel],
    ) {
        if let Some(mixing) = mixing {
            let luma_of = |luma: &T| widened(luma_of(luma));
            let chroma = chroma.clone().map(|chroma| {
                let (u, v) = pairing.in_order(chroma);

                (widened(u), widened(v))
            });

            put_together(luma, luma_of, chroma, unconverted, pairing, out);
            if self.mix(mixing, out) {
                return;
            }
        }

        let chroma = chroma.map(|chroma| {
            let (u, v) = pairing.in_order(chroma);
            let (u, v) = (usize::from(u), usize::from(v));

            [
                self.v_to_r.of_byte[v],
                self.u_to_g.of_byte[u].wrapping_add(self.v_to_g.of_byte[v]),
                self.u_to_b.of_byte[u],
            ]
        });

        let product = |luma: &T| self.y.of_byte[usize::from(luma_of(luma))];

        put_together(luma, product, chroma, add, pairing, out);
    }

    /// Converts pixels of 16-bit channels; as [`Self::narrow`] otherwise.
    #[inline(always)]
    pub(super) fn wide<T>(
        &self,
        mixing: Option<Mixing>,
        luma: &[T],
        luma_of: impl Fn(&T) -> u16,
        chroma: impl Iterator<Item = (u16, u16)> + Clone,
        pairing: Pairing,
        out: &mut [Pixel],
    ) {
        if let Some(mixing) = mixing {
            let chroma = chroma.clone().map(|chroma| pairing.in_order(chroma));

            put_together(luma, &luma_of, chroma, unconverted, pairing, out);
            if self.mix(mixing, out) {
                return;
            }
        }

        let chroma = chroma.map(|chroma| {
            let (u, v) = pairing.in_order(chroma);
            let u = i32::from(u).wrapping_sub(NEUTRAL);
            let v = i32::from(v).wrapping_sub(NEUTRAL);
            let (u_length, v_length) = (Coefficient::length(u), Coefficient::length(v));

            [
                self.v_to_r.of_number.times(v, v_length),
                self.u_to_g
                    .of_number
                    .times(u, u_length)
                    .wrapping_add(self.v_to_g.of_number.times(v, v_length)),
                self.u_to_b.of_number.times(u, u_length),
            ]
        });
        let product = |luma: &T| {
            let y = i32::from(luma_of(luma)).wrapping_sub(self.black);

            self.y.of_number.times(y, Coefficient::length(y))
        };

        put_together(luma, product, chroma, add, pairing, out);
    }

    /// Converts pixels that [`unconverted`] made. Returns whether that was possible.
    fn mix(&self, mixing: Mixing, pixels: &mut [Pixel]) -> bool {
        let input = Input::Channels(less(self.black));
        let linear = self.linear.as_slice();

        mixing.mix_linear(linear, input, &self.matrix, pixels) == pixels.len()
    }
}

/// Returns what Y, U and V are less by when they are multiplied.
const fn less(black: i32) -> [u16; 3] {
    [black as u16, NEUTRAL as u16, NEUTRAL as u16]
}

/// Makes a pixel with Y, U and V in the places of R, G and B.
#[inline(always)]
fn unconverted(y: u16, (u, v): (u16, u16)) -> Pixel {
    pixel::opaque(y, u, v)
}

/// Returns the value of a channel of 16 bits for one of 8 bits.
#[inline(always)]
fn widened(byte: u8) -> u16 {
    u16::from(byte) * 257
}

/// Returns what values of three channels are multiplied with, a column each, for each length.
const fn reduced(columns: [[i64; 3]; 3]) -> [[[i64; 3]; LENGTHS]; 3] {
    let mut reduced = [[[0; 3]; LENGTHS]; 3];
    let mut index = 0;

    while index < 9 {
        let (column, row) = (index / 3, index % 3);
        let coefficient = Coefficient::new(columns[column][row]);
        let mut length = 0;

        while length < LENGTHS {
            reduced[column][length][row] = coefficient.reduced(length);
            length += 1;
        }
        index += 1;
    }
    reduced
}

/// Prepares `columns` for registers of double precision.
const fn matrix(columns: [&[[i64; 3]; LENGTHS]; 3]) -> [Factors; Factors::MATRIX] {
    let mut matrix = [Factors::ZERO; Factors::MATRIX];
    let mut index = 0;

    while index < matrix.len() {
        matrix[index] = Factors::of_matrix(columns, [fixed::HALF; 3], [-NEUTRAL, 0xffff], index);
        index += 1;
    }
    matrix
}

/// Makes each pixel with `put`, of what belongs to it of `luma` and `chroma`.
#[inline(always)]
fn put_together<T, Y, C: Copy>(
    luma: &[T],
    luma_of: impl Fn(&T) -> Y,
    mut chroma: impl Iterator<Item = C>,
    put: impl Fn(Y, C) -> Pixel,
    pairing: Pairing,
    out: &mut [Pixel],
) {
    // Packed formats have one more if the last pair is not needed as a whole.
    let luma = luma.get(..out.len()).unwrap_or(luma);

    if pairing.sub == 1 {
        for ((out, y), chroma) in out.iter_mut().zip(luma).zip(chroma) {
            *out = put(luma_of(y), chroma);
        }
        return;
    }

    let (head, body) = out
        .split_at_mut_checked(pairing.skipped)
        .unwrap_or_default();
    let (head_luma, body_luma) = luma.split_at_checked(pairing.skipped).unwrap_or_default();

    if let ([out], [y]) = (head, head_luma) {
        if let Some(chroma) = chroma.next() {
            *out = put(luma_of(y), chroma);
        }
    }

    let mut pairs = body.chunks_exact_mut(2);
    let mut luma_pairs = body_luma.chunks_exact(2);

    for ((pair, luma), chroma) in (&mut pairs).zip(&mut luma_pairs).zip(&mut chroma) {
        if let ([a, b], [first, second]) = (pair, luma) {
            *a = put(luma_of(first), chroma);
            *b = put(luma_of(second), chroma);
        }
    }
    if let ([out], [y]) = (pairs.into_remainder(), luma_pairs.remainder()) {
        if let Some(chroma) = chroma.next() {
            *out = put(luma_of(y), chroma);
        }
    }
}

/// Adds `y` and what the colour differences add to each channel.
#[inline(always)]
fn add(y: i64, chroma: Chroma) -> Pixel {
    let y = y.wrapping_add(fixed::HALF);
    let [r, g, b] = chroma.map(|chroma| channel(y.wrapping_add(chroma)));

    pixel::opaque(r, g, b)
}

/// Rounds down and clamps to what a channel can hold; the value is to be within -4.0 and 4.0 of
/// that.
///
/// The colours of a picture make a bad guess of a branch, and tables are what the compiler makes no
/// branch of.
#[inline(always)]
fn channel(value: i64) -> u16 {
    static SET: [u16; 8] = [0, 0xffff, 0xffff, 0xffff, 0, 0, 0, 0];
    static KEPT: [u16; 8] = [0xffff, 0xffff, 0xffff, 0xffff, 0, 0, 0, 0];

    let multiple = (value >> 48) as usize & 7;

    ((value >> 32) as u16 | SET[multiple]) & KEPT[multiple]
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_yuv))]
mod tests {
    use super::*;

    fn one(encoding: Encoding, range: Range, y: u8, u: u8, v: u8) -> Pixel {
        let mut out = [0];

        Converter::new(encoding, range).narrow(
            None,
            &[y],
            |&y| y,
            [(u, v)].into_iter(),
            Pairing::EACH,
            &mut out,
        );
        out[0]
    }

    #[test]
    fn gray_is_gray() {
        for encoding in [Encoding::Bt601, Encoding::Bt709, Encoding::Bt2020] {
            assert_eq!(
                one(encoding, Range::Full, 255, 128, 128),
                pixel::opaque(65535, 65535, 65535)
            );
            assert_eq!(
                one(encoding, Range::Full, 0, 128, 128),
                pixel::opaque(0, 0, 0)
            );
            assert_eq!(
                one(encoding, Range::Limited, 16, 128, 128),
                pixel::opaque(0, 0, 0)
            );
            assert_eq!(
                one(encoding, Range::Limited, 235, 128, 128),
                pixel::opaque(65535, 65535, 65535)
            );
        }
    }

    #[test]
    fn wide_channels_convert_like_narrow_ones() {
        for step in 0..=255u8 {
            let (y, u, v) = (step, step.wrapping_mul(7), step.wrapping_mul(13));
            let wide = |v: u8| u16::from(v) * 257;

            for range in [Range::Full, Range::Limited] {
                let mut out = [0];

                for mixing in [None, Mixing::new()] {
                    Converter::new(Encoding::Bt709, range).wide(
                        mixing,
                        &[wide(y)],
                        |&y| y,
                        [(wide(v), wide(u))].into_iter(),
                        Pairing {
                            v_first: true,
                            ..Pairing::EACH
                        },
                        &mut out,
                    );
                    assert_eq!(out[0], one(Encoding::Bt709, range, y, u, v));
                }
            }
        }
    }

    #[test]
    fn vector_registers_change_nothing() {
        const ENCODINGS: [Encoding; 3] = [Encoding::Bt601, Encoding::Bt709, Encoding::Bt2020];

        let mixing = Mixing::new();
        let mut random = 1u32;
        let mut byte = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };

        for round in 0..600 {
            let luma = [0u8; 21].map(|_| byte());
            let chroma = [(0u8, 0u8); 21].map(|_| (byte(), byte()));
            let range = [Range::Full, Range::Limited][round / 3 % 2];
            let converter = Converter::new(ENCODINGS[round % 3], range);
            let pairing = Pairing {
                sub: 1 + round % 2,
                skipped: round / 2 % 2 * (round % 2),
                v_first: round % 5 == 0,
            };
            let mut expected = [0; 21];
            let mut found = [0; 21];

            converter.narrow(
                None,
                &luma,
                |&y| y,
                chroma.into_iter(),
                pairing,
                &mut expected,
            );
            converter.narrow(
                mixing,
                &luma,
                |&y| y,
                chroma.into_iter(),
                pairing,
                &mut found,
            );
            assert_eq!(found, expected);
            assert!(converter.linear.is_some());

            // Of 16 bits, all of which count.
            let luma = luma.map(|y| u16::from_be_bytes([y, byte()]));
            let chroma = chroma.map(|(u, v)| {
                let (low, high) = (byte(), byte());

                (u16::from_be_bytes([u, low]), u16::from_be_bytes([v, high]))
            });

            for (mixing, out) in [(None, &mut expected), (mixing, &mut found)] {
                converter.wide(mixing, &luma, |&y| y, chroma.into_iter(), pairing, out);
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn pairs_may_be_cut() {
        let converter = Converter::new(Encoding::Bt601, Range::Full);

        for skipped in 0..2 {
            for len in 1..4 {
                let mut out = [0; 3];
                let luma = [255u8; 5];
                let chroma = [(128, 128); 3].into_iter();

                let pairing = Pairing {
                    sub: 2,
                    skipped,
                    v_first: false,
                };

                converter.narrow(None, &luma, |&y| y, chroma, pairing, &mut out[..len]);
                assert!(out[..len].iter().all(|&pixel| pixel == u64::MAX));
            }
        }
    }

    #[test]
    fn pairs_start_at_odd_columns() {
        let converter = Converter::new(Encoding::Bt601, Range::Full);
        let chroma = [(10, 200), (90, 60), (250, 3)];
        let luma = [50, 60, 70, 80];
        let mut out = [0; 4];

        let pairing = Pairing {
            sub: 2,
            skipped: 1,
            v_first: false,
        };

        converter.narrow(None, &luma, |&y| y, chroma.into_iter(), pairing, &mut out);
        for (index, pair) in [0, 1, 1, 2].into_iter().enumerate() {
            let (u, v) = chroma[pair];

            assert_eq!(
                out[index],
                one(Encoding::Bt601, Range::Full, luma[index], u, v)
            );
        }
    }
}
