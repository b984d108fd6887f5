// SPDX-License-Identifier: GPL-2.0
//@ error: E0594
//@ message: in a `&` reference

// So their data is shared, and changed under a lock only.

include!("../common/kms.rs");

fn count(plane: &Plane<CasePlane>) -> u32 {
    #[cfg(wrong)]
    {
        plane.data().value = 1; //~
    }

    plane.data().value
}
