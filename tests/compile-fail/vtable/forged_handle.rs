// SPDX-License-Identifier: GPL-2.0
//@ error: E0133

// Nor can safe code make a handle to it.

include!("../common/vtable.rs");

struct Impostor;

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Impostor {}

#[cfg(wrong)]
#[vtable]
impl Ops for Impostor {
    const UNIQUE_ID: UniqueId<Self> = UniqueId::new(Known::UNIQUE_ID.identity()); //~
}
