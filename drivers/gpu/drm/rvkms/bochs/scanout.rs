// SPDX-License-Identifier: GPL-2.0

//! What the display shows, and what of it has changed.

use crate::{
    convert::Gamma,
    draw::{
        Layer,
        Picture, //
    },
    hardware::Access,
    layout::{
        Area,
        Layout, //
    },
    registers::Registers, //
};
use kernel::{
    io::Io,
    prelude::*,
    sync::Arc, //
};

/// How many planes there are, from the lowest to the highest.
pub(crate) const PLANES: usize = 2;

/// What has changed. An update has at most one area of each plane before it and after it.
#[derive(Default)]
struct Damage {
    areas: [Option<Area>; 2 * PLANES],
    all: bool,
}

impl Damage {
    fn add(&mut self, area: Area) {
        match self.areas.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(area),
            None => self.all = true,
        }
    }

    /// Returns whether all of a frame is to be drawn.
    fn covers(&self, frame: &Area) -> bool {
        self.all || self.areas.iter().flatten().any(|area| area.contains(frame))
    }
}

/// What the display shows.
#[derive(Default)]
pub(crate) struct Scanout {
    layout: Option<Layout>,
    /// The frame that is shown.
    front: u16,
    layers: [Option<Layer>; PLANES],
    gamma: Option<Arc<Gamma>>,
    /// What is not in the memory of the device yet.
    damage: Damage,
}

impl Scanout {
    /// Changes the mode, or turns the display off. The first frame is shown after it.
    pub(crate) fn set_layout(&mut self, layout: Option<Layout>) {
        self.layout = layout;
        self.front = 0;
        self.damage.all = true;
    }

    /// Changes what a plane shows. `changed` is what of its new picture is not the old one.
    pub(crate) fn set_layer(&mut self, plane: usize, layer: Option<Layer>, changed: Area) {
        let Some(place) = self.layers.get_mut(plane) else {
            return;
        };
        let old = core::mem::replace(place, layer).map(|layer| layer.dst);
        let new = place.as_ref().map(|layer| layer.dst.clone());

        if old == new {
            self.damage.add(changed);
        } else {
            for area in [old, new].into_iter().flatten() {
                self.damage.add(area);
            }
        }
    }

    /// Changes the gamma table.
    pub(crate) fn set_gamma(&mut self, gamma: Option<Arc<Gamma>>) {
        self.gamma = gamma;
        self.damage.all = true;
    }

    /// Brings all changes to the display.
    ///
    /// A new frame is drawn where it is not seen, if there is room. Smaller changes are drawn into
    /// the frame that is shown, since the other one is older than that.
    pub(crate) fn show(&mut self, hardware: Access<'_>) {
        let Some(layout) = &self.layout else {
            return;
        };
        let damage = core::mem::take(&mut self.damage);
        let picture = Picture {
            layers: &self.layers,
            gamma: self.gamma.as_deref(),
        };
        let all = layout.area();

        let result = if damage.covers(&all) {
            self.front = (self.front + 1) % layout.frames();
            picture.draw(&all, layout, self.front, hardware.vram)
        } else {
            damage
                .areas
                .iter()
                .flatten()
                .try_for_each(|area| picture.draw(area, layout, self.front, hardware.vram))
        };
        if result.is_err() {
            pr_err!("a framebuffer is smaller than what it shows\n");
        }

        hardware
            .registers
            .set_first_line(layout.first_line(self.front));
    }

    /// Leaves nothing to be seen, also on a device that does not know how to turn a display dark.
    pub(crate) fn clear(&self, hardware: Access<'_>) {
        hardware.vram.fill(0);
    }
}
