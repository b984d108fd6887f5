// SPDX-License-Identifier: GPL-2.0

//! Devices that user space puts together through configfs.
//!
//! A directory in `/sys/kernel/config/rvkms` is a device. It is put together from directories in
//! `planes`, `crtcs`, `encoders` and `connectors`, and links between them, and comes into being
//! when `enabled` is set. From then on it has a configuration of its own; what can be changed here
//! is whether there are displays on its connectors, and which of those connectors there are that
//! were made to come and go.

/// Defines an attribute that is a switch of an item: how it is read, and what a new value does.
macro_rules! switch {
    ($id:literal, $item:ty, $get:expr, $set:expr) => {
        #[vtable]
        impl kernel::configfs::AttributeOperations<$id> for $item {
            type Data = Self;

            fn show(item: &Self, page: &mut [u8; kernel::page::PAGE_SIZE]) -> Result<usize> {
                let get: fn(&Self) -> Result<bool> = $get;

                $crate::configfs::print(page, fmt!("{}\n", u8::from(get(item)?)))
            }

            fn store(item: &Self, page: &[u8]) -> Result {
                let set: fn(&Self, bool) -> Result = $set;

                set(item, kernel::str::kstrtobool_bytes(page)?)
            }
        }
    };
}

mod connector;
mod crtc;
mod encoder;
mod plane;

use crate::{
    config::{
        Config,
        Connector,
        Id, //
    },
    device::{
        RvkmsDevice,
        NAME, //
    },
};
use kernel::{
    configfs::{
        self,
        configfs_attrs, //
    },
    drm,
    fmt::{
        self,
        Write, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    str::{
        CString,
        Formatter, //
    },
    sync::{
        aref::ARef,
        Arc,
        Mutex, //
    },
};

/// Creates the subsystem. It appears at once, and disappears when it is dropped.
pub(crate) fn subsystem() -> impl PinInit<configfs::Subsystem<Devices>, Error> {
    let item_type = configfs_attrs! {
        container: configfs::Subsystem<Devices>,
        data: Devices,
        child: DeviceItem,
        attributes: [],
    };

    configfs::Subsystem::new(NAME, item_type, Ok(Devices))
}

/// The directory of all devices.
pub(crate) struct Devices;

#[vtable]
impl configfs::GroupOperations for Devices {
    type Child = DeviceItem;

    fn make_group(&self, name: &CStr) -> Result<impl PinInit<configfs::Group<DeviceItem>, Error>> {
        #[cfg(not(CONFIG_DRM_RVKMS_AS_VKMS))]
        let item_type = configfs_attrs! {
            container: configfs::Group<DeviceItem>,
            data: DeviceItem,
            attributes: [
                enabled: 0,
                vblank: 1,
                cursor_hotspot: 2,
            ],
        };
        // What looks for vkms may look for what vkms has, and nothing else.
        #[cfg(CONFIG_DRM_RVKMS_AS_VKMS)]
        let item_type = configfs_attrs! {
            container: configfs::Group<DeviceItem>,
            data: DeviceItem,
            attributes: [
                enabled: 0,
            ],
        };

        // That is the name of the default device.
        if name.to_bytes() == NAME.to_bytes() {
            return Err(EINVAL);
        }

        let device = Device::new(name)?;

        let mut groups = KVec::new();
        for group in [
            plane::group(&device)?,
            crtc::group(&device)?,
            encoder::group(&device)?,
            connector::group(&device)?,
        ] {
            groups.push(group, GFP_KERNEL)?;
        }

        Ok(configfs::Group::with_default_groups(
            name.try_into()?,
            item_type,
            Ok(DeviceItem { device }),
            groups,
        ))
    }
}

/// What the directories of a device share.
#[pin_data]
struct Device {
    name: CString,
    #[pin]
    state: Mutex<State>,
}

/// The state of a device.
struct State {
    config: Config,
    enabled: Option<RvkmsDevice>,
    /// Whether the device that was enabled is going, which user space can delay.
    ending: bool,
}

impl State {
    /// Returns whether there is a device, even if it is about to go.
    fn is_enabled(&self) -> bool {
        self.enabled.is_some() || self.ending
    }
}

impl Device {
    fn new(name: &CStr) -> Result<Arc<Self>> {
        Arc::pin_init(
            try_pin_init!(Self {
                name: name.try_into()?,
                state <- new_mutex!(State {
                    config: Config::default(),
                    enabled: None,
                    ending: false,
                }),
            }),
            GFP_KERNEL,
        )
    }

    /// Reads the configuration.
    fn read<R>(&self, read: impl FnOnce(&Config) -> Result<R>) -> Result<R> {
        read(&self.state.lock().config)
    }

    /// Changes the configuration. Fails with `EBUSY` if the device is enabled.
    fn change<R>(&self, change: impl FnOnce(&mut Config) -> Result<R>) -> Result<R> {
        let mut state = self.state.lock();

        if state.is_enabled() {
            return Err(EBUSY);
        }

        change(&mut state.config)
    }

    /// Adds a connector. One that is added to an enabled device can come and go, and is not there
    /// yet. Fails with `EBUSY` if the device is about to go.
    fn add_connector(&self, mut connector: Connector) -> Result<Id<Connector>> {
        let mut state = self.state.lock();

        if state.ending {
            return Err(EBUSY);
        }
        if state.enabled.is_some() {
            // vkms has no such connectors.
            if cfg!(CONFIG_DRM_RVKMS_AS_VKMS) {
                return Err(EBUSY);
            }
            connector.dynamic = true;
            connector.present = false;
        }

        state.config.connectors.add(connector)
    }

    /// Changes a connector. Fails with `EBUSY` if it is a part of the enabled device.
    fn change_connector<R>(
        &self,
        id: Id<Connector>,
        change: impl FnOnce(&mut Config) -> Result<R>,
    ) -> Result<R> {
        let mut state = self.state.lock();

        if state.ending {
            return Err(EBUSY);
        }
        if let Some(device) = &state.enabled {
            if !state.config.connectors.get(id)?.dynamic || device.has_connector(id) {
                return Err(EBUSY);
            }
        }

        change(&mut state.config)
    }

    /// Lets a connector come or go. Fails with `EINVAL` if it cannot.
    fn set_present(&self, id: Id<Connector>, present: bool) -> Result {
        let mut state = self.state.lock();
        let state = &mut *state;
        let connector = state.config.connectors.get_mut(id)?;

        if !connector.dynamic {
            return Err(EINVAL);
        }
        if state.ending {
            return Err(EBUSY);
        }

        if let Some(device) = &mut state.enabled {
            if present {
                device.add_connector(id, connector)?;
            } else {
                device.remove_connector(id);
            }
        }
        connector.present = present;

        Ok(())
    }

    /// Removes a connector. A device that is enabled keeps it, unless it can come and go.
    fn remove_connector(&self, id: Id<Connector>) {
        let mut state = self.state.lock();

        state.config.connectors.remove(id);
        if let Some(device) = &mut state.enabled {
            device.remove_connector(id);
        }
    }

    /// Takes something out of the configuration. A device that is enabled keeps it.
    fn remove(&self, remove: impl FnOnce(&mut Config)) {
        remove(&mut self.state.lock().config);
    }

    /// Makes the device. Fails with `EBUSY` if the one before is still there.
    fn enable(&self) -> Result {
        let mut state = self.state.lock();

        if state.ending {
            return Err(EBUSY);
        }
        if state.enabled.is_none() {
            let config = state.config.try_clone()?;

            state.enabled = Some(RvkmsDevice::new(&self.name, config)?);
        }

        Ok(())
    }

    /// Takes the device away. Fails with `EBUSY` if somebody else is about to.
    fn disable(&self) -> Result {
        let device = {
            let mut state = self.state.lock();

            if state.ending {
                return Err(EBUSY);
            }
            let Some(device) = state.enabled.take() else {
                return Ok(());
            };

            state.ending = true;
            device
        };

        // Without the lock: this waits for updates, which wait for user space.
        drop(device);
        self.state.lock().ending = false;

        Ok(())
    }

    /// Returns the DRM device, if the device is enabled.
    fn drm_dev(&self) -> Option<ARef<drm::Device<crate::device::RvkmsDriver>>> {
        Some(self.state.lock().enabled.as_ref()?.drm_dev().into())
    }
}

/// The directory of a device.
pub(crate) struct DeviceItem {
    device: Arc<Device>,
}

impl Drop for DeviceItem {
    fn drop(&mut self) {
        // Nobody else can be about to, without this directory.
        let _ = self.device.disable();
    }
}

// Whether the device is enabled.
switch!(
    0,
    DeviceItem,
    |item| Ok(item.device.state.lock().is_enabled()),
    |item, enabled| {
        if enabled {
            item.device.enable()
        } else {
            item.device.disable()
        }
    }
);

// Whether there are vertical blanks.
switch!(
    1,
    DeviceItem,
    |item| item.device.read(|config| Ok(config.vblank)),
    |item, vblank| item.device.change(|config| {
        config.vblank = vblank;
        Ok(())
    })
);

// Whether cursors have a hotspot.
switch!(
    2,
    DeviceItem,
    |item| item.device.read(|config| Ok(config.cursor_hotspot)),
    |item, hotspot| item.device.change(|config| {
        config.cursor_hotspot = hotspot;
        Ok(())
    })
);

/// Writes what user space reads from an attribute.
fn print(page: &mut [u8; PAGE_SIZE], args: fmt::Arguments<'_>) -> Result<usize> {
    let mut writer = Formatter::new(page);
    writer.write_fmt(args)?;

    Ok(writer.bytes_written())
}

/// Reads a decimal number that user space wrote to an attribute.
fn parse(page: &[u8]) -> Result<u32> {
    let text = core::str::from_utf8(page)?;

    text.strip_suffix('\n')
        .unwrap_or(text)
        .parse()
        .map_err(|_| EINVAL)
}
