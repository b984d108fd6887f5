// SPDX-License-Identifier: GPL-2.0
//@ error: E0515
//@ message: cannot return value referencing local variable `own`

// The core draws into the memory after the driver has returned it.

include!("../common/kms.rs");

use kernel::{
    drm::kms::panic::ScanoutBuffer,
    sync::Arc, //
};

#[cfg(not(wrong))]
fn buffer<'a>(map: &'a Arc<FramebufferMap<Case>>) -> Option<ScanoutBuffer<'a>> {
    ScanoutBuffer::new(map)
}

#[cfg(wrong)]
fn buffer<'a>(map: &'a Arc<FramebufferMap<Case>>) -> Option<ScanoutBuffer<'a>> {
    let own = map.clone();

    ScanoutBuffer::new(&own) //~
}
