// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Which objects an update has states of, and whether it is carried out.
//!
//! C header: [`include/drm/drm_atomic.h`](srctree/include/drm/drm_atomic.h)

use crate::{
    bindings,
    prelude::*, //
};

/// The old and the new state of an object in an update.
pub(super) struct Entry<S> {
    pub(super) old_state: *mut S,
    pub(super) new_state: *mut S,
}

/// Returns the states of all CRTCs that are part of `commit`.
///
/// # Safety
///
/// `commit` must be valid, and nobody may add states to it while the iterator is used.
pub(super) unsafe fn crtc_states(
    commit: *const bindings::drm_atomic_commit,
) -> impl Iterator<Item = Entry<bindings::drm_crtc_state>> {
    // SAFETY: The commit is valid by the safety requirements.
    let count = unsafe { (*(*commit).dev).mode_config.num_crtc.unsigned_abs() as usize };

    (0..count).filter_map(move |index| {
        // SAFETY: A valid commit has an entry for each CRTC of its device.
        let entry = unsafe { &*(*commit).crtcs.add(index) };

        (!entry.ptr.is_null()).then_some(Entry {
            old_state: entry.old_state,
            new_state: entry.new_state,
        })
    })
}

/// Returns the states of all planes that are part of `commit`.
///
/// # Safety
///
/// `commit` must be valid, and nobody may add states to it while the iterator is used.
pub(super) unsafe fn plane_states(
    commit: *const bindings::drm_atomic_commit,
) -> impl Iterator<Item = Entry<bindings::drm_plane_state>> {
    // SAFETY: The commit is valid by the safety requirements.
    let count = unsafe { (*(*commit).dev).mode_config.num_total_plane.unsigned_abs() as usize };

    (0..count).filter_map(move |index| {
        // SAFETY: A valid commit has an entry for each plane of its device.
        let entry = unsafe { &*(*commit).planes.add(index) };

        (!entry.ptr.is_null()).then_some(Entry {
            old_state: entry.old_state,
            new_state: entry.new_state,
        })
    })
}

/// Carries an update out, unless the device is gone and something would be turned on.
///
/// An ioctl that began before the device was unplugged can have waited for the locks until
/// everything was turned off. Nobody would turn off what it turns on.
///
/// # Safety
///
/// `commit` must be an update of the device `dev` that has been checked.
pub(super) unsafe extern "C" fn commit_callback(
    dev: *mut bindings::drm_device,
    commit: *mut bindings::drm_atomic_commit,
    nonblock: bool,
) -> c_int {
    let mut index = 0;

    // SAFETY: `dev` is a valid device by the safety requirements.
    let plugged = unsafe { bindings::drm_dev_enter(dev, &mut index) };

    if plugged {
        // Whoever unplugs any DRM device waits until here, so nothing may come before this that
        // waits for others, e.g. for fences. If this device is unplugged from now on then the
        // update is turned off again: `shutdown()` comes later, and waits for the locks of the
        // update's CRTCs, which the caller holds until the update is the current one.
        //
        // SAFETY: This ends what `drm_dev_enter()` began.
        unsafe { bindings::drm_dev_exit(index) };
    }

    // SAFETY: The requirements of this function are those of both.
    unsafe {
        if plugged || !turns_on(commit) {
            bindings::drm_atomic_helper_commit(dev, commit, nonblock)
        } else {
            ENODEV.to_errno()
        }
    }
}

/// Returns whether the update turns a CRTC on, gives it connectors, or gives a plane a framebuffer:
/// there are references then.
///
/// # Safety
///
/// `commit` must be an update, to which no other thread adds states.
pub(super) unsafe fn turns_on(commit: *const bindings::drm_atomic_commit) -> bool {
    // SAFETY: The update is valid by the safety requirements, and so are its states.
    unsafe {
        crtc_states(commit).any(|crtc| {
            let (old, new) = (crtc.old_state, crtc.new_state);

            (*new).active && !(*old).active || (*new).enable && !(*old).enable
        }) || plane_states(commit).any(|plane| {
            let (old, new) = (plane.old_state, plane.new_state);

            !(*new).fb.is_null() && (*new).fb != (*old).fb
        })
    }
}
