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
    error::{
        from_result,
        to_result, //
    },
    ffi::c_void,
    prelude::*,
    types::NotThreadSafe, //
};
use core::{
    ops::Deref,
    ptr, //
};

/// The size of a block of an EDID in bytes.
///
/// C: `EDID_LENGTH`.
pub const EDID_BLOCK_SIZE: usize = bindings::EDID_LENGTH as usize;

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

    /// Reads the EDID of the display, takes over what it says, and adds its modes.
    ///
    /// Returns how many were added, and `None` if there is no EDID, which removes what an earlier
    /// one said.
    ///
    /// `read` is given the number of a block, and fills it; it is all zeroes before. It fails if
    /// there is no EDID, or if it cannot be read. It may be called several times for a block whose
    /// checksum is wrong; such blocks, but for those of the CTA, are left out in the end, and
    /// without the first one there is no EDID. It is not called at all if user space has set an
    /// EDID of its own, in `edid_override` in debugfs or with `drm.edid_firmware`.
    ///
    /// Fails with `EINVAL` if the connector has no
    /// [property](super::super::KmsSetup::attach_edid_property) for it, and with `ENOMEM`.
    ///
    /// C: `drm_edid_read_custom()`, `drm_edid_connector_update()`,
    /// `drm_edid_connector_add_modes()`.
    pub fn read_edid<F>(&self, mut read: F) -> Result<Option<u32>>
    where
        F: FnMut(usize, &mut [u8; EDID_BLOCK_SIZE]) -> Result,
    {
        let context: *mut F = &mut read;

        // SAFETY: The lock of the mode configuration is held by the type invariants. `read_block`
        // is called before this returns, with `context`, which nobody else uses meanwhile. What is
        // returned is NULL or an EDID that belongs to this function, of which the connector takes
        // a copy.
        let count = unsafe {
            let edid = bindings::drm_edid_read_custom(
                self.as_raw(),
                Some(read_block::<F>),
                context.cast(),
            );
            let ret = bindings::drm_edid_connector_update(self.as_raw(), edid);
            bindings::drm_edid_free(edid);
            to_result(ret)?;

            if edid.is_null() {
                return Ok(None);
            }

            bindings::drm_edid_connector_add_modes(self.as_raw())
        };

        Ok(Some(count.try_into().unwrap_or(0)))
    }

    /// Returns the lowest and the highest refresh rate of the display in Hz, if its
    /// [EDID](Self::read_edid) says that it can do all between the two.
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
    /// It may not vary any more once no display is connected.
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

/// Reads a block of an EDID.
///
/// # Safety
///
/// `context` must point at an `F` that nobody else uses meanwhile, and `block` at memory of `len`
/// bytes.
unsafe extern "C" fn read_block<F>(
    context: *mut c_void,
    block: *mut u8,
    number: c_uint,
    len: usize,
) -> c_int
where
    F: FnMut(usize, &mut [u8; EDID_BLOCK_SIZE]) -> Result,
{
    let mut bytes = [0; EDID_BLOCK_SIZE];
    // SAFETY: The safety requirements of this function.
    let read = unsafe { &mut *context.cast::<F>() };

    from_result(|| {
        read(number as usize, &mut bytes)?;

        // SAFETY: The memory has `len` bytes by the safety requirements, and is not on this stack.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block, len.min(EDID_BLOCK_SIZE)) };

        Ok(0)
    })
}

impl<T: DriverConnector> Deref for ConnectorProbe<'_, T> {
    type Target = Connector<T>;

    fn deref(&self) -> &Self::Target {
        self.connector
    }
}
