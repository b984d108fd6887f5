// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// An update cannot be put off until after the callback.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(slot: &mut Option<CommitTail<'a, Case>>, tail: CommitTail<'a, Case>) {
    *slot = Some(tail);
}

#[cfg(wrong)]
fn store<'a>(slot: &mut Option<CommitTail<'static, Case>>, tail: CommitTail<'a, Case>) {
    *slot = Some(tail); //~
}
