// SPDX-License-Identifier: GPL-2.0

//! The immutable description of what a CRTC shows.

use super::{
    Format,
    Lut,
    Matrix,
    Pipeline, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What a CRTC shows.
pub(crate) struct Frame<S> {
    /// The width of the mode in pixels.
    pub(crate) width: u32,
    /// The height of the mode in pixels.
    pub(crate) height: u32,
    /// The colour where no layer is: R, G, B.
    pub(crate) background: [u16; 3],
    /// The layers, the lowest first.
    pub(crate) layers: KVec<Layer<S>>,
    /// The CRTC's `DEGAMMA_LUT`, applied first to the composed pixels.
    pub(crate) degamma: Option<Arc<Lut>>,
    /// The CRTC's `CTM`, applied next.
    ///
    /// With it the checksum is that of what a display of 8 bits a colour gets: what a matrix
    /// returns would not be equal to any framebuffer of 8 bits otherwise, which tests compare it
    /// with. Pixels that are written back keep all their bits.
    pub(crate) ctm: Option<Arc<Matrix>>,
    /// The CRTC's `GAMMA_LUT`, applied last.
    pub(crate) gamma: Option<Arc<Lut>>,
}

impl<S> Frame<S> {
    /// Returns whether `gamma` is a palette, too: it is one for the whole frame.
    pub(super) fn has_palette(&self) -> bool {
        self.layers.iter().any(|layer| layer.format == Format::C8)
    }
}

/// What a plane shows.
#[derive(Clone)]
pub(crate) struct Layer<S> {
    /// The framebuffer's memory.
    pub(crate) source: S,
    /// The framebuffer's format.
    pub(crate) format: Format,
    /// The distance between two rows of each colour plane in bytes.
    pub(crate) pitches: [u32; 4],
    /// The part of the framebuffer that is shown.
    pub(crate) src: SourceArea,
    /// Where it is shown; may be partly or wholly outside of the mode.
    pub(crate) dst: Area,
    /// How it is turned on the way.
    pub(crate) rotation: Rotation,
    /// What YUV pixels are encoded in.
    pub(crate) encoding: Encoding,
    /// What range YUV pixels use.
    pub(crate) range: Range,
    /// The opacity of the whole plane, `0xffff` if the property is not used.
    pub(crate) alpha: u16,
    /// How the alpha channel is used.
    pub(crate) blend: BlendMode,
    /// How the layer is scaled, if `src` and `dst` differ in size.
    pub(crate) filter: Filter,
    /// The colour operations that come before blending.
    pub(crate) pipeline: Option<Arc<Pipeline>>,
}

impl<S> Layer<S> {
    /// Returns the width and height of the part of the framebuffer that is shown, in whole pixels.
    pub(super) fn source_size(&self) -> (usize, usize) {
        (
            (self.src.width >> 16) as usize,
            (self.src.height >> 16) as usize,
        )
    }

    /// Returns whether pixels of the framebuffer are pixels of the CRTC, as the core decides it for
    /// planes that cannot be scaled.
    pub(super) fn is_unscaled(&self) -> bool {
        let (width, height) = if self.rotation.transpose {
            (self.src.height, self.src.width)
        } else {
            (self.src.width, self.src.height)
        };

        width.checked_div(self.dst.width) == Some(1 << 16)
            && height.checked_div(self.dst.height) == Some(1 << 16)
    }

    /// Returns the column of the layer's destination that column `x` of the CRTC is.
    pub(super) fn local_x(&self, x: usize) -> usize {
        (x as i64 - i64::from(self.dst.x)).max(0) as usize
    }

    /// Returns the row of the layer's destination that row `y` of the CRTC is.
    pub(super) fn local_y(&self, y: usize) -> usize {
        (y as i64 - i64::from(self.dst.y)).max(0) as usize
    }

    /// Returns the leftmost framebuffer column of those that belong to the destination positions
    /// `start..end`: columns, or rows if the layer is transposed. For unscaled layers.
    pub(super) fn source_column(&self, start: usize, end: usize) -> usize {
        let offset = if self.rotation.flip_x {
            self.source_size().0.saturating_sub(end)
        } else {
            start
        };

        (self.src.x >> 16) as usize + offset
    }

    /// Returns the framebuffer row that belongs to a destination position: a row, or a column if
    /// the layer is transposed. For unscaled layers.
    pub(super) fn source_row(&self, position: usize) -> usize {
        let offset = if self.rotation.flip_y {
            self.source_size().1.saturating_sub(position + 1)
        } else {
            position
        };

        (self.src.y >> 16) as usize + offset
    }
}

/// An area of the CRTC in pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Area {
    /// The left edge.
    pub(crate) x: i32,
    /// The upper edge.
    pub(crate) y: i32,
    /// The width.
    pub(crate) width: u32,
    /// The height.
    pub(crate) height: u32,
}

impl Area {
    /// Returns the columns that are within `width` columns of the CRTC, first and end.
    pub(super) fn columns(&self, width: usize) -> (usize, usize) {
        within(self.x, self.width, width)
    }

    /// Returns the rows that are within `height` rows of the CRTC, first and end.
    pub(super) fn rows(&self, height: usize) -> (usize, usize) {
        within(self.y, self.height, height)
    }
}

/// Returns the part of `length` positions from `start` on that is in `0..limit`, first and end.
fn within(start: i32, length: u32, limit: usize) -> (usize, usize) {
    let limit = limit as i64;
    let start = i64::from(start);
    let end = start + i64::from(length);

    (start.clamp(0, limit) as usize, end.clamp(0, limit) as usize)
}

/// A part of a framebuffer, in pixels with 16 fractional bits, as the `SRC_*` properties give it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SourceArea {
    /// The left edge.
    pub(crate) x: u32,
    /// The upper edge.
    pub(crate) y: u32,
    /// The width.
    pub(crate) width: u32,
    /// The height.
    pub(crate) height: u32,
}

/// How a plane is turned: first reflected, then rotated counter-clockwise.
///
/// Stored as how to get from a place on the CRTC to the place in the framebuffer: exchange the
/// axes, then mirror each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Rotation {
    /// CRTC rows are framebuffer columns.
    pub(super) transpose: bool,
    /// Framebuffer columns count from the right.
    pub(super) flip_x: bool,
    /// Framebuffer rows count from below.
    pub(super) flip_y: bool,
}

impl Rotation {
    /// No rotation, no reflection.
    pub(crate) const NONE: Self = Self {
        transpose: false,
        flip_x: false,
        flip_y: false,
    };

    /// Takes the bits of the `rotation` property: the `DRM_MODE_ROTATE_*`, exactly one, and
    /// `DRM_MODE_REFLECT_*`.
    pub(crate) const fn from_bits(bits: u32) -> Option<Self> {
        let (transpose, flip_x, flip_y) = match bits & 0xf {
            0x1 => (false, false, false),
            0x2 => (true, true, false),
            0x4 => (false, true, true),
            0x8 => (true, false, true),
            _ => return None,
        };

        if bits & !0x3f != 0 {
            return None;
        }
        Some(Self {
            transpose,
            flip_x: flip_x != (bits & 0x10 != 0),
            flip_y: flip_y != (bits & 0x20 != 0),
        })
    }
}

/// The encoding of YUV pixels: the `COLOR_ENCODING` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// ITU-R BT.601.
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// The range of YUV pixels: the `COLOR_RANGE` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Range {
    /// Black is at 16/255.
    Limited,
    /// Black is at 0.
    Full,
}

/// How a plane is scaled: the `SCALING_FILTER` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Filter {
    /// Each pixel is the nearest one of the framebuffer.
    Nearest,
    /// Each pixel is interpolated between the four nearest ones.
    Linear,
}

/// How a plane is blended: the `pixel blend mode` property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BlendMode {
    /// The alpha channel is ignored.
    None,
    /// The colours have already been multiplied with the alpha channel.
    Premultiplied,
    /// The colours are multiplied with the alpha channel.
    Coverage,
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_frame))]
mod tests {
    use super::*;

    #[test]
    fn areas_are_cut_to_the_mode() {
        let area = |x, width| Area {
            x,
            width,
            ..Area::default()
        };

        assert_eq!(area(-5, 10).columns(100), (0, 5));
        assert_eq!(area(95, 10).columns(100), (95, 100));
        assert_eq!(area(200, 10).columns(100), (100, 100));
        assert_eq!(area(i32::MIN, u32::MAX).columns(100), (0, 100));
        assert_eq!(area(i32::MAX, u32::MAX).columns(100), (100, 100));
    }

    #[test]
    fn rotations_need_one_angle() {
        assert_eq!(Rotation::from_bits(1), Some(Rotation::NONE));
        assert_eq!(Rotation::from_bits(0), None);
        assert_eq!(Rotation::from_bits(3), None);
        assert_eq!(Rotation::from_bits(1 | 0x40), None);
        // Half a turn is both reflections.
        assert_eq!(Rotation::from_bits(0x4), Rotation::from_bits(0x31));
    }
}
