// SPDX-License-Identifier: GPL-2.0

//! Power management of PCI devices.
//!
//! C headers: [`include/linux/pci.h`](srctree/include/linux/pci.h),
//! [`include/linux/pm.h`](srctree/include/linux/pm.h)

use super::{
    Device,
    Driver, //
};
use crate::{
    bindings,
    container_of,
    device,
    error::from_result,
    prelude::*, //
};
use core::marker::PhantomData;

/// A PCI driver that takes part in system-wide suspend and hibernation.
///
/// The driver names it in its [`Driver`] implementation:
///
/// ```ignore
/// impl pci::Driver for MyDriver {
///     const PM_OPS: Option<pci::PmOps<Self>> = Some(pci::PmOps::new());
///     // ...
/// }
/// ```
///
/// The PCI core saves and restores the configuration space, and changes the power state of the
/// device. All callbacks may sleep, and are called with the device lock held.
pub trait PmDriver: Driver + Sized {
    /// Stops what the device does, and remembers what has to be restored.
    ///
    /// User space is frozen. If it fails then the system is not suspended.
    ///
    /// C: `struct dev_pm_ops`, `suspend`, `freeze` and `poweroff`.
    fn suspend<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result;

    /// Lets the device go on where it was suspended. Its memory and registers may be lost.
    ///
    /// C: `struct dev_pm_ops`, `resume`, `thaw` and `restore`.
    fn resume<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result;
}

/// The callbacks of a driver that implements [`PmDriver`].
pub struct PmOps<T: ?Sized> {
    ops: &'static bindings::dev_pm_ops,
    _driver: PhantomData<fn(&T)>,
}

impl<T: ?Sized> PmOps<T> {
    pub(super) const fn as_raw(&self) -> *const bindings::dev_pm_ops {
        self.ops
    }
}

impl<T: PmDriver> PmOps<T> {
    const OPS: bindings::dev_pm_ops = bindings::dev_pm_ops {
        suspend: Some(Self::suspend_callback),
        resume: Some(Self::resume_callback),
        freeze: Some(Self::suspend_callback),
        thaw: Some(Self::resume_callback),
        poweroff: Some(Self::suspend_callback),
        restore: Some(Self::resume_callback),
        ..pin_init::zeroed()
    };

    /// Creates the callbacks.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            ops: const { &Self::OPS },
            _driver: PhantomData,
        }
    }

    /// # Safety
    ///
    /// `dev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe extern "C" fn suspend_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The safety requirements of this function.
        from_result(|| unsafe { Self::call(dev, T::suspend) })
    }

    /// # Safety
    ///
    /// `dev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe extern "C" fn resume_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The safety requirements of this function.
        from_result(|| unsafe { Self::call(dev, T::resume) })
    }

    /// # Safety
    ///
    /// `dev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe fn call(
        dev: *mut bindings::device,
        callback: for<'a, 'b, 'bound> fn(
            &'bound Device<device::Core<'a>>,
            Pin<&'b T::Data<'bound>>,
        ) -> Result,
    ) -> Result<c_int> {
        // SAFETY: `dev` is part of a `struct pci_dev` by the safety requirements.
        let pdev = unsafe { container_of!(dev, bindings::pci_dev, dev) };

        // SAFETY: `Device` is a transparent wrapper of a `struct pci_dev`, which is valid for the
        // duration of the callback.
        let pdev = unsafe { &*pdev.cast::<Device<device::CoreInternal<'_>>>() };

        // SAFETY: The device is bound to `T`, so that `probe()` has stored its data, which is not
        // taken away while the device lock is held.
        let data = unsafe { pdev.as_ref().drvdata_borrow::<T::Data<'_>>() };

        callback(pdev, data).map(|()| 0)
    }
}
