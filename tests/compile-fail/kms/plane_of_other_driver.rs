// SPDX-License-Identifier: GPL-2.0
//@ error: E0271
//@ message: expected `Case`, found `Alien`

// An update of one driver holds no states of planes and CRTCs of another one.

include!("../common/kms.rs");

#[cfg(not(wrong))]
use {CaseCrtc as SomeCrtc, CasePlane as SomePlane};
#[cfg(wrong)]
use {AlienCrtc as SomeCrtc, AlienPlane as SomePlane};

fn check(
    check: &AtomicCheck<'_, Case>,
    commit: &AtomicCommit<'_, Case>,
    plane: &Plane<SomePlane>,
    crtc: &Crtc<SomeCrtc>,
) -> Result {
    check.get_plane_state(plane)?; //~
    check.get_new_plane_state(plane); //~
    check.get_old_plane_state(plane); //~
    check.get_crtc_state(crtc)?; //~
    commit.get_new_plane_state(plane); //~
    commit.get_old_crtc_state(crtc); //~

    Ok(())
}
