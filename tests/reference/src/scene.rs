// SPDX-License-Identifier: GPL-2.0

//! Scenes, and what they show.

use crate::operations::{signed, Op};
use crate::picture::{Color, Picture};
use crate::sample::{sample, Jitter};
use crate::tables::look_up;

/// The four characters that name a pixel format.
pub type Format = [u8; 4];

/// The part of a framebuffer that is shown, in pixels with 16 fractional bits.
#[derive(Clone, Copy, Debug)]
pub struct SourceArea {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// Where it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

/// The `COLOR_ENCODING` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Bt601,
    Bt709,
    Bt2020,
}

/// The `COLOR_RANGE` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    Limited,
    /// As limited, but 256/255 of that, which C vkms makes of it. No value of the property.
    Stretched,
    Full,
}

/// How a plane is scaled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    Nearest,
    Linear,
}

/// The `pixel blend mode` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlendMode {
    None,
    Premultiplied,
    Coverage,
}

/// What a plane shows.
#[derive(Clone)]
pub struct Layer {
    pub picture: Picture,
    pub src: SourceArea,
    pub dst: Area,
    /// The bits of the `rotation` property.
    pub rotation: u32,
    pub encoding: Encoding,
    pub range: Range,
    pub alpha: u16,
    pub blend: BlendMode,
    pub filter: Filter,
    pub ops: Vec<Op>,
}

/// What a CRTC shows.
#[derive(Clone)]
pub struct Scene {
    pub width: u32,
    pub height: u32,
    pub background: [u16; 3],
    /// The lowest first.
    pub layers: Vec<Layer>,
    pub degamma: Option<Vec<[u16; 3]>>,
    pub ctm: Option<[u64; 9]>,
    pub gamma: Option<Vec<[u16; 3]>>,
}

impl Scene {
    /// Returns what may be seen at a pixel, and how much that may be off because colour operations
    /// round: each layer may be sampled with any of `jitters`, whatever the others are.
    pub(crate) fn pixels(&self, x: u32, y: u32, jitters: &[Jitter]) -> Vec<([f64; 3], f64)> {
        let background = self.background.map(|channel| f64::from(channel) / 65535.0);
        let mut pixels = vec![(background, 0.0)];
        let mut samples = Vec::new();

        for layer in &self.layers {
            let local = (
                i64::from(x) - i64::from(layer.dst.x),
                i64::from(y) - i64::from(layer.dst.y),
            );
            let inside = (0..layer.dst.width.into()).contains(&local.0)
                && (0..layer.dst.height.into()).contains(&local.1);

            if !inside {
                continue;
            }

            samples.clear();
            for jitter in jitters {
                let found = sample(layer, local, *jitter);

                if !samples.contains(&found) {
                    samples.push(found);
                }
            }

            let add = |(below, off), (color, more)| (blend(layer, color, below), off + more);

            match samples[..] {
                [only] => pixels
                    .iter_mut()
                    .for_each(|pixel| *pixel = add(*pixel, only)),
                _ => {
                    let samples = &samples;

                    pixels = pixels
                        .into_iter()
                        .flat_map(|pixel| samples.iter().map(move |sample| add(pixel, *sample)))
                        .collect();
                }
            }
        }
        for (out, _) in &mut pixels {
            *out = self.adjust(*out);
        }
        pixels
    }

    /// Returns what the colour properties of the CRTC make of a colour.
    fn adjust(&self, mut out: [f64; 3]) -> [f64; 3] {
        if let Some(lut) = &self.degamma {
            look_up(lut, &mut out);
        }
        if let Some(m) = &self.ctm {
            let m = m.map(signed);

            out = [0, 3, 6].map(|row| {
                let sum = m[row] * out[0] + m[row + 1] * out[1] + m[row + 2] * out[2];

                sum.clamp(0.0, 1.0)
            });
        }
        if let Some(lut) = &self.gamma {
            look_up(lut, &mut out);
        }
        out
    }
}

/// The formulas of the `pixel blend mode` property.
fn blend(layer: &Layer, [r, g, b, a]: Color, below: [f64; 3]) -> [f64; 3] {
    let plane = f64::from(layer.alpha) / 65535.0;
    let color = [r, g, b];

    std::array::from_fn(|channel| {
        let (color, below) = (color[channel], below[channel]);
        let sum = match layer.blend {
            BlendMode::None => plane * color + (1.0 - plane) * below,
            BlendMode::Premultiplied => plane * color + (1.0 - plane * a) * below,
            BlendMode::Coverage => plane * a * color + (1.0 - plane * a) * below,
        };

        sum.clamp(0.0, 1.0)
    })
}
