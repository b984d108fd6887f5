// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `cleanup_planes` found for struct `HwDone

// What the hardware may still show is not freed.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn commit(done: HwDone<'_, Case>) -> CommitDone<'_> {
    done.wait_for_flip_done().cleanup_planes()
}

#[cfg(wrong)]
fn commit(done: HwDone<'_, Case>) -> CommitDone<'_> {
    done.cleanup_planes() //~
}
