// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Suspend, resume, reset and shutdown.
//!
//! C headers: [`include/drm/drm_modeset_helper.h`](srctree/include/drm/drm_modeset_helper.h),
//! [`include/drm/drm_atomic_helper.h`](srctree/include/drm/drm_atomic_helper.h),
//! [`include/drm/drm_modeset_lock.h`](srctree/include/drm/drm_modeset_lock.h)

use super::{
    lock::with_all_locked,
    KmsDriver, //
};
use crate::{
    bindings,
    container_of,
    device,
    drm,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::{
    mem,
    ptr, //
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

    /// Sets everything up as it was when [`suspend`](Self::suspend) turned it off.
    ///
    /// The hardware may have lost all of its state. What user space has turned on since then is
    /// turned off. Does nothing if the DRM device is not registered (any more). Fails with `EINVAL`
    /// if `parent` is not the parent device or the device is not suspended, and with an error of
    /// the core otherwise; what was on stays off then. May sleep, and takes all modeset locks.
    ///
    /// C: `drm_mode_config_helper_resume()`, but for `drm_mode_config_reset()`: that would free the
    /// current states without a lock, and user space may be using them.
    pub fn resume(&self, parent: &device::Device<device::Core<'_>>) -> Result {
        self.check_parent(parent)?;

        let Some(dev) = self.kms_guard() else {
            return Ok(());
        };

        // SAFETY: As in `suspend()`.
        let suspended = unsafe {
            mem::replace(
                &mut (*dev.as_raw()).mode_config.suspend_state,
                ptr::null_mut(),
            )
        };

        if suspended.is_null() {
            return Err(EINVAL);
        }

        // SAFETY: The device was set up and is registered, hence it has a mode configuration and
        // states of all objects. The mode configuration owned a reference to `suspended`, which
        // `suspend()` has made.
        unsafe { resume(dev.as_raw(), suspended) }
    }

    /// Turns everything off, e.g. before the system is restarted.
    ///
    /// Does nothing if the DRM device is not registered (any more). May sleep, and takes all
    /// modeset locks.
    ///
    /// C: `drm_atomic_helper_shutdown()`.
    pub fn shutdown(&self) {
        if self.is_kms_registered() {
            // SAFETY: The device was set up, hence it has a mode configuration and states of all
            // objects, and keeps them.
            unsafe { bindings::drm_atomic_helper_shutdown(self.as_raw()) };
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
        if !self.is_kms_registered() {
            return Ok(());
        }

        let ctx = Opaque::<bindings::drm_modeset_acquire_ctx>::zeroed();
        let mut result = Ok(());

        // SAFETY: The device was set up, hence it has a mode configuration and states of all
        // objects, and keeps them. The list of CRTCs does not change any more, and all of its
        // entries but its head are CRTCs. `ctx` stays where it is, and the locks that belong to it
        // are dropped before it goes.
        unsafe {
            bindings::drm_modeset_acquire_init(ctx.get(), 0);

            let head = &raw mut (*self.as_raw()).mode_config.crtc_list;
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

    /// Returns whether the device has been set up and is registered.
    ///
    /// If so then it keeps its mode configuration, even if it is unregistered from now on. For what
    /// waits for updates: these can take as long as user space likes, and whoever unplugs any DRM
    /// device waits for each [guard](Self::kms_guard).
    fn is_kms_registered(&self) -> bool {
        self.kms_guard().is_some()
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

/// Carries out what was saved when the device was suspended, and lets its clients go on.
///
/// # Safety
///
/// `dev` must be a device with a mode configuration and states of all objects. `suspended` must be
/// what `drm_atomic_helper_suspend()` has returned for it, and the caller own a reference to that,
/// which this takes over.
//
// Not inlined, since drivers that are modules could not call all of the C functions.
#[inline(never)]
unsafe fn resume(
    dev: *mut bindings::drm_device,
    suspended: *mut bindings::drm_atomic_commit,
) -> Result {
    let mut commit = |ctx| {
        // SAFETY: `suspended` is a duplicate of states of `dev` by the safety requirements, and all
        // locks are held with `ctx`. This takes the current states for the old ones.
        to_result(unsafe { bindings::drm_atomic_helper_commit_duplicated_state(suspended, ctx) })
    };

    // SAFETY: By the safety requirements `dev` has a mode configuration, and there is a reference
    // to `suspended`, which is given back once nobody uses it any more. A suspended device has
    // suspended clients.
    unsafe {
        let result = with_all_locked(dev, &mut commit);

        bindings::drm_atomic_commit_put(suspended);
        bindings::drm_client_dev_resume(dev);

        result
    }
}
