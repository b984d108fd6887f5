// SPDX-License-Identifier: GPL-2.0

//! A virtual KMS driver.
//!
//! The displays of this driver exist in software only. User space configures them like those of any
//! other driver.

mod color;
mod compose;
mod compositor;
mod config;
mod configfs;
mod connector;
mod crtc;
mod debugfs;
mod device;
mod output;
mod patience;
mod picture;
mod plane;
mod scene;
mod vrr;
mod worker;
mod writeback;

use crate::{
    config::{
        Config,
        Defaults, //
    },
    configfs::Devices,
    device::{
        RvkmsDevice,
        NAME, //
    },
};
use kernel::{
    configfs::Subsystem,
    prelude::*, //
};

macro_rules! module_named {
    ($name:tt) => {
        module! {
            type: RvkmsModule,
            name: $name,
            authors: ["The rvkms developers"],
            description: "Virtual kernel mode setting",
            license: "GPL",
            imports_ns: ["DMA_BUF"],
            params: {
                enable_cursor: bool {
                    default: true,
                    description: "Give the default device a cursor plane",
                    permissions: 0o444,
                },
                enable_writeback: bool {
                    default: true,
                    description: "Give the default device a writeback connector",
                    permissions: 0o444,
                },
                enable_overlay: bool {
                    default: false,
                    description: "Give the default device 8 overlay planes",
                    permissions: 0o444,
                },
                enable_plane_pipeline: bool {
                    default: false,
                    description: "Give the planes of the default device colour pipelines",
                    permissions: 0o444,
                },
                enable_vblank: bool {
                    default: true,
                    description: "Give the default device vertical blanks",
                    permissions: 0o444,
                },
                enable_cursor_hotspot: bool {
                    default: false,
                    description: "Give the cursor of the default device a hotspot",
                    permissions: 0o444,
                },
                create_default_dev: bool {
                    default: true,
                    description: "Create the default device",
                    permissions: 0o444,
                },
            },
        }
    };
}

#[cfg(not(CONFIG_DRM_RVKMS_AS_VKMS))]
module_named!("rvkms");

#[cfg(CONFIG_DRM_RVKMS_AS_VKMS)]
module_named!("vkms");

#[pin_data]
struct RvkmsModule {
    #[pin]
    _devices: Subsystem<Devices>,
    _default_device: Option<RvkmsDevice>,
}

impl kernel::InPlaceModule for RvkmsModule {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _default_device: default_device()?,
            // The subsystem comes last: once it is there, user space can create devices, which need
            // the module, so that loading it must not fail any more.
            _devices <- configfs::subsystem(),
        })
    }
}

fn default_device() -> Result<Option<RvkmsDevice>> {
    if !module_parameters::create_default_dev.value() {
        return Ok(None);
    }

    let config = Config::with_defaults(Defaults {
        cursor: module_parameters::enable_cursor.value(),
        overlays: module_parameters::enable_overlay.value(),
        writeback: module_parameters::enable_writeback.value(),
        color_pipelines: module_parameters::enable_plane_pipeline.value(),
        vblank: module_parameters::enable_vblank.value(),
        cursor_hotspot: module_parameters::enable_cursor_hotspot.value(),
    })?;

    Ok(Some(RvkmsDevice::new(NAME, config)?))
}
