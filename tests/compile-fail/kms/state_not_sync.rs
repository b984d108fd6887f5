// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: cannot be shared between threads safely

// A committed state is read by several threads.

include!("../common/kms.rs");

struct Shared {
    #[cfg(not(wrong))]
    value: u32,
    #[cfg(wrong)]
    value: core::cell::Cell<u32>,
}

impl DriverState for Shared { //~
    fn new() -> Result<Self> {
        Ok(Self {
            value: Default::default(),
        })
    }

    fn duplicate(&self) -> Result<Self> {
        Self::new() //~
    }
}
