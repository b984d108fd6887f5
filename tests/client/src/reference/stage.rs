// SPDX-License-Identifier: GPL-2.0

//! A display with a scene on it, which is changed.

use std::fmt::Write;

use rvkms_reference::Scene;

use crate::atomic::{Blob, Request};
use crate::card::Card;
use crate::error::Error;
use crate::planes::Display;
use crate::random::Random;

use super::abilities::Abilities;
use super::layers::Shown;
use super::random_layer::{alpha, pick, position, shown, zpos};
use super::tables;

/// Frames a second: most of the time is spent waiting for them.
const HZ: u32 = 400;

/// A display and what it shows.
pub struct Stage<'c> {
    pub(super) display: Display<'c>,
    pub(super) abilities: Abilities,
    /// What each plane shows.
    pub(super) shown: Vec<Option<Shown<'c>>>,
    /// The scene but for its layers.
    pub(super) canvas: Scene,
    /// What was shown must stay until it is not shown any more.
    pub(super) old: Vec<Shown<'c>>,
    pub(super) blobs: Vec<Blob<'c>>,
    /// How many checksums were those of the pixels, and how many were not.
    pub(super) equal_sums: u32,
    pub(super) other_sums: u32,
    pub(super) worst: f64,
}

impl<'c> Stage<'c> {
    /// Shows nothing yet.
    pub fn new(card: &'c Card, abilities: Abilities) -> Result<Self, Error> {
        Ok(Stage {
            display: Display::new(card)?,
            shown: abilities.planes.iter().map(|_| None).collect(),
            abilities,
            canvas: Scene {
                width: 0,
                height: 0,
                background: [0; 3],
                layers: Vec::new(),
                degamma: None,
                ctm: None,
                gamma: None,
            },
            old: Vec::new(),
            blobs: Vec::new(),
            equal_sums: 0,
            other_sums: 0,
            worst: 0.0,
        })
    }

    /// Shows something else altogether, and says what is wrong.
    pub fn renew(&mut self, random: &mut Random) -> Result<Option<String>, Error> {
        // The reference is slow.
        let most = if random.once_in(12) {
            (320, 240)
        } else {
            (100, 70)
        };
        let size = (
            random.within(16, most.0) as u32,
            random.within(16, most.1) as u32,
        );
        (self.canvas.width, self.canvas.height) = size;
        let mut request = self.display.set_mode(size, HZ)?;
        let few = self.shown.len().div_ceil(3) as u32;
        for index in 0..self.shown.len() {
            let needed = index == 0 && (self.abilities.needs_primary || random.once_in(2));
            request = match needed || random.once_in(few + 1) {
                true => request.and(self.show(index, random)?),
                false => request.and(self.hide(index)?),
            };
        }
        request = request
            .and(self.background(random)?)
            .and(self.colors(random)?);
        self.judge(request, random)
    }

    /// Changes something, and says what is wrong then.
    pub fn change(&mut self, random: &mut Random) -> Result<Option<String>, Error> {
        let index = random.below(self.shown.len() as u32) as usize;
        let is_needed = index == 0 && self.abilities.needs_primary;
        let request = match random.below(8) {
            0 | 1 => self.show(index, random)?,
            2 if !is_needed => self.hide(index)?,
            3 => self.background(random)?,
            4 => self.colors(random)?,
            _ => self.touch(random)?,
        };
        self.judge(request, random)
    }

    /// Shows something else on a plane.
    fn show(&mut self, index: usize, random: &mut Random) -> Result<Request, Error> {
        let plane = &self.abilities.planes[index];
        let size = (self.canvas.width, self.canvas.height);
        let new = shown(self.display.card, plane, size, random)?;
        let (request, blobs) = new.request(&self.display, plane)?;
        self.blobs.extend(blobs);
        self.old.extend(self.shown[index].replace(new));
        Ok(request)
    }

    fn hide(&mut self, index: usize) -> Result<Request, Error> {
        self.old.extend(self.shown[index].take());
        self.display.hide(self.abilities.planes[index].id)
    }

    /// Changes how planes show what they show, but not the framebuffers.
    fn touch(&mut self, random: &mut Random) -> Result<Request, Error> {
        let size = (self.canvas.width, self.canvas.height);
        let signed = |value: i32| i64::from(value) as u64;
        let mut request = Request::new();
        for (plane, shown) in self.abilities.planes.iter().zip(&mut self.shown) {
            let Some(shown) = shown.as_mut().filter(|_| random.once_in(2)) else {
                continue;
            };
            let layer = &mut shown.layer;
            match random.below(6) {
                0 => {
                    (layer.dst.x, layer.dst.y) = position(size, random);
                    request = request
                        .set(self.display.card, plane.id, "CRTC_X", signed(layer.dst.x))?
                        .set(self.display.card, plane.id, "CRTC_Y", signed(layer.dst.y))?;
                }
                1 => layer.alpha = alpha(plane, random),
                2 => layer.filter = pick(&plane.filters, random).unwrap_or(layer.filter),
                3 => {
                    layer.encoding = pick(&plane.encodings, random).unwrap_or(layer.encoding);
                    layer.range = pick(&plane.ranges, random).unwrap_or(layer.range);
                }
                4 => layer.rotation ^= random.one_of(&[0x10, 0x20, 0x30]) & plane.rotations,
                _ => shown.zpos = zpos(plane, random),
            }
            request = request.and(shown.looks(&self.display, plane)?);
        }
        Ok(request)
    }

    fn background(&mut self, random: &mut Random) -> Result<Request, Error> {
        if !self.abilities.has_background {
            return Ok(Request::new());
        }
        let color = match random.once_in(3) {
            true => 0xffff << 48,
            false => random.any() | 0xffff << 48,
        };
        self.canvas.background = [32, 16, 0].map(|shift| (color >> shift) as u16);
        self.display.background(color)
    }

    /// Changes the tables and the matrix of the CRTC, unless planes have pipelines: they would
    /// enlarge what operations round.
    fn colors(&mut self, random: &mut Random) -> Result<Request, Error> {
        let mut planes = self.abilities.planes.iter();
        let wanted = planes.all(|plane| plane.pipelines.is_empty());
        let sizes = [self.abilities.degamma_size, self.abilities.gamma_size];
        let tables = sizes.map(|size| {
            let most = size.filter(|_| wanted && random.once_in(3))?;
            let sizes: &[u32] = match self.abilities.small_tables {
                true => &[most, 2, 33, 256, 1000],
                false => &[most],
            };
            let length = random.one_of(sizes).min(most);
            Some(tables::curve(length as usize, random))
        });
        let has_ctm = self.abilities.has_ctm && wanted && random.once_in(3);
        let ctm = has_ctm.then(|| [0; 9].map(|_| tables::number(-0.7, 1.3, random)));
        let (card, crtc) = (self.display.card, self.display.output.crtc);
        let mut request = Request::new();
        for (name, table) in ["DEGAMMA_LUT", "GAMMA_LUT"].into_iter().zip(&tables) {
            let blob = match table {
                Some(table) => Some(self.display.gamma_table(table)?),
                None => None,
            };
            let id = blob.as_ref().map_or(0, |blob| blob.id);
            request = request.set_if_any(card, crtc, name, id.into());
            self.blobs.extend(blob);
        }
        let blob = match &ctm {
            Some(ctm) => Some(Blob::new(card, &tables::numbers(ctm))?),
            None => None,
        };
        let id = blob.as_ref().map_or(0, |blob| blob.id);
        self.blobs.extend(blob);
        let [degamma, gamma] = tables;
        (self.canvas.degamma, self.canvas.ctm, self.canvas.gamma) = (degamma, ctm, gamma);
        Ok(request.set_if_any(card, crtc, "CTM", id.into()))
    }

    /// Turns everything off.
    pub fn leave(&mut self) -> Result<(), Error> {
        let card = self.display.card;
        let mut request = Request::new();
        for name in ["DEGAMMA_LUT", "CTM", "GAMMA_LUT"] {
            request = request.set_if_any(card, self.display.output.crtc, name, 0);
        }
        for plane in &self.abilities.planes {
            request = request.set_if_any(card, plane.id, "COLOR_PIPELINE", 0);
        }
        self.display.commit(&request)?;
        self.display.off()
    }

    /// Describes the scene for whoever has to find out what is wrong.
    pub fn describe(&self) -> String {
        let canvas = &self.canvas;
        let mut text = format!(
            "  {}x{} background {:x?} degamma {:?} ctm {:x?} gamma {:?}\n",
            canvas.width,
            canvas.height,
            canvas.background,
            canvas.degamma.as_ref().map(Vec::len),
            canvas.ctm,
            canvas.gamma.as_ref().map(Vec::len)
        );
        for (index, shown) in self.shown.iter().enumerate() {
            if let Some(shown) = shown {
                let _ = writeln!(text, "  plane {index}: {}", shown.describe());
            }
        }
        text
    }
}
