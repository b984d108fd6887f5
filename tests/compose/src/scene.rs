// SPDX-License-Identifier: GPL-2.0

//! Scenes: what the composer, the oracle and the reference are all given.

use crate::{
    memory::Memory,
    random::Random,
    rvkms::compose::{
        Area,
        BlendMode,
        Curve,
        Encoding,
        Filter,
        Format,
        Frame,
        Layer,
        Lut,
        Lut3d,
        Matrix,
        Operation,
        Pipeline,
        Range,
        Rotation,
        SourceArea,
        Transfer, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
pub(crate) use rvkms_reference::Op;
use rvkms_reference::{
    plane_layouts,
    Picture, //
};
use std::sync::Arc as StdArc;

/// Returns the four characters of a format.
pub(crate) fn name(format: Format) -> String {
    String::from_utf8_lossy(&format.fourcc().to_le_bytes()).into_owned()
}

/// A plane's part of a scene.
#[derive(Clone)]
pub(crate) struct SceneLayer {
    pub(crate) format: Format,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pitches: [u32; 4],
    pub(crate) offsets: [u32; 4],
    pub(crate) bytes: StdArc<Vec<u8>>,
    pub(crate) src: SourceArea,
    pub(crate) dst: Area,
    pub(crate) rotation: u32,
    pub(crate) encoding: Encoding,
    pub(crate) range: Range,
    pub(crate) alpha: u16,
    pub(crate) blend: BlendMode,
    pub(crate) filter: Filter,
    pub(crate) ops: Vec<Op>,
}

/// What a CRTC shows.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) background: [u16; 3],
    pub(crate) layers: Vec<SceneLayer>,
    pub(crate) degamma: Option<Vec<[u16; 3]>>,
    pub(crate) ctm: Option<[u64; 9]>,
    pub(crate) gamma: Option<Vec<[u16; 3]>>,
}

impl SceneLayer {
    /// Creates a layer that shows all of a framebuffer of random pixels at the given place.
    pub(crate) fn new(format: Format, width: u32, height: u32, random: &mut Random) -> Self {
        let mut pitches = [0; 4];
        let mut offsets = [0; 4];
        let mut len = 0;

        for (index, plane) in plane_layouts(&format.fourcc().to_le_bytes())
            .iter()
            .enumerate()
        {
            // Packed pairs are whole pairs.
            let columns = (width as usize).next_multiple_of(2).div_ceil(plane.sub_x);
            let rows = (height as usize).div_ceil(plane.sub_y);
            let pitch =
                (columns * plane.bits).div_ceil(8).next_multiple_of(8) + 8 * random.below(3);

            offsets[index] = len as u32;
            pitches[index] = pitch as u32;
            len += pitch * rows;
        }

        let mut bytes = vec![0; len];

        random.fill(&mut bytes);
        Self {
            format,
            width,
            height,
            pitches,
            offsets,
            bytes: StdArc::new(bytes),
            src: SourceArea {
                x: 0,
                y: 0,
                width: width << 16,
                height: height << 16,
            },
            dst: Area {
                x: 0,
                y: 0,
                width,
                height,
            },
            rotation: 1,
            encoding: Encoding::Bt601,
            range: Range::Full,
            alpha: 0xffff,
            blend: BlendMode::Premultiplied,
            filter: Filter::Nearest,
            ops: Vec::new(),
        }
    }

    /// Changes the pixels so that no colour exceeds its alpha, which `alpha` chooses from a random
    /// byte.
    pub(crate) fn premultiply(&mut self, alpha: impl Fn(u8) -> u8) {
        let name = name(self.format);
        let bytes = StdArc::make_mut(&mut self.bytes);

        match &*name {
            "AR24" | "AB24" | "RA24" | "BA24" => {
                let a = if name.starts_with('A') { 3 } else { 0 };

                for pixel in bytes.chunks_exact_mut(4) {
                    let full = alpha(pixel[a]);

                    for byte in &mut *pixel {
                        *byte = (u32::from(*byte) * u32::from(full) / 255) as u8;
                    }
                    pixel[a] = full;
                }
            }
            "AR48" | "AB48" => {
                for pixel in bytes.chunks_exact_mut(8) {
                    let full = u16::from(alpha(pixel[7])) * 257;

                    for channel in pixel.chunks_exact_mut(2) {
                        let value = u16::from_le_bytes([channel[0], channel[1]]);
                        let value = (u32::from(value) * u32::from(full) / 65535) as u16;

                        channel.copy_from_slice(&value.to_le_bytes());
                    }
                    pixel[6..].copy_from_slice(&full.to_le_bytes());
                }
            }
            _ => {}
        }
    }

    /// Returns the layer as the reference composer takes it.
    fn plain(&self) -> rvkms_reference::Layer {
        rvkms_reference::Layer {
            picture: Picture {
                format: self.format.fourcc().to_le_bytes(),
                pitches: self.pitches,
                offsets: self.offsets,
                bytes: self.bytes.clone(),
            },
            src: rvkms_reference::SourceArea {
                x: self.src.x,
                y: self.src.y,
                width: self.src.width,
                height: self.src.height,
            },
            dst: rvkms_reference::Area {
                x: self.dst.x,
                y: self.dst.y,
                width: self.dst.width,
                height: self.dst.height,
            },
            rotation: self.rotation,
            encoding: match self.encoding {
                Encoding::Bt601 => rvkms_reference::Encoding::Bt601,
                Encoding::Bt709 => rvkms_reference::Encoding::Bt709,
                Encoding::Bt2020 => rvkms_reference::Encoding::Bt2020,
            },
            range: match self.range {
                Range::Limited => rvkms_reference::Range::Limited,
                Range::Full => rvkms_reference::Range::Full,
            },
            alpha: self.alpha,
            blend: match self.blend {
                BlendMode::None => rvkms_reference::BlendMode::None,
                BlendMode::Premultiplied => rvkms_reference::BlendMode::Premultiplied,
                BlendMode::Coverage => rvkms_reference::BlendMode::Coverage,
            },
            filter: match self.filter {
                Filter::Nearest => rvkms_reference::Filter::Nearest,
                Filter::Linear => rvkms_reference::Filter::Linear,
            },
            ops: self.ops.clone(),
        }
    }

    fn layer(&self, curves: &Curves) -> Result<Layer<Memory>> {
        let mut operations = KVec::new();

        let is_compatible = self.ops.iter().all(|op| {
            matches!(
                op,
                Op::SrgbEotf | Op::SrgbInverse | Op::Matrix(_) | Op::Bypassed
            )
        });

        for op in &self.ops {
            let operation = match op {
                Op::SrgbEotf => Operation::Lut(curves.eotf.clone()),
                Op::SrgbInverse => Operation::Lut(curves.inverse.clone()),
                Op::Bt2020Oetf => Operation::Signal(curves.bt2020.clone()),
                Op::Bt2020Inverse => Operation::Light(curves.bt2020.clone()),
                Op::Gamma22 => Operation::Light(curves.gamma22.clone()),
                Op::Gamma22Inverse => Operation::Signal(curves.gamma22.clone()),
                Op::PqEotf => Operation::Light(curves.pq.clone()),
                Op::PqInverse => Operation::Signal(curves.pq.clone()),
                Op::Matrix(matrix) => {
                    let matrix = match is_compatible {
                        true => Matrix::new(matrix)?,
                        false => Matrix::exact(matrix)?,
                    };

                    Operation::Matrix(Arc::new(matrix, GFP_KERNEL)?)
                }
                Op::Multiplier(factor) => {
                    Operation::Matrix(Arc::new(Matrix::multiplier(*factor)?, GFP_KERNEL)?)
                }
                Op::Lut(lut) => Operation::Lut(Arc::new(
                    Lut::new(lut.len(), |index| lut[index])?,
                    GFP_KERNEL,
                )?),
                Op::Lut3d(size, lut) => Operation::Lut3d(Arc::new(
                    Lut3d::new(*size, |index| lut[index])?,
                    GFP_KERNEL,
                )?),
                Op::Bypassed => continue,
            };

            operations.push(operation, GFP_KERNEL)?;
        }

        let pipeline = if operations.is_empty() {
            None
        } else {
            Some(Arc::new(Pipeline::new(operations)?, GFP_KERNEL)?)
        };

        Ok(Layer {
            source: Memory {
                bytes: self.bytes.clone(),
                offsets: self.offsets.map(|offset| offset as usize),
            },
            format: self.format,
            pitches: self.pitches,
            src: self.src,
            dst: self.dst,
            rotation: Rotation::from_bits(self.rotation).ok_or(EINVAL)?,
            encoding: self.encoding,
            range: self.range,
            alpha: self.alpha,
            blend: self.blend,
            filter: self.filter,
            pipeline,
        })
    }
}

/// The curves of colour operations.
pub(crate) struct Curves {
    eotf: Arc<Lut>,
    inverse: Arc<Lut>,
    bt2020: Arc<Transfer>,
    gamma22: Arc<Transfer>,
    pq: Arc<Transfer>,
}

impl Curves {
    /// Prepares the curves.
    pub(crate) fn new() -> Result<Self> {
        let lut = |curve| Arc::new(Lut::curve(curve)?, GFP_KERNEL);

        Ok(Self {
            eotf: lut(Curve::SrgbEotf)?,
            inverse: lut(Curve::SrgbInverseEotf)?,
            bt2020: Arc::new(Transfer::bt2020()?, GFP_KERNEL)?,
            gamma22: Arc::new(Transfer::gamma22()?, GFP_KERNEL)?,
            pq: Arc::new(Transfer::pq()?, GFP_KERNEL)?,
        })
    }
}

impl Scene {
    /// Creates a scene without layers.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            background: [0; 3],
            layers: Vec::new(),
            degamma: None,
            ctm: None,
            gamma: None,
        }
    }

    /// Returns the scene as the reference composer takes it.
    pub(crate) fn plain(&self) -> rvkms_reference::Scene {
        rvkms_reference::Scene {
            width: self.width,
            height: self.height,
            background: self.background,
            layers: self.layers.iter().map(SceneLayer::plain).collect(),
            degamma: self.degamma.clone(),
            ctm: self.ctm,
            gamma: self.gamma.clone(),
        }
    }

    /// Prepares the scene for the composer.
    pub(crate) fn frame(&self, curves: &Curves) -> Result<Frame<Memory>> {
        let mut layers = KVec::new();
        let lut = |entries: &Option<Vec<[u16; 3]>>| -> Result<_> {
            entries
                .as_ref()
                .map(|e| Arc::new(Lut::new(e.len(), |index| e[index])?, GFP_KERNEL))
                .transpose()
        };

        for layer in &self.layers {
            layers.push(layer.layer(curves)?, GFP_KERNEL)?;
        }
        Ok(Frame {
            width: self.width,
            height: self.height,
            background: self.background,
            layers,
            degamma: lut(&self.degamma)?,
            ctm: self
                .ctm
                .map(|ctm| Arc::new(Matrix::from_3x3(&ctm)?, GFP_KERNEL))
                .transpose()?,
            gamma: lut(&self.gamma)?,
        })
    }
}
