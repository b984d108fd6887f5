// SPDX-License-Identifier: GPL-2.0

//! What a hostile or careless client sends, and what the kernel must say.
//!
//! Where an errno is named, it is the one that the DRM core documents or gives. Where C vkms is known to be wrong, the
//! test says so and expects what is right.

mod blobs;
mod buffers;
mod flips;
mod framebuffers;
mod legacy;
mod modes;
mod pixels;
mod planes;
mod requests;

use rustix::io::Errno;

use crate::atomic::{Request, Snapshot, ALLOW_MODESET, TEST_ONLY};
use crate::output::Screen;
use crate::testlist::{fail, refused, Test, Verdict};

/// All groups of tests.
pub const GROUPS: &[&[Test]] = &[
    framebuffers::TESTS,
    buffers::TESTS,
    blobs::TESTS,
    requests::TESTS,
    planes::TESTS,
    modes::TESTS,
    flips::TESTS,
    legacy::TESTS,
    pixels::TESTS,
];

/// Expects an atomic request to be refused, both as a test and for real, and to leave the old state untouched.
fn rejected(screen: &Screen<'_>, what: &str, request: &Request, allowed: &[Errno]) -> Verdict {
    for (how, flags) in [
        ("test-only commit", TEST_ONLY | ALLOW_MODESET),
        ("commit", ALLOW_MODESET),
    ] {
        let before = Snapshot::take(screen.card)?;
        refused(
            &format!("{what} ({how})"),
            request.commit(screen.card, flags),
            allowed,
        )?;
        let after = Snapshot::take(screen.card)?;
        if let Some(difference) = after.difference(&before, screen.card) {
            return fail(format!(
                "{what}: the refused {how} left a change: {difference}"
            ));
        }
    }
    Ok(())
}
