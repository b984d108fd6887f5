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
    Edid,
    Id,
    Status, //
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    drm::kms::connector::ConnectorType,
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
        #[cfg(not(CONFIG_DRM_RVKMS_AS_VKMS))]
        let item_type = configfs_attrs! {
            container: configfs::Group<ConnectorItem>,
            data: ConnectorItem,
            attributes: [
                status: 0,
                type: 1,
                edid_enabled: 2,
                edid: 3,
                dynamic: 4,
                enabled: 5,
            ],
        };
        // What looks for vkms may look for what vkms has, and nothing else.
        #[cfg(CONFIG_DRM_RVKMS_AS_VKMS)]
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
            edid: connector.edid().clone(),
            connector: self.device.add_connector(connector)?,
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
    edid: Arc<Edid>,
}

impl ConnectorItem {
    /// Tells user space that something else is plugged in.
    fn hotplug(&self) {
        // A device that is enabled after the change has not seen what was there before.
        if let Some(drm_dev) = self.device.drm_dev() {
            drm_dev.hotplug_event();
        }
    }
}

impl Drop for ConnectorItem {
    fn drop(&mut self) {
        self.device.remove_connector(self.connector);
        self.hotplug();
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
        item.hotplug();

        Ok(())
    }
}

// The number of the type, as in the interfaces of the kernel.
#[vtable]
impl configfs::AttributeOperations<1> for ConnectorItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        let kind = item
            .device
            .read(|config| Ok(config.connectors.get(item.connector)?.kind))?;

        print(page, fmt!("{}\n", kind as u32))
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        let number = parse(page)?;
        let kind = ConnectorType::ALL
            .into_iter()
            .find(|kind| *kind as u32 == number)
            .ok_or(EINVAL)?;

        item.device.change_connector(item.connector, |config| {
            config.connectors.get_mut(item.connector)?.kind = kind;
            Ok(())
        })
    }
}

// Whether the display has an EDID.
switch!(
    2,
    ConnectorItem,
    |item| (item.device).read(|config| Ok(config.connectors.get(item.connector)?.has_edid)),
    |item, has_edid| item.device.change_connector(item.connector, |config| {
        config.connectors.get_mut(item.connector)?.has_edid = has_edid;
        Ok(())
    })
);

// The bytes of the EDID, which can be changed at any time.
#[vtable]
impl configfs::AttributeOperations<3> for ConnectorItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        item.edid.read(|edid| {
            page.get_mut(..edid.len())
                .ok_or(EFBIG)?
                .copy_from_slice(edid);
            Ok(edid.len())
        })
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        item.edid.set(page)?;
        item.hotplug();

        Ok(())
    }
}

// Whether the connector can come and go while the device is enabled.
switch!(
    4,
    ConnectorItem,
    |item| (item.device).read(|config| Ok(config.connectors.get(item.connector)?.dynamic)),
    |item, dynamic| item.device.change(|config| {
        let connector = config.connectors.get_mut(item.connector)?;

        if connector.dynamic != dynamic {
            connector.dynamic = dynamic;
            connector.present = true;
        }
        Ok(())
    })
);

// Whether the connector is there, if it can come and go.
switch!(
    5,
    ConnectorItem,
    |item| (item.device).read(|config| Ok(config.connectors.get(item.connector)?.present)),
    |item, present| {
        item.device.set_present(item.connector, present)?;
        item.hotplug();

        Ok(())
    }
);

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
        self.device.change_connector(self.connector, |config| {
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
