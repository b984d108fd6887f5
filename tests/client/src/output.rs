// SPDX-License-Identifier: GPL-2.0

//! A connected output, and the picture on it that every test starts from.

use std::time::Duration;

use drm_sys::*;
use rustix::io::Errno;

use crate::atomic::{Blob, Request, ALLOW_MODESET, EVENT, NONBLOCK};
use crate::buffer::Frame;
use crate::card::{address, Card, Event, Kind, Object};
use crate::error::{message, Error, What};
use crate::pattern::Pattern;
use crate::raw;

/// How long an event may take that comes with the next frame.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A connector with a CRTC and planes that fit.
#[derive(Clone, Debug)]
pub struct Output {
    pub connector: u32,
    pub crtc: u32,
    pub crtc_index: usize,
    pub primary: u32,
    pub cursor: Option<u32>,
    pub overlays: Vec<u32>,
    pub modes: Vec<drm_mode_modeinfo>,
}

impl Output {
    /// Finds the first connected output.
    pub fn find(card: &Card) -> Result<Output, Error> {
        for connector in card.of_kind(Kind::Connector) {
            if connector.properties.contains_key("WRITEBACK_FB_ID") {
                continue;
            }
            let (description, encoders, modes) = describe_connector(card, connector.id)?;
            if description.connection != CONNECTED || modes.is_empty() {
                continue;
            }
            for encoder in encoders {
                let possible = encoder_crtcs(card, encoder)?;
                for (index, crtc) in card.of_kind(Kind::Crtc).enumerate() {
                    if possible & (1 << index) != 0 {
                        return Self::with(card, connector.id, crtc, index, modes);
                    }
                }
            }
        }
        message(format!(
            "{} has no connected output with a mode",
            card.path.display()
        ))
    }

    fn with(
        card: &Card,
        connector: u32,
        crtc: &Object,
        crtc_index: usize,
        modes: Vec<drm_mode_modeinfo>,
    ) -> Result<Output, Error> {
        let mut primary = None;
        let mut cursor = None;
        let mut overlays = Vec::new();
        for plane in card.of_kind(Kind::Plane) {
            if plane_crtcs(card, plane.id)? & (1 << crtc_index) == 0 {
                continue;
            }
            match card.value(plane.id, "type")? as u32 {
                DRM_PLANE_TYPE_PRIMARY => primary = primary.or(Some(plane.id)),
                DRM_PLANE_TYPE_CURSOR => cursor = cursor.or(Some(plane.id)),
                _ => overlays.push(plane.id),
            }
        }
        match primary {
            Some(primary) => Ok(Output {
                connector,
                crtc: crtc.id,
                crtc_index,
                primary,
                cursor,
                overlays,
                modes,
            }),
            None => message(format!("CRTC {} has no primary plane", crtc.id)),
        }
    }

    /// The preferred mode, or the first.
    pub fn preferred_mode(&self) -> drm_mode_modeinfo {
        let preferred = |mode: &&drm_mode_modeinfo| mode.type_ & DRM_MODE_TYPE_PREFERRED != 0;
        *self.modes.iter().find(preferred).unwrap_or(&self.modes[0])
    }
}

const CONNECTED: u32 = 1;

/// What is 0 of a plane that is off. Where it was does not matter, but snapshots are compared.
const OFF: [&str; 10] = [
    "FB_ID", "CRTC_ID", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H", "SRC_X", "SRC_Y", "SRC_W", "SRC_H",
];

fn describe_connector(
    card: &Card,
    id: u32,
) -> Result<(drm_mode_get_connector, Vec<u32>, Vec<drm_mode_modeinfo>), Error> {
    // The first call probes and counts, the second fills.
    let mut argument = drm_mode_get_connector {
        connector_id: id,
        ..Default::default()
    };
    // SAFETY: with all counts 0 nothing is written but the argument.
    unsafe { raw::call(card.fd(), raw::GET_CONNECTOR, &mut argument) }.what("GETCONNECTOR")?;
    let mut encoders = vec![0; argument.count_encoders as usize];
    let mut modes = vec![drm_mode_modeinfo::default(); argument.count_modes as usize];
    argument.count_props = 0;
    argument.encoders_ptr = address(&mut encoders);
    argument.modes_ptr = address(&mut modes);
    // SAFETY: both arrays are as long as said. With no modes found the first time none are asked for again.
    unsafe { raw::call(card.fd(), raw::GET_CONNECTOR, &mut argument) }.what("GETCONNECTOR")?;
    encoders.truncate(argument.count_encoders as usize);
    modes.truncate(argument.count_modes as usize);
    Ok((argument, encoders, modes))
}

/// The encoders of a connector.
pub fn connector_encoders(card: &Card, id: u32) -> Result<Vec<u32>, Error> {
    Ok(describe_connector(card, id)?.1)
}

fn encoder_crtcs(card: &Card, id: u32) -> Result<u32, Error> {
    let mut argument = drm_mode_get_encoder {
        encoder_id: id,
        ..Default::default()
    };
    card.call(raw::GET_ENCODER, &mut argument)
        .what("GETENCODER")?;
    Ok(argument.possible_crtcs)
}

/// The CRTCs that a plane can be on, as bits.
pub fn plane_crtcs(card: &Card, id: u32) -> Result<u32, Error> {
    Ok(describe_plane(card, id)?.0.possible_crtcs)
}

/// The formats of a plane.
pub fn plane_formats(card: &Card, id: u32) -> Result<Vec<u32>, Error> {
    Ok(describe_plane(card, id)?.1)
}

fn describe_plane(card: &Card, id: u32) -> Result<(drm_mode_get_plane, Vec<u32>), Error> {
    let mut formats = vec![0u32; 256];
    let mut argument = drm_mode_get_plane {
        plane_id: id,
        count_format_types: formats.len() as u32,
        format_type_ptr: address(&mut formats),
        ..Default::default()
    };
    // SAFETY: the array is as long as said.
    unsafe { raw::call(card.fd(), raw::GET_PLANE, &mut argument) }.what("GETPLANE")?;
    formats.truncate(argument.count_format_types as usize);
    Ok((argument, formats))
}

/// An output that shows a picture, and what is needed to bring that picture back.
pub struct Screen<'c> {
    pub card: &'c Card,
    pub output: Output,
    pub mode: drm_mode_modeinfo,
    pub mode_blob: Blob<'c>,
    pub front: Frame<'c>,
    pub back: Frame<'c>,
}

impl<'c> Screen<'c> {
    /// Sets the preferred mode with a test picture.
    pub fn new(card: &'c Card) -> Result<Self, Error> {
        let output = Output::find(card)?;
        let mode = output.preferred_mode();
        let (width, height) = (mode.hdisplay.into(), mode.vdisplay.into());
        let front = Frame::new(card, width, height)?;
        let back = Frame::new(card, width, height)?;
        front.draw(|x, y| Pattern::Bars.pixel(x, y, width, height))?;
        back.draw(|x, y| Pattern::Gradient.pixel(x, y, width, height))?;
        let screen = Screen {
            card,
            mode_blob: Blob::of_mode(card, &mode)?,
            output,
            mode,
            front,
            back,
        };
        screen.restore()?;
        Ok(screen)
    }

    /// The mode's size.
    pub fn size(&self) -> (u32, u32) {
        (self.mode.hdisplay.into(), self.mode.vdisplay.into())
    }

    /// Sets the normal picture, with everything else of the card off.
    pub fn restore(&self) -> Result<(), Error> {
        self.normal()?
            .commit(self.card, ALLOW_MODESET)
            .what("commit of the normal picture")?;
        self.card.discard_events()
    }

    /// The request that sets the normal picture.
    pub fn normal(&self) -> Result<Request, Error> {
        let mut request = self.only_primary(&self.front)?;
        for object in &self.card.objects {
            let id = object.id;
            match object.kind {
                Kind::Plane if id != self.output.primary => {
                    for name in OFF {
                        request = request.set(self.card, id, name, 0)?;
                    }
                }
                Kind::Crtc if id != self.output.crtc => {
                    request = request
                        .set(self.card, id, "ACTIVE", 0)?
                        .set(self.card, id, "MODE_ID", 0)?;
                }
                Kind::Connector if id != self.output.connector => {
                    request = request.set(self.card, id, "CRTC_ID", 0)?;
                }
                _ => {}
            }
        }
        Ok(request)
    }

    /// The request that switches the output on with one frame, and leaves other objects alone.
    pub fn only_primary(&self, frame: &Frame<'_>) -> Result<Request, Error> {
        let crtc = self.output.crtc;
        let mut request = Request::new()
            .set(self.card, self.output.connector, "CRTC_ID", crtc.into())?
            .set(self.card, crtc, "MODE_ID", self.mode_blob.id.into())?
            .set(self.card, crtc, "ACTIVE", 1)?;
        for name in ["GAMMA_LUT", "DEGAMMA_LUT", "CTM"] {
            request = request.set_if_any(self.card, crtc, name, 0);
        }
        let (width, height) = self.size();
        Ok(request.and(self.plane(self.output.primary, frame.id, (0, 0), (width, height))?))
    }

    /// The request that puts the upper left part of a framebuffer on a plane, unscaled.
    pub fn plane(
        &self,
        plane: u32,
        fb: u32,
        position: (i32, i32),
        size: (u32, u32),
    ) -> Result<Request, Error> {
        let signed = |value: i32| i64::from(value) as u64;
        Request::new()
            .set(self.card, plane, "FB_ID", fb.into())?
            .set(self.card, plane, "CRTC_ID", self.output.crtc.into())?
            .set(self.card, plane, "CRTC_X", signed(position.0))?
            .set(self.card, plane, "CRTC_Y", signed(position.1))?
            .set(self.card, plane, "CRTC_W", size.0.into())?
            .set(self.card, plane, "CRTC_H", size.1.into())?
            .set(self.card, plane, "SRC_X", 0)?
            .set(self.card, plane, "SRC_Y", 0)?
            .set(self.card, plane, "SRC_W", u64::from(size.0) << 16)?
            .set(self.card, plane, "SRC_H", u64::from(size.1) << 16)
    }

    /// The request that switches the output off.
    pub fn off(&self) -> Result<Request, Error> {
        Request::new()
            .set(self.card, self.output.connector, "CRTC_ID", 0)?
            .set(self.card, self.output.crtc, "ACTIVE", 0)?
            .set(self.card, self.output.crtc, "MODE_ID", 0)?
            .set(self.card, self.output.primary, "FB_ID", 0)?
            .set(self.card, self.output.primary, "CRTC_ID", 0)
    }

    /// The request that flips the primary plane to a framebuffer.
    pub fn flip_to(&self, fb: u32) -> Result<Request, Error> {
        Request::new().set(self.card, self.output.primary, "FB_ID", fb.into())
    }

    /// Flips without waiting, through the atomic interface, asking for an event.
    pub fn flip(&self, fb: u32, user_data: u64) -> Result<(), Error> {
        self.flip_to(fb)?
            .prepare(NONBLOCK | EVENT, user_data)
            .commit(self.card)
            .what("page flip")
    }

    /// Flips like [`flip`](Self::flip), but without a vertical blank, and waits for the event.
    pub fn flip_async(&self, fb: u32, user_data: u64) -> Result<(), Error> {
        self.flip_to(fb)?
            .prepare(NONBLOCK | EVENT | DRM_MODE_PAGE_FLIP_ASYNC, user_data)
            .commit(self.card)
            .what("asynchronous flip")?;
        self.flip_done(user_data)?;
        Ok(())
    }

    /// Flips without waiting, through the legacy interface, asking for an event.
    pub fn legacy_flip(&self, fb: u32, user_data: u64) -> Result<(), Errno> {
        let mut argument = drm_mode_crtc_page_flip {
            crtc_id: self.output.crtc,
            fb_id: fb,
            flags: DRM_MODE_PAGE_FLIP_EVENT,
            reserved: 0,
            user_data,
        };
        self.card.call(raw::PAGE_FLIP, &mut argument)
    }

    /// Waits for the event of a flip.
    pub fn flip_done(&self, user_data: u64) -> Result<Event, Error> {
        self.card.flip_done(user_data, PATIENCE)
    }

    /// Checks that the output still works: two flips with their events.
    pub fn check_alive(&self) -> Result<(), Error> {
        for frame in [&self.back, &self.front] {
            self.flip(frame.id, frame.id.into())?;
            self.flip_done(frame.id.into())?;
        }
        Ok(())
    }
}
