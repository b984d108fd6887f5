// SPDX-License-Identifier: GPL-2.0
//@ error: E0438
//@ message: const `UNIQUE_ID` is not a member of trait `Plain`

include!("../common/vtable.rs");

#[vtable]
trait Plain {}

struct Eager;

#[cfg(not(wrong))]
#[vtable]
impl Plain for Eager {}

#[cfg(wrong)]
#[vtable(unique)] //~
impl Plain for Eager {}
