// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Suspend, resume, reset and shutdown.
//!
//! C headers: [`include/drm/drm_modeset_helper.h`](srctree/include/drm/drm_modeset_helper.h),
//! [`include/drm/drm_atomic_helper.h`](srctree/include/drm/drm_atomic_helper.h),
//! [`include/drm/drm_modeset_lock.h`](srctree/include/drm/drm_modeset_lock.h)

use super::KmsDriver;
use crate::{
    bindings,
    container_of,
    device,
    drm,
    error::to_result,
    prelude::*,
    types::Opaque, //
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

    /// Turns off and on again all that is on, after the hardware has lost its state in a reset.
    ///
    /// Updates of user space are carried out before or after that, also while the hardware does
    /// not answer. Does nothing if the DRM device is not registered (any more). Fails with an error
    /// of the core; what could not be set up stays as it is then, until user space changes the
    /// mode. May sleep, and takes all modeset locks.
    ///
    /// C: `drm_atomic_helper_reset_crtc()`, for each CRTC.
    pub fn reset(&self) -> Result {
        let Some(dev) = self.kms_guard() else {
            return Ok(());
        };
        let ctx = Opaque::<bindings::drm_modeset_acquire_ctx>::zeroed();
        let mut result = Ok(());

        // SAFETY: The device was set up and is registered, hence it has a mode configuration and
        // states of all objects. The list of CRTCs does not change any more, and all of its
        // entries but its head are CRTCs. `ctx` stays where it is, and the locks that belong to it
        // are dropped before it goes.
        unsafe {
            bindings::drm_modeset_acquire_init(ctx.get(), 0);

            let head = &raw mut (*dev.as_raw()).mode_config.crtc_list;
            let mut entry = (*head).next;

            while entry != head {
                let crtc = container_of!(entry, bindings::drm_crtc, head);
                let ret = bindings::drm_atomic_helper_reset_crtc(crtc, ctx.get());

                if ret == EDEADLK.to_errno() {
                    // The locks were wanted by somebody who was first. This is a try again.
                    bindings::drm_modeset_backoff(ctx.get());
                    continue;
                }
                result = result.and(to_result(ret));
                entry = (*entry).next;
            }

            bindings::drm_modeset_drop_locks(ctx.get());
            bindings::drm_modeset_acquire_fini(ctx.get());
        }

        result
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
