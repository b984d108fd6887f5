// SPDX-License-Identifier: GPL-2.0

//! The connectors of a device.

use super::{
    encoder::{
        encoder_type,
        EncoderItem, //
    },
    parse,
    print,
    Device, //
};
use crate::config::{
    Connector,
    Id,
    Status, //
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

/// The directory of all connectors.
struct Connectors {
    device: Arc<Device>,
}

pub(super) fn group(device: &Arc<Device>) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<Connectors>,
        data: Connectors,
        child: ConnectorItem,
        attributes: [],
    };
    let connectors = Connectors {
        device: device.clone(),
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"connectors".try_into()?,
        item_type,
        Ok(connectors),
    ))
}

#[vtable]
impl configfs::GroupOperations for Connectors {
    type Child = ConnectorItem;

    fn make_group(
        &self,
        name: &CStr,
    ) -> Result<impl PinInit<configfs::Group<ConnectorItem>, Error>> {
        let item_type = configfs_attrs! {
            container: configfs::Group<ConnectorItem>,
            data: ConnectorItem,
            attributes: [
                status: 0,
            ],
        };
        let connector = Connector::new(name)?;
        let item = ConnectorItem {
            device: self.device.clone(),
            status: connector.status().clone(),
            connector: self
                .device
                .change(|config| config.connectors.add(connector))?,
        };

        let mut groups = KVec::new();
        groups.push(possible_encoders(&item)?, GFP_KERNEL)?;

        Ok(configfs::Group::with_default_groups(
            name.try_into()?,
            item_type,
            Ok(item),
            groups,
        ))
    }
}

/// The directory of a connector.
struct ConnectorItem {
    device: Arc<Device>,
    connector: Id<Connector>,
    status: Arc<Status>,
}

impl Drop for ConnectorItem {
    fn drop(&mut self) {
        self.device
            .remove(|config| config.connectors.remove(self.connector));
    }
}

#[vtable]
impl configfs::AttributeOperations<0> for ConnectorItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        print(page, fmt!("{}", Status::number(item.status.get())))
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        let status = Status::from_number(parse(page)?).ok_or(EINVAL)?;

        item.status.set(status);

        // A device that is enabled after this has not asked for the old status.
        if let Some(drm_dev) = item.device.drm_dev() {
            drm_dev.hotplug_event();
        }

        Ok(())
    }
}

/// The directory of links to the encoders that can feed a connector.
struct PossibleEncoders {
    device: Arc<Device>,
    connector: Id<Connector>,
}

fn possible_encoders(item: &ConnectorItem) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<PossibleEncoders>,
        data: PossibleEncoders,
        links: EncoderItem,
        attributes: [],
    };
    let possible_encoders = PossibleEncoders {
        device: item.device.clone(),
        connector: item.connector,
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"possible_encoders".try_into()?,
        item_type,
        Ok(possible_encoders),
    ))
}

impl configfs::LinkOperations for PossibleEncoders {
    type Target = EncoderItem;

    fn target_type() -> &'static configfs::ItemType<configfs::Group<EncoderItem>, EncoderItem> {
        encoder_type()
    }

    fn allow_link(&self, target: &EncoderItem) -> Result {
        self.device.change(|config| {
            config.attach_connector(self.connector, target.encoder_of(&self.device)?)
        })
    }

    fn drop_link(&self, target: &EncoderItem) {
        if let Ok(encoder) = target.encoder_of(&self.device) {
            self.device
                .remove(|config| config.detach_connector(self.connector, encoder));
        }
    }
}
