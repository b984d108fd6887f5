// SPDX-License-Identifier: GPL-2.0
//@ error: E0451
//@ message: of struct `KmsSetup` is private

// Only the layer says when a device is set up.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn create(_drm: &drm::UnregisteredDevice<Case>, setup: KmsSetup<'_, Case>) -> Result {
    Encoder::new(&setup, EncoderType::Virtual, None)?;
    Ok(())
}

#[cfg(wrong)]
fn create(drm: &drm::UnregisteredDevice<Case>, setup: KmsSetup<'_, Case>) -> Result {
    let setup = KmsSetup {
        drm, //~
        ..setup //~
    };
    Encoder::new(&setup, EncoderType::Virtual, None)?;
    Ok(())
}
