// SPDX-License-Identifier: GPL-2.0

//! From a frame to rows of pixels, and from there to checksums and writeback buffers.

use super::{
    blend,
    crc::{
        Method,
        RowSummer, //
    },
    decode::{
        self,
        RawRow, //
    },
    encode::{
        self,
        Encoder, //
    },
    format::{
        Layout,
        Order, //
    },
    frame::{
        BlendMode,
        Filter,
        Layer, //
    },
    pixel::{
        self,
        Pixel, //
    },
    plan::{
        Plan,
        Span, //
    },
    rotate::{
        self,
        Block,
        Tile,
        BLOCK, //
    },
    scale::{
        self,
        Lines, //
    },
    stack::{
        self,
        Stack, //
    },
    Format,
    Frame,
    Source,
    Target, //
};
use core::ops::Range;
use kernel::prelude::*;

/// Where finished rows are written.
#[derive(Clone, Copy)]
pub(crate) struct Writeback<'a> {
    target: &'a dyn Target,
    encoder: Encoder,
    pitch: usize,
}

impl<'a> Writeback<'a> {
    /// Describes a framebuffer of the size of the mode; `pitch` is the distance of two rows in
    /// bytes.
    ///
    /// Returns [`EINVAL`] if `format` cannot be written.
    pub(crate) fn new(target: &'a dyn Target, format: Format, pitch: u32) -> Result<Self> {
        Ok(Self {
            target,
            encoder: Encoder::new(format).ok_or(EINVAL)?,
            pitch: usize::try_from(pitch).map_err(|_| EOVERFLOW)?,
        })
    }

    /// Returns whether `format` can be written.
    pub(crate) const fn supports(format: Format) -> bool {
        Encoder::new(format).is_some()
    }
}

/// Composes frames; owns the scratch memory that this takes.
pub(crate) struct Composer {
    width: usize,
    stride: usize,
    summer: RowSummer,
    plan: Plan,
    rows: Rows,
}

/// The rows that are being composed.
struct Rows {
    stride: usize,
    /// A block of finished rows.
    out: KVVec<Pixel>,
    /// A block of rows of one layer.
    stage: KVVec<Pixel>,
    raw: RawRow,
    tile: Tile,
    stack: Stack,
    encoded: KVVec<u8>,
}

impl Composer {
    /// Allocates all memory for frames that are `width` pixels wide and have up to `max_layers`
    /// layers.
    ///
    /// The memory is about 530 bytes a column, and 12 KiB. May sleep.
    pub(crate) fn new(width: u32, max_layers: usize, method: Method) -> Result<Self> {
        let width = usize::try_from(width).map_err(|_| EOVERFLOW)?;
        // A row more than needed keeps the rows of a block from sharing cache sets.
        let stride = width.checked_next_multiple_of(8).ok_or(EOVERFLOW)?;
        let stride = stride.checked_add(8).ok_or(EOVERFLOW)?;
        let block = stride.checked_mul(BLOCK).ok_or(EOVERFLOW)?;
        let bytes = width.checked_mul(8).ok_or(EOVERFLOW)?;

        Ok(Self {
            width,
            stride,
            summer: RowSummer::new(method, width),
            plan: Plan::new(max_layers)?,
            rows: Rows {
                stride,
                out: KVVec::from_elem(0, block, GFP_KERNEL)?,
                stage: KVVec::from_elem(0, block, GFP_KERNEL)?,
                raw: RawRow::new(width)?,
                tile: Tile::new()?,
                stack: Stack::new()?,
                encoded: KVVec::from_elem(0, bytes, GFP_KERNEL)?,
            },
        })
    }

    /// Composes `rows` of `frame`: writes them to `writeback`, if given, and stores the checksum of
    /// each in `sums`, which is to have room for as many.
    ///
    /// The frame is to be as wide as the composer was made for. Returns [`EINVAL`] if it is not or
    /// if `rows` is not within the frame, and any error of the layers' [`Source`] and of the
    /// [`Target`]; rows that came before the error have been written then.
    ///
    /// Allocates nothing. Context: as [`Source::read`] and [`Target::write`].
    pub(crate) fn sum_rows<S: Source>(
        &mut self,
        frame: &Frame<S>,
        rows: Range<u32>,
        writeback: Option<Writeback<'_>>,
        sums: &mut [u32],
    ) -> Result {
        let mut sums = sums.iter_mut();

        // See `Frame::ctm`.
        let narrowed = frame.ctm.is_some();

        self.finish_rows(frame, rows, writeback, |summer, row| {
            if narrowed {
                row.iter_mut()
                    .for_each(|pixel| *pixel = pixel::widen(pixel::narrow(*pixel)));
            }
            #[cfg(target_endian = "big")]
            row.iter_mut().for_each(|pixel| *pixel = pixel.to_le());
            if let Some(sum) = sums.next() {
                *sum = summer.sum(row);
            }
        })
    }

    /// As [`Self::sum_rows`] without checksums, for frames of which nobody asks for one.
    pub(crate) fn write<S: Source>(
        &mut self,
        frame: &Frame<S>,
        rows: Range<u32>,
        writeback: Writeback<'_>,
    ) -> Result {
        self.finish_rows(frame, rows, Some(writeback), |_, _| ())
    }

    /// Composes rows and hands each to `done`, which may do with it what it likes.
    fn finish_rows<S: Source>(
        &mut self,
        frame: &Frame<S>,
        rows: Range<u32>,
        writeback: Option<Writeback<'_>>,
        mut done: impl FnMut(&RowSummer, &mut [Pixel]),
    ) -> Result {
        if frame.width as usize != self.width || rows.end > frame.height {
            return Err(EINVAL);
        }

        let (mut y, end) = (rows.start as usize, rows.end as usize);

        while y < end {
            let band_end = self.plan.update(frame, y)?.min(end);
            let block = if self.plan.transposed() { BLOCK } else { 1 };
            let copied = writeback.is_some_and(|w| is_copied(frame, self.plan.spans(), w.encoder));

            while y < band_end {
                let n = block.min(band_end - y);

                self.rows.add_all(frame, self.plan.spans(), y, n)?;
                for (y, row) in (y..y + n).zip(self.rows.out.chunks_mut(self.stride)) {
                    let row = row.get_mut(..self.width).ok_or(EINVAL)?;

                    adjust(frame, row);
                    if let Some(writeback) = &writeback {
                        let raw = copied.then_some(&self.rows.raw);

                        write(writeback, y, row, raw, &mut self.rows.encoded)?;
                    }
                    done(&self.summer, row);
                }
                y += n;
            }
        }
        Ok(())
    }
}

/// Applies the CRTC's colour properties to a composed row.
fn adjust<S>(frame: &Frame<S>, row: &mut [Pixel]) {
    if let Some(degamma) = &frame.degamma {
        degamma.apply(row);
    }
    if let Some(ctm) = &frame.ctm {
        ctm.apply_to_row(row);
    }
    if let Some(gamma) = &frame.gamma {
        if frame.has_palette() {
            gamma.apply_palette(row);
        } else {
            gamma.apply(row);
        }
    }
}

/// Returns whether composed rows are those of a framebuffer and `encoder` leads back to its format.
fn is_copied<S>(frame: &Frame<S>, spans: &[Span], encoder: Encoder) -> bool {
    let adjusted = frame.degamma.is_some() || frame.ctm.is_some() || frame.gamma.is_some();
    let [Span {
        layer: Some(layer),
        opaque: true,
        ..
    }] = *spans
    else {
        return false;
    };
    let Some(layer) = frame.layers.get(layer) else {
        return false;
    };
    let Layout::Rgb32 { order, .. } = layer.format.layout() else {
        return false;
    };
    let moved = layer.rotation.transpose || layer.rotation.flip_x || !layer.is_unscaled();

    encoder == Encoder::Rgb32(order) && !adjusted && !moved && layer.pipeline.is_none()
}

/// Writes a finished row; `raw` holds the row's pixels in the target's format if it is given.
fn write(
    writeback: &Writeback<'_>,
    y: usize,
    row: &[Pixel],
    raw: Option<&RawRow>,
    encoded: &mut [u8],
) -> Result {
    let len = row.len() * writeback.encoder.bytes_per_pixel();
    let bytes = encoded.get_mut(..len).ok_or(EINVAL)?;
    let offset = writeback.pitch.checked_mul(y).ok_or(EOVERFLOW)?;

    match raw {
        Some(raw) => encode::copy_rgb32(raw.bytes(len)?, bytes),
        None => writeback.encoder.encode(row, bytes),
    }
    writeback.target.write(offset, bytes)
}

/// Returns the order of the layer's channels if its pixels can be blended as they are in the
/// framebuffer.
fn plain_order<S>(layer: &Layer<S>) -> Option<Order> {
    let moved = layer.rotation.transpose || layer.rotation.flip_x || !layer.is_unscaled();
    let plain = layer.blend == BlendMode::Premultiplied && layer.alpha == pixel::MAX;

    match layer.format.layout() {
        Layout::Rgb32 { order, alpha: true } if plain && !moved && layer.pipeline.is_none() => {
            Some(order)
        }
        _ => None,
    }
}

impl Rows {
    /// Adds what all `spans` contribute to the `n` rows from `y` on.
    fn add_all<S: Source>(
        &mut self,
        frame: &Frame<S>,
        spans: &[Span],
        y: usize,
        n: usize,
    ) -> Result {
        let mut spans = spans;

        while let Some((first, rest)) = spans.split_first() {
            let stacked = spans.iter().take(stack::DEPTH).take_while(|span| {
                let layer = span.layer.and_then(|layer| frame.layers.get(layer));
                let plain = layer.is_some_and(|layer| plain_order(layer).is_some());

                plain && !span.opaque && (span.start, span.end) == (first.start, first.end)
            });
            let stacked = stacked.count();

            if stacked > 1 {
                let (group, rest) = spans.split_at_checked(stacked).ok_or(EINVAL)?;

                self.add_stack(frame, group, y, n)?;
                spans = rest;
            } else {
                self.add(frame, first, y, n)?;
                spans = rest;
            }
        }
        Ok(())
    }

    /// Adds plain layers that cover the same columns.
    fn add_stack<S: Source>(
        &mut self,
        frame: &Frame<S>,
        spans: &[Span],
        y: usize,
        n: usize,
    ) -> Result {
        let Some(&Span { start, end, .. }) = spans.first() else {
            return Ok(());
        };

        for (y, row) in (y..y + n).zip(self.out.chunks_mut(self.stride)) {
            let mut x = start;

            for out in row
                .get_mut(start..end)
                .ok_or(EINVAL)?
                .chunks_mut(stack::CHUNK)
            {
                self.stack.clear();
                for layer in spans
                    .iter()
                    .filter_map(|span| frame.layers.get(span.layer?))
                {
                    let order = plain_order(layer).ok_or(EINVAL)?;
                    let source_x = layer.source_column(layer.local_x(x), layer.local_x(x) + 1);
                    let source_y = layer.source_row(layer.local_y(y));

                    self.stack
                        .push(layer, order, source_x, source_y, out.len())?;
                }
                self.stack.blend(out);
                x += out.len();
            }
        }
        Ok(())
    }

    /// Adds what `span` contributes to the `n` rows from `y` on.
    fn add<S: Source>(&mut self, frame: &Frame<S>, span: &Span, y: usize, n: usize) -> Result {
        let Some(layer) = span.layer else {
            let [r, g, b] = frame.background;

            for row in self.out.chunks_mut(self.stride).take(n) {
                row.get_mut(span.start..span.end)
                    .ok_or(EINVAL)?
                    .fill(pixel::opaque(r, g, b));
            }
            return Ok(());
        };
        let layer = frame.layers.get(layer).ok_or(EINVAL)?;

        if !layer.is_unscaled() {
            return self.add_scaled(layer, span, y, n);
        }
        if layer.rotation.transpose {
            return self.add_transposed(layer, span, y, n);
        }
        for (y, row) in (y..y + n).zip(self.out.chunks_mut(self.stride)) {
            let out = row.get_mut(span.start..span.end).ok_or(EINVAL)?;

            add_row(layer, span, y, &mut self.raw, &mut self.stage, out)?;
        }
        Ok(())
    }

    fn add_scaled<S: Source>(
        &mut self,
        layer: &Layer<S>,
        span: &Span,
        y: usize,
        n: usize,
    ) -> Result {
        let mut rows = self.stage.chunks_mut(self.stride);
        let stage = rows.next().ok_or(EINVAL)?;
        let mut lines = Lines {
            upper: rows.next().ok_or(EINVAL)?,
            lower: rows.next().ok_or(EINVAL)?,
        };

        for (y, row) in (y..y + n).zip(self.out.chunks_mut(self.stride)) {
            let out = row.get_mut(span.start..span.end).ok_or(EINVAL)?;
            let stage = stage.get_mut(..out.len()).ok_or(EINVAL)?;
            let place = (span.start, y);

            scale::decode_row(layer, place, span.opaque, &mut self.raw, &mut lines, stage)?;
            transform(layer, stage);
            if span.opaque {
                out.copy_from_slice(stage);
            } else {
                blend::pixels(layer.blend, layer.alpha, stage, out);
            }
        }
        Ok(())
    }

    fn add_transposed<S: Source>(
        &mut self,
        layer: &Layer<S>,
        span: &Span,
        y: usize,
        n: usize,
    ) -> Result {
        let block = Block {
            start: span.start,
            end: span.end,
            y,
            rows: n,
        };
        let columns = span.start..span.end;

        if span.opaque {
            rotate::decode_block(
                layer,
                &block,
                true,
                &mut self.raw,
                &mut self.tile,
                &mut self.out,
                self.stride,
            )?;
            for row in self.out.chunks_mut(self.stride).take(n) {
                transform(layer, row.get_mut(columns.clone()).ok_or(EINVAL)?);
            }
            return Ok(());
        }

        rotate::decode_block(
            layer,
            &block,
            false,
            &mut self.raw,
            &mut self.tile,
            &mut self.stage,
            self.stride,
        )?;
        for (row, stage) in self
            .out
            .chunks_mut(self.stride)
            .zip(self.stage.chunks_mut(self.stride))
            .take(n)
        {
            let stage = stage.get_mut(columns.clone()).ok_or(EINVAL)?;
            let row = row.get_mut(columns.clone()).ok_or(EINVAL)?;

            transform(layer, stage);
            blend::pixels(layer.blend, layer.alpha, stage, row);
        }
        Ok(())
    }
}

/// Adds a part of a row of an unscaled layer to `out`.
fn add_row<S: Source>(
    layer: &Layer<S>,
    span: &Span,
    y: usize,
    raw: &mut RawRow,
    stage: &mut [Pixel],
    out: &mut [Pixel],
) -> Result {
    let x = layer.source_column(layer.local_x(span.start), layer.local_x(span.end));
    let y = layer.source_row(layer.local_y(y));
    let flip = layer.rotation.flip_x;

    if span.opaque {
        decode::decode(layer, x, y, true, raw, out)?;
        if flip {
            out.reverse();
        }
        transform(layer, out);
        return Ok(());
    }

    if let Some(order) = plain_order(layer) {
        if out.len() <= raw.pixels() {
            let bytes = decode::read_rgb32(layer, x, y, raw, out.len())?;

            blend::premultiplied_rgb32(order, bytes, out);
            return Ok(());
        }
    }

    let stage = stage.get_mut(..out.len()).ok_or(EINVAL)?;

    decode::decode(layer, x, y, false, raw, stage)?;
    if flip {
        stage.reverse();
    }
    transform(layer, stage);
    blend::pixels(layer.blend, layer.alpha, stage, out);
    Ok(())
}

/// Applies the layer's colour pipeline.
fn transform<S>(layer: &Layer<S>, row: &mut [Pixel]) {
    if let Some(pipeline) = &layer.pipeline {
        // What is interpolated has more bits.
        let interpolated = layer.filter == Filter::Linear && !layer.is_unscaled();

        pipeline.apply(layer.format.is_8_bit() && !interpolated, row);
    }
}
