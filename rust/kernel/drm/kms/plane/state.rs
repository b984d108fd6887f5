// SPDX-License-Identifier: GPL-2.0 OR MIT

//! States of planes.
//!
//! C header: [`include/drm/drm_plane.h`](srctree/include/drm/drm_plane.h)

use super::{
    DriverPlane,
    OpaquePlane,
    Plane, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm::kms::{
        crtc::OpaqueCrtc,
        framebuffer::Framebuffer,
        rect::Rect,
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

/// A state of a plane of a device of the driver `D`, of any kind.
///
/// C: `struct drm_plane_state`.
///
/// # Invariants
///
/// `state` is a valid state of a plane of a device of the driver `D`, and nobody changes it, but
/// for the hotspot, for as long as there is a reference to it. The hotspot changes with
/// `WRITE_ONCE()`.
#[repr(transparent)]
pub struct OpaquePlaneState<D: KmsDriver> {
    state: Opaque<bindings::drm_plane_state>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// # Safety
    ///
    /// `state` must fulfil the type invariants for `'a`.
    pub(in crate::drm::kms) unsafe fn from_raw<'a>(
        state: *mut bindings::drm_plane_state,
    ) -> &'a Self {
        // SAFETY: `Self` is transparent, and the invariants hold by the safety requirements.
        unsafe { &*state.cast() }
    }

    pub(in crate::drm::kms) fn as_raw(&self) -> *mut bindings::drm_plane_state {
        self.state.get()
    }

    /// Returns the plane that this is a state of.
    pub fn plane(&self) -> &OpaquePlane<D> {
        // SAFETY: By the type invariants the state is one of a plane of a device of `D`.
        unsafe { OpaquePlane::from_raw((*self.as_raw()).plane) }
    }

    /// Returns the CRTC that the plane is shown on.
    pub fn crtc(&self) -> Option<&OpaqueCrtc<D>> {
        // SAFETY: The state does not change by the type invariants.
        let crtc = unsafe { (*self.as_raw()).crtc };

        // SAFETY: If not NULL then `crtc` is a CRTC of the plane's device.
        (!crtc.is_null()).then(|| unsafe { OpaqueCrtc::from_raw(crtc) })
    }

    /// Returns the framebuffer that the plane shows.
    pub fn framebuffer(&self) -> Option<&Framebuffer<D>> {
        // SAFETY: The state does not change by the type invariants.
        let fb = unsafe { (*self.as_raw()).fb };

        // SAFETY: If not NULL then `fb` is a framebuffer of the plane's device, and the state holds
        // a reference to it.
        (!fb.is_null()).then(|| unsafe { Framebuffer::from_raw(fb) })
    }

    /// Whether any of the plane is to be seen. Set by `AtomicCheck::check_plane_state()`.
    pub fn visible(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).visible }
    }

    /// The part of the framebuffer that is shown, in 1/65536 pixels, clipped to what is visible.
    ///
    /// Set by `AtomicCheck::check_plane_state()`.
    pub fn src(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).src }.into()
    }

    /// The part of the CRTC that the plane covers, in pixels, clipped to what is visible.
    ///
    /// Set by `AtomicCheck::check_plane_state()`.
    pub fn dst(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).dst }.into()
    }
}

// SAFETY: The C side of a state can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaquePlaneState<D> {}

// SAFETY: The methods only read the state, which does not change by the type invariants, and the
// hotspot atomically.
unsafe impl<D: KmsDriver> Sync for OpaquePlaneState<D> {}

/// A state of a plane of the kind `T`.
#[repr(C)]
pub struct PlaneState<T: DriverPlane> {
    base: OpaquePlaneState<T::Driver>,
    pub(super) inner: T::State,
}

impl<T: DriverPlane> PlaneState<T> {
    pub(super) fn alloc(inner: Result<T::State>) -> Result<*mut bindings::drm_plane_state> {
        let state = KBox::new(
            Self {
                base: OpaquePlaneState {
                    state: Opaque::zeroed(),
                    _driver: OfDriver::default(),
                },
                inner: inner?,
            },
            GFP_KERNEL,
        )?;

        Ok(KBox::into_raw(state).cast())
    }

    /// Returns `state` as one of a plane of the kind `T`, if it is one.
    pub fn try_from_opaque(state: &OpaquePlaneState<T::Driver>) -> Option<&Self> {
        Plane::<T>::try_from_opaque(state.plane())?;

        // SAFETY: All states of a plane of the kind `T` are a `PlaneState<T>`.
        Some(unsafe { &*state.as_raw().cast() })
    }

    /// Returns the driver's part of the state.
    pub fn data(&self) -> &T::State {
        &self.inner
    }
}

impl<T: DriverPlane> Deref for PlaneState<T> {
    type Target = OpaquePlaneState<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

/// The new state of a plane, while it can be changed.
///
/// # Invariants
///
/// If `borrowed` is a mask then the bit of the plane is set in it, and cleared on drop.
pub struct PlaneStateMut<'a, T: DriverPlane> {
    state: &'a mut PlaneState<T>,
    borrowed: Option<&'a Cell<u32>>,
}

impl<'a, T: DriverPlane> PlaneStateMut<'a, T> {
    /// # Safety
    ///
    /// `state` must be a valid state of a plane of the kind `T` for `'a`, which is not committed
    /// yet and not used by anybody else.
    pub(super) unsafe fn from_raw(state: *mut bindings::drm_plane_state) -> Self {
        // INVARIANT: There is no mask.
        Self {
            // SAFETY: All states of a plane of the kind `T` are a `PlaneState<T>`.
            state: unsafe { &mut *state.cast() },
            borrowed: None,
        }
    }

    /// Borrows a state until the value is dropped, or returns `None` if it is borrowed already.
    ///
    /// # Safety
    ///
    /// - `state` must be a valid state of `plane` for `'a`, which is not committed yet and only
    ///   used by this thread.
    /// - All of the thread's borrows of the state must go through the same mask `borrowed`.
    pub(in crate::drm::kms) unsafe fn borrow(
        plane: &Plane<T>,
        state: *mut bindings::drm_plane_state,
        borrowed: &'a Cell<u32>,
    ) -> Option<Self> {
        if borrowed.get() & plane.mask() != 0 {
            return None;
        }
        borrowed.set(borrowed.get() | plane.mask());

        // INVARIANT: The bit was set above.
        Some(Self {
            // SAFETY: The state is one of a plane of the kind `T`, hence a `PlaneState<T>`, and
            // the mask says that there is no other reference.
            state: unsafe { &mut *state.cast() },
            borrowed: Some(borrowed),
        })
    }

    /// Returns the driver's part of the state.
    pub fn data_mut(&mut self) -> &mut T::State {
        &mut self.state.inner
    }
}

impl<T: DriverPlane> Deref for PlaneStateMut<'_, T> {
    type Target = PlaneState<T>;

    fn deref(&self) -> &Self::Target {
        self.state
    }
}

impl<T: DriverPlane> Drop for PlaneStateMut<'_, T> {
    fn drop(&mut self) {
        if let Some(borrowed) = self.borrowed {
            borrowed.set(borrowed.get() & !self.state.plane().mask());
        }
    }
}
