// SPDX-License-Identifier: GPL-2.0

//! The checksums of rows, kept from frame to frame.

use super::crc::Appender;
use kernel::prelude::*;

/// The checksums of the rows of a CRTC.
pub(crate) struct RowCache {
    crcs: KVVec<u32>,
    appender: Appender,
}

impl RowCache {
    /// Allocates a cache for frames of `width` by `height` pixels. May sleep.
    pub(crate) fn new(width: u32, height: u32) -> Result<Self> {
        let height = usize::try_from(height).map_err(|_| EOVERFLOW)?;

        Ok(Self {
            crcs: KVVec::from_elem(0, height, GFP_KERNEL)?,
            appender: Appender::new(u64::from(width) * 8),
        })
    }

    /// Replaces the checksums of the rows from `first` on.
    ///
    /// Returns [`EINVAL`] if there are no such rows.
    pub(crate) fn set(&mut self, first: u32, crcs: &[u32]) -> Result {
        let rows = self.crcs.get_mut(first as usize..).ok_or(EINVAL)?;

        rows.get_mut(..crcs.len())
            .ok_or(EINVAL)?
            .copy_from_slice(crcs);
        Ok(())
    }

    /// Returns the checksum of all rows, as C `vkms` reports it.
    pub(crate) fn sum(&self) -> u32 {
        self.crcs
            .iter()
            .fold(0, |sum, &crc| self.appender.append(sum, crc))
    }
}
