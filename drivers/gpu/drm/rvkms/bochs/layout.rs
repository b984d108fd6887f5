// SPDX-License-Identifier: GPL-2.0

//! Where frames lie in the memory of the device.

use crate::registers::BYTES_PER_PIXEL;
use core::ops::Range;
use kernel::{
    drm::kms::rect::Rect,
    prelude::*, //
};

/// A rectangle of pixels of the display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: Range<usize>,
    pub(crate) y: Range<usize>,
}

impl Area {
    /// Returns whether there is no pixel in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.x.is_empty() || self.y.is_empty()
    }

    /// Returns whether all pixels of `other` are in it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.overlap(other) == *other
    }

    /// Returns how many pixels are in it.
    pub(crate) fn pixels(&self) -> usize {
        self.x.len() * self.y.len()
    }

    /// Returns the smallest area that both are in.
    pub(crate) fn joined(&self, other: &Self) -> Self {
        let joined = |one: &Range<usize>, other: &Range<usize>| {
            one.start.min(other.start)..one.end.max(other.end)
        };

        Self {
            x: joined(&self.x, &other.x),
            y: joined(&self.y, &other.y),
        }
    }

    /// Returns what is in both.
    pub(crate) fn overlap(&self, other: &Self) -> Self {
        Self {
            x: overlap(&self.x, &other.x),
            y: overlap(&self.y, &other.y),
        }
    }
}

impl From<Rect> for Area {
    /// What is left of or above the display is left out.
    fn from(rect: Rect) -> Self {
        let place = |edge: i32| usize::try_from(edge).unwrap_or(0);

        Self {
            x: place(rect.x1)..place(rect.x2),
            y: place(rect.y1)..place(rect.y2),
        }
    }
}

/// Returns what is in both ranges.
pub(crate) fn overlap(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    one.start.max(other.start)..one.end.min(other.end)
}

/// The most frames.
pub(crate) const MAX_FRAMES: usize = 2;

/// Where frames lie in the memory of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    width: u16,
    height: u16,
    frames: usize,
}

impl Layout {
    /// Returns the layout of frames of the given size in pixels, if there is room for one.
    pub(crate) fn new(width: u16, height: u16, vram_size: usize) -> Option<Self> {
        let frame = usize::from(width)
            .checked_mul(BYTES_PER_PIXEL)?
            .checked_mul(usize::from(height))?;
        let frames = match vram_size.checked_div(frame)? {
            0 => return None,
            count => count.min(MAX_FRAMES),
        };

        Some(Self {
            width,
            height,
            frames,
        })
    }

    /// The number of frames: 1, or 2 of which one can be drawn while the other one is shown.
    pub(crate) fn frames(&self) -> usize {
        self.frames
    }

    /// All of a frame.
    pub(crate) fn area(&self) -> Area {
        Area {
            x: 0..usize::from(self.width),
            y: 0..usize::from(self.height),
        }
    }

    /// The first line of a frame.
    pub(crate) fn first_line(&self, frame: usize) -> u16 {
        if frame == 0 {
            0
        } else {
            self.height
        }
    }

    /// Where a pixel of a frame lies in the memory, in bytes.
    pub(crate) fn offset(&self, frame: usize, x: usize, y: usize) -> usize {
        let line = usize::from(self.first_line(frame)) + y;

        (line * usize::from(self.width) + x) * BYTES_PER_PIXEL
    }
}

#[kunit_tests(rvkms_bochs_layout)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_as_many_frames_as_fit() {
        let frame = 640 * 480 * BYTES_PER_PIXEL;
        let frames = |size| Layout::new(640, 480, size).map(|layout| layout.frames());

        assert_eq!(frames(0), None);
        assert_eq!(frames(frame - 1), None);
        assert_eq!(frames(frame), Some(1));
        assert_eq!(frames(2 * frame - 1), Some(1));
        assert_eq!(frames(2 * frame), Some(2));
        assert_eq!(frames(usize::MAX), Some(2));
    }

    #[test]
    fn a_mode_without_pixels_has_no_frames() {
        assert_eq!(Layout::new(0, 480, 0x100_0000), None);
        assert_eq!(Layout::new(640, 0, 0x100_0000), None);
    }

    #[test]
    fn frames_follow_each_other() -> Result {
        let layout = Layout::new(640, 480, 0x100_0000).ok_or(EINVAL)?;

        assert_eq!(layout.first_line(0), 0);
        assert_eq!(layout.first_line(1), 480);
        assert_eq!(layout.offset(0, 3, 2), (2 * 640 + 3) * 4);
        assert_eq!(layout.offset(1, 0, 0), 640 * 480 * 4);

        Ok(())
    }

    #[test]
    fn the_largest_frames_do_not_overflow() -> Result {
        let layout = Layout::new(u16::MAX, u16::MAX, usize::MAX).ok_or(EINVAL)?;

        assert_eq!(layout.first_line(1), u16::MAX);
        assert_eq!(layout.offset(1, 0, 0), 65535 * 65535 * 4);

        Ok(())
    }

    #[test]
    fn areas_overlap() {
        let area = |x, y| Area { x, y };
        let whole = area(0..10, 0..10);

        assert_eq!(whole.overlap(&area(5..20, 3..4)), area(5..10, 3..4));
        assert!(whole.overlap(&area(10..20, 0..10)).is_empty());
        assert!(whole.contains(&area(0..10, 0..10)));
        assert!(!whole.contains(&area(0..11, 0..10)));
    }

    #[test]
    fn areas_begin_on_the_display() {
        let area = Area::from(Rect {
            x1: -5,
            y1: 2,
            x2: 5,
            y2: -1,
        });

        assert_eq!(area.x, 0..5);
        assert!(area.is_empty());
    }
}
