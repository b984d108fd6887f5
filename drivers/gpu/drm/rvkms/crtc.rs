// SPDX-License-Identifier: GPL-2.0

//! CRTCs.

use crate::device::RvkmsDriver;
use kernel::{
    drm::{
        self,
        kms::{
            crtc::DriverCrtc,
            vblank::VblankTimer, //
        },
    },
    prelude::*, //
};

/// A CRTC.
#[pin_data]
pub(crate) struct RvkmsCrtc {}

#[vtable(unique)]
impl DriverCrtc for RvkmsCrtc {
    type Driver = RvkmsDriver;
    type Args = ();
    type State = ();
    type Vblank = VblankTimer;

    fn new(_drm: &drm::Device<RvkmsDriver>, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }
}
