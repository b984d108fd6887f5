// SPDX-License-Identifier: GPL-2.0

//! The composer of rvkms as a user-space program.

#[allow(dead_code)]
#[path = "../../../drivers/gpu/drm/rvkms"]
mod rvkms {
    pub(crate) mod compose;
}

fn main() {}
