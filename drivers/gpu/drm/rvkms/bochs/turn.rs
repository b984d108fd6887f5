// SPDX-License-Identifier: GPL-2.0

//! Rotation and reflection: the way through a framebuffer.

use kernel::{
    drm::kms::blend::rotation,
    prelude::*, //
};

/// Where the pixels that are shown lie in a framebuffer, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    first: usize,
    right: isize,
    down: isize,
}

impl Way {
    /// Returns the way through a picture whose first pixel lies at `first`. Pixels are `bytes`
    /// apart, lines `pitch` bytes.
    pub(crate) fn new(first: usize, bytes: usize, pitch: usize) -> Self {
        Self {
            first,
            right: bytes as isize,
            down: pitch as isize,
        }
    }

    /// Returns the way through the picture when it is rotated and reflected, bits of [`rotation`].
    /// The size is the one it has then.
    pub(crate) fn turned(self, rotation: u32, (width, height): (usize, usize)) -> Self {
        let quarters = match rotation {
            _ if rotation & rotation::ROTATE_90 != 0 => 1,
            _ if rotation & rotation::ROTATE_180 != 0 => 2,
            _ if rotation & rotation::ROTATE_270 != 0 => 3,
            _ => 0,
        };
        let (mut width, mut height) = if quarters % 2 == 0 {
            (width, height)
        } else {
            (height, width)
        };
        let mut way = self;

        if rotation & rotation::REFLECT_X != 0 {
            way = Self {
                first: way.offset(width.saturating_sub(1), 0),
                right: -way.right,
                ..way
            };
        }
        if rotation & rotation::REFLECT_Y != 0 {
            way = Self {
                first: way.offset(0, height.saturating_sub(1)),
                down: -way.down,
                ..way
            };
        }
        for _ in 0..quarters {
            // What was on the right is on the top.
            way = Self {
                first: way.offset(width.saturating_sub(1), 0),
                right: way.down,
                down: -way.right,
            };
            (width, height) = (height, width);
        }
        way
    }

    /// Returns where the pixel in a column and line of what is shown lies.
    ///
    /// It is in the framebuffer if the whole picture is, and anywhere if not.
    pub(crate) fn offset(&self, x: usize, y: usize) -> usize {
        let right = self.right.wrapping_mul(x as isize);
        let down = self.down.wrapping_mul(y as isize);

        self.first
            .wrapping_add_signed(right)
            .wrapping_add_signed(down)
    }

    /// Returns whether pixels of `bytes` that are shown side by side lie so.
    pub(crate) fn is_along_lines(&self, bytes: usize) -> bool {
        self.right == bytes as isize
    }

    /// Returns whether lines of `bytes` that are shown one below the other lie so, without a gap.
    pub(crate) fn has_lines_of(&self, bytes: usize) -> bool {
        self.down == bytes as isize
    }

    /// Returns whether both have the same directions.
    pub(crate) fn is_parallel_to(&self, other: &Self) -> bool {
        (self.right, self.down) == (other.right, other.down)
    }
}

#[kunit_tests(rvkms_bochs_turn)]
mod tests {
    use super::{
        rotation::*,
        *, //
    };

    /// What is shown of these three columns and two lines:
    ///
    /// ```text
    /// 0 1 2
    /// 8 9 10
    /// ```
    fn shown(rotation: u32, size: (usize, usize)) -> Result<KVec<usize>> {
        let way = Way::new(0, 1, 8).turned(rotation, size);
        let mut pixels = KVec::new();

        for y in 0..size.1 {
            for x in 0..size.0 {
                pixels.push(way.offset(x, y), GFP_KERNEL)?;
            }
        }
        Ok(pixels)
    }

    #[test]
    fn pictures_are_turned() -> Result {
        assert_eq!(&*shown(ROTATE_0, (3, 2))?, &[0, 1, 2, 8, 9, 10]);
        assert_eq!(&*shown(ROTATE_90, (2, 3))?, &[2, 10, 1, 9, 0, 8]);
        assert_eq!(&*shown(ROTATE_180, (3, 2))?, &[10, 9, 8, 2, 1, 0]);
        assert_eq!(&*shown(ROTATE_270, (2, 3))?, &[8, 0, 9, 1, 10, 2]);
        Ok(())
    }

    #[test]
    fn pictures_are_reflected_first() -> Result {
        assert_eq!(&*shown(ROTATE_0 | REFLECT_X, (3, 2))?, &[2, 1, 0, 10, 9, 8]);
        assert_eq!(&*shown(ROTATE_0 | REFLECT_Y, (3, 2))?, &[8, 9, 10, 0, 1, 2]);
        assert_eq!(
            &*shown(ROTATE_90 | REFLECT_X, (2, 3))?,
            &[0, 8, 1, 9, 2, 10]
        );
        assert_eq!(
            &*shown(ROTATE_180 | REFLECT_X | REFLECT_Y, (3, 2))?,
            &*shown(ROTATE_0, (3, 2))?
        );
        Ok(())
    }
}
