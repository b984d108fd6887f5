// SPDX-License-Identifier: GPL-2.0
//@ error: E0133

// Identities are made by the macro only.

include!("../common/vtable.rs");

#[cfg(not(wrong))]
fn identity() -> &'static Identity {
    Known::UNIQUE_ID.identity()
}

#[cfg(wrong)]
static IDENTITY: Identity = Identity::new(); //~
