// SPDX-License-Identifier: GPL-2.0

//! Calls of what bound drivers implement beyond [`Driver`].

use super::{
    Device,
    Driver, //
};
use crate::{
    bindings,
    device,
    prelude::*, //
};

/// Calls a function of the driver `T` with the device and the data of the driver.
///
/// # Safety
///
/// `pdev` must be a PCI device that is bound to the driver `T`, with the device lock held.
pub(super) unsafe fn call<T: Driver, R>(
    pdev: *mut bindings::pci_dev,
    callback: for<'a, 'b, 'bound> fn(
        &'bound Device<device::Core<'a>>,
        Pin<&'b T::Data<'bound>>,
    ) -> R,
) -> R {
    // SAFETY: `Device` is a transparent wrapper of a `struct pci_dev`, which is valid while the
    // device lock is held.
    let pdev = unsafe { &*pdev.cast::<Device<device::CoreInternal<'_>>>() };

    // SAFETY: The device is bound to `T`. A probe holds the device lock until it has stored the
    // data, and the data is not taken away while the lock is held.
    let data = unsafe { pdev.as_ref().drvdata_borrow::<T::Data<'_>>() };

    callback(pdev, data)
}
