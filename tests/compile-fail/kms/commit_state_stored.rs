// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// A committed state is freed when a later update has been carried out.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(
    slot: &mut Option<&'a PlaneState<CasePlane>>,
    commit: &'a AtomicCommit<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = commit.get_new_plane_state(plane);
}

#[cfg(wrong)]
fn store(
    slot: &mut Option<&'static PlaneState<CasePlane>>,
    commit: &AtomicCommit<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = commit.get_new_plane_state(plane); //~
}
