// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Checksums of frames.
//!
//! Tests read the checksum of each frame that a CRTC makes from debugfs. There is one source of
//! them, "auto", with one 32-bit value a frame. A driver implements
//! [`DriverCrtc::set_crc_enabled`], and calls [`Crtc::add_crc_entry`] for each frame while they
//! are enabled.
//!
//! C header: [`include/drm/drm_debugfs_crc.h`](srctree/include/drm/drm_debugfs_crc.h)

use super::crtc::{
    Crtc,
    DriverCrtc, //
};
use crate::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    ffi::c_char,
    prelude::*, //
};

/// The name of the only source.
const SOURCE: &CStr = c"auto";

/// The pointer to the name of the source, as the core wants the list of names.
#[repr(transparent)]
struct SourceList([*const c_char; 1]);

// SAFETY: The pointer is to a constant string.
unsafe impl Sync for SourceList {}

static SOURCES: SourceList = SourceList([crate::str::as_char_ptr_in_const_context(SOURCE)]);

/// Whether `source` asks for checksums.
///
/// # Safety
///
/// `source` must be NULL or a string.
unsafe fn parse_source(source: *const c_char) -> Result<bool> {
    if source.is_null() {
        return Ok(false);
    }

    // SAFETY: `source` is a string by the safety requirements.
    if unsafe { CStr::from_char_ptr(source) }.to_bytes() == SOURCE.to_bytes() {
        Ok(true)
    } else {
        Err(EINVAL)
    }
}

impl<T: DriverCrtc> Crtc<T> {
    /// Tells user space the checksum of the frame with the number `frame`.
    ///
    /// Fails with `ENOBUFS` if user space does not read fast enough, and with `EINVAL` if it has
    /// stopped to read. Does not sleep.
    ///
    /// C: `drm_crtc_add_crc_entry()`.
    pub fn add_crc_entry(&self, frame: u32, mut crc: u32) -> Result {
        // SAFETY: The CRTC is valid, and all sources have one value.
        to_result(unsafe { bindings::drm_crtc_add_crc_entry(self.as_raw(), true, frame, &mut crc) })
    }

    /// # Safety
    ///
    /// `count` must be valid for writes.
    pub(super) unsafe extern "C" fn get_crc_sources_callback(
        _crtc: *mut bindings::drm_crtc,
        count: *mut usize,
    ) -> *const *const c_char {
        // SAFETY: The safety requirements of this function.
        unsafe { *count = SOURCES.0.len() };

        SOURCES.0.as_ptr()
    }

    /// # Safety
    ///
    /// `source` must be NULL or a string, and `count` be valid for writes.
    pub(super) unsafe extern "C" fn verify_crc_source_callback(
        _crtc: *mut bindings::drm_crtc,
        source: *const c_char,
        count: *mut usize,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The safety requirements of this function.
            unsafe {
                parse_source(source)?;
                *count = 1;
            }

            Ok(0)
        })
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `source` be NULL or a string. The core
    /// calls it with NULL exactly once after each call with a string that succeeded.
    pub(super) unsafe extern "C" fn set_crc_source_callback(
        crtc: *mut bindings::drm_crtc,
        source: *const c_char,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The safety requirements of this function.
            let (enabled, this) = unsafe { (parse_source(source)?, Self::from_raw(crtc)) };

            if enabled {
                // Vertical blanks are what frames are counted by.
                //
                // SAFETY: The CRTC is valid.
                to_result(unsafe { bindings::drm_crtc_vblank_get(crtc) })?;

                T::set_crc_enabled(this, true).inspect_err(|_| {
                    // SAFETY: The reference was taken above.
                    unsafe { bindings::drm_crtc_vblank_put(crtc) };
                })?;
            } else {
                let ret = T::set_crc_enabled(this, false);

                // SAFETY: The reference was taken when checksums were enabled.
                unsafe { bindings::drm_crtc_vblank_put(crtc) };

                ret?;
            }

            Ok(0)
        })
    }
}
