// SPDX-License-Identifier: GPL-2.0

//! Layers whose rows are columns of their framebuffer.
//!
//! A block of CRTC rows is as many neighbouring columns of the framebuffer. Reading these columns row by row
//! touches each cache line of the framebuffer once per block, not once per CRTC row.

use super::{
    decode::{
        decode,
        RawRow, //
    },
    frame::Layer,
    pixel::Pixel,
    Source, //
};
use kernel::prelude::*;

/// The number of CRTC rows in a block: a cache line of a 32-bit format.
pub(super) const BLOCK: usize = 16;

/// Where a block is on the CRTC.
pub(super) struct Block {
    /// The first column.
    pub(super) start: usize,
    /// The column after the last one.
    pub(super) end: usize,
    /// The first row.
    pub(super) y: usize,
    /// The number of rows, at most [`BLOCK`].
    pub(super) rows: usize,
}

/// Decodes a block of an unscaled, transposed layer.
///
/// Row `n` of the block begins at `n * stride` of `out`, column 0 of the CRTC first.
pub(super) fn decode_block<S: Source>(
    layer: &Layer<S>,
    block: &Block,
    raw: &mut RawRow,
    out: &mut [Pixel],
    stride: usize,
) -> Result {
    let mut pixels = [0; BLOCK];
    let pixels = pixels.get_mut(..block.rows).ok_or(EINVAL)?;
    let first = layer.local_y(block.y);
    let x = layer.source_column(first, first + block.rows);

    for column in block.start..block.end {
        let y = layer.source_row(layer.local_x(column));
        let out = out.get_mut(column..).ok_or(EINVAL)?;
        let out = out.iter_mut().step_by(stride);

        decode(layer, x, y, raw, pixels)?;
        if layer.rotation.flip_x {
            out.zip(pixels.iter().rev()).for_each(|(out, &p)| *out = p);
        } else {
            out.zip(pixels.iter()).for_each(|(out, &p)| *out = p);
        }
    }
    Ok(())
}
