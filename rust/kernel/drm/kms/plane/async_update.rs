// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Updates of a plane that do not wait for a vertical blank.
//!
//! User space moves the legacy cursor as often as it likes, and expects neither to wait for a page
//! flip nor to delay one. Hence such an update makes no new state: it exchanges what the current
//! state shows.
//!
//! C header:
//! [`include/drm/drm_modeset_helper_vtables.h`](srctree/include/drm/drm_modeset_helper_vtables.h)

use super::{
    DriverPlane,
    Plane,
    PlaneState, //
};
use crate::{
    bindings,
    drm::kms::{
        atomic::crtc_entry,
        crtc::{
            Crtc,
            CrtcState,
            DriverCrtc,
            OpaqueCrtcState, //
        },
    },
    prelude::*,
    types::NotThreadSafe, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// An update of a plane of the kind `T` that has just changed the current state of the plane.
///
/// # Invariants
///
/// - `commit` is a valid commit of a device of the driver of `T` that never becomes the current
///   one, and is only used by this thread for `'a`.
/// - The lock of the plane that `state` is the current state of is held for `'a`.
pub struct AsyncUpdate<'a, T: DriverPlane> {
    commit: NonNull<bindings::drm_atomic_commit>,
    state: &'a PlaneState<T>,
    _not_send: NotThreadSafe,
}

impl<T: DriverPlane> AsyncUpdate<'_, T> {
    /// Returns the state of the plane, which shows what the update wants already.
    pub fn state(&self) -> &PlaneState<T> {
        self.state
    }

    /// Returns the state of `crtc` that the update was checked with, or `None` if it is not part
    /// of the update.
    ///
    /// It is freed after the update. It is a copy of the state that was current at the check, which
    /// the hardware may not show yet.
    ///
    /// C: `drm_atomic_get_new_crtc_state()`.
    pub fn get_new_crtc_state<C: DriverCrtc<Driver = T::Driver>>(
        &self,
        crtc: &Crtc<C>,
    ) -> Option<&CrtcState<C>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { crtc_entry(self.commit, crtc) }?;

        // SAFETY: The state lives as long as the commit. Nobody changes it any more, since the
        // commit has been checked.
        CrtcState::try_from_opaque(unsafe { OpaqueCrtcState::from_raw(entry.new_state) })
    }
}

impl<T: DriverPlane> Plane<T> {
    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`] and be part of `commit`.
    pub(super) unsafe extern "C" fn atomic_async_check_callback(
        _plane: *mut bindings::drm_plane,
        _commit: *mut bindings::drm_atomic_commit,
        flip: bool,
    ) -> c_int {
        // The core also asks here whether page flips of a plane other than the primary one can do
        // without a vertical blank, which has nothing to do with updates of the cursor.
        if flip && !T::ASYNC_PAGE_FLIP {
            EINVAL.to_errno()
        } else {
            0
        }
    }

    /// # Safety
    ///
    /// - `plane` must have been created by [`Self::new`], and be part of `commit`, which must have
    ///   been checked and prepared, and only be used by this thread.
    /// - The lock of the plane must be held, and no update that it is part of may be on its way to
    ///   the hardware.
    pub(super) unsafe extern "C" fn atomic_async_update_callback(
        plane: *mut bindings::drm_plane,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: A plane that is part of a commit has an entry in its array. The current state of
        // the plane does not become another one while the lock of the plane is held.
        let (current, new) = unsafe {
            let entry = (*commit).planes.add((*plane).index as usize);

            ((*plane).state, (*entry).new_state)
        };

        // There are no references to either state:
        //
        // - Only this thread uses the new one, and what borrowed it has returned.
        // - References to the current one exist while an update that it belongs to is carried out,
        //   while the lock of the plane is held for a check or to copy it, and while the
        //   `panic_lock` is held. The first are over, and this thread holds both locks.
        //
        // SAFETY: Both are states of the plane, hence a `PlaneState<T>`; see above.
        unsafe {
            let flags = bindings::drm_panic_lock((*plane).dev);

            exchange(current, new);
            ptr::swap(
                &raw mut (*current.cast::<PlaneState<T>>()).inner,
                &raw mut (*new.cast::<PlaneState<T>>()).inner,
            );
            bindings::drm_panic_unlock((*plane).dev, flags);
        }

        // INVARIANT: By the safety requirements; a state of the plane is a `PlaneState<T>`.
        //
        // SAFETY: As above. The current state is not changed any more before this returns.
        let (plane, update) = unsafe {
            (
                Self::from_raw(plane),
                AsyncUpdate {
                    commit: NonNull::new_unchecked(commit),
                    state: &*current.cast::<PlaneState<T>>(),
                    _not_send: NotThreadSafe,
                },
            )
        };

        T::atomic_async_update(plane, &update);
    }
}

/// Exchanges the framebuffers, and makes `current` show its new one where `new` says.
///
/// The core does such an update only if it changes nothing else, and gives up the old framebuffer
/// with `new`.
///
/// # Safety
///
/// Both must be valid states of the same plane, to which there are no references.
unsafe fn exchange(current: *mut bindings::drm_plane_state, new: *mut bindings::drm_plane_state) {
    // SAFETY: The safety requirements of this function.
    unsafe {
        ptr::swap(&raw mut (*current).fb, &raw mut (*new).fb);

        (*current).crtc_x = (*new).crtc_x;
        (*current).crtc_y = (*new).crtc_y;
        (*current).crtc_w = (*new).crtc_w;
        (*current).crtc_h = (*new).crtc_h;
        (*current).src_x = (*new).src_x;
        (*current).src_y = (*new).src_y;
        (*current).src_w = (*new).src_w;
        (*current).src_h = (*new).src_h;
        (*current).src = (*new).src;
        (*current).dst = (*new).dst;
        (*current).visible = (*new).visible;
    }
}
