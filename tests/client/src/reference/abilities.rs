// SPDX-License-Identifier: GPL-2.0

//! What a card can do, from its properties.

use drm_sys::*;
use rvkms_reference::{is_yuv, plane_layouts, BlendMode, Encoding, Filter, Format, Range};
use std::ops::RangeInclusive;

use crate::atomic::{read_blob, Request, ALLOW_MODESET, TEST_ONLY};
use crate::card::{Card, Property};
use crate::error::Error;
use crate::output::plane_formats;
use crate::pipeline;
use crate::planes::Display;

use super::operations::Pipeline;

/// The values of a property of choices, and what they mean.
type Choices<T> = Vec<(u64, T)>;

/// What a plane can do.
pub struct Plane {
    pub id: u32,
    pub formats: Vec<Format>,
    /// The bits of the `rotation` property.
    pub rotations: u32,
    pub has_alpha: bool,
    pub blends: Choices<BlendMode>,
    pub filters: Choices<Filter>,
    pub encodings: Choices<Encoding>,
    pub ranges: Choices<Range>,
    /// Where it can lie.
    pub zpos: RangeInclusive<u64>,
    pub has_zpos: bool,
    pub pipelines: Vec<Pipeline>,
}

/// What a card can do.
pub struct Abilities {
    pub planes: Vec<Plane>,
    /// The formats of writeback that are not coarser than 8 bits.
    pub targets: Vec<Format>,
    pub has_background: bool,
    pub degamma_size: Option<u32>,
    pub has_ctm: bool,
    pub gamma_size: Option<u32>,
    /// Whether tables may be smaller than the CRTC says.
    pub small_tables: bool,
    /// Whether the primary plane must be shown.
    pub needs_primary: bool,
}

impl Abilities {
    /// Looks at the first display of a card.
    pub fn find(card: &Card) -> Result<Self, Error> {
        let mut display = Display::new(card)?;
        let crtc = display.output.crtc;
        let size = |table: &str| -> Result<Option<u32>, Error> {
            let name = format!("{table}_LUT_SIZE");
            match card.property_id(crtc, &name) {
                Some(_) => Ok(Some(card.value(crtc, &name)? as u32)),
                None => Ok(None),
            }
        };
        let mut planes = Vec::new();
        for (index, id) in display.planes.iter().enumerate() {
            planes.push(Plane::find(card, *id, index as u64)?);
        }
        let mut dark = display.set_mode((64, 64), 60)?;
        for plane in &display.planes {
            dark = dark.and(display.hide(*plane)?);
        }
        let takes = |request: &Request| request.commit(card, TEST_ONLY | ALLOW_MODESET).is_ok();
        let small = display.gamma_table(&[[0; 3], [0xffff; 3]])?;
        Ok(Abilities {
            targets: targets(card, display.writeback, &planes)?,
            planes,
            has_background: card.property_id(crtc, "BACKGROUND_COLOR").is_some(),
            degamma_size: size("DEGAMMA")?,
            has_ctm: card.property_id(crtc, "CTM").is_some(),
            gamma_size: size("GAMMA")?,
            small_tables: takes(&Request::new().set_if_any(
                card,
                crtc,
                "GAMMA_LUT",
                small.id.into(),
            )),
            needs_primary: !takes(&dark),
        })
    }
}

impl Plane {
    fn find(card: &Card, id: u32, index: u64) -> Result<Self, Error> {
        let property = |name: &str| card.properties.get(&card.property_id(id, name)?);
        let settable = |property: &&Property| property.flags & DRM_MODE_PROP_IMMUTABLE == 0;
        let zpos = match property("zpos").map(|zpos| &zpos.values[..]) {
            Some([low, high, ..]) => *low..=*high,
            _ => index..=index,
        };
        let mut pipelines = Vec::new();
        for first in pipeline::offered(card, id) {
            pipelines.extend(Pipeline::find(card, first)?);
        }
        let rotations = property("rotation").map_or(&[][..], |rotation| &rotation.enums);
        let formats = plane_formats(card, id)?;
        let formats = formats.into_iter().map(u32::to_le_bytes).filter(|format| {
            // What C8 shows is for a palette to say; YUV needs properties that pipelines replace.
            let known = *format != *b"C8  " && !plane_layouts(format).is_empty();
            known && (pipelines.is_empty() || !is_yuv(format))
        });
        Ok(Plane {
            id,
            formats: formats.collect(),
            rotations: rotations
                .iter()
                .map(|(bit, _)| 1 << bit)
                .fold(DRM_MODE_ROTATE_0, |bits, bit| bits | bit),
            has_alpha: property("alpha").is_some(),
            blends: choices(
                property("pixel blend mode"),
                &[
                    ("None", BlendMode::None),
                    ("Pre-multiplied", BlendMode::Premultiplied),
                    ("Coverage", BlendMode::Coverage),
                ],
            ),
            filters: choices(
                property("SCALING_FILTER"),
                // The default is up to the driver, which is linear where it has been looked at.
                &[
                    ("Default", Filter::Linear),
                    ("Nearest Neighbor", Filter::Nearest),
                ],
            ),
            encodings: choices(
                property("COLOR_ENCODING"),
                &[
                    ("ITU-R BT.601 YCbCr", Encoding::Bt601),
                    ("ITU-R BT.709 YCbCr", Encoding::Bt709),
                    ("ITU-R BT.2020 YCbCr", Encoding::Bt2020),
                ],
            ),
            ranges: choices(
                property("COLOR_RANGE"),
                &[
                    ("YCbCr limited range", Range::Limited),
                    ("YCbCr full range", Range::Full),
                ],
            ),
            has_zpos: property("zpos").as_ref().is_some_and(settable),
            zpos,
            pipelines,
        })
    }
}

/// The values of a property whose names are known.
fn choices<T: Copy>(property: Option<&Property>, known: &[(&str, T)]) -> Choices<T> {
    let enums = property.map_or(&[][..], |property| &property.enums);
    let meaning = |name: &str| known.iter().find(|(known, _)| *known == name);
    enums
        .iter()
        .filter_map(|(value, name)| Some((*value, meaning(name)?.1)))
        .collect()
}

/// The formats that pixels can be written back in, of those that can be judged. The core makes no
/// framebuffers that no plane can show.
fn targets(card: &Card, writeback: Option<u32>, planes: &[Plane]) -> Result<Vec<Format>, Error> {
    let Some(connector) = writeback else {
        return Ok(Vec::new());
    };
    let blob = read_blob(
        card,
        card.value(connector, "WRITEBACK_PIXEL_FORMATS")? as u32,
    )?;
    let chunks = blob.chunks_exact(4);
    let formats = chunks.map(|code| [code[0], code[1], code[2], code[3]]);
    let fine = |format: &Format| {
        let shown = planes.iter().any(|plane| plane.formats.contains(format));
        shown && super::verdict::levels(format).is_some()
    };
    Ok(formats.filter(fine).collect())
}
