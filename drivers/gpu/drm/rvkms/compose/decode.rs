// SPDX-License-Identifier: GPL-2.0

//! From the bytes of a framebuffer's row to pixels.

use super::{
    convert,
    format::{
        Layout,
        Yuv444, //
    },
    frame::Layer,
    pixel::{
        self,
        Pixel, //
    },
    yuv::{
        self,
        Pairing, //
    },
    Source, //
};
use kernel::{
    drm::simd::Mixing,
    prelude::*, //
};

/// Private memory for the bytes of a part of a row.
///
/// # Invariants
///
/// `planes` have room for `pixels` pixels of any format.
pub(super) struct RawRow {
    pixels: usize,
    planes: [KVVec<u8>; 3],
    /// What converts wide channels faster.
    mixing: Option<Mixing>,
}

impl RawRow {
    /// Allocates room for `pixels` pixels of any format.
    pub(super) fn new(pixels: usize) -> Result<Self> {
        let bytes = |per_pixel: usize| {
            let len = pixels
                .checked_mul(per_pixel)
                .and_then(|len| len.checked_add(8))
                .ok_or(EOVERFLOW)?;

            Ok::<_, Error>(KVVec::from_elem(0u8, len, GFP_KERNEL)?)
        };

        // INVARIANT: No format has more than 8 bytes a pixel in its first plane, more than two
        // channels of 16 bits in its second and more than one in its third.
        Ok(Self {
            pixels,
            planes: [bytes(8)?, bytes(4)?, bytes(2)?],
            mixing: Mixing::new(),
        })
    }

    /// Returns the bytes of the first plane that were read last, `len` of them.
    pub(super) fn bytes(&self, len: usize) -> Result<&[u8]> {
        self.planes
            .first()
            .and_then(|bytes| bytes.get(..len))
            .ok_or(EINVAL)
    }

    /// Returns how many pixels fit.
    pub(super) fn pixels(&self) -> usize {
        self.pixels
    }
}

/// Copies `len` bytes of row `y`, from byte `start` of the row on, of colour plane `plane` into
/// `buffer`.
pub(super) fn read<'a, S: Source>(
    layer: &Layer<S>,
    plane: usize,
    y: usize,
    start: usize,
    buffer: &'a mut [u8],
    len: usize,
) -> Result<&'a [u8]> {
    let (offset, _) = place(layer, plane, y, start)?;
    let bytes = buffer.get_mut(..len).ok_or(EINVAL)?;

    layer.source.read(plane, offset, bytes)?;
    Ok(bytes)
}

/// As [`read`], for as many rows as there are `rows`, the first of them `y`.
pub(super) fn read_rows<'a, S: Source>(
    layer: &Layer<S>,
    plane: usize,
    y: usize,
    start: usize,
    rows: impl Iterator<Item = &'a mut [u8]>,
) -> Result {
    let (offset, pitch) = place(layer, plane, y, start)?;

    layer.source.read_rows(plane, offset, pitch, rows)
}

/// Returns where byte `start` of row `y` of a colour plane is, and the distance of two rows.
fn place<S>(layer: &Layer<S>, plane: usize, y: usize, start: usize) -> Result<(usize, usize)> {
    let pitch = layer.pitches.get(plane).copied().ok_or(EINVAL)?;
    let pitch = usize::try_from(pitch).map_err(|_| EOVERFLOW)?;
    let row = pitch.checked_mul(y).ok_or(EOVERFLOW)?;

    Ok((row.checked_add(start).ok_or(EOVERFLOW)?, pitch))
}

/// Decodes the pixels of row `y` from column `x` on into `out`; `opaque` says to ignore the alpha
/// channel.
pub(super) fn decode<S: Source>(
    layer: &Layer<S>,
    x: usize,
    y: usize,
    opaque: bool,
    raw: &mut RawRow,
    out: &mut [Pixel],
) -> Result {
    let step = raw.pixels.max(1);
    let mut x = x;

    for out in out.chunks_mut(step) {
        decode_chunk(layer, x, y, opaque, raw, out)?;
        x = x.checked_add(step).ok_or(EOVERFLOW)?;
    }
    Ok(())
}

fn decode_chunk<S: Source>(
    layer: &Layer<S>,
    x: usize,
    y: usize,
    opaque: bool,
    raw: &mut RawRow,
    out: &mut [Pixel],
) -> Result {
    let n = out.len();
    let mixing = raw.mixing;
    let [first, second, third] = &mut raw.planes;

    match layer.format.layout() {
        Layout::Rgb32 { order, alpha } => {
            let bytes = read(layer, 0, y, x * 4, first, n * 4)?;

            convert::rgb32(order, alpha && !opaque, bytes, out);
        }
        Layout::Rgb24 { order } => {
            let bytes = read(layer, 0, y, x * 3, first, n * 3)?;

            convert::rgb24(order, bytes, out);
        }
        Layout::Rgb64 { order, alpha } => {
            let bytes = read(layer, 0, y, x * 8, first, n * 8)?;

            convert::rgb64(order, alpha && !opaque, bytes, out);
        }
        Layout::Rgb16 { order } => {
            let bytes = read(layer, 0, y, x * 2, first, n * 2)?;

            convert::rgb565(order, bytes, out);
        }
        Layout::Rgb16Alpha { order, alpha, four } => {
            let bytes = read(layer, 0, y, x * 2, first, n * 2)?;

            convert::rgb16_alpha(order, alpha && !opaque, four, bytes, out);
        }
        Layout::Rgb30 { order, alpha } => {
            let bytes = read(layer, 0, y, x * 4, first, n * 4)?;

            convert::rgb30(order, alpha && !opaque, bytes, out);
        }
        Layout::Half { order, alpha } => {
            let bytes = read(layer, 0, y, x * 8, first, n * 8)?;

            convert::half(order, alpha && !opaque, bytes, out);
        }
        Layout::Gray { bits } => {
            let per_byte = (8 / bits) as usize;
            let skipped = x % per_byte;
            let len = (skipped + n).div_ceil(per_byte);
            let bytes = read(layer, 0, y, x / per_byte, first, len)?;

            convert::gray(bits, bytes, skipped, out);
        }
        Layout::SemiPlanar { wide, sub, v_first } => {
            let pairing = Pairing {
                sub: sub.x,
                skipped: x % sub.x,
                v_first,
            };
            let converter = yuv::Converter::new(layer.encoding, layer.range);
            let size = if wide { 2 } else { 1 };
            let chroma_x = x / sub.x;
            let pairs = (x + n).div_ceil(sub.x) - chroma_x;
            let y_bytes = read(layer, 0, y, x * size, first, n * size)?;
            let uv_bytes = read(
                layer,
                1,
                y / sub.y,
                chroma_x * size * 2,
                second,
                pairs * size * 2,
            )?;

            if wide {
                let luma = <[[u8; 2]]>::ref_from_bytes(y_bytes).map_err(|_| EINVAL)?;
                let chroma = uv_bytes.chunks_exact(4).map(|uv| match *uv {
                    [a, b, c, d] => (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])),
                    _ => (0, 0),
                });

                converter.wide(
                    mixing,
                    luma,
                    |&y| u16::from_le_bytes(y),
                    chroma,
                    pairing,
                    out,
                );
            } else {
                let chroma = uv_bytes.chunks_exact(2).map(|uv| match *uv {
                    [u, v] => (u, v),
                    _ => (0, 0),
                });

                converter.narrow(mixing, y_bytes, |&y| y, chroma, pairing, out);
            }
        }
        Layout::Planar { sub, v_first } => {
            let pairing = Pairing {
                sub: sub.x,
                skipped: x % sub.x,
                v_first,
            };
            let converter = yuv::Converter::new(layer.encoding, layer.range);
            let chroma_x = x / sub.x;
            let pairs = (x + n).div_ceil(sub.x) - chroma_x;
            let y_bytes = read(layer, 0, y, x, first, n)?;
            let u_bytes = read(layer, 1, y / sub.y, chroma_x, second, pairs)?;
            let v_bytes = read(layer, 2, y / sub.y, chroma_x, third, pairs)?;
            let chroma = u_bytes.iter().copied().zip(v_bytes.iter().copied());

            converter.narrow(mixing, y_bytes, |&y| y, chroma, pairing, out);
        }
        Layout::Pairs {
            wide,
            y_second,
            v_first,
        } => {
            let converter = yuv::Converter::new(layer.encoding, layer.range);
            let (pair, skipped) = (x / 2, x % 2);
            let pairing = Pairing {
                sub: 2,
                skipped,
                v_first,
            };
            let pairs = (x + n).div_ceil(2) - pair;

            if wide {
                let bytes = read(layer, 0, y, pair * 8, first, pairs * 8)?;
                let words = <[[u8; 4]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                let chroma = words.chunks_exact(2).map(|pair| match *pair {
                    [[.., a, b], [.., c, d]] => {
                        (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
                    }
                    _ => (0, 0),
                });
                let luma = words.get(skipped..).unwrap_or_default();
                let luma_of = |&[a, b, ..]: &[u8; 4]| u16::from_le_bytes([a, b]);

                converter.wide(mixing, luma, luma_of, chroma, pairing, out);
            } else {
                let bytes = read(layer, 0, y, pair * 4, first, pairs * 4)?;
                let words = <[[u8; 2]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                let luma_at = usize::from(y_second);
                let chroma = words.chunks_exact(2).map(|pair| match pair {
                    [a, b] => (a[1 - luma_at], b[1 - luma_at]),
                    _ => (0, 0),
                });
                let luma = words.get(skipped..).unwrap_or_default();

                converter.narrow(mixing, luma, |word| word[luma_at], chroma, pairing, out);
            }
        }
        Layout::Yuv444 { place, alpha } => {
            let has_alpha = alpha && !opaque;
            let converter = yuv::Converter::new(layer.encoding, layer.range);

            match place {
                Yuv444::Bytes24 => {
                    let bytes = read(layer, 0, y, x * 3, first, n * 3)?;
                    let words = <[[u8; 3]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                    let chroma = words.iter().map(|&[_, u, v]| (u, v));

                    converter.narrow(mixing, words, |&[y, ..]| y, chroma, Pairing::EACH, out);
                }
                Yuv444::Bytes32 => {
                    let bytes = read(layer, 0, y, x * 4, first, n * 4)?;
                    let words = <[[u8; 4]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                    let chroma = words.iter().map(|&[v, u, ..]| (u, v));

                    converter.narrow(mixing, words, |&[_, _, y, _]| y, chroma, Pairing::EACH, out);
                }
                Yuv444::Bits10 => {
                    let bytes = read(layer, 0, y, x * 4, first, n * 4)?;
                    let words = <[[u8; 4]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                    let channel = |word: &[u8; 4], shift: u32| {
                        convert::TEN_BITS[(u32::from_le_bytes(*word) >> shift) as usize & 0x3ff]
                    };
                    let chroma = words
                        .iter()
                        .map(|word| (channel(word, 0), channel(word, 20)));

                    converter.wide(
                        mixing,
                        words,
                        |word| channel(word, 10),
                        chroma,
                        Pairing::EACH,
                        out,
                    );
                    if has_alpha {
                        for (pixel, &[.., byte]) in out.iter_mut().zip(words) {
                            *pixel = pixel::with_alpha(*pixel, u16::from(byte >> 6) * 0x5555);
                        }
                    }
                }
                Yuv444::Words => {
                    let bytes = read(layer, 0, y, x * 8, first, n * 8)?;
                    let words = <[[[u8; 2]; 4]]>::ref_from_bytes(bytes).map_err(|_| EINVAL)?;
                    let chroma = words
                        .iter()
                        .map(|&[u, _, v, _]| (u16::from_le_bytes(u), u16::from_le_bytes(v)));
                    let luma_of = |&[_, y, ..]: &[[u8; 2]; 4]| u16::from_le_bytes(y);

                    converter.wide(mixing, words, luma_of, chroma, Pairing::EACH, out);
                    if has_alpha {
                        for (pixel, &[.., alpha]) in out.iter_mut().zip(words) {
                            *pixel = pixel::with_alpha(*pixel, u16::from_le_bytes(alpha));
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Copies the bytes of `n` pixels of a 32-bit format into private memory and returns them as they
/// are.
pub(super) fn read_rgb32<'a, S: Source>(
    layer: &Layer<S>,
    x: usize,
    y: usize,
    raw: &'a mut RawRow,
    n: usize,
) -> Result<&'a [u8]> {
    let [first, ..] = &mut raw.planes;

    read(layer, 0, y, x * 4, first, n * 4)
}
