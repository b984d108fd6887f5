// SPDX-License-Identifier: GPL-2.0
//@ error: E0505
//@ message: cannot move out of `done` because it is borrowed

// So what was borrowed from them before cannot be used after it.

include!("../common/kms.rs");

fn commit<'a>(
    done: ModesetsCommitted<'a, Case>,
    plane: &Plane<CasePlane>,
) -> (HwDone<'a, Case>, u32) {
    let state = done.commit().get_new_plane_state(plane);

    #[cfg(not(wrong))]
    let state = state.map(|state| state.data().0);

    let done = done.commit_hw_done(); //~

    #[cfg(wrong)]
    let state = state.map(|state| state.data().0);

    (done, state.unwrap_or(0))
}
