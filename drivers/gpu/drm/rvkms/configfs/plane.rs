// SPDX-License-Identifier: GPL-2.0

//! The planes of a device.

use super::{
    crtc::{
        crtc_type,
        CrtcItem, //
    },
    parse,
    print,
    Device, //
};
use crate::config::{
    Id,
    Plane, //
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    drm::kms::plane::PlaneType,
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

/// The directory of all planes.
struct Planes {
    device: Arc<Device>,
}

pub(super) fn group(device: &Arc<Device>) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<Planes>,
        data: Planes,
        child: PlaneItem,
        attributes: [],
    };
    let planes = Planes {
        device: device.clone(),
    };

    configfs::DefaultGroup::new(configfs::Group::new(
        c"planes".try_into()?,
        item_type,
        Ok(planes),
    ))
}

#[vtable]
impl configfs::GroupOperations for Planes {
    type Child = PlaneItem;

    fn make_group(&self, name: &CStr) -> Result<impl PinInit<configfs::Group<PlaneItem>, Error>> {
        let item_type = configfs_attrs! {
            container: configfs::Group<PlaneItem>,
            data: PlaneItem,
            attributes: [
                type: 0,
            ],
        };
        let item = PlaneItem {
            device: self.device.clone(),
            plane: self
                .device
                .change(|config| config.planes.add(Plane::new(name)?))?,
        };

        let mut groups = KVec::new();
        groups.push(possible_crtcs(&item)?, GFP_KERNEL)?;

        Ok(configfs::Group::with_default_groups(
            name.try_into()?,
            item_type,
            Ok(item),
            groups,
        ))
    }
}

/// The directory of a plane.
struct PlaneItem {
    device: Arc<Device>,
    plane: Id<Plane>,
}

impl Drop for PlaneItem {
    fn drop(&mut self) {
        self.device
            .remove(|config| config.planes.remove(self.plane));
    }
}

/// The types of planes, at the numbers that stand for them in the interfaces of the kernel.
const TYPES: [PlaneType; 3] = [PlaneType::Overlay, PlaneType::Primary, PlaneType::Cursor];

#[vtable]
impl configfs::AttributeOperations<0> for PlaneItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        let kind = item
            .device
            .read(|config| Ok(config.planes.get(item.plane)?.kind))?;
        let number = TYPES.iter().position(|other| *other == kind);

        print(page, fmt!("{}", number.ok_or(EINVAL)?))
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        let number = usize::try_from(parse(page)?)?;
        let kind = *TYPES.get(number).ok_or(EINVAL)?;

        item.device.change(|config| {
            config.planes.get_mut(item.plane)?.kind = kind;
            Ok(())
        })
    }
}

/// The directory of links to the CRTCs that can show a plane.
struct PossibleCrtcs {
    device: Arc<Device>,
    plane: Id<Plane>,
}

fn possible_crtcs(item: &PlaneItem) -> Result<configfs::DefaultGroup> {
    let item_type = configfs_attrs! {
        container: configfs::Group<PossibleCrtcs>,
        data: PossibleCrtcs,
        links: CrtcItem,
        attributes: [],
    };
    let possible_crtcs = PossibleCrtcs {
        device: item.device.clone(),
        plane: item.plane,
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
            .change(|config| config.attach_plane(self.plane, target.crtc_of(&self.device)?))
    }

    fn drop_link(&self, target: &CrtcItem) {
        if let Ok(crtc) = target.crtc_of(&self.device) {
            self.device
                .remove(|config| config.detach_plane(self.plane, crtc));
        }
    }
}
