// SPDX-License-Identifier: GPL-2.0
//@ error: E0451
//@ message: field `_lifetime` of struct `CommitDone` is private

// Only the last step makes the proof that an update was carried out.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn end(done: FlipDone<'_, Case>) -> CommitDone<'_> {
    done.cleanup_planes()
}

#[cfg(wrong)]
fn end(_done: FlipDone<'_, Case>) -> CommitDone<'_> {
    CommitDone {
        _lifetime: core::marker::PhantomData, //~
    }
}
