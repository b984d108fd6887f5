// SPDX-License-Identifier: GPL-2.0
//@ error: E0507

// An identity is its address, a copy would be another one.

include!("../common/vtable.rs");

#[cfg(not(wrong))]
fn identity() -> &'static Identity {
    Known::UNIQUE_ID.identity()
}

#[cfg(wrong)]
fn identity() -> Identity {
    *Known::UNIQUE_ID.identity() //~
}
