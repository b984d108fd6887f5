// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The hotspot of cursors.
//!
//! The cursor of some virtual displays is not drawn where its plane is: somebody else, who has the
//! mouse, moves it. Hence they have to know which pixel of the image follows the mouse. Cursor
//! planes of such a device have the properties "HOTSPOT_X" and "HOTSPOT_Y".
//!
//! A device is one of these if [`KmsDriver::cursor_hotspot`] says so.
//!
//! C header: [`include/drm/drm_plane.h`](srctree/include/drm/drm_plane.h)

use super::{
    OpaquePlane,
    OpaquePlaneState, //
};
use crate::{
    bindings,
    drm::{
        driver::FEAT_CURSOR_HOTSPOT,
        kms::KmsDriver, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Lets the cursors of `drm` do without hotspots.
///
/// # Safety
///
/// `drm` must be a valid device that is not registered and has no mode objects yet, and only be
/// used by this thread.
pub(in crate::drm::kms) unsafe fn disable(drm: *mut bindings::drm_device) {
    // SAFETY: The safety requirements of this function.
    unsafe { (*drm).driver_features &= !FEAT_CURSOR_HOTSPOT };
}

impl<D: KmsDriver> OpaquePlane<D> {
    /// Whether there are the properties. They come with the plane, and never go.
    fn has_hotspot(&self) -> bool {
        let plane = self.as_raw();

        // SAFETY: The plane is initialized by the type invariants.
        unsafe { !(*plane).hotspot_x_property.is_null() && !(*plane).hotspot_y_property.is_null() }
    }

    /// Checks that a new cursor plane has the properties if the device has hotspots.
    ///
    /// The core goes on without them if there is no memory.
    pub(in crate::drm::kms) fn check_hotspot(&self) -> Result {
        // SAFETY: The device is valid, and its features do not change once it has planes.
        let features = unsafe { (*self.drm_dev().as_raw()).driver_features };

        if features & FEAT_CURSOR_HOTSPOT == 0 || self.has_hotspot() {
            Ok(())
        } else {
            Err(ENOMEM)
        }
    }
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// Returns the hotspot of the cursor, x and y in pixels from the upper left corner of its
    /// image.
    ///
    /// User space can set both to any number. `None` if the plane is no cursor, or the device has
    /// no hotspots; see [`KmsDriver::cursor_hotspot`].
    ///
    /// This is the only part of a state that changes while the state is the current one: the ioctl
    /// for legacy cursors writes it there before it makes an update. Hence the old state of that
    /// update has the new hotspot as well, and x and y can be those of different calls; the update
    /// that follows has both right.
    ///
    /// C: `struct drm_plane_state`, `hotspot_x` and `hotspot_y`.
    pub fn hotspot(&self) -> Option<(i32, i32)> {
        if !self.plane().has_hotspot() {
            return None;
        }
        let state = self.as_raw();

        // SAFETY: The state is valid by the type invariants. Whoever else writes to the hotspot
        // while there is a reference to the state, uses `WRITE_ONCE()`.
        let (x, y) = unsafe {
            (
                Atomic::from_ptr(&raw mut (*state).hotspot_x),
                Atomic::from_ptr(&raw mut (*state).hotspot_y),
            )
        };

        Some((x.load(Relaxed), y.load(Relaxed)))
    }
}
