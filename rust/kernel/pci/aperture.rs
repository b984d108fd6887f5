// SPDX-License-Identifier: GPL-2.0

//! Ownership of the memory that firmware shows a picture in.
//!
//! C header: [`include/linux/aperture.h`](srctree/include/linux/aperture.h)

use super::Device;
use crate::{
    bindings,
    device,
    error::to_result,
    prelude::*, //
};

impl Device<device::Core<'_>> {
    /// Takes the display over from drivers that use what the firmware has set up.
    ///
    /// Such drivers know nothing of the device but an address in one of its BARs, or that it is
    /// compatible with VGA, and must be gone before the BARs are requested and the hardware is
    /// programmed. `name` is the name of the driver, for messages.
    ///
    /// May sleep. The driver has to select `CONFIG_APERTURE_HELPERS`; without it this does nothing.
    ///
    /// C: `aperture_remove_conflicting_pci_devices()`.
    pub fn remove_conflicting_framebuffers(&self, name: &CStr) -> Result {
        // SAFETY: `self.as_raw()` is a valid pointer to a `struct pci_dev`, and `name` a string
        // which is not kept.
        to_result(unsafe {
            bindings::aperture_remove_conflicting_pci_devices(self.as_raw(), name.as_char_ptr())
        })
    }
}
