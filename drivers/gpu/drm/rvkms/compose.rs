// SPDX-License-Identifier: GPL-2.0

//! The composer: pixels only, no DRM objects.
//!
//! A driver describes what a CRTC shows as an immutable [`Frame`]; a [`Composer`], which owns all
//! scratch memory, turns rows of it into a checksum, into pixels of a writeback buffer, or both.
//! Nothing here follows a pointer into atomic state, and nothing is allocated per frame.
//!
//! Framebuffers are shared with user space, which may write to them at any time, so the composer
//! never sees them as a slice: [`Source::read`] copies a span of a row into private memory, once,
//! and [`Target::write`] copies a finished row out.
//!
//! Where C `vkms` is right, every pixel and checksum is the same as there. It is wrong, and this is
//! not, in these points:
//!
//! - The offset of the first plane of a framebuffer is applied twice there; here [`Source::read`]
//!   counts from where the plane begins.
//! - All planes of a framebuffer are read from the first buffer there; here the source is told the
//!   plane.
//! - A curve that follows a matrix wraps around values below 0 or above 1; here they are clamped.
//! - The last column of a 3x4 matrix is added in units of 1/65535 there; here 1.0 is full
//!   intensity.
//! - A pre-multiplied channel that exceeds its alpha wraps around; here the sum is clamped.
//! - P010, P012 and P016 are read in the CPU's byte order there; here as little-endian, as they are
//!   defined.
//! - The R1, R2 and R4 formats are read a block of pixels too far apart when rotated by 90 or 270
//!   degrees.
//!
//! One frame can be composed by several composers at once, each with its own rows. A [`RowCache`]
//! keeps the checksums of rows, and [`Shown`] tells which rows may have changed, so that only these
//! are composed again.

use kernel::prelude::*;

mod blend;
mod cache;
mod composer;
mod convert;
mod crc;
mod curve;
mod damage;
mod decode;
mod encode;
mod fixed;
mod format;
mod frame;
mod lut;
mod lut3d;
mod matrix;
mod pipeline;
mod pixel;
mod plan;
mod power;
mod rotate;
mod scale;
mod stack;
mod transfer;
mod yuv;

pub(crate) use self::{
    cache::RowCache,
    composer::{
        Composer,
        Writeback, //
    },
    crc::Method,
    curve::Curve,
    damage::Shown,
    format::Format,
    frame::{
        Area,
        BlendMode,
        Encoding,
        Filter,
        Frame,
        Layer,
        Range,
        Rotation,
        SourceArea, //
    },
    lut::Lut,
    lut3d::Lut3d,
    matrix::Matrix,
    pipeline::{
        Operation,
        Pipeline, //
    },
    transfer::Transfer, //
};

/// The memory of a framebuffer.
pub(crate) trait Source {
    /// Copies `dst.len()` bytes of colour plane `plane` into `dst`, from `offset` bytes after the
    /// plane's first pixel on.
    ///
    /// Fails without undefined behaviour if any of the bytes is outside of the plane's memory.
    fn read(&self, plane: usize, offset: usize, dst: &mut [u8]) -> Result;

    /// As [`read`](Self::read) for each of `rows`, which begin `pitch` bytes apart.
    fn read_rows<'a>(
        &self,
        plane: usize,
        offset: usize,
        pitch: usize,
        rows: impl Iterator<Item = &'a mut [u8]>,
    ) -> Result {
        let mut offset = offset;

        for row in rows {
            self.read(plane, offset, row)?;
            offset = offset.saturating_add(pitch);
        }
        Ok(())
    }
}

/// The memory of a writeback framebuffer.
pub(crate) trait Target {
    /// Copies `src` to `offset` bytes after the first pixel.
    ///
    /// Fails without undefined behaviour if any of the bytes is outside of the framebuffer's
    /// memory.
    fn write(&self, offset: usize, src: &[u8]) -> Result;
}
