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
    Colors,
    Id,
    Plane,
    Zpos, //
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    drm::kms::{
        blend::rotation,
        plane::PlaneType, //
    },
    page::PAGE_SIZE,
    prelude::*,
    str::CString,
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
        #[cfg(not(CONFIG_DRM_RVKMS_AS_VKMS))]
        let item_type = configfs_attrs! {
            container: configfs::Group<PlaneItem>,
            data: PlaneItem,
            attributes: [
                type: 0,
                name: 1,
                supported_formats: 2,
                supported_rotations: 3,
                zpos_enabled: 4,
                zpos_mutable: 5,
                zpos_initial: 6,
                zpos_min: 7,
                zpos_max: 8,
                default_rotation: 9,
                supported_color_encodings: 10,
                default_color_encoding: 11,
                supported_color_ranges: 12,
                default_color_range: 13,
            ],
        };
        // What looks for vkms may look for what vkms has, and nothing else.
        #[cfg(CONFIG_DRM_RVKMS_AS_VKMS)]
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

// The name of the plane, or nothing.
#[vtable]
impl configfs::AttributeOperations<1> for PlaneItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        item.device
            .read(|config| match &config.planes.get(item.plane)?.drm_name {
                Some(name) => print(page, fmt!("{}\n", &**name)),
                None => print(page, fmt!("\n")),
            })
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        let name = core::str::from_utf8(page.trim_ascii())?;
        let name = if name.is_empty() {
            None
        } else if name.chars().any(char::is_control) {
            return Err(EINVAL);
        } else {
            Some(CString::try_from_fmt(fmt!("{name}"))?)
        };

        item.device.change(|config| {
            config.planes.get_mut(item.plane)?.drm_name = name;
            Ok(())
        })
    }
}

// The formats of framebuffers, one a line.
#[vtable]
impl configfs::AttributeOperations<2> for PlaneItem {
    type Data = Self;

    fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
        let formats = item
            .device
            .read(|config| Ok(config.planes.get(item.plane)?.formats))?;
        let mut length = 0;

        for format in formats.iter() {
            let line = page.get_mut(length..length + 5).ok_or(EFBIG)?;
            let (code, end) = line.split_at_mut(4);

            code.copy_from_slice(&format.fourcc().to_le_bytes());
            end.copy_from_slice(b"\n");
            length += 5;
        }

        Ok(length)
    }

    fn store(item: &Self, page: &[u8]) -> Result {
        item.device.change(|config| {
            let plane = config.planes.get_mut(item.plane)?;

            plane.formats = plane.formats.changed(page)?;
            Ok(())
        })
    }
}

/// Defines an attribute that is a mask of some of the bits `$all`, or one of them.
macro_rules! bits {
    ($id:literal, $($field:ident).+, $all:expr) => {
        #[vtable]
        impl configfs::AttributeOperations<$id> for PlaneItem {
            type Data = Self;

            fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
                let bits = item
                    .device
                    .read(|config| Ok(config.planes.get(item.plane)?.$($field).+))?;

                print(page, fmt!("{bits}\n"))
            }

            fn store(item: &Self, page: &[u8]) -> Result {
                let bits = parse(page)?;

                if bits & !$all != 0 {
                    return Err(EINVAL);
                }

                item.device.change(|config| {
                    config.planes.get_mut(item.plane)?.$($field).+ = bits;
                    Ok(())
                })
            }
        }
    };
}

bits!(3, rotations, rotation::ALL);
bits!(9, default_rotation, rotation::ALL);
bits!(10, colors.encodings, Colors::ENCODINGS);
bits!(11, colors.default_encoding, Colors::ENCODINGS);
bits!(12, colors.ranges, Colors::RANGES);
bits!(13, colors.default_range, Colors::RANGES);

impl PlaneItem {
    fn zpos(&self) -> Result<Zpos> {
        self.device
            .read(|config| Ok(config.planes.get(self.plane)?.zpos))
    }

    fn change_zpos(&self, change: impl FnOnce(&mut Zpos)) -> Result {
        self.device.change(|config| {
            change(&mut config.planes.get_mut(self.plane)?.zpos);
            Ok(())
        })
    }
}

/// Defines an attribute that is a number of zpos.
macro_rules! zpos_number {
    ($id:literal, $field:ident) => {
        #[vtable]
        impl configfs::AttributeOperations<$id> for PlaneItem {
            type Data = Self;

            fn show(item: &Self, page: &mut [u8; PAGE_SIZE]) -> Result<usize> {
                print(
                    page,
                    fmt!("{}\n", item.zpos()?.range.unwrap_or_default().$field),
                )
            }

            fn store(item: &Self, page: &[u8]) -> Result {
                let value = parse(page)?;

                // Larger ones cannot be compared by the core.
                i32::try_from(value)?;
                item.change_zpos(|zpos| zpos.range.get_or_insert_default().$field = value)
            }
        }
    };
}

// Whether there is the property.
switch!(
    4,
    PlaneItem,
    |item| Ok(item.zpos()?.enabled),
    |item, enabled| item.change_zpos(|zpos| zpos.enabled = enabled)
);

// Whether user space can change it.
switch!(
    5,
    PlaneItem,
    |item| Ok(item.zpos()?.mutable),
    |item, mutable| item.change_zpos(|zpos| zpos.mutable = mutable)
);

zpos_number!(6, initial);
zpos_number!(7, min);
zpos_number!(8, max);

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
