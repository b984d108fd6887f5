// SPDX-License-Identifier: GPL-2.0

//! What the display shows, and what of it has changed.

use crate::{
    convert::Gamma,
    damage::Damage,
    draw::{
        Layer,
        Picture, //
    },
    hardware::Access,
    layout::Layout,
    registers::Registers, //
};
use kernel::{
    drm::kms::rect::Rect,
    io::Io,
    prelude::*,
    sync::Arc, //
};

/// How many planes there are, from the lowest to the highest.
pub(crate) const PLANES: usize = 2;

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
        self.set_all_changed();
    }

    /// Changes what a plane shows. `changed` are the parts of its framebuffer that have changed.
    pub(crate) fn set_layer(
        &mut self,
        plane: usize,
        layer: Option<Layer>,
        changed: impl Iterator<Item = Rect>,
    ) {
        let Some(place) = self.layers.get_mut(plane) else {
            return;
        };
        let old = core::mem::replace(place, layer);

        match (&old, &*place) {
            (Some(old), Some(new)) if old.dst == new.dst && old.blend == new.blend => {
                changed.for_each(|part| self.damage.add(new.place(part).overlap(&new.dst)));
            }
            (old, new) => [old, new]
                .into_iter()
                .flatten()
                .for_each(|layer| self.damage.add(layer.dst.clone())),
        }
    }

    /// Changes the gamma table.
    pub(crate) fn set_gamma(&mut self, gamma: Option<Arc<Gamma>>) {
        self.gamma = gamma;
        self.set_all_changed();
    }

    fn set_all_changed(&mut self) {
        if let Some(layout) = &self.layout {
            self.damage.add(layout.area());
        }
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
                .areas()
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
