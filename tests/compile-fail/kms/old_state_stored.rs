// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// The state before an update is freed by it.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(
    slot: &mut Option<&'a PlaneState<CasePlane>>,
    check: &'a AtomicCheck<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = check.get_old_plane_state(plane);
}

#[cfg(wrong)]
fn store(
    slot: &mut Option<&'static PlaneState<CasePlane>>,
    check: &AtomicCheck<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = check.get_old_plane_state(plane); //~
}
