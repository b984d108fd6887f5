// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: cannot be shared between threads safely

// The threads of a client use its file at the same time.

include!("../common/drm.rs");

struct Counting {
    #[cfg(not(wrong))]
    count: u32,
    #[cfg(wrong)]
    count: core::cell::Cell<u32>,
}

impl drm::file::DriverFile for Counting { //~
    type Driver = Other;

    fn open(_dev: &drm::Device<Other>) -> Result<Pin<KBox<Self>>> {
        let file = Self {
            count: Default::default(),
        };

        Ok(KBox::new(file, GFP_KERNEL)?.into())
    }
}
