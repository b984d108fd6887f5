// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: no method named `commit_hw_done` found for struct `PlanesCommitted

// The hardware does not know all of an update before everything is turned on.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn commit(planes: PlanesCommitted<'_, Case>) -> HwDone<'_, Case> {
    planes.commit_modeset_enables().commit_hw_done()
}

#[cfg(wrong)]
fn commit(planes: PlanesCommitted<'_, Case>) -> HwDone<'_, Case> {
    planes.commit_hw_done() //~
}
