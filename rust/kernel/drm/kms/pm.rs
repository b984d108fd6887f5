// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Suspend, resume and shutdown.
//!
//! C headers: [`include/drm/drm_modeset_helper.h`](srctree/include/drm/drm_modeset_helper.h),
//! [`include/drm/drm_atomic_helper.h`](srctree/include/drm/drm_atomic_helper.h)

use super::KmsDriver;
use crate::{
    bindings,
    device,
    drm,
    error::to_result,
    prelude::*, //
};

impl<D: KmsDriver> drm::Device<D> {
    /// Turns everything off until [`resume`](Self::resume), and lets the console wait for that.
    ///
    /// `parent` is the device that is being suspended: its lock is held, so that there is no other
    /// suspend or resume meanwhile. Does nothing if the DRM device is not registered (any more).
    /// Fails with `EINVAL` if `parent` is not the parent device, with `EBUSY` if the device is
    /// suspended already, and with an error of the core otherwise. May sleep, and takes all modeset
    /// locks.
    ///
    /// C: `drm_mode_config_helper_suspend()`.
    pub fn suspend(&self, parent: &device::Device<device::Core<'_>>) -> Result {
        self.check_parent(parent)?;

        let Some(dev) = self.kms_guard() else {
            return Ok(());
        };

        // SAFETY: The device was set up and is registered, hence its mode configuration is
        // initialized. Nobody else changes the state, since the lock of the parent is held.
        unsafe {
            if !(*dev.as_raw()).mode_config.suspend_state.is_null() {
                return Err(EBUSY);
            }
            to_result(bindings::drm_mode_config_helper_suspend(dev.as_raw()))
        }
    }

    /// Turns everything on that [`suspend`](Self::suspend) has turned off.
    ///
    /// The hardware may have lost all of its state. Does nothing if the DRM device is not
    /// registered (any more). Fails with `EINVAL` if `parent` is not the parent device or the
    /// device is not suspended, and with an error of the core otherwise. May sleep, and takes all
    /// modeset locks.
    ///
    /// C: `drm_mode_config_helper_resume()`.
    pub fn resume(&self, parent: &device::Device<device::Core<'_>>) -> Result {
        self.check_parent(parent)?;

        let Some(dev) = self.kms_guard() else {
            return Ok(());
        };

        // SAFETY: As in `suspend()`.
        unsafe {
            if (*dev.as_raw()).mode_config.suspend_state.is_null() {
                return Err(EINVAL);
            }
            to_result(bindings::drm_mode_config_helper_resume(dev.as_raw()))
        }
    }

    /// Turns everything off, e.g. before the system is restarted.
    ///
    /// Does nothing if the DRM device is not registered (any more). May sleep, and takes all
    /// modeset locks.
    ///
    /// C: `drm_atomic_helper_shutdown()`.
    pub fn shutdown(&self) {
        if let Some(dev) = self.kms_guard() {
            // SAFETY: The device was set up and is registered, hence it has a mode configuration
            // and states of all objects.
            unsafe { bindings::drm_atomic_helper_shutdown(dev.as_raw()) };
        }
    }

    fn check_parent(&self, parent: &device::Device<device::Core<'_>>) -> Result {
        // SAFETY: The parent of a device does not change.
        let own = unsafe { (*self.as_raw()).dev };

        if own == parent.as_raw() {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}
