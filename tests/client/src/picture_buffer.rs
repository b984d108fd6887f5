// SPDX-License-Identifier: GPL-2.0

//! Framebuffers of any format in dumb buffers, and their pixels.

use std::os::fd::OwnedFd;

use drm_sys::*;
use rvkms_reference::plane_layouts;
pub use rvkms_reference::Format;

use crate::buffer::{add_fb2, export, remove_fb, Dumb, Mapping};
use crate::card::Card;
use crate::error::{Error, What};
use crate::random::Random;

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
        for (index, plane) in plane_layouts(&format).iter().enumerate() {
            // Packed pairs are whole pairs.
            let samples = width.next_multiple_of(2).div_ceil(plane.sub_x as u32);
            let line = (samples * plane.bits as u32).div_ceil(8);
            shape.offsets[index] = shape.bytes;
            shape.pitches[index] = line.next_multiple_of(8) + 8 * random.below(3);
            shape.bytes += shape.pitches[index] * height.div_ceil(plane.sub_y as u32);
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
    buffers: Vec<Dumb<'c>>,
}

impl<'c> PictureBuffer<'c> {
    /// Exports the memory of the first colour plane.
    pub fn export(&self) -> Result<OwnedFd, Error> {
        export(self.card, self.buffers[0].handle).what("PRIME_HANDLE_TO_FD")
    }

    /// Creates a framebuffer in one dumb buffer, beginning `start` bytes after its first byte.
    pub fn new(card: &'c Card, shape: &Shape, start: u32, extra: u32) -> Result<Self, Error> {
        let buffer = dumb(card, start + shape.bytes + extra)?;
        let mapping = buffer.map()?;
        let count = plane_layouts(&shape.format).len();
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
            buffers: vec![buffer],
        })
    }

    /// Creates a framebuffer with each colour plane in a dumb buffer of its own. The mapping is that
    /// of the first; `bytes` is what all planes are filled with.
    pub fn apart(card: &'c Card, shape: &Shape, bytes: &[u8]) -> Result<Self, Error> {
        let mut buffers = Vec::new();
        let mut argument = Self::argument(shape);
        for index in 0..plane_layouts(&shape.format).len() {
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
            buffers,
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
