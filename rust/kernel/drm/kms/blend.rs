// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Properties that say how planes are put together.
//!
//! C header: [`include/drm/drm_blend.h`](srctree/include/drm/drm_blend.h)

use super::{
    plane::{
        OpaquePlane,
        OpaquePlaneState, //
    },
    KmsDriver,
    KmsSetup, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// Rotations and reflections, as bits.
///
/// A picture is reflected first, and then rotated counter-clockwise.
pub mod rotation {
    use crate::bindings;

    /// Not rotated.
    pub const ROTATE_0: u32 = bindings::DRM_MODE_ROTATE_0;
    /// Rotated by 90 degrees counter-clockwise.
    pub const ROTATE_90: u32 = bindings::DRM_MODE_ROTATE_90;
    /// Rotated by 180 degrees.
    pub const ROTATE_180: u32 = bindings::DRM_MODE_ROTATE_180;
    /// Rotated by 270 degrees counter-clockwise.
    pub const ROTATE_270: u32 = bindings::DRM_MODE_ROTATE_270;
    /// Left and right are swapped.
    pub const REFLECT_X: u32 = bindings::DRM_MODE_REFLECT_X;
    /// Top and bottom are swapped.
    pub const REFLECT_Y: u32 = bindings::DRM_MODE_REFLECT_Y;

    const ROTATE_MASK: u32 = ROTATE_0 | ROTATE_90 | ROTATE_180 | ROTATE_270;

    /// All of them.
    pub const ALL: u32 = ROTATE_MASK | REFLECT_X | REFLECT_Y;

    /// Whether `supported` are rotations that a plane can have.
    pub(super) fn is_valid(supported: u32) -> bool {
        supported & !ALL == 0 && supported & ROTATE_0 != 0
    }

    /// Whether `value` is one of the rotations of `supported`, possibly with reflections.
    pub fn is_value(value: u32, supported: u32) -> bool {
        value & !supported == 0 && (value & ROTATE_MASK).is_power_of_two()
    }
}

/// How the alpha of the pixels of a plane is used.
///
/// C: `DRM_MODE_BLEND_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlendMode {
    /// The colours have been multiplied by alpha already.
    Premultiplied,
    /// The colours are multiplied by alpha.
    Coverage,
    /// Alpha is ignored.
    None,
}

/// Returns an error if there is such a property already.
///
/// The core would attach a second one of the same name, and forget the first.
pub(super) fn must_be_new(property: *const bindings::drm_property) -> Result {
    if property.is_null() {
        Ok(())
    } else {
        Err(EEXIST)
    }
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` the property "rotation".
    ///
    /// `supported` is a mask of the constants of [`rotation`], and `default` one rotation of these,
    /// possibly with reflections. Fails with `EINVAL` if `supported` has other bits or lacks
    /// [`rotation::ROTATE_0`], or if `default` is not so, and with `EEXIST` if the plane has the
    /// property already.
    ///
    /// C: `drm_plane_create_rotation_property()`.
    pub fn create_rotation_property(
        &self,
        plane: &OpaquePlane<D>,
        default: u32,
        supported: u32,
    ) -> Result {
        self.check_own(plane.drm_dev())?;
        // SAFETY: The plane is of the device, which is not registered yet.
        must_be_new(unsafe { (*plane.as_raw()).rotation_property })?;
        if !rotation::is_valid(supported) || !rotation::is_value(default, supported) {
            return Err(EINVAL);
        }

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_plane_create_rotation_property(plane.as_raw(), default, supported)
        })
    }

    /// Gives `plane` the property "alpha". Fails with `EEXIST` if there is one already.
    ///
    /// C: `drm_plane_create_alpha_property()`.
    pub fn create_alpha_property(&self, plane: &OpaquePlane<D>) -> Result {
        self.check_own(plane.drm_dev())?;
        // SAFETY: The plane is of the device, which is not registered yet.
        must_be_new(unsafe { (*plane.as_raw()).alpha_property })?;

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe { bindings::drm_plane_create_alpha_property(plane.as_raw()) })
    }

    /// Gives `plane` the property "pixel blend mode", with all modes. Fails with `EEXIST` if there
    /// is one already.
    ///
    /// C: `drm_plane_create_blend_mode_property()`.
    pub fn create_blend_mode_property(&self, plane: &OpaquePlane<D>) -> Result {
        self.check_own(plane.drm_dev())?;
        // SAFETY: The plane is of the device, which is not registered yet.
        must_be_new(unsafe { (*plane.as_raw()).blend_mode_property })?;

        let modes = (1 << bindings::DRM_MODE_BLEND_PREMULTI)
            | (1 << bindings::DRM_MODE_BLEND_COVERAGE)
            | (1 << bindings::DRM_MODE_BLEND_PIXEL_NONE);

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe { bindings::drm_plane_create_blend_mode_property(plane.as_raw(), modes) })
    }

    /// Gives `plane` the property "zpos", which user space can change from `min` to `max`.
    ///
    /// Planes with a higher value cover those with a lower one. Fails with `EINVAL` if `zpos` is
    /// not in that range or `max` is larger than [`i32::MAX`], and with `EEXIST` if the plane has
    /// the property already.
    ///
    /// C: `drm_plane_create_zpos_property()`.
    pub fn create_zpos_property(
        &self,
        plane: &OpaquePlane<D>,
        zpos: u32,
        min: u32,
        max: u32,
    ) -> Result {
        self.check_zpos(plane, max)?;
        if !(min..=max).contains(&zpos) {
            return Err(EINVAL);
        }

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_plane_create_zpos_property(plane.as_raw(), zpos, min, max)
        })
    }

    /// Gives `plane` the property "zpos", which user space cannot change.
    ///
    /// Fails with `EINVAL` if `zpos` is larger than [`i32::MAX`], and with `EEXIST` if the plane
    /// has the property already.
    ///
    /// C: `drm_plane_create_zpos_immutable_property()`.
    pub fn create_zpos_immutable_property(&self, plane: &OpaquePlane<D>, zpos: u32) -> Result {
        self.check_zpos(plane, zpos)?;

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_plane_create_zpos_immutable_property(plane.as_raw(), zpos)
        })
    }

    fn check_zpos(&self, plane: &OpaquePlane<D>, max: u32) -> Result {
        self.check_own(plane.drm_dev())?;

        // SAFETY: The plane is of the device, which is not registered yet.
        must_be_new(unsafe { (*plane.as_raw()).zpos_property })?;

        // The core sorts planes by differences, which it takes as `int`.
        i32::try_from(max)?;
        Ok(())
    }
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// The rotation and reflection of the plane: bits of [`rotation`].
    ///
    /// Exactly one of the rotations is set. [`rotation::ROTATE_0`] if the plane has no such
    /// property.
    pub fn rotation(&self) -> u32 {
        // SAFETY: The state does not change by the type invariants.
        match unsafe { (*self.as_raw()).rotation } {
            0 => rotation::ROTATE_0,
            rotation => rotation,
        }
    }

    /// The opacity of the plane, 0 to 0xffff. 0xffff if the plane has no such property.
    pub fn alpha(&self) -> u16 {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).alpha }
    }

    /// How the alpha of the pixels is used. Premultiplied if the plane has no such property.
    pub fn pixel_blend_mode(&self) -> BlendMode {
        // SAFETY: The state does not change by the type invariants.
        match u32::from(unsafe { (*self.as_raw()).pixel_blend_mode }) {
            bindings::DRM_MODE_BLEND_COVERAGE => BlendMode::Coverage,
            bindings::DRM_MODE_BLEND_PIXEL_NONE => BlendMode::None,
            _ => BlendMode::Premultiplied,
        }
    }

    /// The place of the plane among those on its CRTC, 0 for the lowest.
    ///
    /// Only meaningful if [`ModeConfigInfo::normalize_zpos`](super::ModeConfigInfo) is set.
    pub fn normalized_zpos(&self) -> u32 {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).normalized_zpos }
    }
}
