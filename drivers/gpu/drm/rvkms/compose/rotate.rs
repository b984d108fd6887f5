// SPDX-License-Identifier: GPL-2.0

//! Layers whose rows are columns of their framebuffer.
//!
//! A block of CRTC rows is as many neighbouring columns of the framebuffer. Reading these columns
//! row by row touches each cache line of the framebuffer once per block, not once per CRTC row.

use super::{
    convert,
    decode::{
        self,
        RawRow, //
    },
    format::{
        Layout,
        Order, //
    },
    frame::Layer,
    pixel::Pixel,
    Source, //
};
use kernel::prelude::*;

/// The number of CRTC rows in a block: some cache lines of the framebuffer, and few enough that a
/// block of finished rows stays in the CPU's cache.
pub(super) const BLOCK: usize = 32;

/// The number of framebuffer rows that are read before their pixels are put in place: two cache
/// lines of finished pixels.
const ROWS: usize = 16;

/// The same for formats of which the pixels are decoded first: both take as much of the stack.
const DECODED_ROWS: usize = ROWS / 2;

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

impl Block {
    /// Returns which of the columns that are read, counted from the left, is row `row` of the
    /// block.
    #[inline(always)]
    fn row_in_tile<S>(&self, layer: &Layer<S>, row: usize) -> usize {
        let row = if layer.rotation.flip_x {
            self.rows.wrapping_sub(row + 1)
        } else {
            row
        };

        row % BLOCK
    }
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
    if block.rows > BLOCK {
        return Err(EINVAL);
    }
    if let Layout::Rgb32 { order, alpha } = layer.format.layout() {
        return decode_rgb32(layer, block, order, alpha && !opaque, out, stride);
    }

    let mut tile = [[0; BLOCK]; DECODED_ROWS];
    let first = layer.local_y(block.y);
    let x = layer.source_column(first, first + block.rows);
    let mut column = block.start;

    while column < block.end {
        let columns = DECODED_ROWS.min(block.end - column);

        for (column, pixels) in (column..).zip(tile.iter_mut().take(columns)) {
            let y = layer.source_row(layer.local_x(column));
            let pixels = pixels.get_mut(..block.rows).ok_or(EINVAL)?;

            decode::decode(layer, x, y, opaque, raw, pixels)?;
        }
        for (row, out) in out.chunks_mut(stride).take(block.rows).enumerate() {
            let out = out.get_mut(column..column + columns).ok_or(EINVAL)?;
            let from = block.row_in_tile(layer, row);

            for (out, pixels) in out.iter_mut().zip(&tile) {
                *out = pixels[from];
            }
        }
        column += columns;
    }
    Ok(())
}

/// As [`decode_block`], for 32-bit formats.
#[inline(never)]
fn decode_rgb32<S: Source>(
    layer: &Layer<S>,
    block: &Block,
    order: Order,
    alpha: bool,
    out: &mut [Pixel],
    stride: usize,
) -> Result {
    let len = block.rows * 4;
    let mut tile = [[0u32; BLOCK]; ROWS];
    let first = layer.local_y(block.y);
    let x = layer.source_column(first, first + block.rows);
    let mut column = block.start;

    while column < block.end {
        let columns = ROWS.min(block.end - column);
        let ends = [column, column + columns - 1];
        let [y, last] = ends.map(|x| layer.source_row(layer.local_x(x)));
        let rows = tile
            .iter_mut()
            .take(columns)
            .filter_map(|words| words.as_mut_bytes().get_mut(..len));

        // All at once, so that the CPU waits for the cache lines of several rows together. The
        // columns are inside of the layer, so neighbours are neighbouring rows of the framebuffer.
        decode::read_rows(layer, 0, y.min(last), x * 4, rows)?;
        for (row, out) in out.chunks_mut(stride).take(block.rows).enumerate() {
            let out = out.get_mut(column..column + columns).ok_or(EINVAL)?;
            let from = block.row_in_tile(layer, row);
            let mut words = tile.each_ref().map(|words| words[from]);
            let words = words.get_mut(..columns).ok_or(EINVAL)?;

            if y > last {
                words.reverse();
            }
            convert::rgb32(order, alpha, words.as_bytes(), out);
        }
        column += columns;
    }
    Ok(())
}
