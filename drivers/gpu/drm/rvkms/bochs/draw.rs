// SPDX-License-Identifier: GPL-2.0

//! Putting layers together in the memory of the device.

use crate::{
    convert::{
        blend,
        Format,
        Gamma,
        Pixel, //
    },
    device::BochsDriver,
    layout::{
        overlap,
        Area,
        Layout, //
    },
    registers::BYTES_PER_PIXEL,
    turn::Way, //
};
use core::ops::Range;
use kernel::{
    drm::kms::{
        blend::BlendMode,
        framebuffer::FramebufferMap,
        rect::Rect, //
    },
    io::{
        Io,
        Mmio, //
    },
    prelude::*, //
};

/// How many pixels are put together at a time, on the stack.
const CHUNK: usize = 128;

/// A framebuffer that is mapped.
pub(crate) type Buffer = FramebufferMap<BochsDriver>;

/// A part of a framebuffer on the display. `source` is the framebuffer, or what stands for it.
pub(crate) struct Layer<S = Buffer> {
    pub(crate) source: S,
    pub(crate) format: Format,
    pub(crate) way: Way,
    pub(crate) blend: BlendMode,
    /// The first column and line of the framebuffer that is shown, if it is shown upright.
    pub(crate) src: Option<(usize, usize)>,
    /// Where it is shown.
    pub(crate) dst: Area,
}

impl<S> Layer<S> {
    /// Returns the same with another source.
    pub(crate) fn with_source<T>(&self, source: T) -> Layer<T> {
        Layer {
            source,
            format: self.format,
            way: self.way,
            blend: self.blend,
            src: self.src,
            dst: self.dst.clone(),
        }
    }
}

impl Layer {
    /// Where the pixel that is shown at `x` and `y` lies in the framebuffer, in bytes.
    fn offset(&self, x: usize, y: usize) -> usize {
        self.way.offset(
            x.saturating_sub(self.dst.x.start),
            y.saturating_sub(self.dst.y.start),
        )
    }

    /// Where a part of the framebuffer is shown, given in pixels of that; anywhere if it is turned.
    pub(crate) fn place(&self, part: Rect) -> Area {
        let Some((src_x, src_y)) = self.src else {
            return self.dst.clone();
        };
        let part = Area::from(part);
        let moved = |edge: usize, src: usize, dst: usize| edge.saturating_sub(src) + dst;

        Area {
            x: moved(part.x.start, src_x, self.dst.x.start)
                ..moved(part.x.end, src_x, self.dst.x.start),
            y: moved(part.y.start, src_y, self.dst.y.start)
                ..moved(part.y.end, src_y, self.dst.y.start),
        }
    }

    /// Puts what the layer has at `x` and `y` over `pixels`, which are at the same place.
    fn compose(&self, x: &Range<usize>, y: usize, pixels: &mut [Pixel]) -> Result {
        let mut bytes = [0; CHUNK * Format::MAX_BYTES_PER_PIXEL];
        let mut above = [[0; BYTES_PER_PIXEL]; CHUNK];

        let part = overlap(&self.dst.x, x);
        let pixels = pixels
            .get_mut(part.start - x.start..part.end - x.start)
            .ok_or(EINVAL)?;
        let size = self.format.bytes_per_pixel();
        let bytes = bytes.get_mut(..part.len() * size).ok_or(EINVAL)?;

        if self.way.is_along_lines(size) {
            self.source.read(0, self.offset(part.start, y), bytes)?;
        } else {
            for (x, pixel) in part.zip(bytes.chunks_exact_mut(size)) {
                self.source.read(0, self.offset(x, y), pixel)?;
            }
        }
        self.format.convert(bytes, &mut above);
        blend(self.blend, &above, pixels);

        Ok(())
    }
}

/// Layers from the lowest to the highest, over black.
pub(crate) struct Picture<'a> {
    pub(crate) layers: &'a [Option<Layer>],
    pub(crate) gamma: Option<&'a Gamma>,
}

impl Picture<'_> {
    /// Draws an area of the picture into a frame.
    pub(crate) fn draw(
        &self,
        area: &Area,
        layout: &Layout,
        frame: usize,
        vram: Mmio<'_, [u8]>,
    ) -> Result {
        let area = area.overlap(&layout.area());

        if area.is_empty() {
            return Ok(());
        }

        let mut y = area.y.start;
        while y < area.y.end {
            let end = self.next_edge(y).min(area.y.end);
            let band = Area {
                x: area.x.clone(),
                y: y..end,
            };

            self.draw_band(&band, layout, frame, vram)?;
            y = end;
        }

        Ok(())
    }

    /// Returns the first line after `y` where a layer begins or ends.
    fn next_edge(&self, y: usize) -> usize {
        let layers = self.layers.iter().flatten();
        let edges = layers.flat_map(|layer| [layer.dst.y.start, layer.dst.y.end]);

        edges.filter(|edge| *edge > y).min().unwrap_or(usize::MAX)
    }

    /// Draws an area that has the same layers in all lines.
    fn draw_band(
        &self,
        band: &Area,
        layout: &Layout,
        frame: usize,
        vram: Mmio<'_, [u8]>,
    ) -> Result {
        let plain = self.plain_layer(&band.x, band.y.start);
        let offset = |y: usize| layout.offset(frame, band.x.start, y);

        // What is one piece in both is copied as one.
        let line = BYTES_PER_PIXEL * band.x.len();
        if let Some(layer) =
            plain.filter(|layer| band.x == layout.area().x && layer.way.has_lines_of(line))
        {
            let dst = vram.try_bytes(offset(band.y.start), line * band.y.len())?;

            return layer
                .source
                .read_to_io(0, layer.offset(band.x.start, band.y.start), dst);
        }

        for y in band.y.clone() {
            let dst = vram.try_bytes(offset(y), line)?;

            match plain {
                Some(layer) => layer
                    .source
                    .read_to_io(0, layer.offset(band.x.start, y), dst)?,
                None => self.compose_line(&band.x, y, dst)?,
            }
        }

        Ok(())
    }

    /// Returns the layers that have pixels there.
    fn layers_at(&self, x: Range<usize>, y: usize) -> impl Iterator<Item = &Layer> {
        self.layers
            .iter()
            .flatten()
            .filter(move |layer| layer.dst.y.contains(&y) && !overlap(&layer.dst.x, &x).is_empty())
    }

    /// Returns the layer whose bytes can be shown as they are, if it is alone there.
    fn plain_layer(&self, x: &Range<usize>, y: usize) -> Option<&Layer> {
        let mut layers = self.layers_at(x.clone(), y);
        let layer = layers.next()?;
        let plain = layer.format == Format::Xrgb8888
            && layer.way.is_along_lines(BYTES_PER_PIXEL)
            && overlap(&layer.dst.x, x) == *x
            && self.gamma.is_none()
            && layers.next().is_none();

        plain.then_some(layer)
    }

    fn compose_line(&self, x: &Range<usize>, y: usize, dst: Mmio<'_, [u8]>) -> Result {
        let mut start = x.start;
        while start < x.end {
            let chunk = start..x.end.min(start + CHUNK);
            let mut pixels = [[0; BYTES_PER_PIXEL]; CHUNK];
            let pixels = pixels.get_mut(..chunk.len()).ok_or(EINVAL)?;

            for layer in self.layers_at(chunk.clone(), y) {
                layer.compose(&chunk, y, pixels)?;
            }
            if let Some(gamma) = self.gamma {
                gamma.apply(pixels);
            }

            dst.try_bytes(
                (start - x.start) * BYTES_PER_PIXEL,
                chunk.len() * BYTES_PER_PIXEL,
            )?
            .copy_from_slice(pixels.as_flattened());
            start = chunk.end;
        }

        Ok(())
    }
}
