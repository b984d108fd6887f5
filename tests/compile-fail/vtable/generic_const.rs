// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: must not have generic parameters

include!("../common/vtable.rs");

struct Array<const N: usize>([u8; N]);

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Array<4> {}

#[cfg(wrong)]
#[vtable(unique)]
impl<const N: usize> Ops for Array<N> {} //~
