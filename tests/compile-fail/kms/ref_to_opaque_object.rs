// SPDX-License-Identifier: GPL-2.0
//@ error: E0277

// Neither to something that only the layer may say lives as long.

include!("../common/kms.rs");

struct Alike<'a>(&'a Plane<CasePlane>);

fn keep(alike: &Alike<'_>) {
    #[cfg(not(wrong))]
    let _ref = KmsRef::from(alike.0);

    #[cfg(wrong)]
    let _ref = KmsRef::from(alike); //~
}
