// SPDX-License-Identifier: GPL-2.0
//@ error: E0308

// A driver creates its own kinds of objects only.

include!("../common/kms.rs");

#[cfg(not(wrong))]
use {CaseConnector as SomeConnector, CasePlane as SomePlane};
#[cfg(wrong)]
use {AlienConnector as SomeConnector, AlienPlane as SomePlane};

fn create(setup: &KmsSetup<'_, Case>) -> Result {
    Plane::<SomePlane>::new(
        setup, //~
        PlaneType::Primary,
        &FORMATS,
        None,
        (),
    )?;
    Connector::<SomeConnector>::new(
        setup, //~
        ConnectorType::Virtual,
        (),
    )?;

    Ok(())
}
