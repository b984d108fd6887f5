// SPDX-License-Identifier: GPL-2.0

//! Planes.

use crate::{
    compose::Format,
    device::RvkmsDriver,
    scene::Buffer, //
};
use kernel::{
    drm::{
        self,
        kms::{
            atomic::AtomicCheck,
            blend::rotation,
            color::{
                ColorEncoding,
                ColorRange, //
            },
            plane::{
                DriverPlane,
                Plane,
                PlaneStateMut,
                PlaneType,
                Scaling, //
            },
            DriverState,
            KmsSetup, //
        },
    },
    prelude::*,
    sync::Arc, //
};

/// A plane.
#[pin_data]
pub(crate) struct RvkmsPlane {}

impl RvkmsPlane {
    /// Creates a plane with all its properties, at the place `zpos` of `count`.
    pub(crate) fn create<'a>(
        setup: &'a KmsSetup<'_, RvkmsDriver>,
        kind: PlaneType,
        zpos: u32,
        count: u32,
    ) -> Result<&'a Plane<Self>> {
        let mut formats = KVec::with_capacity(Format::ALL.len(), GFP_KERNEL)?;
        for format in Format::ALL {
            formats.push(format.fourcc(), GFP_KERNEL)?;
        }

        let plane = Plane::new(setup, kind, &formats, None, ())?;

        setup.create_rotation_property(plane, rotation::ALL)?;
        setup.create_alpha_property(plane)?;
        setup.create_blend_mode_property(plane)?;
        setup.create_zpos_property(plane, zpos, count.saturating_sub(1))?;
        setup.create_color_properties(plane, ColorEncoding::Bt601, ColorRange::Full)?;

        Ok(plane)
    }
}

/// What a state of a plane adds.
#[derive(Default)]
pub(crate) struct RvkmsPlaneState {
    buffer: Option<Buffer>,
}

impl RvkmsPlaneState {
    /// Returns the memory of the framebuffer, if there is one.
    pub(crate) fn buffer(&self) -> Option<&Buffer> {
        self.buffer.as_ref()
    }
}

impl DriverState for RvkmsPlaneState {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            buffer: self.buffer.clone(),
        })
    }
}

#[vtable(unique)]
impl DriverPlane for RvkmsPlane {
    type Driver = RvkmsDriver;
    type Args = ();
    type State = RvkmsPlaneState;

    fn new(_drm: &drm::Device<RvkmsDriver>, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
        check.check_plane_state(plane, Scaling::NONE, true)?;

        Ok(())
    }

    fn prepare_fb(_plane: &Plane<Self>, state: &mut PlaneStateMut<'_, Self>) -> Result {
        let buffer = match (state.framebuffer(), state.data().buffer()) {
            (None, _) => None,
            (Some(fb), Some(buffer)) if core::ptr::eq(fb, buffer.framebuffer()) => {
                Some(buffer.clone())
            }
            (Some(fb), _) => Some(Arc::new(fb.map()?, GFP_KERNEL)?),
        };

        state.data_mut().buffer = buffer;

        Ok(())
    }
}
