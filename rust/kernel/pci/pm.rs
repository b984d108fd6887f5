// SPDX-License-Identifier: GPL-2.0

//! Power management of PCI devices.
//!
//! C headers: [`include/linux/pci.h`](srctree/include/linux/pci.h),
//! [`include/linux/pm.h`](srctree/include/linux/pm.h)

use super::{
    callback::call,
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
///
/// # Invariants
///
/// `ops` are those of `T`, and of no type that is a subtype or supertype of it.
pub struct PmOps<T: ?Sized> {
    ops: &'static bindings::dev_pm_ops,
    _driver: PhantomData<fn(*mut T) -> *mut T>,
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
        // INVARIANT: These are the ones of `T`.
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
        let result = unsafe { call::<T, _>(Self::pci_dev(dev), T::suspend) };

        from_result(|| result.map(|()| 0))
    }

    /// # Safety
    ///
    /// `dev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe extern "C" fn resume_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The safety requirements of this function.
        let result = unsafe { call::<T, _>(Self::pci_dev(dev), T::resume) };

        from_result(|| result.map(|()| 0))
    }

    /// # Safety
    ///
    /// `dev` must be part of a PCI device.
    unsafe fn pci_dev(dev: *mut bindings::device) -> *mut bindings::pci_dev {
        // SAFETY: The safety requirements of this function.
        unsafe { container_of!(dev, bindings::pci_dev, dev) }
    }
}
