// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `data_mut` found for reference `&

// A committed state is shared with the checks of later updates, hence nobody changes it any more.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn count(check: &AtomicCheck<'_, Case>, plane: &Plane<CasePlane>) {
    if let Some(mut state) = check.get_new_plane_state(plane) {
        state.data_mut().0 += 1;
    }
}

#[cfg(wrong)]
fn count(commit: &AtomicCommit<'_, Case>, plane: &Plane<CasePlane>) {
    if let Some(mut state) = commit.get_new_plane_state(plane) {
        state.data_mut().0 += 1; //~
    }
}
