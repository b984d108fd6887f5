// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Connectors that come and go while the device is registered.

use super::{
    Connector,
    ConnectorType,
    DriverConnector, //
};
use crate::{
    bindings,
    drm::{
        self,
        kms::{
            KmsRef,
            MAX_OBJECTS, //
        },
    },
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*, //
};
use core::{
    ops::Deref,
    ptr, //
};

/// A connector that was added to a registered device, e.g. a display behind a hub.
///
/// User space loses the connector when this is dropped, which may sleep, and waits for accesses to
/// the connector's files in sysfs and debugfs. They take locks that callbacks of connectors are
/// called with, so no such callback may drop this.
///
/// Callbacks are not waited for: one can be running when this has been dropped, and others can
/// still be called, e.g. for an ioctl that has found the connector before. The connector itself
/// lives until nobody refers to it any more, e.g. until a CRTC that feeds it is turned off.
///
/// This keeps the device alive, so no mode object of the device can own it.
///
/// C: `drm_connector_dynamic_init()`, `drm_connector_dynamic_register()`,
/// `drm_connector_unregister()`.
///
/// # Invariants
///
/// This owns the reference to the connector that its creation has made.
pub struct DynamicConnector<T: DriverConnector> {
    connector: KmsRef<Connector<T>>,
}

impl<T: DriverConnector> DynamicConnector<T> {
    /// Adds a connector to `drm`, and tells user space.
    ///
    /// `encoders` are those that can feed it, as bits of their indices: the first encoder that the
    /// device was given is bit 0. The connector has the property "EDID".
    ///
    /// Fails with `ENODEV` if the device is not registered (any more), with `EINVAL` if `encoders`
    /// has none or one that is not there, with `ENOSPC` if the device has [`MAX_OBJECTS`]
    /// connectors, with `ENOMEM`, and with the error of [`DriverConnector::new`]. May sleep; must
    /// not be called by callbacks of connectors.
    pub fn new(
        drm: &drm::Device<T::Driver>,
        kind: ConnectorType,
        encoders: u32,
        args: T::Args,
    ) -> Result<Self> {
        let ops = const { &Connector::<T>::OPS };
        let dev = drm.kms_guard().ok_or(ENODEV)?;

        // SAFETY: The device was set up and is registered, hence it has a mode configuration, and
        // its encoders do not change any more.
        let count = unsafe { (*dev.as_raw()).mode_config.num_encoder };
        let all = (0..MAX_OBJECTS)
            .take(count.try_into()?)
            .fold(0, |all, index| all | 1 << index);

        if encoders == 0 || encoders & !all != 0 {
            return Err(EINVAL);
        }

        let connector = Connector::<T>::alloc(&dev, args)?;
        let raw = connector.cast::<bindings::drm_connector>();

        // SAFETY: `connector` is zeroed memory that does not move, the device has a mode
        // configuration, and the operations are never freed. The pointer to `funcs` is made from
        // one to all of the operations.
        let ret = to_result(unsafe {
            bindings::drm_connector_dynamic_init(
                dev.as_raw(),
                raw,
                ptr::from_ref(ops).cast(),
                kind as i32,
                ptr::null_mut(),
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed, so nobody knows the memory that `alloc()` took
            // from a `KBox`.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(connector)) });
            return Err(err);
        }

        // SAFETY: `raw` was initialized, and only this thread knows it.
        unsafe {
            (*raw).helper_private = &ops.helper_funcs;
            (*raw).possible_encoders = encoders;
        }

        // SAFETY: `connector` was initialized with the operations of `T`.
        let connector = unsafe { &*connector };

        // From here on the connector is removed and freed when this is dropped.
        //
        // INVARIANT: The initialization has made a reference.
        let this = Self {
            connector: connector.into(),
        };

        // SAFETY: As above. The connector has no state yet.
        unsafe {
            connector.attach_edid_property();
            (*raw).state = from_err_ptr(bindings::drm_atomic_helper_connector_create_state(raw))?;
        }

        // SAFETY: The connector is complete, and was not registered before. The device cannot be
        // unregistered meanwhile, since there is a guard.
        to_result(unsafe { bindings::drm_connector_dynamic_register(raw) })?;

        Ok(this)
    }
}

impl<T: DriverConnector> Deref for DynamicConnector<T> {
    type Target = Connector<T>;

    fn deref(&self) -> &Self::Target {
        &self.connector
    }
}

impl<T: DriverConnector> Drop for DynamicConnector<T> {
    fn drop(&mut self) {
        let raw = self.connector.as_raw();

        // SAFETY: The connector is valid, and this owns a reference to it. It does nothing if the
        // connector is not registered (any more).
        unsafe {
            bindings::drm_connector_unregister(raw);
            bindings::drm_mode_object_put(&raw mut (*raw).base);
        }
    }
}
