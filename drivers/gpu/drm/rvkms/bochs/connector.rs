// SPDX-License-Identifier: GPL-2.0

//! The connector.

use crate::{
    device::{
        BochsDevice,
        BochsDriver, //
    },
    hardware::with_hardware,
    registers::{
        Registers,
        MAX_RESOLUTION, //
    },
};
use kernel::{
    drm::kms::connector::{
        ConnectorProbe,
        DriverConnector, //
    },
    prelude::*, //
};

/// The preferred mode of a display without an EDID, width and height in pixels.
const PREFERRED_SIZE: (u32, u32) = (1024, 768);

/// The connector.
#[pin_data]
pub(crate) struct BochsConnector {}

#[vtable(unique)]
impl DriverConnector for BochsConnector {
    type Driver = BochsDriver;
    type Args = ();

    fn new(_drm: &BochsDevice, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }

    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        let drm = probe.drm_dev();
        let edid = probe.read_edid(|number, block| {
            with_hardware(drm, |hardware| {
                hardware.registers.read_edid_block(number, block)
            })
            .ok_or(ENODEV)?
        })?;
        if let Some(count) = edid {
            return Ok(count);
        }

        let count = probe.add_modes_noedid(MAX_RESOLUTION, MAX_RESOLUTION);
        probe.set_preferred_mode(PREFERRED_SIZE.0, PREFERRED_SIZE.1);

        Ok(count)
    }
}
