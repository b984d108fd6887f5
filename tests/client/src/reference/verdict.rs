// SPDX-License-Identifier: GPL-2.0

//! Whether what is shown is right: the pixels that are written back, and the checksum.

use std::sync::Arc;

use rvkms_reference::{Format, Picture, Scene};

use crate::atomic::{Request, ALLOW_MODESET};
use crate::crc::{checksum, Crc};
use crate::error::{message, Error, What};
use crate::picture_buffer::PictureBuffer;
use crate::planes::is_signalled;
use crate::random::Random;

use super::stage::Stage;

/// Checksums that differ before the driver is not asked for more.
const ENOUGH: u32 = 20;

/// The largest value of a channel of a format that is written back, if that is one to judge by.
pub fn levels(format: &Format) -> Option<f64> {
    match format {
        [b'A' | b'X', b'R' | b'B', b'4', b'8'] => Some(65535.0),
        [b'A' | b'X', b'R' | b'B', b'3', b'0'] => Some(1023.0),
        [b'A' | b'X', b'R' | b'B', b'2', b'4'] => Some(255.0),
        _ => None,
    }
}

impl Stage<'_> {
    /// What is to be seen: planes with the same zpos lie in the order of their ids.
    fn scene(&self) -> Scene {
        let planes = self.abilities.planes.iter().zip(&self.shown);
        let mut layers: Vec<_> = planes
            .filter_map(|(plane, shown)| Some((plane.id, shown.as_ref()?)))
            .collect();
        layers.sort_by_key(|(id, shown)| (shown.zpos, *id));
        Scene {
            layers: layers
                .iter()
                .map(|(_, shown)| shown.layer.clone())
                .collect(),
            ..self.canvas.clone()
        }
    }

    /// Commits a request together with a writeback, and judges the pixels.
    pub fn judge(
        &mut self,
        request: Request,
        random: &mut Random,
    ) -> Result<Option<String>, Error> {
        let targets = &self.abilities.targets;
        let deep = targets.iter().find(|format| format.ends_with(b"48"));
        let format = match deep {
            Some(deep) if !random.once_in(4) => *deep,
            _ => random.one_of(targets),
        };
        let target = self.display.target(format)?;
        if let Err(error) = self.commit(request, &target) {
            return message(format!("{error}\n{}", self.describe()));
        }
        self.old.clear();
        self.blobs.clear();
        let most = levels(&format).unwrap_or(255.0);
        let picture = Picture {
            format,
            pitches: target.shape.pitches,
            offsets: target.shape.offsets,
            bytes: Arc::new(target.mapping.bytes().to_vec()),
        };
        let pixel = |x: u32, y: u32| {
            let [red, green, blue, _] = picture.rgb(x as usize, y as usize).unwrap_or_default();
            [red, green, blue].map(|channel| channel * 65535.0)
        };
        let rounded = if most == 65535.0 { 0.0 } else { 32768.0 / most };
        let wrong = self.scene().first_wrong(pixel, rounded, &mut self.worst);
        if let Some(wrong) = wrong {
            return Ok(Some(format!("{} has {wrong}", format.escape_ascii())));
        }
        if most < 65535.0 {
            return Ok(None);
        }
        let size = (self.canvas.width, self.canvas.height);
        let places = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
        let pixels = places.map(|(x, y)| pixel(x, y).map(|channel| channel.round() as u16));
        self.check_sum(&match self.canvas.ctm {
            // Then it is that of what a display of 8 bits a colour gets.
            Some(_) => {
                checksum(pixels.map(|pixel| pixel.map(|v| ((v as u32 + 128) / 257 * 257) as u16)))
            }
            None => checksum(pixels),
        })
    }

    fn commit(&self, request: Request, target: &PictureBuffer<'_>) -> Result<(), Error> {
        let connector = self.display.writeback.unwrap_or_default();
        let request = request.and(self.display.write_to(target)?);
        let fence = request
            .commit_with_fence(self.display.card, connector, ALLOW_MODESET)
            .what("a commit with writeback")?;
        if !is_signalled(&fence)? {
            return message("a writeback fence was never signalled");
        }
        Ok(())
    }

    /// Compares the checksum of what is shown with that of the pixels. Drivers may have checksums of
    /// another kind: then none is equal.
    fn check_sum(&mut self, expected: &str) -> Result<Option<String>, Error> {
        // The end of a writeback stops the checksums of C vkms, also one that comes late.
        let is_vkms = self.display.card.driver == "vkms";
        if is_vkms || (self.equal_sums == 0 && self.other_sums >= ENOUGH) {
            return Ok(None);
        }
        let Some(found) = self.sum()? else {
            return Ok(None);
        };
        if found == expected {
            self.equal_sums += 1;
        } else {
            self.other_sums += 1;
        }
        if self.equal_sums > 0 && self.other_sums > 0 {
            let others = std::mem::take(&mut self.other_sums);
            return Ok(Some(format!(
                "the checksum is {found}, of the pixels {expected}, {others} not equal so far"
            )));
        }
        Ok(None)
    }

    /// The checksum of what is shown, if there are any.
    fn sum(&self) -> Result<Option<String>, Error> {
        match Crc::of(self.display.card, self.display.output.crtc_index)? {
            Some(mut crc) => Ok(Some(self.display.checksum(&mut crc)?)),
            None => Ok(None),
        }
    }

    /// How many checksums were those of the pixels, and how exact pixels were.
    pub fn report(&self) -> String {
        format!(
            "{} checksums, {} of another kind; largest error {:.1} of 65535",
            self.equal_sums, self.other_sums, self.worst
        )
    }
}
