// SPDX-License-Identifier: GPL-2.0

//! How random scenes change from one frame to the next.

use std::fmt::Write;

use super::layers::{filled, position};
use super::{pipelines, Pair};
use crate::error::Error;
use crate::random::Random;

impl Pair<'_> {
    /// Changes something.
    pub fn change(&mut self, random: &mut Random) -> Result<(), Error> {
        let index = random.below(self.layers.len() as u32) as usize;
        let kinds = if self.has_pipelines { 12 } else { 8 };
        match random.below(kinds) {
            0 | 1 => self.move_layer(index, random),
            2..=4 => {
                self.draw_into(index, random);
                Ok(())
            }
            5 => self.replace(index, random),
            6 => self.change_gamma(random),
            7 => self.change_background(random),
            _ => self.change_steps(index, random),
        }
    }

    fn move_layer(&mut self, index: usize, random: &mut Random) -> Result<(), Error> {
        let layer = &mut self.layers[index];
        let to = position(layer.plane, layer.place.size, self.size, random);
        layer.place.position = to;
        let _ = writeln!(self.text, "  layer {index} moves to {to:?}");
        for side in &self.sides {
            side.display.commit(&side.show(layer)?)?;
        }
        Ok(())
    }

    /// Draws, and tells nobody.
    fn draw_into(&mut self, index: usize, random: &mut Random) {
        let seed = random.any();
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

    fn replace(&mut self, index: usize, random: &mut Random) -> Result<(), Error> {
        let seed = random.any();
        let plane = self.layers[index].plane;
        let layer = self.layer(plane, random);
        let _ = writeln!(self.text, "  layer {index} is {layer:?}");
        for side in &mut self.sides {
            let new = filled(side.display.card, &layer, seed)?;
            let old = side.buffers[plane].replace(new);
            let (color, _blobs) = side.color(&layer)?;
            side.display.commit(&side.show(&layer)?.and(color))?;
            drop(old);
        }
        self.layers[index] = layer;
        Ok(())
    }

    fn change_gamma(&mut self, random: &mut Random) -> Result<(), Error> {
        let seed = random.any();
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
        Ok(())
    }

    fn change_background(&mut self, random: &mut Random) -> Result<(), Error> {
        let color = random.any() | 0xffff << 48;
        let _ = writeln!(self.text, "  background {color:x}");
        for side in &self.sides {
            side.display.commit(&side.display.background(color)?)?;
        }
        Ok(())
    }

    fn change_steps(&mut self, index: usize, random: &mut Random) -> Result<(), Error> {
        pipelines::choose(&mut self.layers[index], random);
        let layer = &self.layers[index];
        let _ = writeln!(self.text, "  layer {index} goes through {:x?}", layer.steps);
        for side in &self.sides {
            let (color, _blobs) = side.color(layer)?;
            side.display.commit(&color)?;
        }
        Ok(())
    }
}
