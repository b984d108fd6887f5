// SPDX-License-Identifier: GPL-2.0

//! `diff`: random scenes on two drivers at once, whose checksums and writeback pixels must be
//! equal.
//!
//! A scene is changed step by step, sometimes without telling the driver: what is drawn into a
//! framebuffer that is shown has to be in the next checksum. Only what C vkms does right is part of
//! a scene; `wrongs` has the rest.

mod changes;
mod layers;
mod pipelines;

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::atomic::{Blob, Request};
use crate::card::Card;
use crate::crc::Crc;
use crate::error::{message, Error};
use crate::picture_buffer::{Format, PictureBuffer};
use crate::pipeline::Pipeline;
use crate::planes::Display;
use crate::random::Random;
use crate::testlist::{fail, skip, Verdict};

use layers::{filled, Layer};

pub use pipelines::fix_yuv;

/// The formats of the writeback connectors of both drivers.
const WRITEBACK: [Format; 6] = [*b"AR24", *b"XR24", *b"AB24", *b"AR48", *b"XR48", *b"RG16"];

/// Steps before everything is new.
const STEPS: u32 = 25;

/// Frames a second: most of the time is spent waiting for them.
const HZ: u32 = 400;

/// One of the two drivers.
struct Side<'c> {
    display: Display<'c>,
    /// The framebuffer of each plane.
    buffers: Vec<Option<PictureBuffer<'c>>>,
    /// The colour pipeline of each plane.
    pipelines: Vec<Option<Pipeline<'c>>>,
    gamma: Option<Blob<'c>>,
    crc: Option<Crc>,
}

impl<'c> Side<'c> {
    fn new(card: &'c Card) -> Result<Self, Error> {
        let display = Display::new(card)?;
        let pipelines = display
            .planes
            .iter()
            .map(|plane| Pipeline::find(card, *plane));
        Ok(Side {
            buffers: display.planes.iter().map(|_| None).collect(),
            pipelines: pipelines.collect::<Result<_, _>>()?,
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

    /// Shows nothing any more, and leaves nothing behind for the next test.
    fn end(&mut self) -> Result<(), Error> {
        self.crc = None;
        self.display.commit(&self.display.gamma(None)?)?;
        for pipeline in self.pipelines.iter().flatten() {
            self.display.commit(&pipeline.leave()?)?;
        }
        self.display.off()
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
    /// Whether planes go through colour pipelines.
    has_pipelines: bool,
    size: (u32, u32),
    layers: Vec<Layer>,
    text: String,
}

impl<'c> Pair<'c> {
    fn new(cards: [&'c Card; 2]) -> Result<Self, Error> {
        let pair = Pair {
            sides: [Side::new(cards[0])?, Side::new(cards[1])?],
            has_pipelines: false,
            size: (0, 0),
            layers: Vec::new(),
            text: String::new(),
        };
        let planes = pair.sides.each_ref().map(|side| side.display.planes.len());
        if planes[0] != planes[1] {
            return message(format!("the drivers have {planes:?} planes"));
        }
        Ok(pair)
    }

    /// Compares random scenes for `time`, from `seed` on.
    fn compare_many(&mut self, seed: u64, time: Duration) -> Verdict {
        let end = Instant::now() + time;
        println!("diff: seed {seed}");
        let (mut round, mut compared, mut failures) = (0, 0, 0);
        let mut with_steps = 0;
        while Instant::now() < end && failures < 3 {
            let mut random = Random::new(seed.wrapping_add(round));
            self.renew(&mut random)?;
            for step in 0..STEPS {
                if step > 0 {
                    self.change(&mut random)?;
                }
                compared += 1;
                with_steps += u32::from(self.layers.iter().any(|layer| layer.steps.is_some()));
                if let Some(difference) = self.compare(&mut random)? {
                    failures += 1;
                    println!(
                        "round {round} of seed {seed}, step {step}: {difference} differ\n{}",
                        self.describe()
                    );
                    break;
                }
            }
            round += 1;
        }
        for side in &mut self.sides {
            side.end()?;
        }
        println!(
            "diff: {compared} scenes compared, {with_steps} with pipelines, {failures} different"
        );
        if failures > 0 {
            return fail(format!("{failures} scenes differ; seed {seed}"));
        }
        Ok(())
    }

    /// Shows something else altogether.
    fn renew(&mut self, random: &mut Random) -> Result<(), Error> {
        // C vkms takes a long time for a pixel that goes through a pipeline.
        let most = if self.has_pipelines {
            (80, 60)
        } else {
            (240, 160)
        };
        let size = (random.within(16, most.0), random.within(16, most.1));
        self.size = (size.0 as u32, size.1 as u32);
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
            let mut blobs = Vec::new();
            for (index, plane) in planes.iter().enumerate() {
                old.push(side.buffers[index].take());
                match self.layers.iter().find(|layer| layer.plane == index) {
                    Some(layer) => {
                        side.buffers[index] = Some(filled(side.display.card, layer, seed)?);
                        let (color, used) = side.color(layer)?;
                        blobs.extend(used);
                        request = request.and(side.show(layer)?).and(color);
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
        let mut layer = layers::layer(plane, self.size, random);
        if self.has_pipelines {
            pipelines::choose(&mut layer, random);
        }
        layer
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

/// Compares random scenes on both cards for `time`, from `seed` on.
pub fn run(cards: [&Card; 2], seed: u64, time: Duration) -> Verdict {
    Pair::new(cards)?.compare_many(seed, time)
}

/// Compares scenes with colour pipelines. The cards must have been opened for those.
pub fn run_with_pipelines(cards: [&Card; 2], seed: u64, time: Duration) -> Verdict {
    let mut pair = Pair::new(cards)?;
    for side in &pair.sides {
        if !side.has_pipelines() {
            let driver = &side.display.card.driver;
            return skip(format!("{driver} has no colour pipelines"));
        }
    }
    pair.has_pipelines = true;
    pair.compare_many(seed, time)
}
