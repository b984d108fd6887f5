// SPDX-License-Identifier: GPL-2.0

//! Connectors.

use crate::{
    config::Status,
    device::RvkmsDriver, //
};
use kernel::{
    drm::{
        self,
        kms::connector::{
            Connector,
            ConnectorProbe,
            ConnectorStatus,
            DriverConnector, //
        },
    },
    prelude::*,
    sync::Arc, //
};

/// The largest mode, width and height in pixels.
const MAX_SIZE: (u32, u32) = (8192, 8192);

/// The preferred mode, width and height in pixels.
const PREFERRED_SIZE: (u32, u32) = (1024, 768);

/// A connector.
#[pin_data]
pub(crate) struct RvkmsConnector {
    status: Arc<Status>,
}

#[vtable(unique)]
impl DriverConnector for RvkmsConnector {
    type Driver = RvkmsDriver;
    type Args = Arc<Status>;

    fn new(_drm: &drm::Device<RvkmsDriver>, status: Arc<Status>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { status })
    }

    fn detect(connector: &Connector<Self>, _force: bool) -> ConnectorStatus {
        connector.data().status.get()
    }

    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        let count = probe.add_modes_noedid(MAX_SIZE.0, MAX_SIZE.1);
        probe.set_preferred_mode(PREFERRED_SIZE.0, PREFERRED_SIZE.1);

        Ok(count)
    }
}
