// SPDX-License-Identifier: GPL-2.0

//! Writeback connectors.

use crate::{
    config::Config,
    crtc::RvkmsCrtc,
    device::RvkmsDriver, //
};
use kernel::{
    drm::kms::{
        crtc::{
            Crtc,
            OpaqueCrtc, //
        },
        encoder::{
            Encoder,
            EncoderType, //
        },
        writeback::{
            WritebackConnector,
            WritebackDriver,
            WritebackJob, //
        },
        KmsSetup, //
    },
    prelude::*, //
};

/// Creates a connector that stores what `crtc` shows, possibly while it is shown through one of
/// `encoders`.
pub(crate) fn create<'a>(
    setup: &KmsSetup<'_, RvkmsDriver>,
    config: &Config,
    crtc: &Crtc<RvkmsCrtc>,
    encoders: impl Iterator<Item = &'a Encoder<RvkmsDriver>>,
) -> Result {
    let mut formats = KVec::new();
    for format in config.writeback_formats() {
        formats.push(format.fourcc(), GFP_KERNEL)?;
    }

    let writeback = Encoder::new(setup, EncoderType::Virtual, None)?;
    setup.attach_encoder(writeback, crtc)?;
    for encoder in encoders {
        setup.allow_cloning(encoder, writeback)?;
    }

    WritebackConnector::new(setup, writeback, &formats)?;

    Ok(())
}

impl WritebackDriver for RvkmsDriver {
    fn writeback(crtc: &OpaqueCrtc<Self>, job: WritebackJob<Self>) {
        // All CRTCs are of this kind. If this one were not, then the job would be dropped, and with
        // that be complete with an error.
        if let Some(crtc) = Crtc::<RvkmsCrtc>::try_from_opaque(crtc) {
            RvkmsCrtc::write_back(crtc, job);
        }
    }
}
