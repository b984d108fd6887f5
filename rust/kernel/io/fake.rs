// SPDX-License-Identifier: GPL-2.0

//! I/O regions for tests.

use super::{
    IoBase,
    Region,
    SysMem,
    SysMemBackend, //
};
use crate::prelude::*;
use core::cell::UnsafeCell;

/// Ordinary memory with the interface of an I/O region, in place of a device in tests.
///
/// What is written is what is read.
pub struct FakeRegion<const SIZE: usize> {
    memory: KBox<Memory<SIZE>>,
}

#[repr(align(8))]
struct Memory<const SIZE: usize>(UnsafeCell<[u8; SIZE]>);

impl<const SIZE: usize> FakeRegion<SIZE> {
    /// Creates a region whose bytes all have the value `byte`. `SIZE` must be a multiple of 4.
    pub fn new(byte: u8) -> Result<Self> {
        const { assert!(SIZE % 4 == 0) };

        Ok(Self {
            memory: KBox::new(Memory(UnsafeCell::new([byte; SIZE])), GFP_KERNEL)?,
        })
    }
}

impl<'a, const SIZE: usize> IoBase<'a> for &'a FakeRegion<SIZE> {
    type Backend = SysMemBackend;
    type Target = Region<SIZE>;

    fn as_view(self) -> SysMem<'a, Region<SIZE>> {
        let region = Region::ptr_from_raw_parts_mut(self.memory.0.get().cast(), SIZE);

        // SAFETY: The memory is aligned, has the size, and is borrowed for `'a`. It is accessed
        // through views only.
        unsafe { SysMem::new(region) }
    }
}
