// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// Not even if the other one lasts longer.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn end<'a, 'b: 'a>(_tail: CommitTail<'a, Case>, done: CommitDone<'b>) -> CommitDone<'b> {
    done
}

#[cfg(wrong)]
fn end<'a, 'b: 'a>(_tail: CommitTail<'a, Case>, done: CommitDone<'b>) -> CommitDone<'a> {
    done //~
}
