// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Kernel mode setting (KMS).
//!
//! A DRM driver becomes a KMS driver by implementing [`KmsDriver`] and naming it in its
//! [`drm::Driver`] implementation:
//!
//! ```ignore
//! impl drm::Driver for MyDriver {
//!     const KMS: Option<kms::KmsOps<Self>> = Some(kms::KmsOps::new());
//!     // ...
//! }
//! ```
//!
//! The mode objects ([planes](plane), [CRTCs](crtc), [encoders](encoder) and
//! [connectors](connector)) are made in [`KmsDriver::create_objects`], before the device is
//! registered with user space, and live until the last reference to the device is gone. All updates
//! are atomic; [`atomic`] describes what a driver may do in which phase of an update.
//!
//! This layer always uses the atomic helpers of the DRM core (`drm_atomic_helper_*`); it has no
//! support for drivers that implement the low-level `drm_mode_config_funcs` themselves.
//!
//! C headers: [`include/drm/drm_mode_config.h`](srctree/include/drm/drm_mode_config.h),
//! [`include/drm/drm_atomic_helper.h`](srctree/include/drm/drm_atomic_helper.h)

pub mod atomic;
pub mod blend;
pub mod color;
pub mod colorop;
mod commit;
pub mod connector;
mod crc;
pub mod crtc;
pub mod damage;
pub mod debugfs;
pub mod encoder;
pub mod fourcc;
pub mod framebuffer;
mod lock;
pub mod modes;
pub mod panic;
pub mod plane;
mod pm;
pub mod print;
pub mod rect;
pub mod scaling;
mod shutdown;
mod tail;
#[cfg(CONFIG_RUST_DRM_KMS_KUNIT_TEST)]
mod tests;
pub mod vblank;
pub mod writeback;

use crate::{
    bindings,
    drm::{
        self,
        driver::AllocImpl, //
    },
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};
use core::{
    cell::Cell,
    marker::PhantomData,
    mem,
    ops::Deref,
    ptr,
    ptr::NonNull, //
};

pub use self::tail::{
    CommitDone,
    CommitTail,
    EnablesCommitted,
    FlipDone,
    HwDone,
    ModesetsCommitted,
    ModesetsDisabled,
    PlanesCommitted, //
};

/// The most planes, CRTCs, encoders and connectors that a device can have of each kind.
///
/// The DRM core keeps sets of them in 32-bit masks.
pub const MAX_OBJECTS: u32 = 32;

/// The limits and defaults of a device's mode setting.
///
/// All sizes are in pixels. They correspond to fields of the C `struct drm_mode_config`.
#[derive(Clone, Copy, Debug)]
pub struct ModeConfigInfo {
    /// The smallest framebuffer and mode, width and height.
    pub min_resolution: (u32, u32),
    /// The largest framebuffer and mode, width and height.
    pub max_resolution: (u32, u32),
    /// The largest cursor, width and height, as told to user space.
    pub max_cursor: (u32, u32),
    /// The preferred colour depth of framebuffers in bits, or 0 for the default (XRGB8888).
    pub preferred_depth: u32,
    /// Whether the core numbers the planes of each CRTC by their "zpos" property.
    pub normalize_zpos: bool,
}

/// A DRM driver that does mode setting.
///
/// See the [module documentation](self) for how a driver opts in.
#[vtable]
pub trait KmsDriver: drm::Driver + Sized + 'static {
    /// Returns the limits of the mode setting of `dev`.
    ///
    /// Called once, before [`create_objects`](Self::create_objects). May sleep.
    fn mode_config_info(dev: &drm::Device<Self>) -> ModeConfigInfo;

    /// Whether the cursor of `dev` needs a hotspot, since somebody else moves it, e.g. a host.
    ///
    /// Cursor planes have properties for it then, and [`OpaquePlaneState::hotspot`] returns it.
    /// The core hides these planes from clients that use the atomic interface, unless they promise
    /// with `DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT` to set it.
    ///
    /// Called once, before [`create_objects`](Self::create_objects). May sleep.
    ///
    /// C: `DRIVER_CURSOR_HOTSPOT`.
    ///
    /// [`OpaquePlaneState::hotspot`]: plane::OpaquePlaneState::hotspot
    fn cursor_hotspot(dev: &drm::Device<Self>) -> bool {
        let _ = dev;
        false
    }

    /// Creates the mode objects of a device.
    ///
    /// `setup` is what the constructors of all mode objects take; it exists only here. `data` is
    /// the registration data, with the hardware's resources: the objects may be set up with its
    /// help, but cannot keep it, since they outlive it.
    ///
    /// Called once, before the device is registered with user space. May sleep. If an error is
    /// returned then the device is not registered, and the objects made so far are freed with it.
    /// The device is not registered either, with `EINVAL`, if there is a primary plane without a
    /// CRTC or an encoder that no CRTC can drive.
    fn create_objects(setup: &KmsSetup<'_, Self>, data: &Self::RegistrationData<'_>) -> Result;

    /// Carries out a checked update.
    ///
    /// The steps of the update are methods of `tail` and of the values that they return, so that
    /// they can only be taken in an order that the DRM core supports. Without an implementation
    /// the planes are updated before anything is turned on.
    ///
    /// May sleep. Called either from the ioctl or from a worker, for one update per CRTC at a time.
    ///
    /// C: `struct drm_mode_config_helper_funcs`, `atomic_commit_tail`.
    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        tail.commit_modeset_disables()
            .commit_planes()
            .commit_modeset_enables()
            .commit_hw_done()
            .wait_for_flip_done()
            .cleanup_planes()
    }
}

/// The operations that make a [`drm::Driver`] a KMS driver.
pub struct KmsOps<D: drm::Driver> {
    setup: unsafe fn(&drm::UnregisteredDevice<D>, NonNull<D::RegistrationData<'static>>) -> Result,
}

impl<D: KmsDriver> KmsOps<D> {
    /// Creates the operations of a driver that implements [`KmsDriver`].
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { setup: setup::<D> }
    }
}

impl<D: drm::Driver> KmsOps<D> {
    /// Creates the mode objects of a device.
    ///
    /// # Safety
    ///
    /// `data` must point to registration data that is valid for the duration of the call.
    pub(super) unsafe fn setup(
        &self,
        drm: &drm::UnregisteredDevice<D>,
        data: NonNull<D::RegistrationData<'static>>,
    ) -> Result {
        // SAFETY: The requirements of this function are those of `self.setup`.
        unsafe { (self.setup)(drm, data) }
    }

    /// Offers the newly registered device to the in-kernel clients, e.g. the console.
    ///
    /// # Safety
    ///
    /// `drm` must be registered with user space.
    pub(super) unsafe fn client_setup(&self, drm: &drm::Device<D>) {
        // The console wants a framebuffer.
        if cfg!(CONFIG_DRM_FBDEV_EMULATION) && D::Object::FBDEV_PROBE.is_none() {
            return;
        }

        // SAFETY: `drm` is a registered device by the safety requirements, and a NULL format asks
        // for the default.
        unsafe { bindings::drm_client_setup(drm.as_raw(), ptr::null()) };
    }

    /// Turns everything off.
    ///
    /// What cannot be turned off is kept forever. May sleep, and takes all modeset locks.
    ///
    /// # Safety
    ///
    /// [`setup`](Self::setup) must have succeeded on `drm`, and `drm` must have been unplugged.
    pub(super) unsafe fn shutdown(&self, drm: &drm::Device<D>) {
        let raw = drm.as_raw();

        // SAFETY: `drm` is a device with a mode configuration and initial states of all objects,
        // which has been unplugged, by the safety requirements.
        unsafe { shutdown::shutdown(raw) };

        // A device that goes while it is suspended is never resumed.
        //
        // SAFETY: The mode configuration is initialized. `suspend()` and `resume()`, which need a
        // registered device, are over.
        let suspended =
            unsafe { mem::replace(&mut (*raw).mode_config.suspend_state, ptr::null_mut()) };

        if !suspended.is_null() {
            // SAFETY: The mode configuration owned a reference to the state.
            unsafe { bindings::drm_atomic_commit_put(suspended) };
        }
    }
}

const fn mode_config_funcs<D: KmsDriver, const DAMAGE: bool>() -> bindings::drm_mode_config_funcs {
    bindings::drm_mode_config_funcs {
        fb_create: Some(framebuffer::Framebuffer::<D>::create_callback::<DAMAGE>),
        atomic_check: Some(bindings::drm_atomic_helper_check),
        atomic_commit: Some(commit::commit_callback),
        ..pin_init::zeroed()
    }
}

const fn mode_config_helper_funcs<D: KmsDriver>() -> bindings::drm_mode_config_helper_funcs {
    bindings::drm_mode_config_helper_funcs {
        atomic_commit_tail: Some(tail::commit_tail_callback::<D>),
        ..pin_init::zeroed()
    }
}

/// # Safety
///
/// `data` must point to registration data that is valid for the duration of the call.
unsafe fn setup<D: KmsDriver>(
    drm: &drm::UnregisteredDevice<D>,
    data: NonNull<D::RegistrationData<'static>>,
) -> Result {
    let raw = drm.as_raw();

    // SAFETY: `raw` is a valid device that is not registered yet.
    to_result(unsafe { bindings::drmm_mode_config_init(raw) })?;

    let info = D::mode_config_info(drm);

    // SAFETY: The device is not registered and has no mode objects yet, so nobody else looks at its
    // mode configuration.
    unsafe {
        let config = &raw mut (*raw).mode_config;

        (*config).funcs = const { &mode_config_funcs::<D, false>() };
        (*config).helper_private = const { &mode_config_helper_funcs::<D>() };
        (*config).min_width = info.min_resolution.0;
        (*config).min_height = info.min_resolution.1;
        (*config).max_width = info.max_resolution.0;
        (*config).max_height = info.max_resolution.1;
        (*config).cursor_width = info.max_cursor.0;
        (*config).cursor_height = info.max_cursor.1;
        (*config).preferred_depth = info.preferred_depth;
        (*config).normalize_zpos = info.normalize_zpos;
    }

    if !D::cursor_hotspot(drm) {
        // SAFETY: The device is not registered and has no mode objects yet.
        unsafe { plane::hotspot::disable(raw) };
    }

    // INVARIANT: The mode configuration was initialized above, and an `UnregisteredDevice` is not
    // registered.
    let setup = KmsSetup {
        drm,
        uses_vblank: Cell::new(false),
        without_vblank: Cell::new(false),
        uses_damage: Cell::new(false),
        num_primary: Cell::new(0),
        num_idle_encoders: Cell::new(0),
        failed: Cell::new(None),
        _not_send: NotThreadSafe,
    };

    // SAFETY: `data` is valid for the duration of the call by the safety requirements. The
    // callback is generic over the lifetime, so the cast from `'static` cannot be observed.
    D::create_objects(&setup, unsafe { data.cast().as_ref() })?;

    setup.validate()?;

    if setup.uses_damage.get() {
        // SAFETY: The device is not registered yet, so nobody else looks at its mode configuration.
        unsafe { (*raw).mode_config.funcs = const { &mode_config_funcs::<D, true>() } };
    }

    if setup.uses_vblank.get() && !setup.without_vblank.get() {
        // Before the initial state is created, which resets the vblank machinery of each CRTC.
        //
        // SAFETY: `raw` is a valid device; all of its CRTCs have been created.
        to_result(unsafe { bindings::drm_vblank_init(raw, setup.num_crtcs()) })?;
    }

    // SAFETY: `raw` is a valid device, all of its mode objects have been created.
    to_result(unsafe { bindings::drm_mode_config_create_initial_state(raw) })
}

/// A device whose mode objects are being created.
///
/// The constructors of all mode objects need it, which limits them to
/// [`KmsDriver::create_objects`].
///
/// # Invariants
///
/// The mode configuration of `drm` is initialized, and `drm` is not registered with user space.
pub struct KmsSetup<'a, D: KmsDriver> {
    drm: &'a drm::UnregisteredDevice<D>,
    /// Whether one of the CRTCs created so far needs the vblank machinery.
    uses_vblank: Cell<bool>,
    /// Whether the device is to do without it nevertheless.
    without_vblank: Cell<bool>,
    /// Whether one of the planes created so far is told what has changed of a framebuffer.
    uses_damage: Cell<bool>,
    /// The number of primary planes.
    num_primary: Cell<u32>,
    /// The number of encoders that no CRTC can drive.
    num_idle_encoders: Cell<u32>,
    /// An error that left the mode configuration in a state that it cannot be used in.
    failed: Cell<Option<Error>>,
    _not_send: NotThreadSafe,
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Returns the DRM device.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        self.drm
    }

    /// Lets user space flip pages without waiting for a vertical blank.
    ///
    /// The event of such a page flip is sent as soon as
    /// [`DriverCrtc::atomic_flush`](crtc::DriverCrtc::atomic_flush) has returned: by then the
    /// hardware must show the new picture, or no frame of the old one can begin any more.
    ///
    /// C: `struct drm_mode_config`, `async_page_flip`.
    pub fn enable_async_page_flip(&self) {
        // SAFETY: The device is not registered yet, so nobody else looks at its mode configuration.
        unsafe { (*self.as_raw()).mode_config.async_page_flip = true };
    }

    /// Lets the device do without vertical blanks, wherever its CRTCs have them from.
    ///
    /// Page flips complete as soon as they are carried out, and there are no checksums, since
    /// frames are counted by vertical blanks.
    pub fn disable_vblank(&self) {
        self.without_vblank.set(true);
    }

    fn as_raw(&self) -> *mut bindings::drm_device {
        self.drm.as_raw()
    }

    fn num_crtcs(&self) -> u32 {
        // SAFETY: The mode configuration is initialized by the type invariants, and only this
        // thread adds objects to it.
        unsafe { (*self.as_raw()).mode_config.num_crtc as u32 }
    }

    fn num_planes(&self) -> u32 {
        // SAFETY: See `num_crtcs()`.
        unsafe { (*self.as_raw()).mode_config.num_total_plane as u32 }
    }

    fn num_encoders(&self) -> u32 {
        // SAFETY: See `num_crtcs()`.
        unsafe { (*self.as_raw()).mode_config.num_encoder as u32 }
    }

    fn num_connectors(&self) -> u32 {
        // SAFETY: See `num_crtcs()`.
        unsafe { (*self.as_raw()).mode_config.num_connector as u32 }
    }

    /// Checks what the core would warn of.
    fn validate(&self) -> Result {
        if let Some(err) = self.failed.get() {
            return Err(err);
        }

        if self.num_primary.get() == self.num_crtcs() && self.num_idle_encoders.get() == 0 {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    /// Returns an error if `count` objects of a kind are as many as there can be.
    fn check_room(count: u32) -> Result {
        if count < MAX_OBJECTS {
            Ok(())
        } else {
            Err(ENOSPC)
        }
    }

    /// Returns an error if an object of the device `dev` does not belong to this device.
    fn check_own(&self, dev: &drm::Device<D>) -> Result {
        if ptr::eq(self.as_raw(), dev.as_raw()) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}

impl<D: KmsDriver> drm::Device<D> {
    /// Tells user space that the status of some connector of the device may have changed.
    ///
    /// In-kernel clients, e.g. the console, are told as well. Does nothing before the device has
    /// been set up. May sleep, and takes `drm_mode_config.mutex`.
    ///
    /// C: `drm_kms_helper_hotplug_event()`.
    pub fn hotplug_event(&self) {
        let Some(guard) = self.kms_guard() else {
            return;
        };

        // SAFETY: The device was set up, hence the sysfs device of its minor is there. It is not
        // removed as long as there is the guard, hence its parents are there if it was added.
        unsafe { bindings::drm_sysfs_hotplug_event(self.as_raw()) };

        // Clients wait for updates, which can take as long as user space likes, and whoever unplugs
        // any DRM device waits for each guard.
        drop(guard);

        // SAFETY: The device was set up, hence it keeps its mode configuration and its list of
        // clients, even if it is unregistered from now on.
        unsafe { bindings::drm_client_dev_hotplug(self.as_raw()) };
    }

    /// Returns a guard of the registration, if the device is registered and has been set up.
    fn kms_guard(&self) -> Option<drm::RegistrationGuard<'_, D>> {
        // Without this constant there is no mode configuration.
        D::KMS.as_ref()?;

        self.registration_guard()
    }
}

mod private {
    /// A mode object that can be referred to.
    ///
    /// # Safety
    ///
    /// The object must be valid for as long as there is a reference to the device that
    /// [`drm_dev`](Self::drm_dev) returns, and one that [`get`](Self::get) has made.
    pub unsafe trait ModeObject {
        /// The driver of the object's device.
        type Driver: super::KmsDriver;

        /// Returns the object's device.
        fn drm_dev(&self) -> &super::drm::Device<Self::Driver>;

        /// Makes a reference. Most objects live as long as their device, and need none.
        fn get(&self) {}

        /// Gives a reference back.
        ///
        /// # Safety
        ///
        /// `this` must be valid, and the caller own a reference to it that [`get`](Self::get) has
        /// made.
        unsafe fn put(this: super::NonNull<Self>) {
            let _ = this;
        }
    }
}
use private::ModeObject;

/// An owned reference to a mode object, which keeps the object and its device alive.
///
/// A mode object that owns such a reference to an object of its own device would keep the device
/// alive forever.
///
/// # Invariants
///
/// `object` is a mode object of the device `_drm`, and this owns a reference to it that
/// `ModeObject::get()` has made.
pub struct KmsRef<T: ModeObject> {
    object: NonNull<T>,
    _drm: ARef<drm::Device<T::Driver>>,
}

impl<T: ModeObject> From<&T> for KmsRef<T> {
    fn from(object: &T) -> Self {
        object.get();

        // INVARIANT: `drm_dev()` is the device of `object`, and the reference was made above.
        Self {
            object: object.into(),
            _drm: object.drm_dev().into(),
        }
    }
}

impl<T: ModeObject> Drop for KmsRef<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this owns a reference. That to the device is dropped
        // after it.
        unsafe { T::put(self.object) };
    }
}

impl<T: ModeObject> Deref for KmsRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariants there is a reference to the object, and one to its device,
        // so that it is valid by the safety requirements of `ModeObject`.
        unsafe { self.object.as_ref() }
    }
}

impl<T: ModeObject> Clone for KmsRef<T> {
    fn clone(&self) -> Self {
        (&**self).into()
    }
}

// SAFETY: A `KmsRef<T>` gives shared access to a `T`, and can be the one that drops the device,
// which can be done from any thread.
unsafe impl<T: ModeObject + Sync> Send for KmsRef<T> {}

// SAFETY: A `&KmsRef<T>` gives shared access to a `T`, and can be cloned into a `KmsRef<T>`.
unsafe impl<T: ModeObject + Sync> Sync for KmsRef<T> {}

/// The state that a driver keeps in each state of a mode object.
///
/// The DRM core makes one initial state when the device is set up, and one duplicate of an object's
/// current state for each update that involves the object. `()` is for objects without such state.
///
/// A state is shared between threads from the moment that the update is committed, and never
/// changed again.
pub trait DriverState: Send + Sync + Sized + 'static {
    /// Creates the initial state of an object.
    fn new() -> Result<Self>;

    /// Creates a copy of the object's current state, for an update to change.
    fn duplicate(&self) -> Result<Self>;
}

impl DriverState for () {
    fn new() -> Result<Self> {
        Ok(())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(())
    }
}

/// Returns whether `property` is one of the `properties` of a mode object.
fn is_attached(
    properties: &bindings::drm_object_properties,
    property: *mut bindings::drm_property,
) -> bool {
    properties
        .properties
        .iter()
        .take(properties.count as usize)
        .any(|other| *other == property)
}

/// Returns the name of a mode object, as the argument of [`name_format`].
fn name_arg(name: Option<&CStr>) -> *const crate::ffi::c_char {
    name.map_or(ptr::null(), |name| name.as_char_ptr())
}

/// Returns the printf format for an optional name. NULL asks the core to make a name up.
fn name_format(name: Option<&CStr>) -> *const crate::ffi::c_char {
    if name.is_some() {
        c"%s".as_char_ptr()
    } else {
        ptr::null()
    }
}

/// Ties a type to a driver without owning one.
///
/// Invariant: drivers that differ in lifetimes only are different ones.
type OfDriver<D> = PhantomData<fn(D) -> D>;
