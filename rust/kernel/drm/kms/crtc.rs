// SPDX-License-Identifier: GPL-2.0 OR MIT

//! CRTCs.
//!
//! A CRTC puts planes together into frames of a mode and feeds them to encoders. The life of a
//! CRTC:
//!
//! - it is created with [`Crtc::new`], which wants its primary plane and, if it has one, its cursor
//!   plane;
//! - for each update that involves it, the core duplicates its [state](CrtcState) and asks
//!   [`DriverCrtc::atomic_check`] whether the hardware can do it;
//! - [`DriverCrtc::atomic_enable`] and [`DriverCrtc::atomic_disable`] turn it on and off, and
//!   [`DriverCrtc::atomic_begin`] and [`DriverCrtc::atomic_flush`] enclose each update of its
//!   planes;
//! - it is freed with its device.
//!
//! C header: [`include/drm/drm_crtc.h`](srctree/include/drm/drm_crtc.h)

use super::{
    atomic::{
        AtomicCheck,
        AtomicCommit, //
    },
    modes::{
        DisplayMode,
        ModeStatus, //
    },
    name_arg,
    name_format,
    plane::OpaquePlane,
    vblank::VblankSource,
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

/// A driver's implementation of a kind of CRTC.
///
/// All callbacks may sleep, but for [`handle_vblank`](Self::handle_vblank).
#[vtable(unique)]
pub trait DriverCrtc: Send + Sync + Sized {
    /// The driver.
    type Driver: KmsDriver;

    /// What [`new`](Self::new) needs.
    type Args;

    /// What the driver keeps in each state of the CRTC, or `()`.
    type State: DriverState;

    /// Where the vertical blanks come from.
    type Vblank: VblankSource;

    /// Creates the driver's data of a CRTC.
    fn new(drm: &drm::Device<Self::Driver>, args: Self::Args) -> impl PinInit<Self, Error>;

    /// Says whether the CRTC can make `mode`.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `mode_valid`.
    fn mode_valid(crtc: &Crtc<Self>, mode: &DisplayMode) -> ModeStatus {
        let _ = (crtc, mode);
        ModeStatus::Ok
    }

    /// Checks whether the hardware can do the new state of `crtc`.
    ///
    /// Called after the planes have been checked.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `atomic_check`.
    fn atomic_check(crtc: &Crtc<Self>, check: &AtomicCheck<'_, Self::Driver>) -> Result {
        let _ = (crtc, check);
        Ok(())
    }

    /// Prepares for the update of the planes of `crtc`.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `atomic_begin`.
    fn atomic_begin(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (crtc, commit);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Ends the update of the planes of `crtc`, so that it takes effect.
    ///
    /// The event of a page flip is sent, or armed for the next vertical blank, after it.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `atomic_flush`.
    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (crtc, commit);
    }

    /// Turns `crtc` on. Its vertical blanks are turned on after it.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `atomic_enable`.
    fn atomic_enable(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (crtc, commit);
    }

    /// Turns `crtc` off. Its vertical blanks are turned off before it.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `atomic_disable`.
    fn atomic_disable(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (crtc, commit);
    }

    /// Called after each vertical blank of a [`VblankTimer`](super::vblank::VblankTimer), with the
    /// number of the frame that begins.
    ///
    /// Only called while somebody waits for vertical blanks. Must not sleep: it runs in interrupt
    /// context, or in a softirq with `PREEMPT_RT`. No lock of the core is held. A call that has
    /// begun already may go on after [`atomic_disable`](Self::atomic_disable) has been called.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `handle_vblank_timeout`.
    fn handle_vblank(crtc: &Crtc<Self>, frame: u64) {
        let _ = (crtc, frame);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Starts or stops to compute a checksum of each frame.
    ///
    /// While they are enabled there are vertical blanks, if the CRTC is on, and the driver calls
    /// [`Crtc::add_crc_entry`] for each frame. Without an implementation there are no checksums.
    ///
    /// C: `struct drm_crtc_funcs`, `set_crc_source`.
    fn set_crc_enabled(crtc: &Crtc<Self>, enabled: bool) -> Result {
        let _ = (crtc, enabled);
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The operations of a kind of CRTC.
///
/// The core only knows `funcs`, and has a pointer to it in each CRTC.
#[repr(C)]
struct CrtcOps {
    funcs: bindings::drm_crtc_funcs,
    helper_funcs: bindings::drm_crtc_helper_funcs,
    id: &'static Identity,
}

/// A CRTC of a device of the driver `D`, of any kind.
///
/// C: `struct drm_crtc`.
///
/// # Invariants
///
/// - `crtc` is initialized and valid until the device is freed.
/// - `crtc.funcs` points to the `funcs` of a [`CrtcOps`], with provenance of all of it.
#[repr(transparent)]
pub struct OpaqueCrtc<D: KmsDriver> {
    crtc: Opaque<bindings::drm_crtc>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaqueCrtc<D> {
    /// # Safety
    ///
    /// `crtc` must be valid for `'a`, and be a CRTC of a device of the driver `D`.
    pub(super) unsafe fn from_raw<'a>(crtc: *mut bindings::drm_crtc) -> &'a Self {
        // SAFETY: `Self` is transparent. All CRTCs of a device of a Rust driver are created by
        // `Crtc::new()`, hence the invariants hold.
        unsafe { &*crtc.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_crtc {
        self.crtc.get()
    }

    /// Returns the device of the CRTC.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The CRTC is initialized by the type invariants, and its device is one of `D`.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// Returns the index of the CRTC on its device, less than [`super::MAX_OBJECTS`].
    pub fn index(&self) -> u32 {
        // SAFETY: The CRTC is initialized by the type invariants; its index never changes.
        unsafe { (*self.as_raw()).index }
    }

    /// Returns the bit that stands for the CRTC in a mask of CRTCs.
    pub fn mask(&self) -> u32 {
        // The core makes no CRTC whose index is too large.
        1u32.wrapping_shl(self.index())
    }

    fn id(&self) -> &'static Identity {
        // SAFETY: By the type invariants `funcs` points to the first field of a `CrtcOps`, which
        // is never freed.
        unsafe { (*(*self.as_raw()).funcs.cast::<CrtcOps>()).id }
    }
}

// SAFETY: The C side of a CRTC can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaqueCrtc<D> {}

// SAFETY: The methods only read what does not change once the CRTC has been created.
unsafe impl<D: KmsDriver> Sync for OpaqueCrtc<D> {}

/// A CRTC of the kind `T`.
///
/// # Invariants
///
/// `base` was created with the operations of `T`.
#[repr(C)]
#[pin_data]
pub struct Crtc<T: DriverCrtc> {
    base: OpaqueCrtc<T::Driver>,
    #[pin]
    inner: T,
}

impl<T: DriverCrtc> Crtc<T> {
    const OPS: CrtcOps = CrtcOps {
        funcs: bindings::drm_crtc_funcs {
            set_config: Some(bindings::drm_atomic_helper_set_config),
            page_flip: Some(bindings::drm_atomic_helper_page_flip),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(Self::create_state_callback),
            atomic_duplicate_state: Some(Self::duplicate_state_callback),
            atomic_destroy_state: Some(Self::destroy_state_callback),
            enable_vblank: if T::Vblank::HAS_VBLANK {
                Some(bindings::drm_crtc_vblank_helper_enable_vblank_timer)
            } else {
                None
            },
            disable_vblank: if T::Vblank::HAS_VBLANK {
                Some(bindings::drm_crtc_vblank_helper_disable_vblank_timer)
            } else {
                None
            },
            get_vblank_timestamp: if T::Vblank::HAS_VBLANK {
                Some(bindings::drm_crtc_vblank_helper_get_vblank_timestamp_from_timer)
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

    /// Creates a CRTC with its primary plane, and possibly its cursor plane.
    ///
    /// These planes are attached to the CRTC. Fails with `EINVAL` if a plane is of another device,
    /// or is the primary or cursor plane of another CRTC, and with `ENOSPC` if the device already
    /// has [`super::MAX_OBJECTS`] CRTCs. May sleep.
    ///
    /// C: `drm_crtc_init_with_planes()`.
    pub fn new<'a>(
        setup: &'a KmsSetup<'_, T::Driver>,
        primary: &OpaquePlane<T::Driver>,
        cursor: Option<&OpaquePlane<T::Driver>>,
        name: Option<&CStr>,
        args: T::Args,
    ) -> Result<&'a Self> {
        let ops = const { &Self::OPS };

        KmsSetup::<T::Driver>::check_room(setup.num_crtcs())?;
        setup.check_free_plane(primary, bindings::drm_plane_type_DRM_PLANE_TYPE_PRIMARY)?;
        if let Some(cursor) = cursor {
            setup.check_free_plane(cursor, bindings::drm_plane_type_DRM_PLANE_TYPE_CURSOR)?;
        }

        let crtc = KBox::pin_init(
            try_pin_init!(Self {
                base: OpaqueCrtc {
                    crtc: Opaque::zeroed(),
                    _driver: OfDriver::default(),
                },
                inner <- T::new(setup.drm_dev(), args),
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The CRTC is not moved from here on.
        let crtc = KBox::into_raw(unsafe { Pin::into_inner_unchecked(crtc) });

        // SAFETY: `crtc` is zeroed memory that does not move, the device of `setup` has a mode
        // configuration and is not registered yet, the planes are of that device, and the
        // operations are never freed. The pointer to `funcs` is made from one to all of the
        // operations.
        let ret = to_result(unsafe {
            bindings::drm_crtc_init_with_planes(
                setup.as_raw(),
                crtc.cast(),
                primary.as_raw(),
                cursor.map_or(ptr::null_mut(), |cursor| cursor.as_raw()),
                ptr::from_ref(ops).cast(),
                name_format(name),
                name_arg(name),
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed, so nobody knows the memory that was taken from a
            // `KBox` above.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(crtc)) });
            return Err(err);
        }

        // SAFETY: `crtc` was initialized, and only this thread knows it.
        unsafe { (*crtc.cast::<bindings::drm_crtc>()).helper_private = &ops.helper_funcs };

        if T::Vblank::HAS_VBLANK {
            setup.uses_vblank.set(true);
        }

        // SAFETY: The core frees the CRTC with the device, which outlives the borrow of `setup`.
        let crtc = unsafe { &*crtc };

        setup.attach_plane(primary, crtc)?;
        if let Some(cursor) = cursor {
            setup.attach_plane(cursor, crtc)?;
        }

        Ok(crtc)
    }

    /// Returns `crtc` as one of the kind `T`, if it is one.
    pub fn try_from_opaque(crtc: &OpaqueCrtc<T::Driver>) -> Option<&Self> {
        if crtc.id() == T::UNIQUE_ID.identity() {
            // SAFETY: A CRTC with this identity was created by `Self::new()`.
            Some(unsafe { Self::from_raw(crtc.as_raw()) })
        } else {
            None
        }
    }

    /// # Safety
    ///
    /// `crtc` must be valid for `'a`, and have been created by [`Self::new`].
    pub(super) unsafe fn from_raw<'a>(crtc: *mut bindings::drm_crtc) -> &'a Self {
        // SAFETY: `crtc` is the first field of a `Self` by the safety requirements.
        unsafe { &*crtc.cast() }
    }

    /// Returns the driver's data.
    pub fn data(&self) -> &T {
        &self.inner
    }

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

        // Sends the event at once if there are no vertical blanks.
        //
        // SAFETY: The safety requirements of this function.
        unsafe { bindings::drm_crtc_vblank_atomic_flush(crtc, commit) };
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
            unsafe { bindings::drm_crtc_vblank_atomic_enable(crtc, commit) };
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
            unsafe { bindings::drm_crtc_vblank_atomic_disable(crtc, commit) };
        }

        // SAFETY: The safety requirements of this function.
        let (crtc, commit) = unsafe { (Self::from_raw(crtc), AtomicCommit::new(&commit)) };

        T::atomic_disable(crtc, &commit);
    }

    /// # Safety
    ///
    /// `crtc` must have been created by [`Self::new`].
    unsafe extern "C" fn handle_vblank_timeout_callback(crtc: *mut bindings::drm_crtc) -> bool {
        // SAFETY: The timer runs only while the vblank machinery of the CRTC is on.
        if !unsafe { bindings::drm_crtc_handle_vblank(crtc) } {
            return false;
        }

        // SAFETY: As above.
        let frame = unsafe { bindings::drm_crtc_accurate_vblank_count(crtc) };

        // SAFETY: The safety requirements of this function.
        T::handle_vblank(unsafe { Self::from_raw(crtc) }, frame);

        true
    }
}

impl<T: DriverCrtc> Deref for Crtc<T> {
    type Target = OpaqueCrtc<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

// SAFETY: A CRTC is valid until the device is freed.
unsafe impl<T: DriverCrtc> StaticObject for Crtc<T> {
    type Driver = T::Driver;

    fn drm_dev(&self) -> &drm::Device<T::Driver> {
        (**self).drm_dev()
    }
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Checks that `plane` has the type `kind` and is not yet the plane of a CRTC.
    fn check_free_plane(&self, plane: &OpaquePlane<D>, kind: bindings::drm_plane_type) -> Result {
        self.check_own(plane.drm_dev())?;

        // SAFETY: The device is not registered yet, so that only this thread uses its planes.
        let (type_, crtcs) = unsafe {
            let plane = plane.as_raw();

            ((*plane).type_, (*plane).possible_crtcs)
        };

        if type_ == kind && crtcs == 0 {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}

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
    pub(super) unsafe fn from_raw<'a>(state: *mut bindings::drm_crtc_state) -> &'a Self {
        // SAFETY: `Self` is transparent, and the invariants hold by the safety requirements.
        unsafe { &*state.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_crtc_state {
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

    /// Returns the mode that the hardware is to make.
    ///
    /// Its size is what the CRTC puts planes together for. Sizes are 0 if there is no mode.
    pub fn adjusted_mode(&self) -> &DisplayMode {
        // SAFETY: The state does not change by the type invariants, and neither does its mode.
        unsafe { DisplayMode::from_raw(&raw const (*self.as_raw()).adjusted_mode) }
    }

    /// Returns the mask of the planes that are on the CRTC, visible or not.
    pub fn plane_mask(&self) -> u32 {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).plane_mask }
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
    inner: T::State,
}

impl<T: DriverCrtc> CrtcState<T> {
    fn alloc(inner: Result<T::State>) -> Result<*mut bindings::drm_crtc_state> {
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
    pub(super) unsafe fn borrow(
        crtc: &Crtc<T>,
        state: *mut bindings::drm_crtc_state,
        borrowed: &'a Cell<u32>,
    ) -> Option<Self> {
        if borrowed.get() & crtc.mask() != 0 {
            return None;
        }
        borrowed.set(borrowed.get() | crtc.mask());

        // SAFETY: The state is one of a CRTC of the kind `T`, hence a `CrtcState<T>`, and the mask
        // says that there is no other reference.
        // INVARIANT: The bit was set above.
        Some(Self {
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
