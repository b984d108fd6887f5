// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Finding out the modes of a connector.
//!
//! C headers: [`include/drm/drm_probe_helper.h`](srctree/include/drm/drm_probe_helper.h),
//! [`include/drm/drm_edid.h`](srctree/include/drm/drm_edid.h)

use super::{
    Connector,
    DriverConnector, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::NotThreadSafe, //
};
use core::{
    ops::Deref,
    ptr, //
};

/// A connector whose modes are being found out.
///
/// # Invariants
///
/// The lock of the mode configuration of the connector's device is held by this thread.
pub struct ConnectorProbe<'a, T: DriverConnector> {
    connector: &'a Connector<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T: DriverConnector> ConnectorProbe<'a, T> {
    /// # Safety
    ///
    /// The lock of the mode configuration of the connector's device must be held for `'a`.
    pub(super) unsafe fn new(connector: &'a Connector<T>) -> Self {
        // INVARIANT: By the safety requirements of this function.
        Self {
            connector,
            _not_send: NotThreadSafe,
        }
    }

    /// Adds the standard modes that are not larger than `width` and `height`, in pixels.
    ///
    /// Returns how many were added.
    ///
    /// C: `drm_add_modes_noedid()`.
    pub fn add_modes_noedid(&self, width: u32, height: u32) -> u32 {
        // SAFETY: The lock of the mode configuration is held by the type invariants.
        let count = unsafe { bindings::drm_add_modes_noedid(self.as_raw(), width, height) };

        count.try_into().unwrap_or(0)
    }

    /// Makes the modes of this size, in pixels, the preferred ones.
    ///
    /// C: `drm_set_preferred_mode()`.
    pub fn set_preferred_mode(&self, width: u32, height: u32) {
        // A size that the C type cannot hold is that of no mode.
        if let (Ok(width), Ok(height)) = (width.try_into(), height.try_into()) {
            // SAFETY: The lock of the mode configuration is held by the type invariants.
            unsafe { bindings::drm_set_preferred_mode(self.as_raw(), width, height) };
        }
    }

    /// Takes over what the EDID of the display says, and adds its modes.
    ///
    /// Returns how many were added. An EDID with errors is used as far as possible; none at all
    /// removes what an earlier one said. Fails with `EINVAL` if it is shorter than one block, 128
    /// bytes, and with `ENOMEM`.
    ///
    /// C: `drm_edid_connector_update()`, `drm_edid_connector_add_modes()`.
    pub fn update_edid(&self, edid: Option<&[u8]>) -> Result<u32> {
        let edid = match edid {
            Some(edid) if edid.len() < bindings::EDID_LENGTH as usize => return Err(EINVAL),
            Some(edid) => {
                // SAFETY: `edid` is valid for reads of its length, and copied.
                let edid = unsafe { bindings::drm_edid_alloc(edid.as_ptr().cast(), edid.len()) };
                if edid.is_null() {
                    return Err(ENOMEM);
                }
                edid
            }
            None => ptr::null(),
        };

        // SAFETY: The lock of the mode configuration is held by the type invariants. `edid` is NULL
        // or was allocated above, and the connector takes a copy.
        let count = unsafe {
            let ret = bindings::drm_edid_connector_update(self.as_raw(), edid);
            bindings::drm_edid_free(edid);
            to_result(ret)?;

            bindings::drm_edid_connector_add_modes(self.as_raw())
        };

        Ok(count.try_into().unwrap_or(0))
    }

    /// Returns the lowest and the highest refresh rate of the display in Hz, if its
    /// [EDID](Self::update_edid) says that it can do all between the two.
    ///
    /// C: `struct drm_monitor_range_info`.
    pub fn monitor_range(&self) -> Option<(u32, u32)> {
        // SAFETY: The lock of the mode configuration is held by the type invariants, and with it
        // what is known of the display does not change.
        let range = unsafe { &(*self.as_raw()).display_info.monitor_range };

        (range.min_vfreq > 0 && range.min_vfreq < range.max_vfreq)
            .then(|| (range.min_vfreq.into(), range.max_vfreq.into()))
    }

    /// Tells user space whether the refresh rate of the display may vary.
    ///
    /// Does nothing if the connector has no
    /// [property](super::super::KmsSetup::attach_vrr_capable_property) for that.
    ///
    /// C: `drm_connector_set_vrr_capable_property()`.
    pub fn set_vrr_capable(&self, capable: bool) {
        // SAFETY: The lock of the mode configuration is held by the type invariants.
        unsafe { bindings::drm_connector_set_vrr_capable_property(self.as_raw(), capable) };
    }
}

impl<T: DriverConnector> Deref for ConnectorProbe<'_, T> {
    type Target = Connector<T>;

    fn deref(&self) -> &Self::Target {
        self.connector
    }
}
