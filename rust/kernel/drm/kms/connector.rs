// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Connectors.
//!
//! A connector is where a display is plugged in. User space asks it whether there is one, and
//! which modes it can do.
//!
//! C header: [`include/drm/drm_connector.h`](srctree/include/drm/drm_connector.h)

mod dynamic;
mod probe;
mod routing;

use super::{
    encoder::Encoder,
    is_attached,
    modes::{
        DisplayMode,
        ModeStatus, //
    },
    print::StatePrinter,
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
    types::Opaque,
    vtable::Identity, //
};
use core::{
    ops::Deref,
    ptr,
    ptr::NonNull, //
};

pub use self::dynamic::DynamicConnector;
pub use self::probe::{
    ConnectorProbe,
    EDID_BLOCK_SIZE, //
};

/// The kind of a connector.
///
/// Writeback connectors have a type of their own, see [`super::writeback`].
///
/// C: `DRM_MODE_CONNECTOR_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ConnectorType {
    /// The kind is not known.
    Unknown = bindings::DRM_MODE_CONNECTOR_Unknown,
    /// VGA.
    Vga = bindings::DRM_MODE_CONNECTOR_VGA,
    /// DVI, digital and analogue.
    Dvii = bindings::DRM_MODE_CONNECTOR_DVII,
    /// DVI, digital only.
    Dvid = bindings::DRM_MODE_CONNECTOR_DVID,
    /// DVI, analogue only.
    Dvia = bindings::DRM_MODE_CONNECTOR_DVIA,
    /// Composite video.
    Composite = bindings::DRM_MODE_CONNECTOR_Composite,
    /// S-Video.
    SVideo = bindings::DRM_MODE_CONNECTOR_SVIDEO,
    /// LVDS, of a built-in panel.
    Lvds = bindings::DRM_MODE_CONNECTOR_LVDS,
    /// Component video.
    Component = bindings::DRM_MODE_CONNECTOR_Component,
    /// A round plug of nine pins.
    Din9Pin = bindings::DRM_MODE_CONNECTOR_9PinDIN,
    /// DisplayPort.
    DisplayPort = bindings::DRM_MODE_CONNECTOR_DisplayPort,
    /// HDMI, type A.
    HdmiA = bindings::DRM_MODE_CONNECTOR_HDMIA,
    /// HDMI, type B.
    HdmiB = bindings::DRM_MODE_CONNECTOR_HDMIB,
    /// A television set.
    Tv = bindings::DRM_MODE_CONNECTOR_TV,
    /// Embedded DisplayPort.
    Edp = bindings::DRM_MODE_CONNECTOR_eDP,
    /// A virtual display.
    Virtual = bindings::DRM_MODE_CONNECTOR_VIRTUAL,
    /// DSI, of a built-in panel.
    Dsi = bindings::DRM_MODE_CONNECTOR_DSI,
    /// DPI, of a built-in panel.
    Dpi = bindings::DRM_MODE_CONNECTOR_DPI,
    /// A panel on an SPI bus.
    Spi = bindings::DRM_MODE_CONNECTOR_SPI,
    /// A display on USB.
    Usb = bindings::DRM_MODE_CONNECTOR_USB,
}

impl ConnectorType {
    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::Unknown,
        Self::Vga,
        Self::Dvii,
        Self::Dvid,
        Self::Dvia,
        Self::Composite,
        Self::SVideo,
        Self::Lvds,
        Self::Component,
        Self::Din9Pin,
        Self::DisplayPort,
        Self::HdmiA,
        Self::HdmiB,
        Self::Tv,
        Self::Edp,
        Self::Virtual,
        Self::Dsi,
        Self::Dpi,
        Self::Spi,
        Self::Usb,
    ];
}

/// Whether there is a display on a connector.
///
/// C: `enum drm_connector_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorStatus {
    /// There is a display.
    Connected,
    /// There is no display.
    Disconnected,
    /// It cannot be found out without disturbing somebody.
    Unknown,
}

impl ConnectorStatus {
    fn into_raw(self) -> bindings::drm_connector_status {
        match self {
            Self::Connected => bindings::drm_connector_status::connector_status_connected,
            Self::Disconnected => bindings::drm_connector_status::connector_status_disconnected,
            Self::Unknown => bindings::drm_connector_status::connector_status_unknown,
        }
    }
}

/// A driver's implementation of a kind of connector.
///
/// All callbacks may sleep.
#[vtable(unique)]
pub trait DriverConnector: Send + Sync + Sized {
    /// The driver.
    type Driver: KmsDriver;

    /// What [`new`](Self::new) needs.
    type Args;

    /// Creates the driver's data of a connector.
    fn new(drm: &drm::Device<Self::Driver>, args: Self::Args) -> impl PinInit<Self, Error>;

    /// Adds the modes of the display on the connector, and returns how many there are.
    ///
    /// If it fails then the connector has no modes of its own, and the core adds standard modes up
    /// to 1024x768.
    ///
    /// C: `struct drm_connector_helper_funcs`, `get_modes`.
    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32>;

    /// Says whether there is a display on the connector.
    ///
    /// `force` is false if the answer should disturb nobody. Without an implementation there always
    /// is a display.
    ///
    /// C: `struct drm_connector_funcs`, `detect`.
    fn detect(connector: &Connector<Self>, force: bool) -> ConnectorStatus {
        let _ = (connector, force);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Prints what the driver knows about `connector`.
    ///
    /// C: `struct drm_connector_funcs`, `atomic_print_state`.
    fn atomic_print_state(connector: &Connector<Self>, printer: &mut StatePrinter) {
        let _ = (connector, printer);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Says whether the connector can do `mode`.
    ///
    /// C: `struct drm_connector_helper_funcs`, `mode_valid`.
    fn mode_valid(connector: &Connector<Self>, mode: &DisplayMode) -> ModeStatus {
        let _ = (connector, mode);
        ModeStatus::Ok
    }
}

/// The operations of a kind of connector.
///
/// The core only knows `funcs`, and has a pointer to it in each connector.
#[repr(C)]
pub(super) struct ConnectorOps {
    pub(super) funcs: bindings::drm_connector_funcs,
    pub(super) helper_funcs: bindings::drm_connector_helper_funcs,
    pub(super) id: &'static Identity,
}

/// A connector of a device of the driver `D`, of any kind.
///
/// C: `struct drm_connector`.
///
/// # Invariants
///
/// - `connector` is initialized, and valid for as long as there is a reference to it. The device
///   owns one to each connector that was created before it was registered.
/// - `connector.funcs` points to the `funcs` of a `ConnectorOps`, with provenance of all of it.
#[repr(transparent)]
pub struct OpaqueConnector<D: KmsDriver> {
    connector: Opaque<bindings::drm_connector>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> OpaqueConnector<D> {
    pub(super) fn as_raw(&self) -> *mut bindings::drm_connector {
        self.connector.get()
    }

    /// Returns the device of the connector.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The connector is initialized by the type invariants, its device is one of `D`.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// Returns the index of the connector on its device, less than [`super::MAX_OBJECTS`].
    pub fn index(&self) -> u32 {
        // SAFETY: The connector is initialized by the type invariants; its index never changes.
        unsafe { (*self.as_raw()).index }
    }

    /// Makes sure that there is the property "EDID".
    ///
    /// # Safety
    ///
    /// The connector must not be registered yet, and only this thread use it.
    unsafe fn attach_edid_property(&self) {
        // SAFETY: The connector is initialized by the type invariants, and so is the mode
        // configuration of its device. Nobody else uses it by the safety requirements.
        unsafe {
            let property = (*(*self.as_raw()).dev).mode_config.edid_property;

            if !is_attached(&*(*self.as_raw()).base.properties, property) {
                bindings::drm_connector_attach_edid_property(self.as_raw());
            }
        }
    }

    fn id(&self) -> &'static Identity {
        // SAFETY: By the type invariants `funcs` points to the first field of a `ConnectorOps`,
        // which is never freed.
        unsafe { (*(*self.as_raw()).funcs.cast::<ConnectorOps>()).id }
    }
}

// SAFETY: The C side of a connector can be used from any thread.
unsafe impl<D: KmsDriver> Send for OpaqueConnector<D> {}

// SAFETY: The methods only read what does not change once the connector has been created.
unsafe impl<D: KmsDriver> Sync for OpaqueConnector<D> {}

/// A connector of the kind `T`.
///
/// # Invariants
///
/// `base` was created with the operations of `T`.
#[repr(C)]
#[pin_data]
pub struct Connector<T: DriverConnector> {
    base: OpaqueConnector<T::Driver>,
    #[pin]
    inner: T,
}

impl<T: DriverConnector> Connector<T> {
    const OPS: ConnectorOps = ConnectorOps {
        funcs: bindings::drm_connector_funcs {
            detect: if T::HAS_DETECT {
                Some(Self::detect_callback)
            } else {
                None
            },
            fill_modes: Some(Self::fill_modes_callback),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(bindings::drm_atomic_helper_connector_create_state),
            atomic_duplicate_state: Some(bindings::drm_atomic_helper_connector_duplicate_state),
            atomic_destroy_state: Some(bindings::drm_atomic_helper_connector_destroy_state),
            atomic_print_state: if T::HAS_ATOMIC_PRINT_STATE {
                Some(Self::print_state_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        helper_funcs: bindings::drm_connector_helper_funcs {
            get_modes: Some(Self::get_modes_callback),
            atomic_best_encoder: Some(Self::atomic_best_encoder_callback),
            mode_valid: if T::HAS_MODE_VALID {
                Some(Self::mode_valid_callback)
            } else {
                None
            },
            ..pin_init::zeroed()
        },
        id: T::UNIQUE_ID.identity(),
    };

    /// Returns a new connector that is zeroed but for the driver's data: a `KBox` that is pinned.
    fn alloc(drm: &drm::Device<T::Driver>, args: T::Args) -> Result<*mut Self> {
        let connector = KBox::pin_init(
            try_pin_init!(Self {
                base: OpaqueConnector {
                    connector: Opaque::zeroed(),
                    _driver: OfDriver::default(),
                },
                inner <- T::new(drm, args),
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The connector is not moved from here on.
        Ok(KBox::into_raw(unsafe {
            Pin::into_inner_unchecked(connector)
        }))
    }

    /// Creates a connector.
    ///
    /// Fails with `ENOSPC` if the device already has [`super::MAX_OBJECTS`] connectors. May sleep.
    ///
    /// C: `drm_connector_init()`.
    pub fn new<'a>(
        setup: &'a KmsSetup<'_, T::Driver>,
        kind: ConnectorType,
        args: T::Args,
    ) -> Result<&'a Self> {
        let ops = const { &Self::OPS };

        KmsSetup::<T::Driver>::check_room(setup.num_connectors())?;

        let connector = Self::alloc(setup.drm_dev(), args)?;

        // SAFETY: `connector` is zeroed memory that does not move, the device of `setup` has a mode
        // configuration and is not registered yet, and the operations are never freed. The pointer
        // to `funcs` is made from one to all of the operations.
        let ret = to_result(unsafe {
            bindings::drm_connector_init(
                setup.as_raw(),
                connector.cast(),
                ptr::from_ref(ops).cast(),
                kind as i32,
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed, so nobody knows the memory that was taken from a
            // `KBox` above.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(connector)) });
            return Err(err);
        }

        // SAFETY: `connector` was initialized, and only this thread knows it.
        unsafe {
            (*connector.cast::<bindings::drm_connector>()).helper_private = &ops.helper_funcs
        };

        // INVARIANT: The connector was initialized with the operations of `T` above.
        //
        // SAFETY: The core frees the connector with the device, which outlives the borrow of
        // `setup`.
        Ok(unsafe { &*connector })
    }

    /// Returns `connector` as one of the kind `T`, if it is one.
    pub fn try_from_opaque(connector: &OpaqueConnector<T::Driver>) -> Option<&Self> {
        if connector.id() == T::UNIQUE_ID.identity() {
            // SAFETY: A connector with this identity was created by `Self::new()`.
            Some(unsafe { Self::from_raw(connector.as_raw()) })
        } else {
            None
        }
    }

    /// # Safety
    ///
    /// `connector` must be valid for `'a`, and have been created by [`Self::new`].
    unsafe fn from_raw<'a>(connector: *mut bindings::drm_connector) -> &'a Self {
        // SAFETY: `connector` is the first field of a `Self` by the safety requirements.
        unsafe { &*connector.cast() }
    }

    /// Returns the driver's data.
    pub fn data(&self) -> &T {
        &self.inner
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and be used by nobody any more.
    unsafe extern "C" fn destroy_callback(connector: *mut bindings::drm_connector) {
        // SAFETY: The core calls this once, when nobody refers to the connector any more.
        unsafe { bindings::drm_connector_cleanup(connector) };

        // SAFETY: The memory was taken from a pinned `KBox` in `alloc()`.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(connector.cast::<Self>())) });
    }

    /// # Safety
    ///
    /// `state` must be a state of a connector that was created by [`Self::new`], and `printer` be
    /// valid and used by nobody else.
    unsafe extern "C" fn print_state_callback(
        printer: *mut bindings::drm_printer,
        state: *const bindings::drm_connector_state,
    ) {
        // SAFETY: The safety requirements of this function.
        let (connector, printer) = unsafe {
            (
                Self::from_raw((*state).connector),
                StatePrinter::from_raw(printer),
            )
        };

        T::atomic_print_state(connector, printer);
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`].
    unsafe extern "C" fn detect_callback(
        connector: *mut bindings::drm_connector,
        force: bool,
    ) -> bindings::drm_connector_status {
        // The core may ask once more about a connector that was removed.
        //
        // SAFETY: The connector is valid.
        let state = unsafe { (&raw const (*connector).registration_state).read_volatile() };
        if state == bindings::drm_connector_registration_state_DRM_CONNECTOR_UNREGISTERED {
            return bindings::drm_connector_status::connector_status_disconnected;
        }

        // SAFETY: The safety requirements of this function.
        T::detect(unsafe { Self::from_raw(connector) }, force).into_raw()
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and the lock of the mode configuration
    /// of its device must be held.
    unsafe extern "C" fn fill_modes_callback(
        connector: *mut bindings::drm_connector,
        max_width: u32,
        max_height: u32,
    ) -> c_int {
        // SAFETY: The safety requirements of this function.
        unsafe {
            let count =
                bindings::drm_helper_probe_single_connector_modes(connector, max_width, max_height);

            // The helper forgets the EDID of a display that is gone, but not this, and does not
            // ask the driver for modes then.
            if (*connector).status == bindings::drm_connector_status::connector_status_disconnected
            {
                bindings::drm_connector_set_vrr_capable_property(connector, false);
            }

            count
        }
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and the lock of the mode configuration
    /// of its device must be held.
    unsafe extern "C" fn get_modes_callback(connector: *mut bindings::drm_connector) -> c_int {
        // SAFETY: The safety requirements of this function.
        let probe = unsafe { ConnectorProbe::new(Self::from_raw(connector)) };

        // The C callback has no errors.
        T::get_modes(&probe)
            .ok()
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0)
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`] and be part of `commit`, which must be
    /// in the check phase.
    unsafe extern "C" fn atomic_best_encoder_callback(
        connector: *mut bindings::drm_connector,
        commit: *mut bindings::drm_atomic_commit,
    ) -> *mut bindings::drm_encoder {
        // SAFETY: The safety requirements of this function.
        unsafe { routing::best_encoder(connector, commit) }
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and `mode` be valid.
    unsafe extern "C" fn mode_valid_callback(
        connector: *mut bindings::drm_connector,
        mode: *const bindings::drm_display_mode,
    ) -> bindings::drm_mode_status {
        // SAFETY: The safety requirements of this function; the mode does not change meanwhile.
        let (connector, mode) = unsafe { (Self::from_raw(connector), DisplayMode::from_raw(mode)) };

        T::mode_valid(connector, mode).into_raw()
    }
}

impl<T: DriverConnector> Deref for Connector<T> {
    type Target = OpaqueConnector<T::Driver>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

// SAFETY: A connector is valid for as long as there is a reference to it.
unsafe impl<T: DriverConnector> ModeObject for Connector<T> {
    type Driver = T::Driver;

    fn drm_dev(&self) -> &drm::Device<T::Driver> {
        (**self).drm_dev()
    }

    /// C: `drm_connector_get()`.
    fn get(&self) {
        // SAFETY: The connector is valid, so that there is a reference to it.
        unsafe { bindings::drm_mode_object_get(&raw mut (*self.as_raw()).base) };
    }

    /// C: `drm_connector_put()`.
    unsafe fn put(this: NonNull<Self>) {
        // SAFETY: The caller owns a reference by the safety requirements.
        unsafe {
            let connector = this.as_ref().as_raw();

            bindings::drm_mode_object_put(&raw mut (*connector).base);
        }
    }
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `connector` the property "EDID".
    ///
    /// Only a [virtual](ConnectorType::Virtual) connector has to be given one, without which
    /// [`ConnectorProbe::read_edid`] fails. Does nothing if there is one already.
    ///
    /// C: `drm_connector_attach_edid_property()`.
    pub fn attach_edid_property(&self, connector: &OpaqueConnector<D>) -> Result {
        self.check_own(connector.drm_dev())?;

        // SAFETY: The device is not registered yet, so that only this thread uses its objects.
        unsafe { connector.attach_edid_property() };

        Ok(())
    }

    /// Gives `connector` the property "vrr_capable", to be set by
    /// [`ConnectorProbe::set_vrr_capable`].
    ///
    /// Fails with `ENOMEM`. May sleep.
    ///
    /// C: `drm_connector_attach_vrr_capable_property()`.
    pub fn attach_vrr_capable_property(&self, connector: &OpaqueConnector<D>) -> Result {
        self.check_own(connector.drm_dev())?;

        // SAFETY: The device is not registered yet, so that only this thread uses its objects.
        to_result(unsafe {
            bindings::drm_connector_attach_vrr_capable_property(connector.as_raw())
        })
    }

    /// Makes `encoder` one of the encoders that can feed `connector`.
    ///
    /// Connectors may share encoders: each connector of an update gets one of its own, so that the
    /// update fails only if there are too few besides those of other connectors that are on.
    ///
    /// Fails with `EINVAL` if one of them belongs to another device.
    ///
    /// C: `drm_connector_attach_encoder()`.
    pub fn attach_connector(&self, connector: &OpaqueConnector<D>, encoder: &Encoder<D>) -> Result {
        self.check_own(connector.drm_dev())?;
        self.check_own(encoder.drm_dev())?;

        // SAFETY: Both are valid and of the same device, which is not registered yet.
        to_result(unsafe {
            bindings::drm_connector_attach_encoder(connector.as_raw(), encoder.as_raw())
        })
    }
}
