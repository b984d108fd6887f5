// SPDX-License-Identifier: GPL-2.0

//! Framebuffers in plain memory.

use crate::rvkms::compose::{
    Source,
    Target, //
};
use kernel::prelude::*;
use std::{
    cell::RefCell,
    sync::Arc, //
};

/// A framebuffer to read.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) offsets: [usize; 4],
}

impl Source for Memory {
    fn read(&self, plane: usize, offset: usize, dst: &mut [u8]) -> Result {
        let start = self
            .offsets
            .get(plane)
            .and_then(|o| o.checked_add(offset))
            .ok_or(EFAULT)?;
        let end = start.checked_add(dst.len()).ok_or(EFAULT)?;

        dst.copy_from_slice(self.bytes.get(start..end).ok_or(EFAULT)?);
        Ok(())
    }
}

/// A framebuffer to write.
pub(crate) struct Sink(pub(crate) RefCell<Vec<u8>>);

impl Sink {
    /// Allocates a framebuffer of `len` bytes.
    pub(crate) fn new(len: usize) -> Self {
        Self(RefCell::new(vec![0; len]))
    }
}

impl Target for Sink {
    fn write(&self, offset: usize, src: &[u8]) -> Result {
        let mut bytes = self.0.borrow_mut();
        let end = offset.checked_add(src.len()).ok_or(EFAULT)?;

        bytes
            .get_mut(offset..end)
            .ok_or(EFAULT)?
            .copy_from_slice(src);
        Ok(())
    }
}
