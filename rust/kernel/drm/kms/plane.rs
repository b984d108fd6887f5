// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Planes.
//!
//! A plane shows a part of a framebuffer somewhere on a CRTC. The life of a plane:
//!
//! - it is created with [`Plane::new`] and attached to CRTCs with [`KmsSetup::attach_plane`];
//! - for each update that involves it, the core duplicates its [state](PlaneState) and asks
//!   [`DriverPlane::atomic_check`] whether the hardware can do it;
//! - when the update is to be carried out, [`DriverPlane::prepare_fb`] gets hold of the new
//!   framebuffer's memory, which is the last chance to fail;
//! - [`DriverPlane::atomic_update`] and [`DriverPlane::atomic_disable`] program the hardware;
//! - it is freed with its device.
//!
//! C header: [`include/drm/drm_plane.h`](srctree/include/drm/drm_plane.h)

use super::{
    atomic::{
        AtomicCheck,
        AtomicCommit, //
    },
    crtc::OpaqueCrtc,
    fourcc,
    framebuffer::Framebuffer,
    name_arg,
    name_format,
    rect::Rect,
    DriverState,
    KmsDriver,
    KmsSetup,
    OfDriver,
    StaticObject, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm,
    error::{
        from_result,
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    prelude::*,
    types::Opaque,
    vtable::Identity, //
};
use core::{
    cell::Cell,
    ops::Deref,
    ptr, //
};

/// What a plane is for.
///
/// C: `enum drm_plane_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PlaneType {
    /// Any other plane.
    Overlay = bindings::drm_plane_type_DRM_PLANE_TYPE_OVERLAY,
    /// The plane that legacy mode setting and page flips use. Each CRTC has exactly one.
    Primary = bindings::drm_plane_type_DRM_PLANE_TYPE_PRIMARY,
    /// The plane that legacy cursor calls use. Each CRTC has at most one.
    Cursor = bindings::drm_plane_type_DRM_PLANE_TYPE_CURSOR,
}

/// A driver's implementation of a kind of plane.
///
/// All callbacks may sleep.
#[vtable(unique)]
pub trait DriverPlane: Send + Sync + Sized {
    /// The driver.
    type Driver: KmsDriver;

    /// What [`new`](Self::new) needs.
    type Args;

    /// What the driver keeps in each state of the plane, or `()`.
    type State: DriverState;

    /// Creates the driver's data of a plane.
    fn new(drm: &drm::Device<Self::Driver>, args: Self::Args) -> impl PinInit<Self, Error>;

    /// Checks whether the hardware can show the new state of `plane`.
    ///
    /// A driver calls [`AtomicCheck::check_plane_state`] here, which checks position and size.
    /// Returns `EINVAL` if the hardware cannot do it.
    ///
    /// C: `struct drm_plane_helper_funcs`, `atomic_check`.
    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, Self::Driver>) -> Result;

    /// Gets hold of what the update needs of the new framebuffer, e.g. a mapping.
    ///
    /// What is stored in the state here is freed with the state, so there is no counterpart. Also
    /// called for a plane that is being turned off, without a framebuffer.
    ///
    /// Fences that the update has to wait for have been taken care of.
    ///
    /// C: `struct drm_plane_helper_funcs`, `prepare_fb`.
    fn prepare_fb(plane: &Plane<Self>, state: &mut PlaneStateMut<'_, Self>) -> Result {
        let _ = (plane, state);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Shows the new state of `plane`.
    ///
    /// C: `struct drm_plane_helper_funcs`, `atomic_update`.
    fn atomic_update(plane: &Plane<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (plane, commit);
    }

    /// Turns `plane` off. If not implemented, [`atomic_update`](Self::atomic_update) is called.
    ///
    /// C: `struct drm_plane_helper_funcs`, `atomic_disable`.
    fn atomic_disable(plane: &Plane<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (plane, commit);
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The operations of a kind of plane.
///
/// The core only knows `funcs`, and has a pointer to it in each plane.
#[repr(C)]
struct PlaneOps {
    funcs: bindings::drm_plane_funcs,
    helper_funcs: bindings::drm_plane_helper_funcs,
    id: &'static Identity,
}

/// A plane of a device of the driver `D`, of any kind.
///
/// C: `struct drm_plane`.
///
/// # Invariants
///
/// - `plane` is initialized and valid until the device is freed.
/// - `plane.funcs` points to the `funcs` of a [`PlaneOps`], with provenance of all of it.
#[repr(transparent)]
pub struct OpaquePlane<D: KmsDriver> {
    plane: Opaque<bindings::drm_plane>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaquePlane<D> {
    /// # Safety
    ///
    /// `plane` must be valid for `'a`, and be a plane of a device of the driver `D`.
    pub(super) unsafe fn from_raw<'a>(plane: *mut bindings::drm_plane) -> &'a Self {
        // SAFETY: `Self` is transparent. All planes of a device of a Rust driver are created by
        // `Plane::new()`, hence the invariants hold.
        unsafe { &*plane.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_plane {
        self.plane.get()
    }

    /// Returns the device of the plane.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The plane is initialized by the type invariants, and its device is one of `D`.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// Returns the index of the plane on its device, less than [`super::MAX_OBJECTS`].
    pub fn index(&self) -> u32 {
        // SAFETY: The plane is initialized by the type invariants; its index never changes.
        unsafe { (*self.as_raw()).index }
    }

    /// Returns the bit that stands for the plane in a mask of planes.
    pub fn mask(&self) -> u32 {
        // The core makes no plane whose index is too large.
        1u32.wrapping_shl(self.index())
    }

    fn id(&self) -> &'static Identity {
        // SAFETY: By the type invariants `funcs` points to the first field of a `PlaneOps`, which
        // is never freed.
        unsafe { (*(*self.as_raw()).funcs.cast::<PlaneOps>()).id }
    }
}

// SAFETY: The C side of a plane can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaquePlane<D> {}

// SAFETY: The methods only read what does not change once the plane has been created.
unsafe impl<D: KmsDriver> Sync for OpaquePlane<D> {}

/// A plane of the kind `T`.
///
/// # Invariants
///
/// `base` was created with the operations of `T`.
#[repr(C)]
#[pin_data]
pub struct Plane<T: DriverPlane> {
    base: OpaquePlane<T::Driver>,
    #[pin]
    inner: T,
}

impl<T: DriverPlane> Plane<T> {
    const OPS: PlaneOps = PlaneOps {
        funcs: bindings::drm_plane_funcs {
            update_plane: Some(bindings::drm_atomic_helper_update_plane),
            disable_plane: Some(bindings::drm_atomic_helper_disable_plane),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(Self::create_state_callback),
            atomic_duplicate_state: Some(Self::duplicate_state_callback),
            atomic_destroy_state: Some(Self::destroy_state_callback),
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
            ..pin_init::zeroed()
        },
        id: T::UNIQUE_ID.identity(),
    };

    /// Creates a plane that shows framebuffers of the given `formats`.
    ///
    /// `formats` are [fourcc codes](super::fourcc), the preferred one first; all framebuffers are
    /// linear in memory. Fails with `EINVAL` if there is no format, more than
    /// [`fourcc::MAX_FORMATS`], or one that the core does not know, and with `ENOSPC` if the device
    /// already has [`super::MAX_OBJECTS`] planes. May sleep.
    ///
    /// C: `drm_universal_plane_init()`.
    pub fn new<'a>(
        setup: &'a KmsSetup<'_, T::Driver>,
        kind: PlaneType,
        formats: &[u32],
        name: Option<&CStr>,
        args: T::Args,
    ) -> Result<&'a Self> {
        let ops = const { &Self::OPS };

        KmsSetup::<T::Driver>::check_room(setup.num_planes())?;
        fourcc::check_list(formats)?;

        let plane = KBox::pin_init(
            try_pin_init!(Self {
                base: OpaquePlane {
                    plane: Opaque::zeroed(),
                    _driver: OfDriver::default(),
                },
                inner <- T::new(setup.drm_dev(), args),
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The plane is not moved from here on.
        let plane = KBox::into_raw(unsafe { Pin::into_inner_unchecked(plane) });

        // SAFETY: `plane` is zeroed memory that does not move, the device of `setup` has a mode
        // configuration and is not registered yet, the core copies the formats, and the operations
        // are never freed. The pointer to `funcs` is made from one to all of the operations.
        let ret = to_result(unsafe {
            bindings::drm_universal_plane_init(
                setup.as_raw(),
                plane.cast(),
                0,
                ptr::from_ref(ops).cast(),
                formats.as_ptr(),
                formats.len() as u32,
                ptr::null(),
                kind as u32,
                name_format(name),
                name_arg(name),
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed, so nobody knows the memory that was taken from a
            // `KBox` above.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(plane)) });
            return Err(err);
        }

        // SAFETY: `plane` was initialized, and only this thread knows it.
        unsafe { (*plane.cast::<bindings::drm_plane>()).helper_private = &ops.helper_funcs };

        if kind == PlaneType::Primary {
            setup.num_primary.set(setup.num_primary.get() + 1);
        }

        // SAFETY: The core frees the plane with the device, which outlives the borrow of `setup`.
        Ok(unsafe { &*plane })
    }

    /// Returns `plane` as one of the kind `T`, if it is one.
    pub fn try_from_opaque(plane: &OpaquePlane<T::Driver>) -> Option<&Self> {
        if plane.id() == T::UNIQUE_ID.identity() {
            // SAFETY: A plane with this identity was created by `Self::new()`.
            Some(unsafe { Self::from_raw(plane.as_raw()) })
        } else {
            None
        }
    }

    /// # Safety
    ///
    /// `plane` must be valid for `'a`, and have been created by [`Self::new`].
    unsafe fn from_raw<'a>(plane: *mut bindings::drm_plane) -> &'a Self {
        // SAFETY: `plane` is the first field of a `Self` by the safety requirements.
        unsafe { &*plane.cast() }
    }

    /// Returns the driver's data.
    pub fn data(&self) -> &T {
        &self.inner
    }

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
            let (plane, mut state) = unsafe {
                (
                    Self::from_raw(plane),
                    PlaneStateMut::<T> {
                        state: &mut *state.cast(),
                        borrowed: None,
                    },
                )
            };

            T::prepare_fb(plane, &mut state).map(|()| 0)
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
}

impl<T: DriverPlane> Deref for Plane<T> {
    type Target = OpaquePlane<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

// SAFETY: A plane is valid until the device is freed.
unsafe impl<T: DriverPlane> StaticObject for Plane<T> {
    type Driver = T::Driver;

    fn drm_dev(&self) -> &drm::Device<T::Driver> {
        (**self).drm_dev()
    }
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Makes `crtc` one of the CRTCs that `plane` can be shown on.
    ///
    /// Fails with `EINVAL` if one of them belongs to another device.
    pub fn attach_plane(&self, plane: &OpaquePlane<D>, crtc: &OpaqueCrtc<D>) -> Result {
        self.check_own(plane.drm_dev())?;
        self.check_own(crtc.drm_dev())?;

        // SAFETY: The device is not registered yet, so that only this thread uses its planes.
        unsafe { (*plane.as_raw()).possible_crtcs |= crtc.mask() };

        Ok(())
    }
}

/// A state of a plane of a device of the driver `D`, of any kind.
///
/// C: `struct drm_plane_state`.
///
/// # Invariants
///
/// `state` is a valid state of a plane of a device of the driver `D`, and nobody changes it for as
/// long as there is a reference to it.
#[repr(transparent)]
pub struct OpaquePlaneState<D: KmsDriver> {
    state: Opaque<bindings::drm_plane_state>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// # Safety
    ///
    /// `state` must fulfil the type invariants for `'a`.
    pub(super) unsafe fn from_raw<'a>(state: *mut bindings::drm_plane_state) -> &'a Self {
        // SAFETY: `Self` is transparent, and the invariants hold by the safety requirements.
        unsafe { &*state.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_plane_state {
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

    /// Whether any of the plane is to be seen. Set by [`AtomicCheck::check_plane_state`].
    pub fn visible(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).visible }
    }

    /// The part of the framebuffer that is shown, in 1/65536 pixels, clipped to what is visible.
    ///
    /// Set by [`AtomicCheck::check_plane_state`].
    pub fn src(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).src }.into()
    }

    /// The part of the CRTC that the plane covers, in pixels, clipped to what is visible.
    ///
    /// Set by [`AtomicCheck::check_plane_state`].
    pub fn dst(&self) -> Rect {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).dst }.into()
    }
}

// SAFETY: The C side of a state can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaquePlaneState<D> {}

// SAFETY: The methods only read the state, which does not change by the type invariants.
unsafe impl<D: KmsDriver> Sync for OpaquePlaneState<D> {}

/// A state of a plane of the kind `T`.
#[repr(C)]
pub struct PlaneState<T: DriverPlane> {
    base: OpaquePlaneState<T::Driver>,
    inner: T::State,
}

impl<T: DriverPlane> PlaneState<T> {
    fn alloc(inner: Result<T::State>) -> Result<*mut bindings::drm_plane_state> {
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
    /// Borrows a state until the value is dropped, or returns `None` if it is borrowed already.
    ///
    /// # Safety
    ///
    /// - `state` must be a valid state of `plane` for `'a`, which is not committed yet and only
    ///   used by this thread.
    /// - All of the thread's borrows of the state must go through the same mask `borrowed`.
    pub(super) unsafe fn borrow(
        plane: &Plane<T>,
        state: *mut bindings::drm_plane_state,
        borrowed: &'a Cell<u32>,
    ) -> Option<Self> {
        if borrowed.get() & plane.mask() != 0 {
            return None;
        }
        borrowed.set(borrowed.get() | plane.mask());

        // SAFETY: The state is one of a plane of the kind `T`, hence a `PlaneState<T>`, and the
        // mask says that there is no other reference.
        // INVARIANT: The bit was set above.
        Some(Self {
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

/// How much a plane can be scaled: the size of the source divided by that of the destination, in
/// 1/65536.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    /// The smallest value: how much the plane can be enlarged.
    pub min: u32,
    /// The largest value: how much the plane can be shrunk.
    pub max: u32,
}

impl Scaling {
    /// The plane cannot be scaled.
    ///
    /// C: `DRM_PLANE_NO_SCALING`.
    pub const NONE: Self = Self {
        min: 1 << 16,
        max: 1 << 16,
    };
}
