// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Rectangles.
//!
//! C header: [`include/drm/drm_rect.h`](srctree/include/drm/drm_rect.h)

use crate::bindings;

/// A rectangle; the right and bottom edges are outside of it.
///
/// The unit depends on the use: pixels, or 1/65536 pixels for the source of a plane. A rectangle
/// whose `x2` is not right of `x1`, or `y2` not below `y1`, is empty.
///
/// C: `struct drm_rect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// The left edge.
    pub x1: i32,
    /// The top edge.
    pub y1: i32,
    /// The right edge, exclusive.
    pub x2: i32,
    /// The bottom edge, exclusive.
    pub y2: i32,
}

impl Rect {
    /// Returns the width, or 0 if the rectangle is empty.
    pub fn width(&self) -> u32 {
        u32::try_from(i64::from(self.x2) - i64::from(self.x1)).unwrap_or(0)
    }

    /// Returns the height, or 0 if the rectangle is empty.
    pub fn height(&self) -> u32 {
        u32::try_from(i64::from(self.y2) - i64::from(self.y1)).unwrap_or(0)
    }
}

impl From<bindings::drm_rect> for Rect {
    fn from(rect: bindings::drm_rect) -> Self {
        Self {
            x1: rect.x1,
            y1: rect.y1,
            x2: rect.x2,
            y2: rect.y2,
        }
    }
}
