// SPDX-License-Identifier: GPL-2.0
//@ error: E0594
//@ message: in a `&` reference

// The state before an update is the current one, which other threads read.

include!("../common/kms.rs");

fn count(check: &AtomicCheck<'_, Case>, plane: &Plane<CasePlane>) -> u32 {
    let Some(state) = check.get_old_plane_state(plane) else {
        return 0;
    };

    #[cfg(wrong)]
    {
        state.data().0 = 1; //~
    }

    state.data().0
}
