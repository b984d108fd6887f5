// SPDX-License-Identifier: GPL-2.0
//@ error: E0277

// A state does not live as long as its device, so there are no owned references to one.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn keep(plane: &Plane<CasePlane>) {
    let _ref = KmsRef::from(plane);
}

#[cfg(wrong)]
fn keep(state: &PlaneState<CasePlane>) {
    let _ref = KmsRef::from(state); //~
}
