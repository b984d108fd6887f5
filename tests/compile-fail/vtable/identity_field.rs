// SPDX-License-Identifier: GPL-2.0
//@ error: E0423

include!("../common/vtable.rs");

#[cfg(not(wrong))]
fn identity() -> &'static Identity {
    Known::UNIQUE_ID.identity()
}

#[cfg(wrong)]
static IDENTITY: Identity = Identity(0); //~
