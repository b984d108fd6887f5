// SPDX-License-Identifier: GPL-2.0
//@ error: E0599
//@ message: `Other: KmsDriver`

// There are only operations for a driver that does mode setting.

include!("../common/kms.rs");

fn make() {
    #[cfg(not(wrong))]
    let _ops = KmsOps::<Case>::new();

    #[cfg(wrong)]
    let _ops = KmsOps::<Other>::new(); //~
}
