// SPDX-License-Identifier: GPL-2.0
//@ error: E0201

include!("../common/vtable.rs");

struct Twice;

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Twice {}

#[cfg(wrong)]
#[vtable(unique)] //~
impl Ops for Twice {
    const UNIQUE_ID: UniqueId<Self> = loop {};
}
