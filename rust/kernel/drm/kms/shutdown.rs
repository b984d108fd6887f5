// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Turning everything off when the device goes.

use super::lock::with_all_locked;
use crate::{
    bindings,
    device,
    error::to_result,
    prelude::*,
    sync::rcu::synchronize_rcu, //
};

/// How often to try what may succeed later, which takes 10 seconds.
const TRIES: u32 = 500;

/// How long to wait before the next try, in milliseconds.
const PAUSE: u32 = 20;

/// Turns everything off, or keeps what is still on from being freed.
///
/// May sleep, and takes all modeset locks.
///
/// C: `drm_atomic_helper_shutdown()`.
///
/// # Safety
///
/// `dev` must be a device with a mode configuration and initial states of all objects, which has
/// been unplugged.
//
// Not inlined, since drivers that are modules could not call all of the C functions.
#[inline(never)]
pub(super) unsafe fn shutdown(dev: *mut bindings::drm_device) {
    // SAFETY: The requirements of this function are those of both.
    let Err(err) = (unsafe { try_disable_all(dev) }) else {
        // Whoever has found a fence not signalled may look at the name of its CRTC until then.
        synchronize_rcu();
        return;
    };

    // SAFETY: A device has a parent, and the caller a reference to the device.
    let parent = unsafe { device::Device::<device::Normal>::from_raw((*dev).dev) };
    dev_err!(
        parent,
        "Cannot turn everything off ({err:?}), the DRM device is kept\n"
    );

    // SAFETY: The driver of a device and its file operations live as long as the driver's module,
    // which is there, since the caller is unregistering a device of it.
    let is_kept = unsafe { keep_module((*(*(*dev).driver).fops).owner) };

    if is_kept {
        // SAFETY: The caller has a reference to the device. This one is never given back, so that
        // what is on does not lose its data.
        unsafe { bindings::drm_dev_get(dev) };
        return;
    }

    // The module is being removed, and cannot be kept from that.
    //
    // SAFETY: The requirements of this function are those of `try_disable_all()`.
    while unsafe { try_disable_all(dev) }.is_err() {
        // SAFETY: This may sleep.
        unsafe { bindings::msleep(PAUSE) };
    }
    synchronize_rcu();
}

/// Turns everything off, and tries again if that may help.
///
/// # Safety
///
/// See [`shutdown`].
unsafe fn try_disable_all(dev: *mut bindings::drm_device) -> Result {
    let mut result = Ok(());

    for _ in 0..TRIES {
        // SAFETY: The requirements of this function are those of `disable_all()`.
        result = unsafe { disable_all(dev) };

        match result {
            Ok(()) => break,
            // A signal keeps the core from waiting for the update before, which goes on.
            Err(err) if [EINTR, ERESTARTSYS, ENOMEM].contains(&err) => {}
            Err(_) => break,
        }

        // SAFETY: This may sleep, whoever has sent a signal.
        unsafe { bindings::msleep(PAUSE) };
    }

    result
}

/// # Safety
///
/// See [`shutdown`].
unsafe fn disable_all(dev: *mut bindings::drm_device) -> Result {
    let mut disable = |ctx| {
        // SAFETY: `dev` has states of all objects by the safety requirements, and all locks are
        // held with `ctx`.
        to_result(unsafe { bindings::drm_atomic_helper_disable_all(dev, ctx) })
    };

    // SAFETY: `dev` has a mode configuration by the safety requirements.
    unsafe { with_all_locked(dev, &mut disable) }
}

/// Keeps a module, if it is not being removed already.
///
/// # Safety
///
/// `module` must be NULL or a module that is there.
#[cfg(CONFIG_MODULE_UNLOAD)]
unsafe fn keep_module(module: *mut bindings::module) -> bool {
    // SAFETY: The requirements of this function are those of `try_module_get()`. The reference is
    // never given back.
    unsafe { bindings::try_module_get(module) }
}

/// Modules are never removed.
///
/// # Safety
///
/// None.
#[cfg(not(CONFIG_MODULE_UNLOAD))]
unsafe fn keep_module(_module: *mut bindings::module) -> bool {
    true
}
