// SPDX-License-Identifier: GPL-2.0

//! Layers that are larger or smaller than the part of the framebuffer they show.

use super::{
    decode::{
        self,
        RawRow, //
    },
    frame::{
        Filter,
        Layer, //
    },
    pixel::{
        self,
        Pixel, //
    },
    Source, //
};
use kernel::prelude::*;

/// One direction in which a layer is scaled.
struct Axis {
    /// Where the source begins and how long it is, with 16 fractional bits.
    start: u64,
    size: u64,
    /// How many pixels it becomes.
    len: u64,
    flip: bool,
    filter: Filter,
}

/// Two neighbouring source pixels and how much of the second is taken, in units of 1/65536.
#[derive(Clone, Copy)]
struct Sample {
    first: usize,
    second: usize,
    part: u64,
}

impl Axis {
    /// Returns what is shown at `position`, counted from the beginning of the destination.
    fn sample(&self, position: usize) -> Sample {
        let position = (position as u64).min(self.len.saturating_sub(1));
        let position = if self.flip {
            self.len.saturating_sub(position + 1)
        } else {
            position
        };
        let low = self.start >> 16;
        let high = (self.start + self.size.saturating_sub(1)) >> 16;
        // The middle of the destination pixel.
        let middle = (2 * position + 1).saturating_mul(self.size) / (2 * self.len.max(1));
        let middle = self.start + middle;
        let (first, second, part) = match self.filter {
            Filter::Nearest => (middle >> 16, middle >> 16, 0),
            Filter::Linear => {
                // Between the middles of two source pixels.
                let middle = middle.saturating_sub(1 << 15);

                (middle >> 16, (middle >> 16) + 1, middle & 0xffff)
            }
        };

        Sample {
            first: first.clamp(low, high) as usize,
            second: second.clamp(low, high) as usize,
            part,
        }
    }

    /// Returns how many destination pixels need at most `pixels` source pixels, at least one.
    fn chunk(&self, pixels: usize) -> usize {
        let room = (pixels.saturating_sub(3) as u64) << 16;
        let step = (self.size / self.len.max(1)).max(1) + 1;

        (room / step).max(1) as usize
    }
}

/// Scratch memory for source pixels of two rows.
pub(super) struct Lines<'a> {
    pub(super) upper: &'a mut [Pixel],
    pub(super) lower: &'a mut [Pixel],
}

/// Decodes a scaled layer's pixels in row `y` of the CRTC from column `x` on into `out`; `opaque`
/// says to ignore the alpha channel.
pub(super) fn decode_row<S: Source>(
    layer: &Layer<S>,
    (x, y): (usize, usize),
    opaque: bool,
    raw: &mut RawRow,
    lines: &mut Lines<'_>,
    out: &mut [Pixel],
) -> Result {
    let (width, height) = if layer.rotation.transpose {
        (layer.dst.height, layer.dst.width)
    } else {
        (layer.dst.width, layer.dst.height)
    };
    let columns = Axis {
        start: layer.src.x.into(),
        size: layer.src.width.into(),
        len: width.into(),
        flip: layer.rotation.flip_x,
        filter: layer.filter,
    };
    let rows = Axis {
        start: layer.src.y.into(),
        size: layer.src.height.into(),
        len: height.into(),
        flip: layer.rotation.flip_y,
        filter: layer.filter,
    };
    let (x, y) = (layer.local_x(x), layer.local_y(y));

    if layer.rotation.transpose {
        let column = columns.sample(y);

        for (x, out) in (x..).zip(out) {
            let row = rows.sample(x);
            let mut part = Part::read(layer, (column, column), row, opaque, raw, lines)?;

            *out = part.pixel(column);
        }
        return Ok(());
    }

    let row = rows.sample(y);
    let chunk = columns.chunk(lines.upper.len().min(lines.lower.len()));
    let mut x = x;

    for out in out.chunks_mut(chunk) {
        let ends = (columns.sample(x), columns.sample(x + out.len() - 1));
        let mut part = Part::read(layer, ends, row, opaque, raw, lines)?;

        for (x, out) in (x..).zip(out.iter_mut()) {
            *out = part.pixel(columns.sample(x));
        }
        x += out.len();
    }
    Ok(())
}

/// Source pixels of two rows.
struct Part<'a> {
    start: usize,
    part: u64,
    upper: &'a [Pixel],
    lower: &'a [Pixel],
}

impl<'a> Part<'a> {
    /// Reads all pixels from one column to another, in either direction.
    fn read<S: Source>(
        layer: &Layer<S>,
        (a, b): (Sample, Sample),
        row: Sample,
        opaque: bool,
        raw: &mut RawRow,
        lines: &'a mut Lines<'_>,
    ) -> Result<Self> {
        let start = a.first.min(b.first);
        let end = a.second.max(b.second) + 1;
        let len = end - start;
        let upper = lines.upper.get_mut(..len).ok_or(EINVAL)?;

        decode::decode(layer, start, row.first, opaque, raw, upper)?;
        if row.part == 0 {
            return Ok(Self {
                start,
                part: 0,
                upper,
                lower: upper,
            });
        }

        let lower = lines.lower.get_mut(..len).ok_or(EINVAL)?;

        decode::decode(layer, start, row.second, opaque, raw, lower)?;
        Ok(Self {
            start,
            part: row.part,
            upper,
            lower,
        })
    }

    /// Returns the pixel at a column.
    #[inline(always)]
    fn pixel(&mut self, column: Sample) -> Pixel {
        let at = |row: &[Pixel], x: usize| row.get(x.wrapping_sub(self.start)).copied();
        let pixel = |row, x| at(row, x).unwrap_or_default();
        let (a, b) = (
            pixel(self.upper, column.first),
            pixel(self.upper, column.second),
        );

        if self.part == 0 && column.part == 0 {
            return a;
        }

        let (c, d) = (
            pixel(self.lower, column.first),
            pixel(self.lower, column.second),
        );
        let channel = |shift: u32| {
            let of = |pixel: Pixel| pixel >> shift & 0xffff;
            let between = |a: u64, b: u64, part: u64| a * (65536 - part) + b * part;
            let upper = between(of(a), of(b), column.part);
            let lower = between(of(c), of(d), column.part);

            ((between(upper, lower, self.part) + (1 << 31)) >> 32) as u16
        };

        pixel::pack(channel(0), channel(16), channel(32), channel(48))
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_scale))]
mod tests {
    use super::*;

    fn axis(start: u64, size: u64, len: u64, filter: Filter) -> Axis {
        Axis {
            start: start << 16,
            size: size << 16,
            len,
            flip: false,
            filter,
        }
    }

    #[test]
    fn nearest_repeats_and_skips() {
        let twice = axis(10, 3, 6, Filter::Nearest);
        let half = axis(10, 6, 3, Filter::Nearest);
        let expected = [10, 10, 11, 11, 12, 12];

        for (position, first) in expected.into_iter().enumerate() {
            assert_eq!(twice.sample(position).first, first);
        }
        assert_eq!(half.sample(0).first, 11);
        assert_eq!(half.sample(1).first, 13);
        assert_eq!(half.sample(2).first, 15);
    }

    #[test]
    fn linear_stays_inside() {
        let twice = axis(10, 2, 4, Filter::Linear);
        let first = twice.sample(0);

        assert_eq!((first.first, first.second), (10, 10));

        let second = twice.sample(1);

        assert_eq!(
            (second.first, second.second, second.part),
            (10, 11, 1 << 14)
        );

        let last = twice.sample(3);

        assert_eq!((last.first, last.second), (11, 11));

        let flipped = Axis {
            flip: true,
            ..twice
        };

        assert_eq!(flipped.sample(0).first, 11);
    }

    #[test]
    fn chunks_fit() {
        for (size, len) in [(8192, 1), (8192, 7), (100, 99), (1, 8192), (1920, 1280)] {
            let axis = axis(3, size, len, Filter::Linear);
            let chunk = axis.chunk(64);

            for start in 0..(len as usize).saturating_sub(chunk) {
                let (a, b) = (axis.sample(start), axis.sample(start + chunk - 1));

                assert!(b.second + 1 - a.first <= 64);
            }
        }
    }
}
