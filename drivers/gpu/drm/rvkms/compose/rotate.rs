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

/// The number of CRTC rows in a block: some cache lines of the framebuffer, and few enough that a block of
/// finished rows stays in the CPU's cache.
pub(super) const BLOCK: usize = 32;

/// The number of framebuffer rows that are read before their pixels are put in place: a cache line of
/// finished pixels.
const ROWS: usize = 8;

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

/// Decodes a block of an unscaled, transposed layer; `opaque` says to ignore the alpha channel.
///
/// Row `n` of the block begins at `n * stride` of `out`, column 0 of the CRTC first.
pub(super) fn decode_block<S: Source>(
    layer: &Layer<S>,
    block: &Block,
    opaque: bool,
    raw: &mut RawRow,
    out: &mut [Pixel],
    stride: usize,
) -> Result {
    let mut tile = [[0; BLOCK]; ROWS];
    let first = layer.local_y(block.y);
    let x = layer.source_column(first, first + block.rows);
    let mut column = block.start;

    while column < block.end {
        let columns = ROWS.min(block.end - column);

        // The reads do not depend on each other, so the CPU can wait for several cache lines at once.
        for (column, pixels) in (column..).zip(tile.iter_mut().take(columns)) {
            let y = layer.source_row(layer.local_x(column));
            let pixels = pixels.get_mut(..block.rows).ok_or(EINVAL)?;

            decode(layer, x, y, opaque, raw, pixels)?;
        }
        for (row, out) in out.chunks_mut(stride).take(block.rows).enumerate() {
            let out = out.get_mut(column..column + columns).ok_or(EINVAL)?;
            let row = if layer.rotation.flip_x {
                block.rows - 1 - row
            } else {
                row
            };

            for (out, pixels) in out.iter_mut().zip(&tile) {
                *out = pixels.get(row).copied().ok_or(EINVAL)?;
            }
        }
        column += columns;
    }
    Ok(())
}
