// SPDX-License-Identifier: GPL-2.0

//! The checksums of rows, kept from frame to frame.

use super::{
    crc::Appender,
    Checksum, //
};
use core::ops::Range;
use kernel::prelude::*;

/// The checksums of some rows of a CRTC.
///
/// The composer does not know what changes a pixel: what may have changed is for the driver to say,
/// by [`Composer::refresh`](super::Composer::refresh) and [`Self::clear`]. User space can draw into
/// a framebuffer that is being shown without telling anybody; a driver that cannot notice this must
/// compose all rows.
pub(crate) struct RowCache {
    first: u32,
    crcs: KVVec<u32>,
    /// The checksum of all rows, of so many bytes each, if `crcs` is up to date.
    sum: Option<(Checksum, u64)>,
    /// `crcs` is up to date but for rows that are being composed.
    filled: bool,
}

impl RowCache {
    /// Allocates an empty cache for `rows`.
    pub(crate) fn new(rows: Range<u32>) -> Result<Self> {
        let len = rows.end.checked_sub(rows.start).ok_or(EINVAL)?;

        Ok(Self {
            first: rows.start,
            crcs: KVVec::from_elem(0, len as usize, GFP_KERNEL)?,
            sum: None,
            filled: false,
        })
    }

    /// Returns which rows these are.
    pub(crate) fn rows(&self) -> Range<u32> {
        // `new` made as many CRCs as there are rows from `first` on.
        self.first..self.first.saturating_add(self.crcs.len() as u32)
    }

    /// Forgets all checksums.
    pub(crate) fn clear(&mut self) {
        self.sum = None;
        self.filled = false;
    }

    /// Returns whether there are no checksums.
    pub(super) fn is_empty(&self) -> bool {
        !self.filled
    }

    /// Starts to replace the checksums of `dirty`; returns that of all rows if there is nothing to
    /// replace.
    ///
    /// Until [`Self::finish`] is called the cache counts as empty when it is used next.
    pub(super) fn begin(&mut self, row_bytes: u64, dirty: &[Range<u32>]) -> Option<Checksum> {
        match self.sum {
            Some((sum, bytes)) if bytes == row_bytes => {
                if dirty.iter().all(|rows| rows.is_empty()) {
                    return Some(sum);
                }
                self.filled = true;
            }
            _ => self.filled = false,
        }
        self.sum = None;
        None
    }

    /// Replaces the checksum of row `y`.
    pub(super) fn set(&mut self, y: u32, crc: u32) {
        let index = y.checked_sub(self.first).map(|index| index as usize);

        if let Some(slot) = index.and_then(|index| self.crcs.get_mut(index)) {
            *slot = crc;
        }
    }

    /// Sums up all rows, of `row_bytes` bytes each; all are up to date.
    pub(super) fn finish(&mut self, row_bytes: u64) -> Checksum {
        let appender = Appender::new(row_bytes);
        let sum = self
            .crcs
            .iter()
            .fold(Checksum::EMPTY, |sum, &crc| appender.append(sum, crc));

        self.sum = Some((sum, row_bytes));
        sum
    }
}
