// SPDX-License-Identifier: GPL-2.0

//! `diff`: random scenes on two drivers at once, whose checksums and writeback pixels must be equal.
//!
//! A scene is changed step by step, sometimes without telling the driver: what is drawn into a
//! framebuffer that is shown has to be in the next checksum. Only what C vkms does right is part of a
//! scene; `wrongs` has the rest.

use std::fmt::Write;
use std::time::{Duration, Instant};

use drm_sys::*;

use crate::atomic::{Blob, Request};
use crate::card::Card;
use crate::crc::Crc;
use crate::error::{message, Error};
use crate::picture_buffer::{Format, PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, Verdict};

/// The formats of the planes of both drivers, but for those with several pixels in a byte.
const FORMATS: [Format; 30] = [
    *b"AR24", *b"AB24", *b"BA24", *b"RA24", *b"XR24", *b"XB24", *b"RG24", *b"BG24", *b"XR48",
    *b"XB48", *b"AR48", *b"AB48", *b"RG16", *b"BG16", *b"NV12", *b"NV16", *b"NV24", *b"NV21",
    *b"NV61", *b"NV42", *b"YU12", *b"YU16", *b"YU24", *b"YV12", *b"YV16", *b"YV24", *b"P010",
    *b"P012", *b"P016", *b"R8  ",
];

/// The formats of the writeback connectors of both drivers.
const WRITEBACK: [Format; 6] = [*b"AR24", *b"XR24", *b"AB24", *b"AR48", *b"XR48", *b"RG16"];

/// Steps before everything is new.
const STEPS: u32 = 25;

/// Frames a second: most of the time is spent waiting for them.
const HZ: u32 = 400;

/// What a plane shows.
#[derive(Clone, Debug)]
struct Layer {
    plane: usize,
    shape: Shape,
    place: Place,
}

/// One of the two drivers.
struct Side<'c> {
    display: Display<'c>,
    /// The framebuffer of each plane.
    buffers: Vec<Option<PictureBuffer<'c>>>,
    gamma: Option<Blob<'c>>,
    crc: Option<Crc>,
}

impl<'c> Side<'c> {
    fn new(card: &'c Card) -> Result<Self, Error> {
        let display = Display::new(card)?;
        Ok(Side {
            buffers: display.planes.iter().map(|_| None).collect(),
            display,
            gamma: None,
            crc: None,
        })
    }

    fn show(&self, layer: &Layer) -> Result<Request, Error> {
        let plane = self.display.planes[layer.plane];
        let id = self.buffers[layer.plane].as_ref().map_or(0, |fb| fb.id);
        self.display.show(plane, id, &layer.place)
    }

    /// The checksum of a frame from now on.
    fn checksum(&mut self) -> Result<String, Error> {
        let crc = match &mut self.crc {
            Some(crc) => crc,
            none => none.insert(self.display.crc()?),
        };
        let checksum = self.display.checksum(crc);
        let driver = &self.display.card.driver;
        checksum.or_else(|error| message(format!("{driver}: {error}")))
    }
}

/// Both drivers and what they show.
struct Pair<'c> {
    sides: [Side<'c>; 2],
    size: (u32, u32),
    layers: Vec<Layer>,
    text: String,
}

impl Pair<'_> {
    /// Shows something else altogether.
    fn renew(&mut self, random: &mut Random) -> Result<(), Error> {
        self.size = (random.within(16, 240) as u32, random.within(16, 160) as u32);
        self.text = format!("mode {}x{}\n", self.size.0, self.size.1);
        self.layers.clear();
        let count = self.sides[0].display.planes.len();
        for plane in 0..count {
            // C vkms wants its primary plane.
            if plane == 0 || random.once_in(3) {
                let layer = self.layer(plane, random);
                self.layers.push(layer);
            }
        }
        let color = random.any() | 0xffff << 48;
        let seed = random.any();
        for side in &mut self.sides {
            side.crc = None;
            let mut request = side.display.set_mode(self.size, HZ)?;
            let planes = side.display.planes.clone();
            // What was shown must stay until it is not shown any more.
            let mut old = Vec::new();
            for (index, plane) in planes.iter().enumerate() {
                old.push(side.buffers[index].take());
                match self.layers.iter().find(|layer| layer.plane == index) {
                    Some(layer) => {
                        side.buffers[index] = Some(filled(side.display.card, layer, seed)?);
                        request = request.and(side.show(layer)?);
                    }
                    None => request = request.and(side.display.hide(*plane)?),
                }
            }
            request = request
                .and(side.display.background(color)?)
                .and(side.display.gamma(None)?);
            side.display.commit(&request)?;
            side.gamma = None;
        }
        Ok(())
    }

    fn layer(&self, plane: usize, random: &mut Random) -> Layer {
        let format = random.one_of(&FORMATS);
        let size = if plane == 0 && random.once_in(2) {
            self.size
        } else {
            (
                random.within(10, self.size.0 as i32) as u32,
                random.within(10, self.size.1 as i32) as u32,
            )
        };
        let turn = random.one_of(&[
            DRM_MODE_ROTATE_0,
            DRM_MODE_ROTATE_90,
            DRM_MODE_ROTATE_180,
            DRM_MODE_ROTATE_270,
        ]);
        let turn = if random.once_in(2) {
            DRM_MODE_ROTATE_0
        } else {
            turn
        };
        let mut rotation = turn;
        if random.once_in(4) {
            rotation |= DRM_MODE_REFLECT_X;
        }
        if random.once_in(4) {
            rotation |= DRM_MODE_REFLECT_Y;
        }
        let (width, height) = match turn {
            DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270 => (size.1, size.0),
            _ => size,
        };
        let src = (random.below(12), random.below(12));
        let shape = Shape::new(
            format,
            src.0 + width + random.below(9),
            src.1 + height + random.below(9),
            random,
        );
        Layer {
            plane,
            shape,
            place: Place {
                src: (src.0 << 16, src.1 << 16),
                size,
                position: self.position(plane, size, random),
                rotation,
                encoding: random.below(3),
                range: random.below(2),
            },
        }
    }

    fn position(&self, plane: usize, size: (u32, u32), random: &mut Random) -> (i32, i32) {
        if plane == 0 && size == self.size {
            return (0, 0);
        }
        // Parts may be outside, but not all: C vkms composes only what is visible.
        let along = |size: u32, all: u32, random: &mut Random| {
            if random.once_in(4) {
                random.within(-(size as i32 - 3).min(20), all as i32 - 3)
            } else {
                random.within(0, all as i32 - size as i32)
            }
        };
        (
            along(size.0, self.size.0, random),
            along(size.1, self.size.1, random),
        )
    }

    /// Changes something.
    fn change(&mut self, random: &mut Random) -> Result<(), Error> {
        let index = random.below(self.layers.len() as u32) as usize;
        let seed = random.any();
        match random.below(8) {
            0 | 1 => {
                let layer = &self.layers[index];
                let position = self.position(layer.plane, layer.place.size, random);
                self.layers[index].place.position = position;
                let _ = writeln!(self.text, "  layer {index} moves to {position:?}");
                let layer = &self.layers[index];
                for side in &self.sides {
                    side.display.commit(&side.show(layer)?)?;
                }
            }
            2..=4 => {
                // Nobody is told.
                let layer = &self.layers[index];
                let start = random.below(layer.shape.bytes / 64) as usize * 8;
                let length = 8 * random.within(1, 40) as usize;
                let _ = writeln!(self.text, "  layer {index} is drawn into at {start}");
                for side in &mut self.sides {
                    let mut random = Random::new(seed);
                    let Some(buffer) = &mut side.buffers[layer.plane] else {
                        continue;
                    };
                    let bytes = buffer.mapping.bytes_mut();
                    let end = (start + length).min(layer.shape.bytes as usize / 8 * 8);
                    layer
                        .shape
                        .fill(&mut bytes[start..end.max(start)], &mut random);
                }
            }
            5 => {
                let plane = self.layers[index].plane;
                let layer = self.layer(plane, random);
                let _ = writeln!(self.text, "  layer {index} is {layer:?}");
                for side in &mut self.sides {
                    let new = filled(side.display.card, &layer, seed)?;
                    let old = side.buffers[plane].replace(new);
                    side.display.commit(&side.show(&layer)?)?;
                    drop(old);
                }
                self.layers[index] = layer;
            }
            6 => {
                let gray = random.once_in(2);
                let table = random.once_in(2).then(|| {
                    let mut random = Random::new(seed);
                    let mut entry = || random.any() as u16;
                    let any: Vec<[u16; 3]> = (0..256)
                        .map(|_| match (gray, entry()) {
                            (true, value) => [value; 3],
                            (false, value) => [value, entry(), entry()],
                        })
                        .collect();
                    any
                });
                let _ = writeln!(self.text, "  gamma: {}", table.is_some());
                for side in &mut self.sides {
                    let table = match &table {
                        Some(table) => Some(side.display.gamma_table(table)?),
                        None => None,
                    };
                    side.display.commit(&side.display.gamma(table.as_ref())?)?;
                    side.gamma = table;
                }
            }
            _ => {
                let color = seed | 0xffff << 48;
                let _ = writeln!(self.text, "  background {color:x}");
                for side in &self.sides {
                    side.display.commit(&side.display.background(color)?)?;
                }
            }
        }
        Ok(())
    }

    /// Compares the checksums, and sometimes the pixels; returns what differs.
    ///
    /// C vkms composes a wrong picture now and then, when the machine is busy. So what differs is
    /// asked for again: if the other driver then agrees with what the first one said all the time,
    /// it was wrong before.
    fn compare(&mut self, random: &mut Random) -> Result<Option<String>, Error> {
        let found = self.checksums()?;
        if found[0] != found[1] {
            let again = self.checksums()?;
            if again != [found[0].as_str(); 2] {
                return Ok(Some(format!("checksums {found:?}, then {again:?}")));
            }
            self.other_was_wrong("checksum");
        }
        if !random.once_in(6) {
            return Ok(None);
        }
        let format = random.one_of(&WRITEBACK);
        let Some(found) = self.pixels(format)? else {
            return Ok(None);
        };
        if found[0] != found[1] {
            let again = self.pixels(format)?;
            if again.is_none_or(|again| again.iter().any(|pixels| *pixels != found[0])) {
                let format = format.escape_ascii();
                return Ok(Some(format!("pixels of {format} in writeback")));
            }
            self.other_was_wrong("writeback");
        }
        Ok(None)
    }

    fn other_was_wrong(&self, what: &str) {
        let driver = &self.sides[1].display.card.driver;
        println!("  {driver}: a {what} was wrong, and right the next time");
    }

    /// The checksums of both drivers.
    fn checksums(&mut self) -> Result<[String; 2], Error> {
        let [one, other] = &mut self.sides;
        let checksum = one.checksum()?;
        let others = match other.checksum() {
            Ok(checksum) => checksum,
            // The end of a writeback that comes late stops the checksums of C vkms.
            Err(error) => {
                println!("  {error}");
                other.crc = None;
                other.checksum()?
            }
        };
        Ok([checksum, others])
    }

    /// The pixels of both drivers; `None` if the other one lost the fence.
    fn pixels(&mut self, format: Format) -> Result<Option<[Vec<u8>; 2]>, Error> {
        let mut pictures = [Vec::new(), Vec::new()];
        for (index, side) in self.sides.iter_mut().enumerate() {
            // The end of a writeback stops the checksums of C vkms.
            side.crc = None;
            let target = side.display.target(format)?;
            match side.display.write_back(&target) {
                Ok(()) => pictures[index] = target.mapping.bytes().to_vec(),
                // C vkms loses a fence now and then.
                Err(error) if index == 1 => {
                    println!("  {error}");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(pictures))
    }

    fn describe(&self) -> String {
        let mut text = self.text.clone();
        for layer in &self.layers {
            let _ = writeln!(text, "  now {layer:?}");
        }
        text
    }
}

fn filled<'c>(card: &'c Card, layer: &Layer, seed: u64) -> Result<PictureBuffer<'c>, Error> {
    let mut buffer = PictureBuffer::new(card, &layer.shape, 0, 0)?;
    let bytes = &mut buffer.mapping.bytes_mut()[..layer.shape.bytes as usize];
    layer
        .shape
        .fill(bytes, &mut Random::new(seed ^ layer.plane as u64));
    Ok(buffer)
}

/// Compares random scenes on both cards for `time`, from `seed` on.
pub fn run(cards: [&Card; 2], seed: u64, time: Duration) -> Verdict {
    let end = Instant::now() + time;
    let mut pair = Pair {
        sides: [Side::new(cards[0])?, Side::new(cards[1])?],
        size: (0, 0),
        layers: Vec::new(),
        text: String::new(),
    };
    let planes = pair.sides.each_ref().map(|side| side.display.planes.len());
    if planes[0] != planes[1] {
        message(format!("the drivers have {planes:?} planes"))?;
    }
    println!("diff: seed {seed}");
    let (mut round, mut compared, mut failures) = (0, 0, 0);
    while Instant::now() < end && failures < 3 {
        let mut random = Random::new(seed.wrapping_add(round));
        pair.renew(&mut random)?;
        for step in 0..STEPS {
            if step > 0 {
                pair.change(&mut random)?;
            }
            compared += 1;
            if let Some(difference) = pair.compare(&mut random)? {
                failures += 1;
                println!(
                    "round {round} of seed {seed}, step {step}: {difference} differ\n{}",
                    pair.describe()
                );
                break;
            }
        }
        round += 1;
    }
    for side in &mut pair.sides {
        side.crc = None;
        side.display.off()?;
    }
    println!("diff: {compared} scenes compared, {failures} different");
    if failures > 0 {
        return fail(format!("{failures} scenes differ; seed {seed}"));
    }
    Ok(())
}
