// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// Nor can it be returned for longer than that, also if it was added to the update.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn get<'a>(
    check: &'a AtomicCheck<'_, Case>,
    crtc: &Crtc<CaseCrtc>,
) -> Result<CrtcStateMut<'a, CaseCrtc>> {
    check.get_crtc_state(crtc)
}

#[cfg(wrong)]
fn get<'a, 'b>(
    check: &'a AtomicCheck<'b, Case>,
    crtc: &Crtc<CaseCrtc>,
) -> Result<CrtcStateMut<'b, CaseCrtc>> {
    check.get_crtc_state(crtc) //~
}
