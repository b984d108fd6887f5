// SPDX-License-Identifier: GPL-2.0

//! What the display shows, and what of it has changed.

use crate::{
    convert::Gamma,
    damage::Damage,
    draw::{
        Layer,
        Picture, //
    },
    frames::{
        Content,
        Frames, //
    },
    hardware::Access,
    layout::Layout,
    patience::Patience,
    registers::Registers, //
};
use kernel::{
    drm::kms::{
        framebuffer::MemoryVersion,
        rect::Rect, //
    },
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
    frames: Frames<MemoryVersion>,
    patience: Patience,
    layers: [Option<Layer>; PLANES],
    gamma: Option<Arc<Gamma>>,
    /// What is not in the memory of the device yet.
    damage: Damage,
}

impl Scanout {
    /// Changes the mode, or turns the display off. The first frame is shown after it.
    pub(crate) fn set_layout(&mut self, layout: Option<Layout>) {
        self.layout = layout;
        self.frames = Frames::default();
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
            (Some(old), Some(new))
                if old.dst == new.dst
                    && old.blend == new.blend
                    && old.way.is_parallel_to(&new.way) =>
            {
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

    /// Brings all changes to the display. May sleep.
    pub(crate) fn show(&mut self, hardware: Access<'_>) {
        let Some(layout) = self.layout else {
            return;
        };
        let damage = core::mem::take(&mut self.damage);
        let all = layout.area();

        if hardware.take_drawn_over() {
            self.frames.forget();
        }

        let content = self.content(damage.covers(&all));
        let picture = Picture {
            layers: &self.layers,
            gamma: self.gamma.as_deref(),
        };
        let draw = |frame, damage: &Damage| {
            damage
                .areas()
                .try_for_each(|area| picture.draw(area, &layout, frame, hardware.vram))
        };

        if self
            .frames
            .show(content, damage, layout.frames(), &all, draw)
            .is_err()
        {
            pr_err!("a framebuffer is smaller than what it shows\n");
        }

        hardware
            .registers
            .set_first_line(layout.first_line(self.frames.front()));
    }

    /// Returns what is to be shown. If `watch`, it is worth to find out what has not been written
    /// to since it was drawn.
    fn content(&mut self, watch: bool) -> Content<MemoryVersion> {
        let due = watch && self.patience.is_due();
        let mut written = false;

        let layers = self.layers.each_ref().map(|layer| {
            let layer = layer.as_ref()?;
            let mut version = layer.source.version();

            if version.is_some_and(|version| self.was_written(&version)) {
                written = true;
                if due {
                    layer.source.watch();
                    version = layer.source.version();
                }
            }
            Some(layer.with_source(version))
        });

        if watch {
            self.patience.next(written);
        }
        Content {
            layers,
            gamma: self.gamma.clone(),
        }
    }

    /// Returns whether memory that has been drawn may have been written to since.
    fn was_written(&self, now: &MemoryVersion) -> bool {
        self.frames
            .versions()
            .any(|version| version.is_same_memory(now))
            && !self.frames.versions().any(|version| version == now)
    }

    /// Leaves nothing to be seen, also on a device that does not know how to turn a display dark.
    pub(crate) fn clear(&self, hardware: Access<'_>) {
        hardware.vram.fill(0);
    }
}
