// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How the DRM core calls the driver of a plane.
//!
//! C header:
//! [`include/drm/drm_modeset_helper_vtables.h`](srctree/include/drm/drm_modeset_helper_vtables.h)

use super::{
    DriverPlane,
    OpaquePlaneState,
    Plane,
    PlaneState,
    PlaneStateMut, //
};
use crate::{
    bindings,
    drm::kms::{
        atomic::{
            of_driver,
            AtomicCheck,
            AtomicCommit, //
        },
        panic::ScanoutBuffer,
        print::StatePrinter,
        DriverState, //
    },
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    vtable::Identity, //
};
use core::ptr;

/// The operations of a kind of plane.
///
/// The core only knows `funcs`, and has a pointer to it in each plane.
#[repr(C)]
pub(super) struct PlaneOps {
    pub(super) funcs: bindings::drm_plane_funcs,
    pub(super) helper_funcs: bindings::drm_plane_helper_funcs,
    pub(super) id: &'static Identity,
}

impl<T: DriverPlane> Plane<T> {
    pub(super) const OPS: PlaneOps = PlaneOps {
        funcs: bindings::drm_plane_funcs {
            update_plane: Some(bindings::drm_atomic_helper_update_plane),
            disable_plane: Some(bindings::drm_atomic_helper_disable_plane),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(Self::create_state_callback),
            atomic_duplicate_state: Some(Self::duplicate_state_callback),
            atomic_destroy_state: Some(Self::destroy_state_callback),
            atomic_print_state: if T::HAS_ATOMIC_PRINT_STATE {
                Some(Self::print_state_callback)
            } else {
                None
            },
            format_mod_supported_async: if T::ASYNC_PAGE_FLIP {
                Some(Self::format_mod_supported_async_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        helper_funcs: bindings::drm_plane_helper_funcs {
            atomic_check: Some(Self::atomic_check_callback),
            prepare_fb: if T::HAS_PREPARE_FB {
                Some(Self::prepare_fb_callback)
            } else {
                None
            },
            atomic_update: Some(Self::atomic_update_callback),
            atomic_disable: if T::HAS_ATOMIC_DISABLE {
                Some(Self::atomic_disable_callback)
            } else {
                None
            },
            atomic_async_check: if T::HAS_ATOMIC_ASYNC_UPDATE || T::ASYNC_PAGE_FLIP {
                Some(Self::atomic_async_check_callback)
            } else {
                None
            },
            atomic_async_update: if T::HAS_ATOMIC_ASYNC_UPDATE {
                Some(Self::atomic_async_update_callback)
            } else {
                None
            },
            get_scanout_buffer: if T::HAS_GET_SCANOUT_BUFFER {
                Some(Self::get_scanout_buffer_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        id: T::UNIQUE_ID.identity(),
    };

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`], and be used by nobody any more.
    unsafe extern "C" fn destroy_callback(plane: *mut bindings::drm_plane) {
        // SAFETY: The core calls this once, when the device is freed.
        unsafe { bindings::drm_plane_cleanup(plane) };

        // SAFETY: The memory was taken from a pinned `KBox` in `new()`.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(plane.cast::<Self>())) });
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`].
    unsafe extern "C" fn create_state_callback(
        plane: *mut bindings::drm_plane,
    ) -> *mut bindings::drm_plane_state {
        match PlaneState::<T>::alloc(T::State::new()) {
            Ok(state) => {
                // SAFETY: `state` is new and zeroed, and `plane` is the plane that it is for.
                unsafe { bindings::__drm_atomic_helper_plane_state_init(state, plane) };
                state
            }
            Err(err) => err.to_ptr(),
        }
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`] and have a state. Its lock must be held.
    unsafe extern "C" fn duplicate_state_callback(
        plane: *mut bindings::drm_plane,
    ) -> *mut bindings::drm_plane_state {
        // SAFETY: The current state of `plane` was allocated by `PlaneState::<T>::alloc()` and is
        // not replaced while the lock of the plane is held.
        let current = unsafe { &*(*plane).state.cast::<PlaneState<T>>() };

        match PlaneState::<T>::alloc(current.inner.duplicate()) {
            Ok(state) => {
                // SAFETY: `state` is new, and the lock of the plane is held.
                unsafe { bindings::__drm_atomic_helper_plane_duplicate_state(plane, state) };
                state
            }
            Err(_) => ptr::null_mut(),
        }
    }

    /// # Safety
    ///
    /// `state` must be a state of a plane that was created by [`Self::new`], used by nobody.
    unsafe extern "C" fn destroy_state_callback(
        _plane: *mut bindings::drm_plane,
        state: *mut bindings::drm_plane_state,
    ) {
        // SAFETY: Nobody uses the state any more.
        unsafe { bindings::__drm_atomic_helper_plane_destroy_state(state) };

        // SAFETY: All states of the plane were allocated by `PlaneState::<T>::alloc()`.
        drop(unsafe { KBox::from_raw(state.cast::<PlaneState<T>>()) });
    }

    /// # Safety
    ///
    /// `state` must be a state of a plane that was created by [`Self::new`], and not change
    /// meanwhile. `printer` must be valid and used by nobody else.
    unsafe extern "C" fn print_state_callback(
        printer: *mut bindings::drm_printer,
        state: *const bindings::drm_plane_state,
    ) {
        // SAFETY: The safety requirements of this function. All states of the plane are a
        // `PlaneState<T>`.
        let (plane, state, printer) = unsafe {
            (
                Self::from_raw((*state).plane),
                &*state.cast::<PlaneState<T>>(),
                StatePrinter::from_raw(printer),
            )
        };

        T::atomic_print_state(plane, state, printer);
    }

    /// # Safety
    ///
    /// Always safe to call.
    unsafe extern "C" fn format_mod_supported_async_callback(
        _plane: *mut bindings::drm_plane,
        _format: u32,
        _modifier: u64,
    ) -> bool {
        true
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`], and `commit` be in the check phase.
    unsafe extern "C" fn atomic_check_callback(
        plane: *mut bindings::drm_plane,
        commit: *mut bindings::drm_atomic_commit,
    ) -> c_int {
        // SAFETY: The safety requirements of this function; a commit in the check phase belongs to
        // this thread.
        let (plane, check) = unsafe { (Self::from_raw(plane), AtomicCheck::new(commit)) };

        from_result(|| check.result(T::atomic_check(plane, &check)).map(|()| 0))
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`], and `state` be a state of it that has not
    /// been committed yet.
    unsafe extern "C" fn prepare_fb_callback(
        plane: *mut bindings::drm_plane,
        state: *mut bindings::drm_plane_state,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The safety requirements of this function.
            to_result(unsafe { bindings::drm_gem_plane_helper_prepare_fb(plane, state) })?;

            // SAFETY: A state that has not been committed yet belongs to this thread, and all
            // states of the plane are a `PlaneState<T>`.
            let (plane, mut state) =
                unsafe { (Self::from_raw(plane), PlaneStateMut::from_raw(state)) };

            of_driver(T::prepare_fb(plane, &mut state)).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_update_callback(
        plane: *mut bindings::drm_plane,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: The safety requirements of this function.
        let (plane, commit) = unsafe { (Self::from_raw(plane), AtomicCommit::new(&commit)) };

        T::atomic_update(plane, &commit);
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_disable_callback(
        plane: *mut bindings::drm_plane,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: The safety requirements of this function.
        let (plane, commit) = unsafe { (Self::from_raw(plane), AtomicCommit::new(&commit)) };

        T::atomic_disable(plane, &commit);
    }

    /// # Safety
    ///
    /// `plane` must have been created by [`Self::new`] and have a state, `buffer` must be valid for
    /// writes, and the `panic_lock` of the device must be held for as long as it is used.
    unsafe extern "C" fn get_scanout_buffer_callback(
        plane: *mut bindings::drm_plane,
        buffer: *mut bindings::drm_scanout_buffer,
    ) -> c_int {
        from_result(|| {
            // SAFETY: A state that has become the current one changes only with the `panic_lock`
            // held. It is freed after another one has taken its place, which needs that, too.
            let (plane, state) = unsafe {
                (
                    Self::from_raw(plane),
                    OpaquePlaneState::from_raw((*plane).state),
                )
            };

            if !state.visible() {
                return Err(ENODEV);
            }

            let state = PlaneState::try_from_opaque(state).ok_or(ENODEV)?;
            let guard = plane.drm_dev().registration_guard().ok_or(ENODEV)?;
            let parent = (*guard).as_ref();
            let found = guard
                .registration_data_with(|data| {
                    T::get_scanout_buffer(plane, state, data, parent).map(ScanoutBuffer::into_raw)
                })
                .ok_or(ENODEV)?;

            // What was found is valid for as long as the state is, and for as long as the device
            // is registered: a device that is unregistered waits for those who draw, before the
            // registration data is dropped and the resources of the parent are released.
            //
            // SAFETY: `buffer` is valid for writes by the safety requirements.
            unsafe { *buffer = found };

            Ok(0)
        })
    }
}
