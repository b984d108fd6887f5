// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: must not have generic parameters

// A `static` in a generic implementation is shared by all of its instances.

include!("../common/vtable.rs");

struct Wrapper<T>(T);

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Wrapper<u8> {}

#[cfg(wrong)]
#[vtable(unique)]
impl<T> Ops for Wrapper<T> {} //~
