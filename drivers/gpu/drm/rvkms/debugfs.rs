// SPDX-License-Identifier: GPL-2.0

//! What a device is made of, in debugfs.

use crate::{
    config::Status,
    device::RvkmsDriver, //
};
use kernel::{
    device,
    drm::{
        self,
        kms::debugfs::DebugfsFile, //
    },
    faux,
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

/// The file that lists the objects of a device, in the lines of vkms.
pub(crate) struct ConfigFile;

impl DebugfsFile for ConfigFile {
    type Driver = RvkmsDriver;

    const NAME: &'static CStr = if cfg!(CONFIG_DRM_RVKMS_AS_VKMS) {
        c"vkms_config"
    } else {
        c"rvkms_config"
    };

    fn show(dev: &drm::Device<RvkmsDriver, drm::Registered>, file: &SeqFile) -> Result {
        let parent: &faux::Device<device::Bound> = dev.as_ref();

        seq_print!(file, "dev_name={}\n", parent.as_ref().name());

        for (_, plane) in dev.planes.iter() {
            seq_print!(file, "plane:\n\ttype={}\n", plane.kind as u32);
        }

        for (_, crtc) in dev.crtcs.iter() {
            seq_print!(file, "crtc:\n\twriteback={}\n", u8::from(crtc.writeback));
        }

        for _ in dev.encoders.iter() {
            seq_print!(file, "encoder\n");
        }

        for (_, connector) in dev.connectors.iter().filter(|(_, c)| !c.dynamic) {
            show_connector(file, connector.status());
        }

        // Those that come and go are there, or not, as of now.
        for (_, status) in dev.added.lock().iter() {
            show_connector(file, status);
        }

        Ok(())
    }
}

fn show_connector(file: &SeqFile, status: &Status) {
    seq_print!(
        file,
        "connector:\n\tstatus={}\n",
        Status::number(status.get())
    );
}
