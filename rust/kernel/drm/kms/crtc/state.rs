// SPDX-License-Identifier: GPL-2.0 OR MIT

//! States of CRTCs.
//!
//! C header: [`include/drm/drm_crtc.h`](srctree/include/drm/drm_crtc.h)

use super::{
    Crtc,
    DriverCrtc,
    OpaqueCrtc, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm::kms::{
        modes::DisplayMode,
        KmsDriver,
        OfDriver, //
    },
    prelude::*,
    types::Opaque, //
};
use core::{
    cell::Cell,
    ops::Deref, //
};

/// A state of a CRTC of a device of the driver `D`, of any kind.
///
/// C: `struct drm_crtc_state`.
///
/// # Invariants
///
/// `state` is a valid state of a CRTC of a device of the driver `D`, and nobody changes it for as
/// long as there is a reference to it, except for the event of a page flip.
#[repr(transparent)]
pub struct OpaqueCrtcState<D: KmsDriver> {
    state: Opaque<bindings::drm_crtc_state>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaqueCrtcState<D> {
    /// # Safety
    ///
    /// `state` must fulfil the type invariants for `'a`.
    pub(in crate::drm::kms) unsafe fn from_raw<'a>(
        state: *mut bindings::drm_crtc_state,
    ) -> &'a Self {
        // SAFETY: `Self` is transparent, and the invariants hold by the safety requirements.
        unsafe { &*state.cast() }
    }

    pub(in crate::drm::kms) fn as_raw(&self) -> *mut bindings::drm_crtc_state {
        self.state.get()
    }

    /// Returns the CRTC that this is a state of.
    pub fn crtc(&self) -> &OpaqueCrtc<D> {
        // SAFETY: By the type invariants the state is one of a CRTC of a device of `D`.
        unsafe { OpaqueCrtc::from_raw((*self.as_raw()).crtc) }
    }

    /// Whether the CRTC makes a picture.
    pub fn active(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).active }
    }

    /// Whether the update turns the CRTC on or off, or changes its mode or connectors.
    ///
    /// C: `drm_atomic_crtc_needs_modeset()`.
    pub fn needs_modeset(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { bindings::drm_atomic_crtc_needs_modeset(self.as_raw()) }
    }

    /// Whether user space wants the refresh rate to follow its updates.
    ///
    /// User space may ask for that whatever is connected.
    pub fn vrr_enabled(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).vrr_enabled }
    }

    /// Returns the connectors that the CRTC feeds, as bits of their indices.
    pub fn connector_mask(&self) -> u32 {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).connector_mask }
    }

    /// Returns the mode that the hardware is to make.
    ///
    /// Its size is what the CRTC puts planes together for. Sizes are 0 if there is no mode.
    pub fn adjusted_mode(&self) -> &DisplayMode {
        // SAFETY: The state does not change by the type invariants, and neither does its mode.
        unsafe { DisplayMode::from_raw(&raw const (*self.as_raw()).adjusted_mode) }
    }
}

// SAFETY: The C side of a state can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaqueCrtcState<D> {}

// SAFETY: The methods only read the state, which does not change by the type invariants.
unsafe impl<D: KmsDriver> Sync for OpaqueCrtcState<D> {}

/// A state of a CRTC of the kind `T`.
#[repr(C)]
pub struct CrtcState<T: DriverCrtc> {
    base: OpaqueCrtcState<T::Driver>,
    pub(super) inner: T::State,
}

impl<T: DriverCrtc> CrtcState<T> {
    pub(super) fn alloc(inner: Result<T::State>) -> Result<*mut bindings::drm_crtc_state> {
        let state = KBox::new(
            Self {
                base: OpaqueCrtcState {
                    state: Opaque::zeroed(),
                    _driver: OfDriver::default(),
                },
                inner: inner?,
            },
            GFP_KERNEL,
        )?;

        Ok(KBox::into_raw(state).cast())
    }

    /// Returns `state` as one of a CRTC of the kind `T`, if it is one.
    pub fn try_from_opaque(state: &OpaqueCrtcState<T::Driver>) -> Option<&Self> {
        Crtc::<T>::try_from_opaque(state.crtc())?;

        // SAFETY: All states of a CRTC of the kind `T` are a `CrtcState<T>`.
        Some(unsafe { &*state.as_raw().cast() })
    }

    /// Returns the driver's part of the state.
    pub fn data(&self) -> &T::State {
        &self.inner
    }
}

impl<T: DriverCrtc> Deref for CrtcState<T> {
    type Target = OpaqueCrtcState<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

/// The new state of a CRTC, while it can be changed.
///
/// # Invariants
///
/// The bit of the CRTC is set in `borrowed`, and cleared on drop.
pub struct CrtcStateMut<'a, T: DriverCrtc> {
    state: &'a mut CrtcState<T>,
    borrowed: &'a Cell<u32>,
}

impl<'a, T: DriverCrtc> CrtcStateMut<'a, T> {
    /// Borrows a state until the value is dropped, or returns `None` if it is borrowed already.
    ///
    /// # Safety
    ///
    /// - `state` must be a valid state of `crtc` for `'a`, which is not committed yet and only used
    ///   by this thread.
    /// - All of the thread's borrows of the state must go through the same mask `borrowed`.
    pub(in crate::drm::kms) unsafe fn borrow(
        crtc: &Crtc<T>,
        state: *mut bindings::drm_crtc_state,
        borrowed: &'a Cell<u32>,
    ) -> Option<Self> {
        if borrowed.get() & crtc.mask() != 0 {
            return None;
        }
        borrowed.set(borrowed.get() | crtc.mask());

        // INVARIANT: The bit was set above.
        Some(Self {
            // SAFETY: The state is one of a CRTC of the kind `T`, hence a `CrtcState<T>`, and the
            // mask says that there is no other reference.
            state: unsafe { &mut *state.cast() },
            borrowed,
        })
    }

    /// Returns the driver's part of the state.
    pub fn data_mut(&mut self) -> &mut T::State {
        &mut self.state.inner
    }
}

impl<T: DriverCrtc> Deref for CrtcStateMut<'_, T> {
    type Target = CrtcState<T>;

    fn deref(&self) -> &Self::Target {
        self.state
    }
}

impl<T: DriverCrtc> Drop for CrtcStateMut<'_, T> {
    fn drop(&mut self) {
        self.borrowed
            .set(self.borrowed.get() & !self.state.crtc().mask());
    }
}
