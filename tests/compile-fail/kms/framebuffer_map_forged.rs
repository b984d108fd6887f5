// SPDX-License-Identifier: GPL-2.0
//@ error: E0451 none
//@ message: is private

// A mapping says that its memory is mapped, hence only the layer makes one.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn map(fb: &Framebuffer<Case>) -> Result<FramebufferMap<Case>> {
    fb.map()
}

#[cfg(wrong)]
fn map(fb: &Framebuffer<Case>) -> Result<FramebufferMap<Case>> {
    Ok(FramebufferMap {
        fb: fb.into(), //~
    })
}
