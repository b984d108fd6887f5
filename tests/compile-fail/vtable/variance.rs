// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: one type is more general than the other

// A handle does not turn into one for a supertype.

include!("../common/vtable.rs");

type Sub = for<'a> fn(&'a u8);
type Super = fn(&'static u8);

#[cfg(not(wrong))]
fn handle(id: UniqueId<Sub>) -> UniqueId<Sub> {
    id
}

#[cfg(wrong)]
fn handle(id: UniqueId<Sub>) -> UniqueId<Super> {
    id //~
}
