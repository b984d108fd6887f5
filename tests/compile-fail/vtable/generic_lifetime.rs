// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: must not have generic parameters

// Types that differ only in lifetimes are one type at run time, hence have one identity.

include!("../common/vtable.rs");

struct Borrowed<'a>(&'a u8);

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Borrowed<'static> {}

#[cfg(wrong)]
#[vtable(unique)]
impl<'a> Ops for Borrowed<'a> {} //~
