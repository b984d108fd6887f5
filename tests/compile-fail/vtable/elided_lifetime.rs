// SPDX-License-Identifier: GPL-2.0
//@ error: E0478 E0477 E0495

// The macro does not see an elided lifetime, the bound of the trait does.

include!("../common/vtable.rs");

struct Borrowed<'a>(&'a u8);

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Borrowed<'static> {}

#[cfg(wrong)]
#[vtable(unique)] //~
impl Ops for Borrowed<'_> {} //~
