// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The locks of all mode objects.
//!
//! C header: [`include/drm/drm_modeset_lock.h`](srctree/include/drm/drm_modeset_lock.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// Calls `update` with all modeset locks held, and again if it fails with `EDEADLK`.
///
/// `update` gets the context that the locks belong to. May sleep.
///
/// C: `DRM_MODESET_LOCK_ALL_BEGIN()`, `DRM_MODESET_LOCK_ALL_END()`.
///
/// # Safety
///
/// `dev` must be a device with a mode configuration.
//
// Not inlined, since drivers that are modules could not call all of the C functions.
#[inline(never)]
pub(super) unsafe fn with_all_locked(
    dev: *mut bindings::drm_device,
    update: &mut dyn FnMut(*mut bindings::drm_modeset_acquire_ctx) -> Result,
) -> Result {
    let ctx = Opaque::<bindings::drm_modeset_acquire_ctx>::zeroed();

    // SAFETY: `dev` has a mode configuration by the safety requirements. `ctx` does not move, and
    // the locks are dropped before it is.
    unsafe {
        bindings::drm_modeset_acquire_init(ctx.get(), 0);

        let result = loop {
            let locked = to_result(bindings::drm_modeset_lock_all_ctx(dev, ctx.get()));
            let result = locked.and_then(|()| update(ctx.get()));

            if result != Err(EDEADLK) {
                break result;
            }
            if let Err(err) = to_result(bindings::drm_modeset_backoff(ctx.get())) {
                break Err(err);
            }
        };

        bindings::drm_modeset_drop_locks(ctx.get());
        bindings::drm_modeset_acquire_fini(ctx.get());

        result
    }
}
