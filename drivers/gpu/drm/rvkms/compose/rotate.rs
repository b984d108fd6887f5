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
    format::Layout,
    frame::Layer,
    pixel::Pixel,
    Source, //
};
use core::ops::Range;
use kernel::prelude::*;

/// The number of CRTC rows in a block: some cache lines of the framebuffer, and few enough that a
/// block of finished rows stays in the CPU's cache.
pub(super) const BLOCK: usize = 32;

/// The number of framebuffer rows that are read before their pixels are put in place: some cache
/// lines of finished pixels.
const ROWS: usize = 32;

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

/// Scratch memory for parts of some rows of a framebuffer.
pub(super) struct Tile {
    words: KVec<[u32; BLOCK]>,
    pixels: KVec<[Pixel; BLOCK]>,
}

impl Tile {
    /// Allocates the memory. May sleep.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            words: KVec::from_elem([0; BLOCK], ROWS, GFP_KERNEL)?,
            pixels: KVec::from_elem([0; BLOCK], ROWS, GFP_KERNEL)?,
        })
    }

    /// Decodes the rows of the framebuffer, from column `x` on, that are `columns` of `block`.
    /// There are at most [`ROWS`], and at least one.
    #[inline(always)]
    fn fill<S: Source>(
        &mut self,
        layer: &Layer<S>,
        block: &Block,
        columns: Range<usize>,
        x: usize,
        opaque: bool,
        raw: &mut RawRow,
    ) -> Result<&[[Pixel; BLOCK]]> {
        let row_of = |column| layer.source_row(layer.local_x(column));
        let pixels = self.pixels.get_mut(..columns.len()).ok_or(EINVAL)?;

        if let Layout::Rgb32 { order, alpha } = layer.format.layout() {
            let words = self.words.get_mut(..columns.len()).ok_or(EINVAL)?;
            let rows = words
                .iter_mut()
                .filter_map(|words| words.as_mut_bytes().get_mut(..block.rows * 4));
            let (y, last) = (row_of(columns.start), row_of(columns.end - 1));

            // All at once, so that the CPU waits for the cache lines of several rows together. The
            // columns are inside of the layer, so neighbours are neighbouring rows of the
            // framebuffer.
            if y > last {
                decode::read_rows(layer, 0, last, x * 4, rows.rev())?;
            } else {
                decode::read_rows(layer, 0, y, x * 4, rows)?;
            }
            // In a block of few rows the rest of each row is old, and converted in vain: one long
            // loop is faster than many short ones.
            let bytes = words.as_flattened().as_bytes();

            convert::rgb32(order, alpha && !opaque, bytes, pixels.as_flattened_mut());
        } else {
            for (column, pixels) in columns.zip(pixels.iter_mut()) {
                let pixels = pixels.get_mut(..block.rows).ok_or(EINVAL)?;

                decode::decode(layer, x, row_of(column), opaque, raw, pixels)?;
            }
        }
        Ok(pixels)
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
    tile: &mut Tile,
    out: &mut [Pixel],
    stride: usize,
) -> Result {
    if block.rows > BLOCK {
        return Err(EINVAL);
    }

    let first = layer.local_y(block.y);
    let x = layer.source_column(first, first + block.rows);
    let mut column = block.start;

    while column < block.end {
        let end = block.end.min(column + ROWS);
        let pixels = tile.fill(layer, block, column..end, x, opaque, raw)?;

        for (row, out) in out.chunks_mut(stride).take(block.rows).enumerate() {
            let out = out.get_mut(column..end).ok_or(EINVAL)?;
            let from = block.row_in_tile(layer, row);

            for (out, pixels) in out.iter_mut().zip(pixels) {
                *out = pixels[from];
            }
        }
        column = end;
    }
    Ok(())
}
