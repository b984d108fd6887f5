// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Colour management.
//!
//! C headers: [`include/drm/drm_color_mgmt.h`](srctree/include/drm/drm_color_mgmt.h),
//! [`include/uapi/drm/drm_mode.h`](srctree/include/uapi/drm/drm_mode.h)

use super::{
    crtc::{
        OpaqueCrtc,
        OpaqueCrtcState, //
    },
    is_attached,
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
use core::slice;

/// The most entries of a one-dimensional look-up table: one for each value of 16 bits.
pub const MAX_LUT_SIZE: u32 = 1 << 16;

/// How colours are encoded as luma and chroma.
///
/// C: `enum drm_color_encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ColorEncoding {
    /// ITU-R BT.601.
    Bt601 = bindings::drm_color_encoding_DRM_COLOR_YCBCR_BT601,
    /// ITU-R BT.709.
    Bt709 = bindings::drm_color_encoding_DRM_COLOR_YCBCR_BT709,
    /// ITU-R BT.2020.
    Bt2020 = bindings::drm_color_encoding_DRM_COLOR_YCBCR_BT2020,
}

impl ColorEncoding {
    /// All encodings.
    pub const ALL: [Self; 3] = [Self::Bt601, Self::Bt709, Self::Bt2020];

    /// The bit that stands for the encoding in a mask of encodings.
    pub const fn mask(self) -> u32 {
        1 << self as u32
    }
}

/// Which values of luma and chroma are used.
///
/// C: `enum drm_color_range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ColorRange {
    /// The range of video, 16 to 235 for luma with 8 bits.
    Limited = bindings::drm_color_range_DRM_COLOR_YCBCR_LIMITED_RANGE,
    /// All values.
    Full = bindings::drm_color_range_DRM_COLOR_YCBCR_FULL_RANGE,
}

impl ColorRange {
    /// All ranges.
    pub const ALL: [Self; 2] = [Self::Limited, Self::Full];

    /// The bit that stands for the range in a mask of ranges.
    pub const fn mask(self) -> u32 {
        1 << self as u32
    }
}

/// An entry of a look-up table for colours, from 0 to 0xffff each.
///
/// C: `struct drm_color_lut`.
#[repr(transparent)]
pub struct ColorLut(bindings::drm_color_lut);

impl ColorLut {
    /// Red, green and blue.
    pub fn rgb(&self) -> [u16; 3] {
        [self.0.red, self.0.green, self.0.blue]
    }
}

/// The background colour of a CRTC, from 0 to 0xffff each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundColor {
    /// Red.
    pub red: u16,
    /// Green.
    pub green: u16,
    /// Blue.
    pub blue: u16,
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` the properties "COLOR_ENCODING" and "COLOR_RANGE".
    ///
    /// `encodings` and `ranges` are masks of [`ColorEncoding::mask`] and [`ColorRange::mask`].
    ///
    /// Fails with `EINVAL` if one of them has other bits, or lacks the default, and with `EEXIST`
    /// if the plane has the properties already. May sleep.
    ///
    /// C: `drm_plane_create_color_properties()`.
    pub fn create_color_properties(
        &self,
        plane: &OpaquePlane<D>,
        encodings: u32,
        ranges: u32,
        default_encoding: ColorEncoding,
        default_range: ColorRange,
    ) -> Result {
        self.check_own(plane.drm_dev())?;

        // SAFETY: The plane is valid, and only this thread changes it before it is registered.
        if unsafe { !(*plane.as_raw()).color_encoding_property.is_null() } {
            return Err(EEXIST);
        }

        let all = |masks: &[u32]| masks.iter().fold(0, |all, mask| all | mask);
        let all_encodings = all(&ColorEncoding::ALL.map(ColorEncoding::mask));
        let all_ranges = all(&ColorRange::ALL.map(ColorRange::mask));

        if encodings & !all_encodings != 0
            || encodings & default_encoding.mask() == 0
            || ranges & !all_ranges != 0
            || ranges & default_range.mask() == 0
        {
            return Err(EINVAL);
        }

        // SAFETY: The plane is of the device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_plane_create_color_properties(
                plane.as_raw(),
                encodings,
                ranges,
                default_encoding as u32,
                default_range as u32,
            )
        })
    }

    /// Gives `crtc` the properties "GAMMA_LUT", "DEGAMMA_LUT" and "CTM", each if it is wanted.
    ///
    /// `gamma_size` and `degamma_size` are the numbers of entries of the tables that user space is
    /// told of; 0 is for no table.
    ///
    /// Fails with `EINVAL` if a table would have more than [`MAX_LUT_SIZE`] entries, and with
    /// `EEXIST` if the CRTC has any of the properties already.
    ///
    /// C: `drm_crtc_enable_color_mgmt()`.
    pub fn enable_color_mgmt(
        &self,
        crtc: &OpaqueCrtc<D>,
        degamma_size: u32,
        has_ctm: bool,
        gamma_size: u32,
    ) -> Result {
        self.check_own(crtc.drm_dev())?;

        if degamma_size > MAX_LUT_SIZE || gamma_size > MAX_LUT_SIZE {
            return Err(EINVAL);
        }

        // SAFETY: The mode configuration is initialized by the type invariants of `KmsSetup`.
        let properties = unsafe {
            let config = &raw const (*self.as_raw()).mode_config;

            [
                (*config).degamma_lut_property,
                (*config).ctm_property,
                (*config).gamma_lut_property,
            ]
        };

        if properties.iter().any(|property| has(crtc, *property)) {
            return Err(EEXIST);
        }

        // SAFETY: The CRTC is of the device, which is not registered yet.
        unsafe {
            bindings::drm_crtc_enable_color_mgmt(crtc.as_raw(), degamma_size, has_ctm, gamma_size);
        }

        Ok(())
    }

    /// Gives `crtc` a table of `size` entries, 256 for most user space, in the legacy interface.
    ///
    /// What user space sets there becomes the value of "GAMMA_LUT", see
    /// [`enable_color_mgmt`](Self::enable_color_mgmt).
    ///
    /// Fails with `EINVAL` if `size` is 0 or more than [`MAX_LUT_SIZE`], with `EEXIST` if the CRTC
    /// has such a table already, and with `ENOMEM`. May sleep.
    ///
    /// C: `drm_mode_crtc_set_gamma_size()`.
    pub fn set_gamma_size(&self, crtc: &OpaqueCrtc<D>, size: u32) -> Result {
        self.check_own(crtc.drm_dev())?;

        if size == 0 || size > MAX_LUT_SIZE {
            return Err(EINVAL);
        }

        // SAFETY: The CRTC is valid, and only this thread changes it before it is registered.
        if unsafe { !(*crtc.as_raw()).gamma_store.is_null() } {
            return Err(EEXIST);
        }

        // SAFETY: The CRTC is of the device, which is not registered yet, and has no table.
        to_result(unsafe {
            bindings::drm_mode_crtc_set_gamma_size(crtc.as_raw(), size.try_into()?)
        })
    }

    /// Gives `crtc` the property "BACKGROUND_COLOR".
    ///
    /// Fails with `EEXIST` if it has the property already.
    ///
    /// C: `drm_crtc_attach_background_color_property()`.
    pub fn attach_background_color_property(&self, crtc: &OpaqueCrtc<D>) -> Result {
        self.check_own(crtc.drm_dev())?;

        // SAFETY: The mode configuration is initialized by the type invariants of `KmsSetup`.
        let property = unsafe { (*self.as_raw()).mode_config.background_color_property };

        if has(crtc, property) {
            return Err(EEXIST);
        }

        // SAFETY: The CRTC is of the device, which is not registered yet.
        unsafe { bindings::drm_crtc_attach_background_color_property(crtc.as_raw()) };

        Ok(())
    }
}

/// Whether a property has been attached to `crtc`, of which the device is being set up.
fn has<D: KmsDriver>(crtc: &OpaqueCrtc<D>, property: *mut bindings::drm_property) -> bool {
    // SAFETY: The CRTC is valid, and only this thread changes its properties before the device is
    // registered.
    is_attached(unsafe { &(*crtc.as_raw()).properties }, property)
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// How the colours of the framebuffer are encoded, if its format has luma and chroma.
    pub fn color_encoding(&self) -> ColorEncoding {
        // SAFETY: The state does not change by the type invariants.
        match unsafe { (*self.as_raw()).color_encoding } {
            bindings::drm_color_encoding_DRM_COLOR_YCBCR_BT709 => ColorEncoding::Bt709,
            bindings::drm_color_encoding_DRM_COLOR_YCBCR_BT2020 => ColorEncoding::Bt2020,
            _ => ColorEncoding::Bt601,
        }
    }

    /// Which values the framebuffer uses, if its format has luma and chroma.
    pub fn color_range(&self) -> ColorRange {
        // SAFETY: The state does not change by the type invariants.
        match unsafe { (*self.as_raw()).color_range } {
            bindings::drm_color_range_DRM_COLOR_YCBCR_FULL_RANGE => ColorRange::Full,
            _ => ColorRange::Limited,
        }
    }
}

impl<D: KmsDriver> OpaqueCrtcState<D> {
    /// Returns the table of a blob of `struct drm_color_lut`.
    ///
    /// # Safety
    ///
    /// `blob` must be NULL, or a valid blob that the state holds a reference to.
    unsafe fn lut(&self, blob: *const bindings::drm_property_blob) -> Option<&[ColorLut]> {
        if blob.is_null() {
            return None;
        }

        // SAFETY: The blob is valid by the safety requirements. Its data is never changed, and is
        // aligned for any type. `ColorLut` is transparent and any bytes are a valid value.
        Some(unsafe {
            slice::from_raw_parts((*blob).data.cast(), (*blob).length / size_of::<ColorLut>())
        })
    }

    /// Returns the table that is applied to the picture last, if there is one.
    ///
    /// It has as many entries as user space gave it, which a driver has to check.
    pub fn gamma_lut(&self) -> Option<&[ColorLut]> {
        // SAFETY: The state does not change by the type invariants, and holds a reference.
        unsafe { self.lut((*self.as_raw()).gamma_lut) }
    }

    /// Returns the table that is applied to the picture first, if there is one.
    ///
    /// It has as many entries as user space gave it, which a driver has to check.
    pub fn degamma_lut(&self) -> Option<&[ColorLut]> {
        // SAFETY: The state does not change by the type invariants, and holds a reference.
        unsafe { self.lut((*self.as_raw()).degamma_lut) }
    }

    /// Returns the matrix that is applied to the picture between the two tables, if there is one.
    ///
    /// Row by row, in sign and magnitude: the highest bit is the sign, and the others are the
    /// magnitude in 1/2^32.
    pub fn ctm(&self) -> Option<&[u64; 9]> {
        // SAFETY: The state does not change by the type invariants.
        let blob = unsafe { (*self.as_raw()).ctm };

        if blob.is_null() {
            return None;
        }

        // SAFETY: The core checks that the blob has the size of a `struct drm_color_ctm`, which is
        // this array. Its data is aligned for any type and never changed, and the state holds a
        // reference.
        Some(unsafe { &*(*blob).data.cast() })
    }

    /// Whether one of the tables or the matrix was changed by the update.
    pub fn color_mgmt_changed(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).color_mgmt_changed() }
    }

    /// The colour of what no plane covers. Its alpha is not used.
    pub fn background_color(&self) -> BackgroundColor {
        // SAFETY: The state does not change by the type invariants.
        let argb = unsafe { (*self.as_raw()).background_color };

        BackgroundColor {
            red: (argb >> 32) as u16,
            green: (argb >> 16) as u16,
            blue: argb as u16,
        }
    }
}
