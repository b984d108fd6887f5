// SPDX-License-Identifier: GPL-2.0
//@ error: E0502
//@ message: cannot borrow `*state` as mutable

// What is borrowed from a state keeps the state from being changed.

include!("../common/kms.rs");

fn count(state: &mut PlaneStateMut<'_, CasePlane>) -> u32 {
    let width = state.framebuffer();

    #[cfg(not(wrong))]
    let width = width.map(KmsRef::from);

    state.data_mut().0 += 1; //~

    width.map_or(0, |fb| fb.width())
}
