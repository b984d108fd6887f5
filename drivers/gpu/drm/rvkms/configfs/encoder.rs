// SPDX-License-Identifier: GPL-2.0

//! The encoders of a device.

use super::{
    crtc::{
        crtc_type,
        CrtcItem, //
    },
    Device, //
};
use crate::config::{
    Encoder,
    Id, //
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    prelude::*,
    sync::Arc, //
};

/// The directory of all encoders.
struct Encoders {
    device: Arc<Device>,
}

pub(super) fn group(device: &Arc<Device>) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<Encoders>,
        data: Encoders,
        child: EncoderItem,
        attributes: [],
    };
    let encoders = Encoders {
        device: device.clone(),
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"encoders".try_into()?,
        item_type,
        Ok(encoders),
    ))
}

#[vtable]
impl configfs::GroupOperations for Encoders {
    type Child = EncoderItem;

    fn make_group(&self, name: &CStr) -> Result<impl PinInit<configfs::Group<EncoderItem>, Error>> {
        let item = EncoderItem {
            device: self.device.clone(),
            encoder: self
                .device
                .change(|config| config.encoders.add(Encoder::new(name)?))?,
        };

        let mut groups = KVec::new();
        groups.push(possible_crtcs(&item)?, GFP_KERNEL)?;

        Ok(configfs::Group::with_default_groups(
            name.try_into()?,
            encoder_type(),
            Ok(item),
            groups,
        ))
    }
}

/// Returns the type of the directories of encoders.
pub(super) fn encoder_type(
) -> &'static configfs::ItemType<configfs::Group<EncoderItem>, EncoderItem> {
    configfs_attrs! {
        container: configfs::Group<EncoderItem>,
        data: EncoderItem,
        attributes: [],
    }
}

/// The directory of an encoder.
pub(super) struct EncoderItem {
    device: Arc<Device>,
    encoder: Id<Encoder>,
}

impl EncoderItem {
    /// Returns the encoder, or `EINVAL` if it is not one of `device`.
    pub(super) fn encoder_of(&self, device: &Arc<Device>) -> Result<Id<Encoder>> {
        if Arc::ptr_eq(&self.device, device) {
            Ok(self.encoder)
        } else {
            Err(EINVAL)
        }
    }
}

impl Drop for EncoderItem {
    fn drop(&mut self) {
        self.device
            .remove(|config| config.remove_encoder(self.encoder));
    }
}

/// The directory of links to the CRTCs that can drive an encoder.
struct PossibleCrtcs {
    device: Arc<Device>,
    encoder: Id<Encoder>,
}

fn possible_crtcs(item: &EncoderItem) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<PossibleCrtcs>,
        data: PossibleCrtcs,
        links: CrtcItem,
        attributes: [],
    };
    let possible_crtcs = PossibleCrtcs {
        device: item.device.clone(),
        encoder: item.encoder,
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"possible_crtcs".try_into()?,
        item_type,
        Ok(possible_crtcs),
    ))
}

impl configfs::LinkOperations for PossibleCrtcs {
    type Target = CrtcItem;

    fn target_type() -> &'static configfs::ItemType<configfs::Group<CrtcItem>, CrtcItem> {
        crtc_type()
    }

    fn allow_link(&self, target: &CrtcItem) -> Result {
        self.device
            .change(|config| config.attach_encoder(self.encoder, target.crtc_of(&self.device)?))
    }

    fn drop_link(&self, target: &CrtcItem) {
        if let Ok(crtc) = target.crtc_of(&self.device) {
            self.device
                .remove(|config| config.detach_encoder(self.encoder, crtc));
        }
    }
}
