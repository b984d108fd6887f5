// SPDX-License-Identifier: GPL-2.0

//! The mode objects of a device, made as its configuration says.

use crate::{
    color::Curves,
    config::{
        Config,
        Id, //
    },
    connector::RvkmsConnector,
    crtc::{
        RvkmsCrtc,
        LEGACY_LUT_SIZE,
        LUT_SIZE, //
    },
    device::RvkmsDriver,
    plane::RvkmsPlane,
    writeback,
};
use kernel::{
    drm::kms::{
        crtc::Crtc,
        encoder::{
            Encoder,
            EncoderType, //
        },
        KmsSetup, //
    },
    prelude::*, //
};

/// The mode objects `O` that were made of the `T` of the configuration.
struct Made<'a, T, O>(KVec<(Id<T>, &'a O)>);

impl<'a, T, O> Made<'a, T, O> {
    fn new() -> Self {
        Self(KVec::new())
    }

    fn add(&mut self, id: Id<T>, object: &'a O) -> Result {
        Ok(self.0.push((id, object), GFP_KERNEL)?)
    }

    fn get(&self, id: Id<T>) -> Result<&'a O> {
        self.0
            .iter()
            .find_map(|(other, object)| (*other == id).then_some(*object))
            .ok_or(EINVAL)
    }
}

/// Creates the mode objects.
///
/// Fails with `EINVAL` if `config` is not valid.
pub(crate) fn create_objects(setup: &KmsSetup<'_, RvkmsDriver>, config: &Config) -> Result {
    setup.enable_async_page_flip();
    if !config.vblank {
        setup.disable_vblank();
    }

    let mut planes = Made::new();
    let mut crtcs = Made::new();
    let mut encoders = Made::new();

    let curves = Curves::new()?;
    let count = config.planes.len().try_into()?;
    for (zpos, (id, plane)) in (0..count).zip(config.planes.iter()) {
        planes.add(id, RvkmsPlane::create(setup, plane, &curves, zpos, count)?)?;
    }

    for (id, _) in config.crtcs.iter() {
        let primary = planes.get(config.primary_plane(id).ok_or(EINVAL)?)?;
        let cursor = match config.cursor_plane(id) {
            Some(cursor) => Some(&**planes.get(cursor)?),
            None => None,
        };
        let crtc = Crtc::<RvkmsCrtc>::new(setup, primary, cursor, None, ())?;

        setup.set_gamma_size(crtc, LEGACY_LUT_SIZE)?;
        setup.enable_color_mgmt(crtc, LUT_SIZE, true, LUT_SIZE)?;
        setup.attach_background_color_property(crtc)?;
        crtcs.add(id, crtc)?;
    }

    for (id, plane) in config.planes.iter() {
        for crtc in plane.possible_crtcs() {
            setup.attach_plane(planes.get(id)?, crtcs.get(*crtc)?)?;
        }
    }

    for (id, encoder) in config.encoders.iter() {
        let object = Encoder::new(setup, EncoderType::Virtual, None)?;

        for crtc in encoder.possible_crtcs() {
            setup.attach_encoder(object, crtcs.get(*crtc)?)?;
        }
        encoders.add(id, object)?;
    }

    for (id, crtc) in config.crtcs.iter() {
        if crtc.writeback {
            let fed = config
                .encoders
                .iter()
                .filter(|(_, encoder)| encoder.possible_crtcs().contains(&id))
                .filter_map(|(id, _)| encoders.get(id).ok());

            writeback::create(setup, config, crtcs.get(id)?, fed)?;
        }
    }

    for (_, connector) in config.connectors.iter().filter(|(_, c)| !c.dynamic) {
        let object = RvkmsConnector::create(setup, connector)?;

        for encoder in connector.possible_encoders() {
            setup.attach_connector(object, encoders.get(*encoder)?)?;
        }
    }

    Ok(())
}
