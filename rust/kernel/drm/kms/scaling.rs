// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How planes are scaled.
//!
//! C header: [`include/drm/drm_plane.h`](srctree/include/drm/drm_plane.h)

use super::{
    blend::must_be_new,
    plane::{
        OpaquePlane,
        OpaquePlaneState, //
    },
    rect::Rect,
    KmsDriver,
    KmsSetup, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// How much a plane can be scaled: the size of the source divided by that of the destination, in
/// 1/65536.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    /// The smallest value: how much the plane can be enlarged.
    pub min: u32,
    /// The largest value: how much the plane can be shrunk.
    pub max: u32,
}

impl Scaling {
    /// The plane cannot be scaled.
    ///
    /// C: `DRM_PLANE_NO_SCALING`.
    pub const NONE: Self = Self {
        min: 1 << 16,
        max: 1 << 16,
    };
}

/// How the pixels of a scaled plane are made.
///
/// C: `enum drm_scaling_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingFilter {
    /// The way that the driver prefers.
    Default,
    /// Each is the nearest one of the framebuffer.
    NearestNeighbor,
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` the property "SCALING_FILTER", with all filters.
    ///
    /// Fails with `EEXIST` if there is one already.
    ///
    /// C: `drm_plane_create_scaling_filter_property()`.
    pub fn create_scaling_filter_property(&self, plane: &OpaquePlane<D>) -> Result {
        self.check_own(plane.drm_dev())?;
        // SAFETY: The plane is of the device, which is not registered yet.
        must_be_new(unsafe { (*plane.as_raw()).scaling_filter_property })?;

        let filters = (1 << bindings::drm_scaling_filter_DRM_SCALING_FILTER_DEFAULT)
            | (1 << bindings::drm_scaling_filter_DRM_SCALING_FILTER_NEAREST_NEIGHBOR);

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_plane_create_scaling_filter_property(plane.as_raw(), filters)
        })
    }
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// How the plane is scaled. The default if the plane has no such property.
    pub fn scaling_filter(&self) -> ScalingFilter {
        // SAFETY: The state does not change by the type invariants.
        match unsafe { (*self.as_raw()).scaling_filter } {
            bindings::drm_scaling_filter_DRM_SCALING_FILTER_NEAREST_NEIGHBOR => {
                ScalingFilter::NearestNeighbor
            }
            _ => ScalingFilter::Default,
        }
    }

    /// The part of the framebuffer that user space wants to be shown, in 1/65536 pixels, whether it
    /// is visible or not.
    ///
    /// The pixels of a plane that is scaled follow from this and [`Self::unclipped_dst`]. Those at
    /// the edge of what is visible are interpolated between pixels of which some are not, and
    /// [`Self::src`] is rounded.
    ///
    /// C: `drm_plane_state_src()`.
    pub fn unclipped_src(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        let (x, y, width, height) = unsafe {
            let state = self.as_raw();

            (
                (*state).src_x,
                (*state).src_y,
                (*state).src_w,
                (*state).src_h,
            )
        };

        // The core checks that it lies inside of the framebuffer.
        Rect {
            x1: x as i32,
            y1: y as i32,
            x2: x.wrapping_add(width) as i32,
            y2: y.wrapping_add(height) as i32,
        }
    }

    /// Where on the CRTC user space wants the plane to be, in pixels, whether it is visible or not.
    ///
    /// C: `drm_plane_state_dest()`.
    pub fn unclipped_dst(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        let (x, y, width, height) = unsafe {
            let state = self.as_raw();

            (
                (*state).crtc_x,
                (*state).crtc_y,
                (*state).crtc_w,
                (*state).crtc_h,
            )
        };

        // The core checks that there is no overflow.
        Rect {
            x1: x,
            y1: y,
            x2: x.wrapping_add_unsigned(width),
            y2: y.wrapping_add_unsigned(height),
        }
    }
}
