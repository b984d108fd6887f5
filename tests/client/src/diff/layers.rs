// SPDX-License-Identifier: GPL-2.0

//! What the planes of random scenes show.

use drm_sys::*;

use crate::card::Card;
use crate::error::Error;
use crate::picture_buffer::{Format, PictureBuffer, Shape};
use crate::pipeline::Steps;
use crate::planes::Place;
use crate::random::Random;

/// The formats of the planes of both drivers.
const FORMATS: [Format; 33] = [
    *b"AR24", *b"AB24", *b"BA24", *b"RA24", *b"XR24", *b"XB24", *b"RG24", *b"BG24", *b"XR48",
    *b"XB48", *b"AR48", *b"AB48", *b"RG16", *b"BG16", *b"NV12", *b"NV16", *b"NV24", *b"NV21",
    *b"NV61", *b"NV42", *b"YU12", *b"YU16", *b"YU24", *b"YV12", *b"YV16", *b"YV24", *b"P010",
    *b"P012", *b"P016", *b"R1  ", *b"R2  ", *b"R4  ", *b"R8  ",
];

/// Whether several pixels are in a byte.
fn is_dense(format: Format) -> bool {
    matches!(&format, b"R1  " | b"R2  " | b"R4  ")
}

fn has_alpha(format: Format) -> bool {
    matches!(
        &format,
        b"AR24" | b"AB24" | b"BA24" | b"RA24" | b"AR48" | b"AB48"
    )
}

/// What a plane shows.
#[derive(Clone, Debug)]
pub struct Layer {
    pub plane: usize,
    pub shape: Shape,
    pub place: Place,
    /// What its colour pipeline does, if it uses one.
    pub steps: Option<Steps>,
}

impl Layer {
    /// Whether its pixels may go through a colour pipeline and be the same on both drivers.
    ///
    /// C vkms blends what a pipeline returns as it is, though only opaque pixels are sure to stay
    /// pre-multiplied.
    pub fn may_use_pipeline(&self) -> bool {
        !has_alpha(self.shape.format)
    }
}

/// Something for the plane with that number to show on a display of that size.
pub fn layer(plane: usize, display: (u32, u32), random: &mut Random) -> Layer {
    let format = random.one_of(&FORMATS);
    let size = if plane == 0 && random.once_in(2) {
        display
    } else {
        (
            random.within(10, display.0 as i32) as u32,
            random.within(10, display.1 as i32) as u32,
        )
    };
    let turn = random.one_of(&[
        DRM_MODE_ROTATE_0,
        DRM_MODE_ROTATE_90,
        DRM_MODE_ROTATE_180,
        DRM_MODE_ROTATE_270,
    ]);
    let turn = match random.once_in(2) {
        true => DRM_MODE_ROTATE_0,
        // C vkms reads from the wrong places when it walks along columns of these.
        false if is_dense(format) => DRM_MODE_ROTATE_180,
        false => turn,
    };
    let mut rotation = turn;
    if random.once_in(4) {
        rotation |= DRM_MODE_REFLECT_X;
    }
    if random.once_in(4) {
        rotation |= DRM_MODE_REFLECT_Y;
    }
    let (width, height) = match turn {
        DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270 => (size.1, size.0),
        _ => size,
    };
    let src = (random.below(12), random.below(12));
    let shape = Shape::new(
        format,
        src.0 + width + random.below(9),
        src.1 + height + random.below(9),
        random,
    );
    Layer {
        plane,
        shape,
        place: Place {
            src: (src.0 << 16, src.1 << 16),
            size,
            position: position(plane, size, display, random),
            rotation,
            encoding: random.below(3),
            range: random.below(2),
        },
        steps: None,
    }
}

/// Where the plane with that number shows something of that size on a display.
pub fn position(
    plane: usize,
    size: (u32, u32),
    display: (u32, u32),
    random: &mut Random,
) -> (i32, i32) {
    if plane == 0 && size == display {
        return (0, 0);
    }
    // Parts may be outside, but not all: C vkms composes only what is visible.
    let along = |size: u32, all: u32, random: &mut Random| {
        if random.once_in(4) {
            random.within(-(size as i32 - 3).min(20), all as i32 - 3)
        } else {
            random.within(0, all as i32 - size as i32)
        }
    };
    (
        along(size.0, display.0, random),
        along(size.1, display.1, random),
    )
}

/// A framebuffer for a layer, filled with what `seed` says.
pub fn filled<'c>(card: &'c Card, layer: &Layer, seed: u64) -> Result<PictureBuffer<'c>, Error> {
    let mut buffer = PictureBuffer::new(card, &layer.shape, 0, 0)?;
    let bytes = &mut buffer.mapping.bytes_mut()[..layer.shape.bytes as usize];
    layer
        .shape
        .fill(bytes, &mut Random::new(seed ^ layer.plane as u64));
    Ok(buffer)
}
