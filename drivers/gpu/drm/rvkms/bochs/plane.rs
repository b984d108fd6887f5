// SPDX-License-Identifier: GPL-2.0

//! The planes. The device has one, and the driver puts a cursor over it.

use crate::{
    convert::Format,
    crtc::BochsCrtc,
    device::{
        BochsDevice,
        BochsDriver, //
    },
    draw::{
        Buffer,
        Layer, //
    },
    hardware::Hardware,
    layout::Area,
    turn::Way, //
};
use core::iter::once;
use kernel::{
    device::Bound,
    drm::kms::{
        atomic::{
            AtomicCheck,
            AtomicCommit, //
        },
        blend::rotation,
        crtc::Crtc,
        panic::ScanoutBuffer,
        plane::{
            AsyncUpdate,
            DriverPlane,
            Plane,
            PlaneState,
            PlaneStateMut,
            PlaneType,
            Scaling, //
        },
        rect::Rect,
        DriverState,
        KmsSetup, //
    },
    pci,
    prelude::*, //
};

/// A plane.
#[pin_data]
pub(crate) struct BochsPlane {
    /// Its place among the planes, 0 for the lowest.
    place: usize,
}

/// What a state of a plane adds: the mapped framebuffer.
#[derive(Default)]
pub(crate) struct BochsPlaneState {
    buffer: Option<Buffer>,
}

impl DriverState for BochsPlaneState {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            buffer: self.buffer.clone(),
        })
    }
}

impl BochsPlane {
    const PRIMARY: usize = 0;
    const CURSOR: usize = 1;

    /// Creates the primary plane.
    pub(crate) fn create_primary<'a>(
        setup: &'a KmsSetup<'_, BochsDriver>,
    ) -> Result<&'a Plane<Self>> {
        let formats = Format::ALL.map(Format::fourcc);

        Self::create(setup, PlaneType::Primary, &formats, Self::PRIMARY)
    }

    /// Creates the cursor plane.
    pub(crate) fn create_cursor<'a>(
        setup: &'a KmsSetup<'_, BochsDriver>,
    ) -> Result<&'a Plane<Self>> {
        let formats = [Format::Argb8888.fourcc()];

        Self::create(setup, PlaneType::Cursor, &formats, Self::CURSOR)
    }

    fn create<'a>(
        setup: &'a KmsSetup<'_, BochsDriver>,
        kind: PlaneType,
        formats: &[u32],
        place: usize,
    ) -> Result<&'a Plane<Self>> {
        let plane = Plane::new(setup, kind, formats, None, place)?;

        setup.create_blend_mode_property(plane)?;
        setup.create_rotation_property(plane, rotation::ROTATE_0, rotation::ALL)?;
        setup.enable_fb_damage_clips(plane)?;

        Ok(plane)
    }

    /// Returns what `state` shows, if it shows anything.
    fn layer(state: &PlaneState<Self>) -> Option<Layer> {
        if !state.visible() {
            return None;
        }

        let buffer = state.data().buffer.clone()?;
        let fb = buffer.framebuffer();
        let format = Format::from_fourcc(fb.format())?;
        let (bytes, pitch) = (format.bytes_per_pixel(), fb.pitch(0) as usize);
        let rotation = state.rotation();
        let dst = Area::from(state.dst());

        // The edges of what is visible are not negative.
        let src_x = usize::try_from(state.src().x1 >> 16).ok()?;
        let src_y = usize::try_from(state.src().y1 >> 16).ok()?;
        let way = Way::new(src_y * pitch + src_x * bytes, bytes, pitch);

        Some(Layer {
            format,
            way: way.turned(rotation, (dst.x.len(), dst.y.len())),
            blend: state.pixel_blend_mode(),
            source: buffer,
            src: (rotation == rotation::ROTATE_0).then_some((src_x, src_y)),
            dst,
        })
    }
}

#[vtable(unique)]
impl DriverPlane for BochsPlane {
    type Driver = BochsDriver;
    type Args = usize;
    type State = BochsPlaneState;

    const ASYNC_PAGE_FLIP: bool = true;

    fn new(_drm: &BochsDevice, place: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { place })
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, BochsDriver>) -> Result {
        let can_position = plane.data().place != Self::PRIMARY;

        check.check_plane_state(plane, Scaling::NONE, can_position)?;

        Ok(())
    }

    fn prepare_fb(_plane: &Plane<Self>, state: &mut PlaneStateMut<'_, Self>) -> Result {
        let buffer = state.framebuffer().map(|fb| fb.map()).transpose()?;
        state.data_mut().buffer = buffer;

        Ok(())
    }

    fn atomic_update(plane: &Plane<Self>, commit: &AtomicCommit<'_, BochsDriver>) {
        let Some(new) = commit.get_new_plane_state(plane) else {
            return;
        };
        let old = commit
            .get_old_plane_state(plane)
            .and_then(|state| state.crtc());

        // A plane that is turned off is on no CRTC any more.
        if let Some(crtc) = new.crtc().or(old).and_then(Crtc::try_from_opaque) {
            BochsCrtc::set_layer(
                crtc,
                plane.data().place,
                Self::layer(new),
                commit.plane_damage(plane),
            );
        }
    }

    fn atomic_async_update(plane: &Plane<Self>, update: &AsyncUpdate<'_, Self>) {
        /// A cursor is small: all of it is drawn, whatever has changed.
        const ALL: Rect = Rect {
            x1: 0,
            y1: 0,
            x2: i32::MAX,
            y2: i32::MAX,
        };
        let state = update.state();

        if let Some(crtc) = state.crtc().and_then(Crtc::try_from_opaque) {
            BochsCrtc::set_layer(crtc, plane.data().place, Self::layer(state), once(ALL));
            BochsCrtc::show(crtc);
        }
    }

    fn get_scanout_buffer<'a>(
        plane: &'a Plane<Self>,
        _state: &'a PlaneState<Self>,
        hardware: &'a Hardware,
        pdev: &'a pci::Device<Bound>,
    ) -> Option<ScanoutBuffer<'a>> {
        if plane.data().place == Self::PRIMARY {
            hardware.scanout_buffer(pdev)
        } else {
            None
        }
    }
}
