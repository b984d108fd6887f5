// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: expected `CommitDone<'_>`, found `FlipDone<

// An update must be carried out to the end.

include!("../common/kms.rs");

fn commit(done: HwDone<'_, Case>) -> CommitDone<'_> {
    let done = done.wait_for_flip_done();

    #[cfg(not(wrong))]
    let done = done.cleanup_planes();

    done //~
}
