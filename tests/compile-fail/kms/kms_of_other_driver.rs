// SPDX-License-Identifier: GPL-2.0
//@ error: E0308

// The operations of a driver are its own.

include!("../common/kms.rs");

#[cfg(not(wrong))]
use Case as SomeDriver;
#[cfg(wrong)]
use Alien as SomeDriver;

const KMS: Option<KmsOps<Case>> = Some(
    KmsOps::<SomeDriver>::new(), //~
);
