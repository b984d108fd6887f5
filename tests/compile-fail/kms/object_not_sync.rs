// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: cannot be shared between threads safely

// The callbacks of an object run on any thread, several at a time.

include!("../common/kms.rs");

struct Counting {
    #[cfg(not(wrong))]
    count: u32,
    #[cfg(wrong)]
    count: core::cell::Cell<u32>,
}

#[vtable(unique)]
impl DriverCrtc for Counting { //~
    type Driver = Case;
    type Args = ();
    type State = ();
    type Vblank = NoVblank;

    fn new(_drm: &drm::Device<Case>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self {
            count: Default::default(),
        })
    }
}
