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

mod async_update;
mod callbacks;
pub(super) mod hotspot;
mod state;

use super::{
    atomic::{
        AtomicCheck,
        AtomicCommit, //
    },
    crtc::OpaqueCrtc,
    fourcc,
    name_arg,
    name_format,
    panic::ScanoutBuffer,
    print::StatePrinter,
    DriverState,
    KmsDriver,
    KmsSetup,
    ModeObject,
    OfDriver, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    device,
    drm,
    error::{
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    prelude::*,
    types::Opaque,
    vtable::Identity, //
};
use core::{
    ops::Deref,
    ptr, //
};

pub use self::async_update::AsyncUpdate;
use self::callbacks::PlaneOps;
pub use self::state::{
    OpaquePlaneState,
    PlaneState,
    PlaneStateMut, //
};
pub use super::scaling::Scaling;

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
/// All callbacks may sleep, except [`get_scanout_buffer`](Self::get_scanout_buffer).
#[vtable(unique)]
pub trait DriverPlane: Send + Sync + Sized {
    /// The driver.
    type Driver: KmsDriver;

    /// What [`new`](Self::new) needs.
    type Args;

    /// What the driver keeps in each state of the plane, or `()`.
    type State: DriverState;

    /// Whether page flips of such a plane can do without a vertical blank, with all formats.
    ///
    /// User space can ask for such page flips if the driver has called
    /// [`KmsSetup::enable_async_page_flip`]. Those of a primary plane are possible then in any
    /// case, but user space may ask the plane first.
    ///
    /// C: `struct drm_plane_funcs`, `format_mod_supported_async`.
    const ASYNC_PAGE_FLIP: bool = false;

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

    /// Shows what an update of the legacy cursor has changed, without waiting for a vertical blank.
    ///
    /// The [state](AsyncUpdate::state) of `plane` has been changed already: it has another
    /// framebuffer, position or size, and the driver's part of the state that was checked and
    /// prepared. No other object changes. An update that waits for its turn or for a vertical blank
    /// may be carried out at the same time, but none that `plane` is part of. Fences of the
    /// framebuffer are not waited for.
    ///
    /// Without an implementation, and if the update changes more, the cursor is updated like any
    /// other plane, after the updates before.
    ///
    /// C: `struct drm_plane_helper_funcs`, `atomic_async_update`.
    fn atomic_async_update(plane: &Plane<Self>, update: &AsyncUpdate<'_, Self>) {
        let _ = (plane, update);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Returns where to draw the screen of a kernel panic: the framebuffer that `plane` shows, or
    /// the memory of the device that it is copied to.
    ///
    /// `data` is what belongs to the registration of the device, and `parent` the bound device it
    /// is for. Only called if the plane is visible. Without an implementation, or with `None`, the
    /// plane does not show a panic.
    ///
    /// Called in any context, with a raw spinlock held, and possibly when no other CPU runs any
    /// more: must not sleep, take locks or allocate memory.
    ///
    /// C: `struct drm_plane_helper_funcs`, `get_scanout_buffer`.
    fn get_scanout_buffer<'a>(
        plane: &'a Plane<Self>,
        state: &'a PlaneState<Self>,
        data: &'a <Self::Driver as drm::Driver>::RegistrationData<'_>,
        parent: &'a <Self::Driver as drm::Driver>::ParentDevice<device::Bound>,
    ) -> Option<ScanoutBuffer<'a>> {
        let _ = (plane, state, data, parent);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Prints what the driver adds to a state of `plane`, current or new.
    ///
    /// C: `struct drm_plane_funcs`, `atomic_print_state`.
    fn atomic_print_state(
        plane: &Plane<Self>,
        state: &PlaneState<Self>,
        printer: &mut StatePrinter,
    ) {
        let _ = (plane, state, printer);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Turns `plane` off. If not implemented, [`atomic_update`](Self::atomic_update) is called.
    ///
    /// C: `struct drm_plane_helper_funcs`, `atomic_disable`.
    fn atomic_disable(plane: &Plane<Self>, commit: &AtomicCommit<'_, Self::Driver>) {
        let _ = (plane, commit);
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// A plane of a device of the driver `D`, of any kind.
///
/// C: `struct drm_plane`.
///
/// # Invariants
///
/// - `plane` is initialized and valid until the device is freed.
/// - `plane.funcs` points to the `funcs` of a `PlaneOps`, with provenance of all of it.
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

        // INVARIANT: The plane was initialized with the operations of `T` above.
        //
        // SAFETY: The core frees the plane with the device, which outlives the borrow of `setup`.
        let plane = unsafe { &*plane };

        if kind == PlaneType::Cursor {
            plane.check_hotspot()?;
        }

        Ok(plane)
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
}

impl<T: DriverPlane> Deref for Plane<T> {
    type Target = OpaquePlane<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

// SAFETY: A plane is valid until the device is freed.
unsafe impl<T: DriverPlane> ModeObject for Plane<T> {
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
