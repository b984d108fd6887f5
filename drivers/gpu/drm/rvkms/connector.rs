// SPDX-License-Identifier: GPL-2.0

//! Connectors.

use crate::{
    config::{
        self,
        Edid,
        Status, //
    },
    device::{
        RvkmsDriver,
        MAX_SIZE, //
    }, //
};
use kernel::{
    drm::{
        self,
        kms::{
            connector::{
                Connector,
                ConnectorProbe,
                ConnectorStatus,
                DriverConnector,
                DynamicConnector,
                EDID_BLOCK_SIZE, //
            },
            print::StatePrinter,
            KmsSetup, //
        },
    },
    prelude::*,
    sync::Arc, //
};

/// The preferred mode, width and height in pixels.
const PREFERRED_SIZE: (u32, u32) = (1024, 768);

/// A connector.
#[pin_data]
pub(crate) struct RvkmsConnector {
    status: Arc<Status>,
    /// Only there if the display has an EDID.
    edid: Option<Arc<Edid>>,
    /// Whether user space is told if the refresh rate can vary.
    can_vary: bool,
}

impl RvkmsConnector {
    /// Creates a connector.
    pub(crate) fn create<'a>(
        setup: &'a KmsSetup<'_, RvkmsDriver>,
        config: &config::Connector,
    ) -> Result<&'a Connector<Self>> {
        let edid = config.has_edid.then(|| config.edid().clone());
        let args = (config.status().clone(), edid, config.has_edid);
        let connector = Connector::<Self>::new(setup, config.kind, args)?;

        if config.has_edid {
            setup.attach_edid_property(connector)?;
            setup.attach_vrr_capable_property(connector)?;
        }

        Ok(connector)
    }

    /// Adds a connector to a device that is registered. `encoders` can feed it, as bits.
    pub(crate) fn add(
        drm: &drm::Device<RvkmsDriver>,
        config: &config::Connector,
        encoders: u32,
    ) -> Result<DynamicConnector<Self>> {
        let edid = config.has_edid.then(|| config.edid().clone());
        let args = (config.status().clone(), edid, false);

        DynamicConnector::new(drm, config.kind, encoders, args)
    }
}

#[vtable(unique)]
impl DriverConnector for RvkmsConnector {
    type Driver = RvkmsDriver;
    type Args = (Arc<Status>, Option<Arc<Edid>>, bool);

    fn new(
        _drm: &drm::Device<RvkmsDriver>,
        (status, edid, can_vary): Self::Args,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            status,
            edid,
            can_vary
        })
    }

    fn detect(connector: &Connector<Self>, _force: bool) -> ConnectorStatus {
        connector.data().status.get()
    }

    fn atomic_print_state(connector: &Connector<Self>, printer: &mut StatePrinter) {
        let data = connector.data();
        let edid = data.edid.as_ref().map_or(0, |edid| edid.read(<[u8]>::len));

        printer.print(fmt!(
            "\tdisplay={}\n\tedid={} bytes\n",
            Status::number(data.status.get()),
            edid,
        ));
    }

    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        if let Some(edid) = &probe.data().edid {
            let count = edid.read(|edid| {
                probe.read_edid(|number, block| {
                    match edid.chunks_exact(EDID_BLOCK_SIZE).nth(number) {
                        Some(bytes) => block.copy_from_slice(bytes),
                        // A wrong checksum: the core leaves it out.
                        None => block.fill(u8::MAX),
                    }
                    Ok(())
                })
            })?;
            let range = probe.monitor_range().filter(|_| probe.data().can_vary);

            probe.set_vrr_capable(range.is_some());
            probe.drm_dev().slowest.set(probe.index(), range);

            return Ok(count.unwrap_or(0));
        }

        // A connector that is gone may have had the same index.
        probe.drm_dev().slowest.set(probe.index(), None);

        let count = probe.add_modes_noedid(MAX_SIZE.0, MAX_SIZE.1);
        probe.set_preferred_mode(PREFERRED_SIZE.0, PREFERRED_SIZE.1);

        Ok(count)
    }
}
