// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `commit_planes` found for struct `CommitTail

// What an update turns off is turned off first.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn commit(tail: CommitTail<'_, Case>) -> PlanesCommitted<'_, Case> {
    tail.commit_modeset_disables().commit_planes()
}

#[cfg(wrong)]
fn commit(tail: CommitTail<'_, Case>) -> PlanesCommitted<'_, Case> {
    tail.commit_planes() //~
}
