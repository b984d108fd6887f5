// SPDX-License-Identifier: GPL-2.0
//@ error: E0382
//@ message: use of moved value: `disabled`

// Nor can a step be taken from where another one was.

include!("../common/kms.rs");

fn commit(disabled: ModesetsDisabled<'_, Case>) -> ModesetsCommitted<'_, Case> {
    let planes = disabled.commit_planes();

    #[cfg(wrong)]
    let _enables = disabled.commit_modeset_enables(); //~

    planes.commit_modeset_enables()
}
