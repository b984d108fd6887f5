// SPDX-License-Identifier: GPL-2.0

//! The checksums of whole frames.

use crate::rvkms::compose::{
    Composer,
    Frame,
    RowCache,
    Source,
    Writeback, //
};
use kernel::prelude::*;
use std::ops::Range;

/// Composes `rows` of `frame` and returns their checksum.
pub(crate) fn sum<S: Source>(
    composer: &mut Composer,
    frame: &Frame<S>,
    rows: Range<u32>,
    writeback: Option<Writeback<'_>>,
) -> Result<u32> {
    let mut sums = vec![0; rows.len()];
    let mut cache = RowCache::new(frame.width, rows.len() as u32)?;

    composer.sum_rows(frame, rows, writeback, &mut sums)?;
    cache.set(0, &sums)?;
    Ok(cache.sum())
}
