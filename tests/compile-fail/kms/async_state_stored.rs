// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// The state that an update without waiting has changed is changed again by the next one.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn store<'a>(slot: &mut Option<&'a PlaneState<CasePlane>>, update: &'a AsyncUpdate<'_, CasePlane>) {
    *slot = Some(update.state());
}

#[cfg(wrong)]
fn store(slot: &mut Option<&'static PlaneState<CasePlane>>, update: &AsyncUpdate<'_, CasePlane>) {
    *slot = Some(update.state()); //~
}
