// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// The state of an update in its check phase ends with the callback.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(
    slot: &mut Option<PlaneStateMut<'a, CasePlane>>,
    check: &'a AtomicCheck<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = check.get_new_plane_state(plane);
}

#[cfg(wrong)]
fn store(
    slot: &mut Option<PlaneStateMut<'static, CasePlane>>,
    check: &AtomicCheck<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = check.get_new_plane_state(plane); //~
}
