// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// So can nobody keep it without a reference of their own.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store(slot: &mut Option<KmsRef<Framebuffer<Case>>>, state: &PlaneState<CasePlane>) {
    *slot = state.framebuffer().map(KmsRef::from);
}

#[cfg(wrong)]
fn store(slot: &mut Option<&'static Framebuffer<Case>>, state: &PlaneState<CasePlane>) {
    *slot = state.framebuffer(); //~
}
