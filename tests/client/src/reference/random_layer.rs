// SPDX-License-Identifier: GPL-2.0

//! Random layers of what a plane can do.

use std::sync::Arc;

use drm_sys::*;
use rvkms_reference::{Area, BlendMode, Encoding, Filter, Layer, Picture, Range, SourceArea};

use crate::card::Card;
use crate::error::Error;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::random::Random;

use super::abilities::Plane;
use super::layers::Shown;

/// How much smaller or larger planes can be shown, where they can be scaled.
const SCALE: u32 = 8;

/// The least width and height of a framebuffer.
const LEAST: u32 = 10;

/// Makes a framebuffer with pixels, and says how `plane` is to show it on a mode of this size.
pub fn shown<'c>(
    card: &'c Card,
    plane: &Plane,
    mode: (u32, u32),
    random: &mut Random,
) -> Result<Shown<'c>, Error> {
    let (src, dst, rotation) = areas(plane, mode, random);
    let end = |start: u32, length: u32| (start + length).div_ceil(1 << 16);
    let size = (
        (end(src.x, src.width) + random.below(9)).max(LEAST),
        (end(src.y, src.height) + random.below(9)).max(LEAST),
    );
    let blend = pick(&plane.blends, random).unwrap_or(BlendMode::Premultiplied);
    let format = random.one_of(&plane.formats);
    let shape = Shape::new(format, size.0, size.1, random);
    let bytes = pixels(&shape, blend, random);
    let mut buffer = PictureBuffer::new(card, &shape, 0, 0)?;
    buffer.mapping.bytes_mut()[..bytes.len()].copy_from_slice(&bytes);

    let mut layer = Layer {
        picture: Picture {
            format,
            pitches: shape.pitches,
            offsets: shape.offsets,
            bytes: Arc::new(bytes),
        },
        src,
        dst,
        rotation,
        encoding: pick(&plane.encodings, random).unwrap_or(Encoding::Bt601),
        range: pick(&plane.ranges, random).unwrap_or(Range::Full),
        alpha: alpha(plane, random),
        blend,
        filter: pick(&plane.filters, random).unwrap_or(Filter::Nearest),
        ops: Vec::new(),
    };
    let mut pipeline = None;
    if !plane.pipelines.is_empty() && !random.once_in(8) {
        let index = random.below(plane.pipelines.len() as u32) as usize;
        layer.ops = plane.pipelines[index].choose(random);
        pipeline = Some(index);
    }
    Ok(Shown {
        layer,
        zpos: zpos(plane, random),
        pipeline,
        size,
        buffer,
    })
}

/// Chooses how opaque a plane is.
pub fn alpha(plane: &Plane, random: &mut Random) -> u16 {
    if plane.has_alpha && random.once_in(2) {
        random.any() as u16
    } else {
        0xffff
    }
}

/// Chooses where a plane lies.
pub fn zpos(plane: &Plane, random: &mut Random) -> u64 {
    let (low, high) = (*plane.zpos.start(), *plane.zpos.end());
    low + random.any() % (high - low + 1)
}

/// Chooses where on the display a plane of this size is: parts may be outside.
pub fn position((width, height): (u32, u32), random: &mut Random) -> (i32, i32) {
    (
        random.within(-20, width as i32 + 5),
        random.within(-20, height as i32 + 5),
    )
}

/// Chooses one of the meanings of a property.
pub fn pick<T: Copy>(choices: &[(u64, T)], random: &mut Random) -> Option<T> {
    match choices {
        [] => None,
        _ => Some(random.one_of(choices).1),
    }
}

/// Chooses which part of a framebuffer is shown, where, and how it is turned.
fn areas(plane: &Plane, mode: (u32, u32), random: &mut Random) -> (SourceArea, Area, u32) {
    let can_scale = !plane.filters.is_empty();
    let (x, y) = position(mode, random);
    let mut dst = Area {
        x,
        y,
        width: random.within(1, 70) as u32,
        height: random.within(1, 50) as u32,
    };
    if random.once_in(3) {
        dst = Area {
            x: 0,
            y: 0,
            width: mode.0,
            height: mode.1,
        };
    }
    let turns = (0..4).map(|bit| 1 << bit);
    let turns: Vec<u32> = turns.filter(|turn| plane.rotations & turn != 0).collect();
    let turn = random.one_of(&turns);
    let reflections = [0, DRM_MODE_REFLECT_X, DRM_MODE_REFLECT_Y, 0x30];
    let rotation = turn | (random.one_of(&reflections) & plane.rotations);
    let turned = turn & (DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270) != 0;
    let (across, down) = match turned {
        false => (dst.width, dst.height),
        true => (dst.height, dst.width),
    };
    let fraction = |random: &mut Random| match can_scale && random.once_in(4) {
        true => random.below(1 << 16),
        false => 0,
    };
    let scales = can_scale && random.once_in(2);
    let length = |along: u32, random: &mut Random| {
        if !scales {
            return along << 16;
        }
        let most = (along * SCALE).min(150);
        let whole = random.within(along.div_ceil(SCALE) as i32, most as i32) as u32;
        ((whole << 16) + fraction(random)).min(most << 16)
    };
    let (width, height) = (length(across, random), length(down, random));
    let src = SourceArea {
        x: (random.below(20) << 16) + fraction(random),
        y: (random.below(20) << 16) + fraction(random),
        width,
        height,
    };
    (src, dst, rotation)
}

/// Makes the bytes of a framebuffer.
fn pixels(shape: &Shape, blend: BlendMode, random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; shape.bytes as usize];
    if blend == BlendMode::Premultiplied {
        shape.fill(&mut bytes, random);
        return bytes;
    }
    for chunk in bytes.chunks_mut(8) {
        let any = random.any().to_le_bytes();
        chunk.copy_from_slice(&any[..chunk.len()]);
    }
    // Of half floats few would be from 0 to 1.
    if shape.format[2..] == *b"4H" && random.once_in(2) {
        for half in bytes.chunks_exact_mut(2) {
            half[1] = half[1] % 8 + 0x34;
        }
    }
    bytes
}
