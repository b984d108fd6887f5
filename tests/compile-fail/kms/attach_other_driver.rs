// SPDX-License-Identifier: GPL-2.0
//@ error: E0308

// Mode objects of two drivers cannot be put together.

include!("../common/kms.rs");

#[cfg(not(wrong))]
use {Case as SomeDriver, CasePlane as SomePlane};
#[cfg(wrong)]
use {Alien as SomeDriver, AlienPlane as SomePlane};

fn attach(
    setup: &KmsSetup<'_, Case>,
    plane: &Plane<SomePlane>,
    crtc: &Crtc<CaseCrtc>,
    encoder: &Encoder<SomeDriver>,
    connector: &Connector<CaseConnector>,
) -> Result {
    setup.attach_plane(
        plane, //~
        crtc,
    )?;
    setup.attach_encoder(
        encoder, //~
        crtc,
    )?;
    setup.attach_connector(
        connector,
        encoder, //~
    )?;
    Crtc::<CaseCrtc>::new(
        setup,
        plane, //~
        None,
        None,
        (),
    )?;

    Ok(())
}
