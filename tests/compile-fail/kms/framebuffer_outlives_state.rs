// SPDX-License-Identifier: GPL-2.0
//@ error: E0505
//@ message: cannot move out of `state` because it is borrowed

// The state holds the reference to its framebuffer.

include!("../common/kms.rs");

fn width(state: PlaneStateMut<'_, CasePlane>) -> u32 {
    let Some(fb) = state.framebuffer() else {
        return 0;
    };

    #[cfg(not(wrong))]
    let fb = KmsRef::from(fb);

    drop(state); //~

    fb.width()
}
