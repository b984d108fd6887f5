// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: `Other: KmsDriver`

// A device without mode setting has no connectors that could have changed.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn tell(dev: &drm::Device<Case>) {
    dev.hotplug_event();
}

#[cfg(wrong)]
fn tell(dev: &drm::Device<Other>) {
    dev.hotplug_event(); //~
}
