// SPDX-License-Identifier: GPL-2.0 OR MIT

//! How the DRM core calls the driver of a CRTC.
//!
//! C header:
//! [`include/drm/drm_modeset_helper_vtables.h`](srctree/include/drm/drm_modeset_helper_vtables.h)

use super::{
    Crtc,
    CrtcState,
    DriverCrtc, //
};
use crate::{
    bindings,
    drm::kms::{
        atomic::{
            AtomicCheck,
            AtomicCommit, //
        },
        modes::{
            DisplayMode,
            ModeStatus, //
        },
        print::StatePrinter,
        vblank::{
            Timer,
            Vblank,
            VblankSource, //
        },
        DriverState, //
    },
    error::from_result,
    prelude::*,
    vtable::Identity, //
};
use core::{
    mem,
    ptr, //
};

/// The operations of a kind of CRTC.
///
/// The core only knows `funcs`, and has a pointer to it in each CRTC.
#[repr(C)]
pub(super) struct CrtcOps {
    pub(super) funcs: bindings::drm_crtc_funcs,
    pub(super) helper_funcs: bindings::drm_crtc_helper_funcs,
    pub(super) id: &'static Identity,
}

impl<T: DriverCrtc> Crtc<T> {
    pub(super) const OPS: CrtcOps = CrtcOps {
        funcs: bindings::drm_crtc_funcs {
            set_config: Some(bindings::drm_atomic_helper_set_config),
            page_flip: Some(bindings::drm_atomic_helper_page_flip),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(Self::create_state_callback),
            atomic_duplicate_state: Some(Self::duplicate_state_callback),
            atomic_destroy_state: Some(Self::destroy_state_callback),
            atomic_print_state: if T::HAS_ATOMIC_PRINT_STATE {
                Some(Self::print_state_callback)
            } else {
                None
            },
            enable_vblank: if T::Vblank::HAS_VBLANK {
                Some(Self::enable_vblank_callback)
            } else {
                None
            },
            disable_vblank: if T::Vblank::HAS_VBLANK {
                Some(Self::disable_vblank_callback)
            } else {
                None
            },
            get_vblank_counter: if <T::Vblank as VblankSource>::Timer::COUNTS {
                Some(Self::get_vblank_counter_callback)
            } else {
                None
            },
            get_vblank_timestamp: if T::Vblank::HAS_VBLANK {
                Some(Self::get_vblank_timestamp_callback)
            } else {
                None
            },
            get_crc_sources: if T::HAS_SET_CRC_ENABLED {
                Some(Self::get_crc_sources_callback)
            } else {
                None
            },
            verify_crc_source: if T::HAS_SET_CRC_ENABLED {
                Some(Self::verify_crc_source_callback)
            } else {
                None
            },
            set_crc_source: if T::HAS_SET_CRC_ENABLED {
                Some(Self::set_crc_source_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        helper_funcs: bindings::drm_crtc_helper_funcs {
            mode_valid: Some(Self::mode_valid_callback),
            atomic_check: Some(Self::atomic_check_callback),
            atomic_begin: if T::HAS_ATOMIC_BEGIN {
                Some(Self::atomic_begin_callback)
            } else {
                None
            },
            atomic_flush: Some(Self::atomic_flush_callback),
            atomic_enable: Some(Self::atomic_enable_callback),
            atomic_disable: Some(Self::atomic_disable_callback),
            handle_vblank_timeout: if T::HAS_HANDLE_VBLANK {
                Some(Self::handle_vblank_timeout_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        id: T::UNIQUE_ID.identity(),
    };

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and be used by nobody any more.
    unsafe extern "C" fn destroy_callback(crtc: *mut bindings::drm_crtc) {
        // SAFETY: The core calls this once, when the device is freed.
        unsafe { bindings::drm_crtc_cleanup(crtc) };

        // SAFETY: The memory was taken from a pinned `KBox` in `new()`.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(crtc.cast::<Self>())) });
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`].
    unsafe extern "C" fn create_state_callback(
        crtc: *mut bindings::drm_crtc,
    ) -> *mut bindings::drm_crtc_state {
        match CrtcState::<T>::alloc(T::State::new()) {
            Ok(state) => {
                // SAFETY: `state` is new and zeroed, and `crtc` is the CRTC that it is for.
                unsafe { bindings::__drm_atomic_helper_crtc_state_init(state, crtc) };
                state
            }
            Err(err) => err.to_ptr(),
        }
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`] and have a state. Its lock must be held.
    unsafe extern "C" fn duplicate_state_callback(
        crtc: *mut bindings::drm_crtc,
    ) -> *mut bindings::drm_crtc_state {
        // SAFETY: The current state of `crtc` was allocated by `CrtcState::<T>::alloc()` and is
        // not replaced while the lock of the CRTC is held.
        let current = unsafe { &*(*crtc).state.cast::<CrtcState<T>>() };

        match CrtcState::<T>::alloc(current.inner.duplicate()) {
            Ok(state) => {
                // SAFETY: `state` is new, and the lock of the CRTC is held.
                unsafe { bindings::__drm_atomic_helper_crtc_duplicate_state(crtc, state) };
                state
            }
            Err(_) => ptr::null_mut(),
        }
    }

    /// # Safety
    ///
    /// `state` must be a state of a CRTC that was created by [`Self::new`], used by nobody.
    unsafe extern "C" fn destroy_state_callback(
        _crtc: *mut bindings::drm_crtc,
        state: *mut bindings::drm_crtc_state,
    ) {
        // SAFETY: Nobody uses the state any more.
        unsafe { bindings::__drm_atomic_helper_crtc_destroy_state(state) };

        // SAFETY: All states of the CRTC were allocated by `CrtcState::<T>::alloc()`.
        drop(unsafe { KBox::from_raw(state.cast::<CrtcState<T>>()) });
    }

    /// # Safety
    ///
    /// `state` must be a state of a CRTC that was created by [`Self::new`], and not change
    /// meanwhile but for its event. `printer` must be valid and used by nobody else.
    unsafe extern "C" fn print_state_callback(
        printer: *mut bindings::drm_printer,
        state: *const bindings::drm_crtc_state,
    ) {
        // SAFETY: The safety requirements of this function. All states of the CRTC are a
        // `CrtcState<T>`.
        let (crtc, state, printer) = unsafe {
            (
                Self::from_raw((*state).crtc),
                &*state.cast::<CrtcState<T>>(),
                StatePrinter::from_raw(printer),
            )
        };

        T::atomic_print_state(crtc, state, printer);
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `mode` be valid.
    unsafe extern "C" fn mode_valid_callback(
        crtc: *mut bindings::drm_crtc,
        mode: *const bindings::drm_display_mode,
    ) -> bindings::drm_mode_status {
        // SAFETY: The safety requirements of this function; the mode does not change meanwhile.
        let (crtc, mode) = unsafe { (Self::from_raw(crtc), DisplayMode::from_raw(mode)) };

        match T::Vblank::mode_valid(mode) {
            ModeStatus::Ok => T::mode_valid(crtc, mode),
            status => status,
        }
        .into_raw()
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `commit` be in the check phase.
    unsafe extern "C" fn atomic_check_callback(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) -> c_int {
        // SAFETY: The safety requirements of this function; a commit in the check phase belongs to
        // this thread.
        let (crtc, check) = unsafe { (Self::from_raw(crtc), AtomicCheck::new(commit)) };

        from_result(|| check.result(T::atomic_check(crtc, &check)).map(|()| 0))
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_begin_callback(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: The safety requirements of this function.
        let (crtc, commit) = unsafe { (Self::from_raw(crtc), AtomicCommit::new(&commit)) };

        T::atomic_begin(crtc, &commit);
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_flush_callback(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        {
            // SAFETY: The safety requirements of this function.
            let (crtc, commit) = unsafe { (Self::from_raw(crtc), AtomicCommit::new(&commit)) };

            T::atomic_flush(crtc, &commit);
        }

        // SAFETY: The safety requirements of this function.
        unsafe { Self::send_async_event(crtc, commit) };

        // The tail completes it when both the CRTC and its planes are up to date.
        //
        // SAFETY: The safety requirements of this function.
        if T::Vblank::HAS_VBLANK && unsafe { Self::is_turned_on(crtc, commit) } {
            return;
        }

        // Sends the event at once if there are no vertical blanks.
        //
        // SAFETY: The safety requirements of this function.
        unsafe { bindings::drm_crtc_vblank_atomic_flush(crtc, commit) };

        // The next vertical blank may come as soon as somebody can wait for it.
        //
        // SAFETY: The safety requirements of this function.
        unsafe { Self::from_raw(crtc) }.timer.update();
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and be turned on.
    unsafe extern "C" fn enable_vblank_callback(crtc: *mut bindings::drm_crtc) -> c_int {
        // SAFETY: The safety requirements of this function.
        unsafe { Self::from_raw(crtc).timer.enable(crtc) }
    }

    /// # Safety
    ///
    /// As for [`Self::enable_vblank_callback`].
    unsafe extern "C" fn disable_vblank_callback(crtc: *mut bindings::drm_crtc) {
        // SAFETY: The safety requirements of this function.
        unsafe { Self::from_raw(crtc).timer.disable(crtc) };
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`].
    unsafe extern "C" fn get_vblank_counter_callback(crtc: *mut bindings::drm_crtc) -> u32 {
        // SAFETY: The safety requirements of this function.
        unsafe { Self::from_raw(crtc) }.timer.count()
    }

    /// # Safety
    ///
    /// As for [`Self::enable_vblank_callback`]. `time` must be valid for a write.
    unsafe extern "C" fn get_vblank_timestamp_callback(
        crtc: *mut bindings::drm_crtc,
        _max_error: *mut c_int,
        time: *mut bindings::ktime_t,
        _in_vblank_irq: bool,
    ) -> bool {
        // SAFETY: The safety requirements of this function.
        unsafe { *time = Self::from_raw(crtc).timer.timestamp(crtc) };
        true
    }

    /// Whether `commit` turns the CRTC on, so that its first vertical blank completes the update.
    ///
    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`] and be part of `commit`, which must be in the
    /// commit phase.
    unsafe fn is_turned_on(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) -> bool {
        // SAFETY: A CRTC that is part of a commit has an entry in its array. Nothing of the new
        // state but the event changes any more.
        unsafe {
            let state = (*(*commit).crtcs.add((*crtc).index as usize)).new_state;

            (*state).active
                && bindings::drm_atomic_crtc_needs_modeset(state)
                && bindings::drm_dev_has_vblank((*crtc).dev)
        }
    }

    /// Sends the event of a page flip that does not wait for a vertical blank.
    ///
    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`] and be part of `commit`, which must be in the
    /// commit phase.
    unsafe fn send_async_event(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: A CRTC that is part of a commit has an entry in its array.
        let state = unsafe { (*(*commit).crtcs.add((*crtc).index as usize)).new_state };

        // SAFETY: Nothing of the state but the event changes any more.
        if unsafe { !(*state).async_flip } {
            return;
        }

        // The number and the time of the last vertical blank are up to date while they are on.
        //
        // SAFETY: `crtc` is valid.
        let has_vblank = unsafe { bindings::drm_crtc_vblank_get(crtc) } == 0;

        // SAFETY: The event belongs to the commit until it is taken with the lock held.
        unsafe {
            let lock = &raw mut (*(*crtc).dev).event_lock;

            bindings::spin_lock_irq_disable(lock);
            let event = mem::replace(&mut (*state).event, ptr::null_mut());
            if !event.is_null() {
                bindings::drm_crtc_send_vblank_event(crtc, event);
            }
            bindings::spin_unlock_irq_enable(lock);
        }

        if has_vblank {
            // SAFETY: They were turned on above.
            unsafe { bindings::drm_crtc_vblank_put(crtc) };
        }
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_enable_callback(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        {
            // SAFETY: The safety requirements of this function.
            let (crtc, commit) = unsafe { (Self::from_raw(crtc), AtomicCommit::new(&commit)) };

            T::atomic_enable(crtc, &commit);
        }

        if T::Vblank::HAS_VBLANK {
            // SAFETY: The safety requirements of this function.
            unsafe {
                if bindings::drm_dev_has_vblank((*crtc).dev) {
                    let state = (*(*commit).crtcs.add((*crtc).index as usize)).new_state;
                    let mode = DisplayMode::from_raw(&raw const (*state).adjusted_mode);

                    Self::from_raw(crtc).timer.turn_on(crtc, mode);
                    bindings::drm_crtc_vblank_atomic_enable(crtc, commit);
                }
            }
        }
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`], and `commit` be in the commit phase.
    unsafe extern "C" fn atomic_disable_callback(
        crtc: *mut bindings::drm_crtc,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        if T::Vblank::HAS_VBLANK {
            // SAFETY: The safety requirements of this function.
            unsafe {
                if bindings::drm_dev_has_vblank((*crtc).dev) {
                    bindings::drm_crtc_vblank_atomic_disable(crtc, commit);
                    Self::from_raw(crtc).timer.turn_off(crtc);
                }
            }
        }

        // SAFETY: The safety requirements of this function.
        let (crtc, commit) = unsafe { (Self::from_raw(crtc), AtomicCommit::new(&commit)) };

        T::atomic_disable(crtc, &commit);
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`].
    unsafe extern "C" fn handle_vblank_timeout_callback(crtc: *mut bindings::drm_crtc) -> bool {
        // SAFETY: The timer runs only while the vblank machinery of the CRTC is on, once at a time.
        // The CRTC is valid by the safety requirements of this function.
        let (mut vblank, this) = unsafe { (Vblank::new(crtc), Self::from_raw(crtc)) };

        T::handle_vblank(this, &mut vblank);
        vblank.send_events().is_some()
    }
}
