// SPDX-License-Identifier: GPL-2.0
//@ error: E0521
//@ message: borrowed data escapes outside of function

// The rectangles are in a blob, which is freed with the state.

include!("../common/kms.rs");

use kernel::drm::kms::damage::PlaneDamage;

#[cfg(not(wrong))]
fn store<'a>(
    slot: &mut Option<PlaneDamage<'a>>,
    commit: &'a AtomicCommit<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = Some(commit.plane_damage(plane));
}

#[cfg(wrong)]
fn store(
    slot: &mut Option<PlaneDamage<'static>>,
    commit: &AtomicCommit<'_, Case>,
    plane: &Plane<CasePlane>,
) {
    *slot = Some(commit.plane_damage(plane)); //~
}
