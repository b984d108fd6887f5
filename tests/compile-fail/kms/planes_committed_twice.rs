// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `commit_planes` found for struct `PlanesCommitted

// A step of an update is taken once.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn commit(tail: CommitTail<'_, Case>) -> ModesetsCommitted<'_, Case> {
    tail.commit_modeset_disables()
        .commit_planes()
        .commit_modeset_enables()
}

#[cfg(wrong)]
fn commit(tail: CommitTail<'_, Case>) -> ModesetsCommitted<'_, Case> {
    tail.commit_modeset_disables()
        .commit_planes()
        .commit_planes() //~
}
