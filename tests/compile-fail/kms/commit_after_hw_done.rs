// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `commit` found for struct `HwDone

// The new states may be freed once the hardware knows them.

include!("../common/kms.rs");

fn count(done: ModesetsCommitted<'_, Case>) -> usize {
    #[cfg(wrong)]
    let done = done.commit_hw_done();

    done.commit().new_plane_states().count() //~
}
