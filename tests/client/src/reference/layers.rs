// SPDX-License-Identifier: GPL-2.0

//! What planes show, and the requests for it.

use std::fmt::Write;

use rvkms_reference::{Layer, Op};

use crate::atomic::{Blob, Request};
use crate::error::Error;
use crate::picture_buffer::PictureBuffer;
use crate::planes::Display;

use super::abilities::Plane;

/// What a plane shows.
pub struct Shown<'c> {
    pub layer: Layer,
    pub zpos: u64,
    /// The number of the pipeline among those that the plane has.
    pub pipeline: Option<usize>,
    /// The size of the framebuffer.
    pub size: (u32, u32),
    pub buffer: PictureBuffer<'c>,
}

impl Shown<'_> {
    /// The request that shows it, and the blobs that this takes.
    pub fn request<'c>(
        &self,
        display: &Display<'c>,
        plane: &Plane,
    ) -> Result<(Request, Vec<Blob<'c>>), Error> {
        let card = display.card;
        let signed = |value: i32| i64::from(value) as u64;
        let layer = &self.layer;
        let area = [
            ("CRTC_X", signed(layer.dst.x)),
            ("CRTC_Y", signed(layer.dst.y)),
            ("CRTC_W", layer.dst.width.into()),
            ("CRTC_H", layer.dst.height.into()),
            ("SRC_X", layer.src.x.into()),
            ("SRC_Y", layer.src.y.into()),
            ("SRC_W", layer.src.width.into()),
            ("SRC_H", layer.src.height.into()),
        ];
        let mut request = Request::new()
            .set(card, plane.id, "FB_ID", self.buffer.id.into())?
            .set(card, plane.id, "CRTC_ID", display.output.crtc.into())?;
        for (name, value) in area {
            request = request.set(card, plane.id, name, value)?;
        }
        request = request.and(self.looks(display, plane)?);
        let Some(pipeline) = self.pipeline.and_then(|index| plane.pipelines.get(index)) else {
            let request = request.set_if_any(card, plane.id, "COLOR_PIPELINE", 0);
            return Ok((request, Vec::new()));
        };
        let (colors, blobs) = pipeline.request(card, plane.id, &layer.ops)?;
        Ok((request.and(colors), blobs))
    }

    /// The request for all but the framebuffer, its place and the pipeline.
    pub fn looks(&self, display: &Display<'_>, plane: &Plane) -> Result<Request, Error> {
        let layer = &self.layer;
        let mut request = Request::new();
        let mut set = |name, value| -> Result<(), Error> {
            let before = std::mem::take(&mut request);
            request = before.set(display.card, plane.id, name, value)?;
            Ok(())
        };
        if plane.rotations & !1 != 0 {
            set("rotation", layer.rotation.into())?;
        }
        if plane.has_alpha {
            set("alpha", layer.alpha.into())?;
        }
        if plane.has_zpos {
            set("zpos", self.zpos)?;
        }
        if let Some(value) = value_of(&plane.blends, layer.blend) {
            set("pixel blend mode", value)?;
        }
        if let Some(value) = value_of(&plane.filters, layer.filter) {
            set("SCALING_FILTER", value)?;
        }
        if let Some(value) = value_of(&plane.encodings, layer.encoding) {
            set("COLOR_ENCODING", value)?;
        }
        if let Some(value) = value_of(&plane.ranges, layer.range) {
            set("COLOR_RANGE", value)?;
        }
        Ok(request)
    }

    /// Describes it for whoever has to find out what is wrong.
    pub fn describe(&self) -> String {
        let layer = &self.layer;
        let mut text = format!(
            "{} {}x{} {:?} -> {:?} rotation {:#x} zpos {} alpha {:#x} {:?} {:?} {:?} {:?}",
            layer.picture.format.escape_ascii(),
            self.size.0,
            self.size.1,
            layer.src,
            layer.dst,
            layer.rotation,
            self.zpos,
            layer.alpha,
            layer.blend,
            layer.filter,
            layer.encoding,
            layer.range
        );
        for op in layer.ops.iter().filter(|op| **op != Op::Bypassed) {
            let op: String = format!("{op:x?}").chars().take(200).collect();
            let _ = write!(text, "\n    {op}");
        }
        text
    }
}

fn value_of<T: PartialEq>(choices: &[(u64, T)], wanted: T) -> Option<u64> {
    let mut choices = choices.iter();
    choices
        .find(|(_, meaning)| *meaning == wanted)
        .map(|(value, _)| *value)
}
