// SPDX-License-Identifier: GPL-2.0

//! Planes.

use crate::device::RvkmsDriver;
use kernel::{
    drm::{
        self,
        kms::{
            atomic::AtomicCheck,
            fourcc,
            plane::{
                DriverPlane,
                Plane,
                Scaling, //
            },
        },
    },
    prelude::*, //
};

/// The pixel formats that the planes can show, the preferred one first.
pub(crate) const FORMATS: [u32; 2] = [fourcc::XRGB8888, fourcc::ARGB8888];

/// A plane.
#[pin_data]
pub(crate) struct RvkmsPlane {}

#[vtable(unique)]
impl DriverPlane for RvkmsPlane {
    type Driver = RvkmsDriver;
    type Args = ();
    type State = ();

    fn new(_drm: &drm::Device<RvkmsDriver>, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
        check.check_plane_state(plane, Scaling::NONE, true)?;

        Ok(())
    }
}
