// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: expected `UniqueId<Impostor>`, found `UniqueId<Known>`

// The identity of one type cannot be passed off as that of another one.

include!("../common/vtable.rs");

struct Impostor;

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Impostor {}

#[cfg(wrong)]
#[vtable]
impl Ops for Impostor {
    const UNIQUE_ID: UniqueId<Self> = Known::UNIQUE_ID; //~
}
