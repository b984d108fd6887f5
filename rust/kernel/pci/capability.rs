// SPDX-License-Identifier: GPL-2.0

//! Capabilities of PCI devices.
//!
//! C header: [`include/uapi/linux/pci_regs.h`](srctree/include/uapi/linux/pci_regs.h)

use super::Device;
use crate::{
    bindings,
    device,
    prelude::*, //
};

/// Something that a PCI device may be able to do, and that has registers of its own for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Capability {
    /// Power management.
    PowerManagement = bindings::PCI_CAP_ID_PM,
    /// Message signalled interrupts.
    Msi = bindings::PCI_CAP_ID_MSI,
    /// What the vendor has chosen.
    VendorSpecific = bindings::PCI_CAP_ID_VNDR,
    /// PCI Express.
    Express = bindings::PCI_CAP_ID_EXP,
    /// Message signalled interrupts with a table.
    MsiX = bindings::PCI_CAP_ID_MSIX,
}

impl Device<device::Bound> {
    /// Returns where the first such capability begins in the [configuration space], in bytes.
    ///
    /// C: `pci_find_capability()`.
    ///
    /// [configuration space]: Self::config_space
    pub fn find_capability(&self, capability: Capability) -> Option<u8> {
        // SAFETY: `self.as_raw()` is a valid pointer to a `struct pci_dev`.
        let offset = unsafe { bindings::pci_find_capability(self.as_raw(), capability as c_int) };

        (offset != 0).then_some(offset)
    }
}
