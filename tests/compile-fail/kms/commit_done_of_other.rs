// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// The end of one update is not that of another.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn end<'a, 'b>(_tail: CommitTail<'a, Case>, done: CommitDone<'b>) -> CommitDone<'b> {
    done
}

#[cfg(wrong)]
fn end<'a, 'b>(_tail: CommitTail<'a, Case>, done: CommitDone<'b>) -> CommitDone<'a> {
    done //~
}
