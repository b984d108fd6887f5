// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// Neither can the states be taken out of the iterator over all planes.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn first<'a>(commit: &'a AtomicCommit<'_, Case>) -> Option<&'a OpaquePlaneState<Case>> {
    commit.new_plane_states().next()
}

#[cfg(wrong)]
fn first<'a, 'b>(commit: &'a AtomicCommit<'b, Case>) -> Option<&'b OpaquePlaneState<Case>> {
    commit.new_plane_states().next() //~
}
