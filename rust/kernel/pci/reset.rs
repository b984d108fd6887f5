// SPDX-License-Identifier: GPL-2.0

//! Resets of PCI devices.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use super::{
    callback::call,
    Device,
    Driver, //
};
use crate::{
    bindings,
    device,
    prelude::*, //
};
use core::marker::PhantomData;

/// A PCI driver that goes on after its device was reset, e.g. by user space.
///
/// The driver names it in its [`Driver`] implementation:
///
/// ```ignore
/// impl pci::Driver for MyDriver {
///     const RESET_OPS: Option<pci::ResetOps<Self>> = Some(pci::ResetOps::new());
///     // ...
/// }
/// ```
///
/// The PCI core saves the configuration space, and restores it after the reset. In between the
/// device does not answer, and all else that it knew is lost. User space goes on meanwhile. All
/// callbacks may sleep, and are called with the device lock held.
pub trait ResetDriver: Driver + Sized {
    /// Called before a reset. Implementing this callback is optional.
    ///
    /// C: `struct pci_error_handlers`, `reset_prepare`.
    fn reset_prepare<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) {
        let _ = (dev, this);
    }

    /// Sets the device up again.
    ///
    /// C: `struct pci_error_handlers`, `reset_done`.
    fn reset_done<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>);
}

/// The callbacks of a driver that implements [`ResetDriver`].
///
/// # Invariants
///
/// `handlers` are those of `T`, and of no type that is a subtype or supertype of it.
pub struct ResetOps<T: ?Sized> {
    handlers: &'static bindings::pci_error_handlers,
    _driver: PhantomData<fn(*mut T) -> *mut T>,
}

impl<T: ?Sized> ResetOps<T> {
    pub(super) const fn as_raw(&self) -> *const bindings::pci_error_handlers {
        self.handlers
    }
}

impl<T: ResetDriver> ResetOps<T> {
    const HANDLERS: bindings::pci_error_handlers = bindings::pci_error_handlers {
        reset_prepare: Some(Self::reset_prepare_callback),
        reset_done: Some(Self::reset_done_callback),
        ..pin_init::zeroed()
    };

    /// Creates the callbacks.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        // INVARIANT: These are the ones of `T`.
        Self {
            handlers: const { &Self::HANDLERS },
            _driver: PhantomData,
        }
    }

    /// # Safety
    ///
    /// `pdev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe extern "C" fn reset_prepare_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: The safety requirements of this function.
        unsafe { call::<T, _>(pdev, T::reset_prepare) };
    }

    /// # Safety
    ///
    /// `pdev` must be a PCI device that is bound to the driver `T`, with the device lock held.
    unsafe extern "C" fn reset_done_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: The safety requirements of this function.
        unsafe { call::<T, _>(pdev, T::reset_done) };
    }
}
