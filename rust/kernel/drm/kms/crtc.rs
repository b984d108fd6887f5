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

mod callbacks;
mod state;

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
    print::StatePrinter,
    vblank::{
        Timer,
        Vblank,
        VblankSource,
        VrrVblankTimer, //
    },
    DriverState,
    KmsDriver,
    KmsSetup,
    ModeObject,
    OfDriver, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm,
    error::{
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    prelude::*,
    time::Delta,
    types::Opaque,
    vtable::Identity, //
};
use core::{
    ops::Deref,
    ptr, //
};

use self::callbacks::CrtcOps;
pub use self::state::{
    CrtcState,
    CrtcStateMut,
    OpaqueCrtcState, //
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

    /// Prints what the driver adds to a state of `crtc`, current or new.
    ///
    /// C: `struct drm_crtc_funcs`, `atomic_print_state`.
    fn atomic_print_state(crtc: &Crtc<Self>, state: &CrtcState<Self>, printer: &mut StatePrinter) {
        let _ = (crtc, state, printer);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called for each vertical blank of a [`VblankTimer`](super::vblank::VblankTimer) or
    /// [`VrrVblankTimer`].
    ///
    /// The events are sent [when the driver wants it](Vblank::send_events), or after that. Called
    /// while somebody waits for vertical blanks, and perhaps once more after that. Must not sleep:
    /// it runs in interrupt context, or in a softirq with `PREEMPT_RT`. No lock of the core is
    /// held. No call goes on when [`atomic_disable`](Self::atomic_disable) is called.
    ///
    /// C: `struct drm_crtc_helper_funcs`, `handle_vblank_timeout`.
    fn handle_vblank(crtc: &Crtc<Self>, vblank: &mut Vblank<'_>) {
        let _ = (crtc, vblank);
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

/// A CRTC of a device of the driver `D`, of any kind.
///
/// C: `struct drm_crtc`.
///
/// # Invariants
///
/// - `crtc` is initialized and valid until the device is freed.
/// - `crtc.funcs` points to the `funcs` of a `CrtcOps`, with provenance of all of it.
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
    timer: <T::Vblank as VblankSource>::Timer,
    #[pin]
    inner: T,
}

impl<T: DriverCrtc> Crtc<T> {
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
                timer <- <T::Vblank as VblankSource>::Timer::new(),
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

        // INVARIANT: The CRTC was initialized with the operations of `T` above.
        //
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
}

impl<T: DriverCrtc<Vblank = VrrVblankTimer>> Crtc<T> {
    /// Says how long a frame lasts at most, one second or less, if nothing else is to be shown.
    ///
    /// If that is not longer than a frame of the mode, or `None`, then the refresh rate is that of
    /// the mode, which it is at first. A frame that has lasted too long already ends now.
    ///
    /// For the callbacks that carry out an update: [`DriverCrtc::atomic_flush`]. Can be called in
    /// any context.
    pub fn set_longest_frame(&self, longest: Option<Delta>) {
        self.timer.set_longest(longest);
    }
}

impl<T: DriverCrtc> Deref for Crtc<T> {
    type Target = OpaqueCrtc<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

// SAFETY: A CRTC is valid until the device is freed.
unsafe impl<T: DriverCrtc> ModeObject for Crtc<T> {
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
