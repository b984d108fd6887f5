// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// A reference to a mode object that was made ends with the setup; a `KmsRef`, which keeps the
// device, does not.

include!("../common/kms.rs");

#[cfg(not(wrong))]
fn create(setup: &KmsSetup<'_, Case>) -> Result<KmsRef<Encoder<Case>>> {
    Ok(Encoder::new(setup, EncoderType::Virtual, None)?.into())
}

#[cfg(wrong)]
fn create(setup: &KmsSetup<'_, Case>) -> Result<&'static Encoder<Case>> {
    Encoder::new(setup, EncoderType::Virtual, None) //~
}
