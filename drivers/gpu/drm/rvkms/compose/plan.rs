// SPDX-License-Identifier: GPL-2.0

//! Which part of a row comes from which layers.
//!
//! A row is cut where layers begin and end. In each segment nothing below the topmost opaque layer
//! is ever read; pre-multiplied pixels over black are what they are. The cuts are the same for all
//! rows up to the next upper or lower edge of a layer.

use super::frame::{
    BlendMode,
    Frame,
    Layer, //
};
use kernel::prelude::*;

/// A part of a row that a layer, or the background, contributes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// The index of the layer, [`None`] for the background.
    pub(super) layer: Option<usize>,
    /// The first column.
    pub(super) start: usize,
    /// The column after the last one.
    pub(super) end: usize,
    /// Nothing below is visible.
    pub(super) opaque: bool,
}

/// A segment of a row in which the same layers are visible.
#[derive(Clone, Copy)]
struct Segment {
    start: usize,
    end: usize,
    /// The lowest layer that is visible, if it lets nothing show through.
    base: Option<usize>,
}

/// What the rows of a band consist of.
pub(super) struct Plan {
    max_layers: usize,
    edges: KVec<usize>,
    segments: KVec<Segment>,
    spans: KVec<Span>,
    transposed: bool,
}

impl Plan {
    /// Allocates room for frames of up to `max_layers` layers.
    pub(super) fn new(max_layers: usize) -> Result<Self> {
        let edges = max_layers.checked_mul(2).and_then(|n| n.checked_add(2));
        let edges = edges.ok_or(EOVERFLOW)?;
        let spans = edges.checked_mul(max_layers + 1).ok_or(EOVERFLOW)?;

        Ok(Self {
            max_layers,
            edges: KVec::with_capacity(edges, GFP_KERNEL)?,
            segments: KVec::with_capacity(edges, GFP_KERNEL)?,
            spans: KVec::with_capacity(spans, GFP_KERNEL)?,
            transposed: false,
        })
    }

    /// Returns the spans of a row, the lowest layer first.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Returns whether rows of any visible layer are columns of their framebuffer.
    pub(super) fn transposed(&self) -> bool {
        self.transposed
    }

    /// Plans row `y` of `frame`; the plan is good for all rows up to the returned one.
    ///
    /// Returns [`E2BIG`] if the frame has more layers than there is room for.
    pub(super) fn update<S>(&mut self, frame: &Frame<S>, y: usize) -> Result<usize> {
        let width = frame.width as usize;
        let height = frame.height as usize;
        let mut next = height;

        if frame.layers.len() > self.max_layers {
            return Err(E2BIG);
        }

        self.edges.clear();
        self.segments.clear();
        self.spans.clear();
        self.transposed = false;

        self.edges.push(0, GFP_KERNEL)?;
        self.edges.push(width, GFP_KERNEL)?;
        for layer in &frame.layers {
            let (top, bottom) = layer.dst.rows(height);

            for edge in [top, bottom] {
                if edge > y {
                    next = next.min(edge);
                }
            }
            if let Some((start, end)) = columns_in_row(layer, frame, y) {
                self.edges.push(start, GFP_KERNEL)?;
                self.edges.push(end, GFP_KERNEL)?;
            }
        }
        self.edges.sort_unstable();

        for (&start, &end) in self.edges.iter().zip(self.edges.iter().skip(1)) {
            if start == end {
                continue;
            }

            let mut covering = frame.layers.iter().enumerate().filter(|(_, layer)| {
                columns_in_row(layer, frame, y).is_some_and(|c| c.0 <= start && end <= c.1)
            });
            let lowest = covering.clone().next();
            let base = covering
                .rfind(|(_, layer)| layer.is_opaque())
                .or(lowest.filter(|(_, layer)| frame.background == [0; 3] && layer.is_sum()))
                .map(|(index, _)| index);

            self.segments
                .push(Segment { start, end, base }, GFP_KERNEL)?;
        }

        for segment in self
            .segments
            .iter()
            .filter(|segment| segment.base.is_none())
        {
            extend(&mut self.spans, None, segment, true)?;
        }
        for (index, layer) in frame.layers.iter().enumerate() {
            let Some((start, end)) = columns_in_row(layer, frame, y) else {
                continue;
            };
            for segment in &self.segments {
                if start <= segment.start && segment.end <= end && segment.base <= Some(index) {
                    let opaque = segment.base == Some(index);

                    extend(&mut self.spans, Some(index), segment, opaque)?;
                    self.transposed |= layer.rotation.transpose;
                }
            }
        }
        Ok(next)
    }
}

/// Adds `segment` to the last span if it continues it, else as a new one.
fn extend(spans: &mut KVec<Span>, layer: Option<usize>, segment: &Segment, opaque: bool) -> Result {
    match spans.last_mut() {
        Some(last) if (last.layer, last.opaque, last.end) == (layer, opaque, segment.start) => {
            last.end = segment.end;
        }
        _ => spans.push(
            Span {
                layer,
                start: segment.start,
                end: segment.end,
                opaque,
            },
            GFP_KERNEL,
        )?,
    }
    Ok(())
}

/// Returns the columns, first and end, that `layer` covers in row `y`, if there are any.
fn columns_in_row<S>(layer: &Layer<S>, frame: &Frame<S>, y: usize) -> Option<(usize, usize)> {
    let (top, bottom) = layer.dst.rows(frame.height as usize);
    let (start, end) = layer.dst.columns(frame.width as usize);

    (top <= y && y < bottom && start < end).then_some((start, end))
}

impl<S> Layer<S> {
    /// Returns whether nothing shows through.
    pub(super) fn is_opaque(&self) -> bool {
        self.alpha == u16::MAX && (self.blend == BlendMode::None || !self.format.has_alpha())
    }

    /// Returns whether its colours are added as they are to what is left of the pixels below.
    fn is_sum(&self) -> bool {
        self.alpha == u16::MAX && self.blend == BlendMode::Premultiplied
    }
}
