// SPDX-License-Identifier: GPL-2.0

//! Planes.

use crate::{
    compose::{
        Curve,
        Format,
        Lut,
        Matrix,
        Operation,
        Pipeline, //
    },
    config,
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
            colorop::{
                ColorOp,
                ColorOpKind,
                Curve1d, //
            },
            plane::{
                DriverPlane,
                Plane,
                PlaneStateMut,
                Scaling, //
            },
            DriverState,
            KmsSetup, //
        },
    },
    prelude::*,
    sync::Arc, //
};

/// Whether planes show framebuffers of `format`.
///
/// The core allows for 64 formats, so the least used ones are left out. C8 needs a palette, which
/// planes do not have.
fn is_offered(format: Format) -> bool {
    !matches!(
        format,
        Format::C8
            | Format::Argb4444
            | Format::Abgr4444
            | Format::Rgba4444
            | Format::Bgra4444
            | Format::Xrgb4444
            | Format::Xbgr4444
            | Format::Rgbx4444
            | Format::Bgrx4444
            | Format::Argb1555
            | Format::Abgr1555
            | Format::Rgba5551
            | Format::Bgra5551
            | Format::Xrgb1555
            | Format::Xbgr1555
            | Format::Rgbx5551
            | Format::Bgrx5551
    )
}

/// The operations of a colour pipeline.
const PIPELINE: [ColorOpKind; 4] = [
    ColorOpKind::Curve1d,
    ColorOpKind::Ctm3x4,
    ColorOpKind::Ctm3x4,
    ColorOpKind::Curve1d,
];

/// The curves of colour pipelines, made once.
pub(crate) struct Curves {
    srgb_eotf: Arc<Lut>,
    srgb_inv_eotf: Arc<Lut>,
}

impl Curves {
    fn new() -> Result<Self> {
        Ok(Self {
            srgb_eotf: Arc::new(Lut::curve(Curve::SrgbEotf)?, GFP_KERNEL)?,
            srgb_inv_eotf: Arc::new(Lut::curve(Curve::SrgbInverseEotf)?, GFP_KERNEL)?,
        })
    }

    fn get(&self, curve: Curve1d) -> Arc<Lut> {
        match curve {
            Curve1d::SrgbEotf => self.srgb_eotf.clone(),
            Curve1d::SrgbInvEotf => self.srgb_inv_eotf.clone(),
        }
    }
}

/// A plane.
#[pin_data]
pub(crate) struct RvkmsPlane {
    /// Only there if the plane has a colour pipeline.
    curves: Option<Curves>,
}

impl RvkmsPlane {
    /// Creates a plane with all its properties, at the place `zpos` of `count`.
    pub(crate) fn create<'a>(
        setup: &'a KmsSetup<'_, RvkmsDriver>,
        config: &config::Plane,
        zpos: u32,
        count: u32,
    ) -> Result<&'a Plane<Self>> {
        let mut formats = KVec::with_capacity(Format::ALL.len(), GFP_KERNEL)?;
        for format in Format::ALL {
            if is_offered(*format) {
                formats.push(format.fourcc(), GFP_KERNEL)?;
            }
        }

        let curves = if config.color_pipeline {
            Some(Curves::new()?)
        } else {
            None
        };
        let plane = Plane::new(setup, config.kind, &formats, None, curves)?;

        setup.create_rotation_property(plane, rotation::ALL)?;
        setup.create_alpha_property(plane)?;
        setup.create_blend_mode_property(plane)?;
        setup.create_zpos_property(plane, zpos, count.saturating_sub(1))?;
        setup.create_color_properties(plane, ColorEncoding::Bt601, ColorRange::Full)?;
        if config.color_pipeline {
            setup.create_color_pipeline(plane, &PIPELINE)?;
        }

        Ok(plane)
    }
}

impl Curves {
    /// Prepares the colour pipeline that `plane` has after the update.
    fn prepare(
        &self,
        plane: &Plane<RvkmsPlane>,
        check: &AtomicCheck<'_, RvkmsDriver>,
    ) -> Result<Option<Arc<Pipeline>>> {
        let mut operations = KVec::with_capacity(PIPELINE.len(), GFP_KERNEL)?;

        check.for_each_color_op(plane, |op| {
            let operation = match op {
                ColorOp::Curve1d(curve) => Operation::Lut(self.get(curve)),
                ColorOp::Ctm3x4(matrix) => {
                    Operation::Matrix(Arc::new(Matrix::new(matrix)?, GFP_KERNEL)?)
                }
            };

            Ok(operations.push(operation, GFP_KERNEL)?)
        })?;

        if operations.is_empty() {
            return Ok(None);
        }

        Ok(Some(Arc::new(Pipeline::new(operations)?, GFP_KERNEL)?))
    }
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
    type Args = Option<Curves>;
    type State = RvkmsPlaneState;

    fn new(_drm: &drm::Device<RvkmsDriver>, curves: Option<Curves>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { curves })
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
        check.check_plane_state(plane, Scaling::NONE, true)?;

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
