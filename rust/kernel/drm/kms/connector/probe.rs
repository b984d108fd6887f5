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
}

impl<T: DriverConnector> Deref for ConnectorProbe<'_, T> {
    type Target = Connector<T>;

    fn deref(&self) -> &Self::Target {
        self.connector
    }
}
