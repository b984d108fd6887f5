// SPDX-License-Identifier: GPL-2.0

//! Planes.

use crate::{
    color::{
        self,
        Curves, //
    },
    compose::{
        Format,
        Pipeline, //
    },
    config::{
        self,
        ZposRange, //
    },
    crtc::RvkmsCrtc,
    device::RvkmsDriver,
    scene::{
        Buffer,
        Content, //
    }, //
};
use core::ops::Range;
use kernel::{
    device::Bound,
    drm::{
        self,
        kms::{
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
                PlaneStateMut, //
            },
            print::StatePrinter,
            scaling::Scaling,
            DriverState,
            KmsSetup, //
        },
    },
    faux,
    prelude::*,
    sync::Arc, //
};

/// Whether planes show framebuffers of `format` unless they are told otherwise.
///
/// The core allows for 64 formats of a plane, so the least used ones are left out.
pub(crate) const fn is_offered(format: Format) -> bool {
    !matches!(
        format,
        Format::Argb4444
            | Format::Abgr4444
            | Format::Rgba4444
            | Format::Bgra4444
            | Format::Xrgb4444
            | Format::Xbgr4444
            | Format::Rgbx4444
            | Format::Bgrx4444
            | Format::Abgr1555
            | Format::Rgba5551
            | Format::Bgra5551
            | Format::Xbgr1555
            | Format::Rgbx5551
            | Format::Bgrx5551
            | Format::Rgbx1010102
            | Format::Bgrx1010102
    )
}

/// How much planes can be scaled: eight times as large or small.
const SCALING: Scaling = Scaling {
    min: (1 << 16) / 8,
    max: (1 << 16) * 8,
};

/// A plane.
#[pin_data]
pub(crate) struct RvkmsPlane {
    /// Only there if the plane has a colour pipeline.
    curves: Option<Arc<Curves>>,
}

impl RvkmsPlane {
    /// Creates a plane with all its properties, at the place `zpos` of `count`; `curves` are those
    /// of the device.
    pub(crate) fn create<'a>(
        setup: &'a KmsSetup<'_, RvkmsDriver>,
        config: &config::Plane,
        curves: &Arc<Curves>,
        zpos: u32,
        count: u32,
    ) -> Result<&'a Plane<Self>> {
        let mut formats = KVec::with_capacity(Format::ALL.len(), GFP_KERNEL)?;
        for format in config.formats.iter() {
            formats.push(format.fourcc(), GFP_KERNEL)?;
        }

        let curves = config.color_pipeline.then(|| curves.clone());
        let plane = Plane::new(
            setup,
            config.kind,
            &formats,
            config.drm_name.as_deref(),
            curves,
        )?;

        if config.rotations != 0 {
            setup.create_rotation_property(plane, config.default_rotation, config.rotations)?;
        }
        setup.create_alpha_property(plane)?;
        setup.create_blend_mode_property(plane)?;
        setup.create_scaling_filter_property(plane)?;
        setup.enable_fb_damage_clips(plane)?;
        if config.zpos.enabled {
            let range = config.zpos.range.unwrap_or(ZposRange {
                initial: zpos,
                min: 0,
                max: count.saturating_sub(1),
            });

            if config.zpos.mutable {
                setup.create_zpos_property(plane, range.initial, range.min, range.max)?;
            } else {
                setup.create_zpos_immutable_property(plane, range.initial)?;
            }
        }
        if let Some((encoding, range)) = config.colors.defaults() {
            let colors = &config.colors;

            setup.create_color_properties(
                plane,
                colors.encodings,
                colors.ranges,
                encoding,
                range,
            )?;
        }
        if config.color_pipeline {
            setup.create_color_pipelines(plane, &color::PIPELINES)?;
        }

        Ok(plane)
    }

    /// Notes what differs in `content`, which a plane shows as `state` says, from what it showed
    /// before, if user space has told. May sleep.
    pub(crate) fn set_change(
        content: &mut Content,
        state: &PlaneState<Self>,
        commit: &AtomicCommit<'_, RvkmsDriver>,
    ) {
        let Some(plane) = Plane::<Self>::try_from_opaque(state.plane()) else {
            return;
        };
        let old = commit.get_old_plane_state(plane);
        let Some(old) = old.and_then(|old| old.data().buffer()) else {
            return;
        };
        let Some((rows, shift)) = placed_rows(state) else {
            return;
        };

        // Rows in pairs, since these have chroma in common in some formats.
        let damage = commit
            .plane_damage(plane)
            .map(|rect| rect.y1 & !1..rect.y2.saturating_add(1) & !1)
            .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
            .unwrap_or(0..0);
        if damage.start <= rows.start && damage.end >= rows.end {
            return;
        }

        let row = |y: i32| y.saturating_add(shift).try_into().unwrap_or(0);
        content.set_change(old, row(damage.start)..row(damage.end));
    }
}

/// Returns the rows of the framebuffer that a plane shows, and how far they are from the rows of
/// the CRTC that they are shown in. Returns `None` if they are not shown row by row.
fn placed_rows(state: &PlaneState<RvkmsPlane>) -> Option<(Range<i32>, i32)> {
    let (src, dst) = (state.unclipped_src(), state.unclipped_dst());
    let whole = |fixed: i32| (fixed & 0xffff == 0).then_some(fixed >> 16);
    let (start, end) = (whole(src.y1)?, whole(src.y2)?);
    let turned = state.rotation() != rotation::ROTATE_0;

    if turned || end - start != dst.y2 - dst.y1 {
        return None;
    }
    Some((start..end, dst.y1.checked_sub(start)?))
}

/// What a state of a plane adds.
#[derive(Default)]
pub(crate) struct RvkmsPlaneState {
    buffer: Option<Buffer>,
    pipeline: Option<Arc<Pipeline>>,
}

impl RvkmsPlaneState {
    /// Returns the memory of the framebuffer, if there is one.
    pub(crate) fn buffer(&self) -> Option<&Buffer> {
        self.buffer.as_ref()
    }

    /// Returns the colour pipeline, if it is used.
    pub(crate) fn pipeline(&self) -> Option<&Arc<Pipeline>> {
        self.pipeline.as_ref()
    }
}

impl DriverState for RvkmsPlaneState {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            buffer: self.buffer.clone(),
            pipeline: self.pipeline.clone(),
        })
    }
}

#[vtable(unique)]
impl DriverPlane for RvkmsPlane {
    type Driver = RvkmsDriver;
    type Args = Option<Arc<Curves>>;
    type State = RvkmsPlaneState;

    const ASYNC_PAGE_FLIP: bool = true;

    fn new(
        _drm: &drm::Device<RvkmsDriver>,
        curves: Option<Arc<Curves>>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { curves })
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
        check.check_plane_state(plane, SCALING, true)?;

        let Some(curves) = &plane.data().curves else {
            return Ok(());
        };

        let changed = check
            .get_new_plane_state(plane)
            .is_some_and(|state| state.color_mgmt_changed());
        if changed {
            let pipeline = curves.prepare(plane, check)?;

            check
                .get_new_plane_state(plane)
                .ok_or(EINVAL)?
                .data_mut()
                .pipeline = pipeline;
        }

        Ok(())
    }

    fn atomic_async_update(_plane: &Plane<Self>, update: &AsyncUpdate<'_, Self>) {
        let crtc = update.state().crtc();

        if let Some(crtc) = crtc.and_then(Crtc::try_from_opaque) {
            RvkmsCrtc::update_plane(crtc, update);
        }
    }

    fn get_scanout_buffer<'a>(
        _plane: &'a Plane<Self>,
        state: &'a PlaneState<Self>,
        _data: &'a (),
        _parent: &'a faux::Device<Bound>,
    ) -> Option<ScanoutBuffer<'a>> {
        ScanoutBuffer::new(state.data().buffer()?)
    }

    fn atomic_print_state(
        _plane: &Plane<Self>,
        state: &PlaneState<Self>,
        printer: &mut StatePrinter,
    ) {
        let data = state.data();

        printer.print(fmt!(
            "\tmapped={}\n\tprepared-pipeline={}\n",
            u8::from(data.buffer().is_some()),
            u8::from(data.pipeline().is_some()),
        ));
        if let Some((x, y)) = state.hotspot() {
            printer.print(fmt!("\thotspot={x},{y}\n"));
        }
    }

    fn prepare_fb(_plane: &Plane<Self>, state: &mut PlaneStateMut<'_, Self>) -> Result {
        let buffer = state.framebuffer().map(|fb| fb.map()).transpose()?;
        state.data_mut().buffer = buffer;

        Ok(())
    }
}
