// SPDX-License-Identifier: GPL-2.0

//! A virtual KMS driver.
//!
//! The displays of this driver exist in software only. User space configures them like those of any
//! other driver.

mod compose;
mod connector;
mod crtc;
mod device;
mod plane;
mod scene;
mod worker;

use crate::device::{
    Config,
    RvkmsDevice, //
};
use kernel::prelude::*;

module! {
    type: RvkmsModule,
    name: "rvkms",
    authors: ["The rvkms developers"],
    description: "Virtual kernel mode setting",
    license: "GPL",
    imports_ns: ["DMA_BUF"],
    params: {
        enable_cursor: bool {
            default: true,
            description: "Give the default device a cursor plane",
        },
        enable_overlay: bool {
            default: false,
            description: "Give the default device 8 overlay planes",
        },
        create_default_dev: bool {
            default: true,
            description: "Create the default device",
        },
    },
}

struct RvkmsModule {
    _default_device: Option<RvkmsDevice>,
}

impl kernel::Module for RvkmsModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let default_device = if module_parameters::create_default_dev.value() {
            let config = Config {
                cursor: module_parameters::enable_cursor.value(),
                overlays: module_parameters::enable_overlay.value(),
            };

            Some(RvkmsDevice::new(c"rvkms", config)?)
        } else {
            None
        };

        Ok(Self {
            _default_device: default_device,
        })
    }
}
