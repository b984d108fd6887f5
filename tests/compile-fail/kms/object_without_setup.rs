// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: expected `&KmsSetup<

// Mode objects can only be made while the device is set up.

include!("../common/kms.rs");

#[cfg(not(wrong))]
type Setup<'a> = KmsSetup<'a, Case>;
#[cfg(wrong)]
type Setup<'a> = &'a drm::Device<Case>;

fn create(setup: &Setup<'_>, primary: &OpaquePlane<Case>) -> Result {
    Plane::<CasePlane>::new(
        setup, //~
        PlaneType::Overlay,
        &FORMATS,
        None,
        (),
    )?;
    Crtc::<CaseCrtc>::new(
        setup, //~
        primary,
        None,
        None,
        (),
    )?;
    Connector::<CaseConnector>::new(
        setup, //~
        ConnectorType::Virtual,
        (),
    )?;
    Encoder::<Case>::new(
        setup, //~
        EncoderType::Virtual,
        None,
    )?;

    Ok(())
}
