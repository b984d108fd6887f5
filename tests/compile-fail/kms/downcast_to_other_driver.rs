// SPDX-License-Identifier: GPL-2.0
//@ error: E0308

// The identity of a kind of object is only asked for among those of its driver.

include!("../common/kms.rs");

#[cfg(not(wrong))]
use CasePlane as SomePlane;
#[cfg(wrong)]
use AlienPlane as SomePlane;

fn downcast(plane: &OpaquePlane<Case>) -> bool {
    Plane::<SomePlane>::try_from_opaque(
        plane, //~
    )
    .is_some()
}
