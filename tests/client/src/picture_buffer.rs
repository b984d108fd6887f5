// SPDX-License-Identifier: GPL-2.0

//! Framebuffers of any format in dumb buffers, and their pixels.

use drm_sys::*;

use crate::buffer::{add_fb2, remove_fb, Dumb, Mapping};
use crate::card::Card;
use crate::error::{Error, What};
use crate::random::Random;

/// A colour plane: how many pixels share a sample across and down, and the bits of a sample.
type Plane = (u32, u32, u32);

/// The four characters that name a pixel format.
pub type Format = [u8; 4];

fn planes(format: &Format) -> &'static [Plane] {
    match format {
        b"RG24" | b"BG24" => &[(1, 1, 24)],
        b"XR48" | b"XB48" | b"AR48" | b"AB48" => &[(1, 1, 64)],
        b"RG16" | b"BG16" => &[(1, 1, 16)],
        b"R8  " => &[(1, 1, 8)],
        b"NV12" | b"NV21" => &[(1, 1, 8), (2, 2, 16)],
        b"NV16" | b"NV61" => &[(1, 1, 8), (2, 1, 16)],
        b"NV24" | b"NV42" => &[(1, 1, 8), (1, 1, 16)],
        b"P010" | b"P012" | b"P016" => &[(1, 1, 16), (2, 2, 32)],
        b"YU12" | b"YV12" => &[(1, 1, 8), (2, 2, 8), (2, 2, 8)],
        b"YU16" | b"YV16" => &[(1, 1, 8), (2, 1, 8), (2, 1, 8)],
        b"YU24" | b"YV24" => &[(1, 1, 8), (1, 1, 8), (1, 1, 8)],
        _ => &[(1, 1, 32)],
    }
}

/// How much of what is below a pixel shows through.
#[derive(Clone, Copy, Debug)]
pub enum Alpha {
    /// Any part.
    Random,
    /// Everything or nothing.
    Binary,
    /// Everything, nothing, or any part.
    Mixed,
}

/// Where the colour planes of a framebuffer are in its memory.
#[derive(Clone, Debug)]
pub struct Shape {
    pub format: Format,
    pub width: u32,
    pub height: u32,
    pub pitches: [u32; 4],
    pub offsets: [u32; 4],
    pub bytes: u32,
}

impl Shape {
    /// Puts the planes one after the other; `random` leaves some space at the end of lines.
    pub fn new(format: Format, width: u32, height: u32, random: &mut Random) -> Self {
        let mut shape = Shape {
            format,
            width,
            height,
            pitches: [0; 4],
            offsets: [0; 4],
            bytes: 0,
        };
        for (index, (across, down, bits)) in planes(&format).iter().enumerate() {
            let line = (width.div_ceil(*across) * bits).div_ceil(8);
            shape.offsets[index] = shape.bytes;
            shape.pitches[index] = line.next_multiple_of(8) + 8 * random.below(3);
            shape.bytes += shape.pitches[index] * height.div_ceil(*down);
        }
        shape
    }

    /// Fills all of the memory with pixels. None has a colour that exceeds its alpha.
    pub fn fill(&self, bytes: &mut [u8], random: &mut Random) {
        let alpha = random.one_of(&[Alpha::Random, Alpha::Binary, Alpha::Mixed]);
        self.fill_with(bytes, random, alpha);
    }

    /// Fills all of the memory with pixels whose alpha channels are as `alpha` says.
    pub fn fill_with(&self, bytes: &mut [u8], random: &mut Random, alpha: Alpha) {
        let cover = |value: u8| match (alpha, value) {
            (Alpha::Random, value) => value,
            (_, 0..=99) => 0,
            (Alpha::Mixed, 100..=179) => value,
            _ => 255,
        };
        for chunk in bytes.chunks_mut(8) {
            let any = random.any().to_le_bytes();
            chunk.copy_from_slice(&any[..chunk.len()]);
        }
        let at = match &self.format {
            b"AR24" | b"AB24" => 3,
            b"RA24" | b"BA24" => 0,
            b"AR48" | b"AB48" => {
                for pixel in bytes.chunks_exact_mut(8) {
                    let alpha = u32::from(cover(pixel[7])) * 257;
                    for channel in pixel.chunks_exact_mut(2) {
                        let value = u32::from(u16::from_le_bytes([channel[0], channel[1]]));
                        let value = (value * alpha / 65535) as u16;
                        channel.copy_from_slice(&value.to_le_bytes());
                    }
                    pixel[6..].copy_from_slice(&(alpha as u16).to_le_bytes());
                }
                return;
            }
            _ => return,
        };
        for pixel in bytes.chunks_exact_mut(4) {
            let alpha = cover(pixel[at]);
            for byte in &mut *pixel {
                *byte = (u32::from(*byte) * u32::from(alpha) / 255) as u8;
            }
            pixel[at] = alpha;
        }
    }
}

/// A framebuffer and its mapped memory.
pub struct PictureBuffer<'c> {
    card: &'c Card,
    pub id: u32,
    pub shape: Shape,
    pub mapping: Mapping,
    _buffers: Vec<Dumb<'c>>,
}

impl<'c> PictureBuffer<'c> {
    /// Creates a framebuffer in one dumb buffer, beginning `start` bytes after its first byte.
    pub fn new(card: &'c Card, shape: &Shape, start: u32, extra: u32) -> Result<Self, Error> {
        let buffer = dumb(card, start + shape.bytes + extra)?;
        let mapping = buffer.map()?;
        let count = planes(&shape.format).len();
        let mut argument = Self::argument(shape);
        for index in 0..count {
            argument.handles[index] = buffer.handle;
            argument.offsets[index] += start;
        }
        Ok(PictureBuffer {
            card,
            id: add_fb2(card, argument).what(format!("ADDFB2 of {shape:?}"))?,
            shape: shape.clone(),
            mapping,
            _buffers: vec![buffer],
        })
    }

    /// Creates a framebuffer with each colour plane in a dumb buffer of its own. The mapping is that
    /// of the first; `bytes` is what all planes are filled with.
    pub fn apart(card: &'c Card, shape: &Shape, bytes: &[u8]) -> Result<Self, Error> {
        let mut buffers = Vec::new();
        let mut argument = Self::argument(shape);
        for index in 0..planes(&shape.format).len() {
            let start = shape.offsets[index] as usize;
            let end = match shape.offsets.get(index + 1) {
                Some(next) if *next > 0 => *next as usize,
                _ => bytes.len(),
            };
            let buffer = dumb(card, (end - start) as u32)?;
            buffer.map()?.bytes_mut()[..end - start].copy_from_slice(&bytes[start..end]);
            argument.handles[index] = buffer.handle;
            argument.offsets[index] = 0;
            buffers.push(buffer);
        }
        Ok(PictureBuffer {
            card,
            id: add_fb2(card, argument).what(format!("ADDFB2 of {shape:?}"))?,
            shape: shape.clone(),
            mapping: buffers[0].map()?,
            _buffers: buffers,
        })
    }

    fn argument(shape: &Shape) -> drm_mode_fb_cmd2 {
        drm_mode_fb_cmd2 {
            width: shape.width,
            height: shape.height,
            pixel_format: u32::from_le_bytes(shape.format),
            pitches: shape.pitches,
            offsets: shape.offsets,
            ..Default::default()
        }
    }
}

impl Drop for PictureBuffer<'_> {
    fn drop(&mut self) {
        let _ = remove_fb(self.card, self.id);
    }
}

fn dumb(card: &Card, bytes: u32) -> Result<Dumb<'_>, Error> {
    Dumb::new(card, 4096, bytes.div_ceil(4096).max(1), 8)
}
