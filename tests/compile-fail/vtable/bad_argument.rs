// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: expected `unique`

include!("../common/vtable.rs");

#[cfg(not(wrong))]
#[vtable(unique)]
trait Other {}

#[cfg(wrong)]
#[vtable(uniq)] //~
trait Other {}
