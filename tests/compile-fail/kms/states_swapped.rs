// SPDX-License-Identifier: GPL-2.0
//@ error: E0596
//@ message: cannot borrow data in dereference of `PlaneStateMut
//@ message: DerefMut

// A state as a whole cannot be exchanged for another one: the core has pointers to them. The
// driver's parts of two states can.

include!("../common/kms.rs");

fn swap(a: &mut PlaneStateMut<'_, CasePlane>, b: &mut PlaneStateMut<'_, CasePlane>) {
    #[cfg(not(wrong))]
    core::mem::swap(a.data_mut(), b.data_mut());

    #[cfg(wrong)]
    core::mem::swap::<PlaneState<CasePlane>>(
        &mut **a, //~
        &mut **b, //~
    );
}
