// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: unexpected token

include!("../common/vtable.rs");

#[cfg(not(wrong))]
#[vtable(unique)]
trait Other {}

#[cfg(wrong)]
#[vtable(unique, always)] //~
trait Other {}
