// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: between threads safely

// States are freed by whatever thread carries out the update.

include!("../common/kms.rs");

struct Local {
    #[cfg(not(wrong))]
    value: usize,
    #[cfg(wrong)]
    value: core::marker::PhantomData<*mut ()>,
}

impl DriverState for Local { //~
    fn new() -> Result<Self> {
        Ok(Self {
            value: Default::default(),
        })
    }

    fn duplicate(&self) -> Result<Self> {
        Self::new() //~
    }
}
