// SPDX-License-Identifier: GPL-2.0

//! The CRTCs of a device.

use super::Device;
use crate::config::{
    Crtc,
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

/// The directory of all CRTCs.
struct Crtcs {
    device: Arc<Device>,
}

pub(super) fn group(device: &Arc<Device>) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<Crtcs>,
        data: Crtcs,
        child: CrtcItem,
        attributes: [],
    };
    let crtcs = Crtcs {
        device: device.clone(),
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"crtcs".try_into()?,
        item_type,
        Ok(crtcs),
    ))
}

#[vtable]
impl configfs::GroupOperations for Crtcs {
    type Child = CrtcItem;

    fn make_group(&self, name: &CStr) -> Result<impl PinInit<configfs::Group<CrtcItem>, Error>> {
        let item = CrtcItem {
            device: self.device.clone(),
            crtc: self
                .device
                .change(|config| config.crtcs.add(Crtc::new(name)?))?,
        };

        Ok(configfs::Group::new(
            name.try_into()?,
            crtc_type(),
            Ok(item),
        ))
    }
}

/// Returns the type of the directories of CRTCs.
pub(super) fn crtc_type() -> &'static configfs::ItemType<configfs::Group<CrtcItem>, CrtcItem> {
    configfs_attrs! {
        container: configfs::Group<CrtcItem>,
        data: CrtcItem,
        attributes: [
            writeback: 0,
        ],
    }
}

/// The directory of a CRTC.
pub(super) struct CrtcItem {
    device: Arc<Device>,
    crtc: Id<Crtc>,
}

impl CrtcItem {
    /// Returns the CRTC, or `EINVAL` if it is not one of `device`.
    pub(super) fn crtc_of(&self, device: &Arc<Device>) -> Result<Id<Crtc>> {
        if Arc::ptr_eq(&self.device, device) {
            Ok(self.crtc)
        } else {
            Err(EINVAL)
        }
    }
}

impl Drop for CrtcItem {
    fn drop(&mut self) {
        self.device.remove(|config| config.remove_crtc(self.crtc));
    }
}

// Whether there is a writeback connector.
switch!(
    0,
    CrtcItem,
    |item| (item.device).read(|config| Ok(config.crtcs.get(item.crtc)?.writeback)),
    |item, writeback| item.device.change(|config| {
        config.crtcs.get_mut(item.crtc)?.writeback = writeback;
        Ok(())
    })
);
