// SPDX-License-Identifier: GPL-2.0
//@ error: E0046
//@ message: missing: `UNIQUE_ID`

include!("../common/vtable.rs");

struct Forgetful;

#[cfg(not(wrong))]
#[vtable(unique)]
impl Ops for Forgetful {}

#[cfg(wrong)]
#[vtable]
impl Ops for Forgetful {} //~
