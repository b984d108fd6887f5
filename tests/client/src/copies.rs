// SPDX-License-Identifier: GPL-2.0

//! `copies`: what an update costs a driver that copies pictures to the memory of a PCI display.
//!
//! Bytes are counted without help of the driver: the memory is filled with a value, and what is
//! different after the update was written. That is done with two values, since one may be that of a
//! pixel. Bytes that are written more than once count once.

use std::fs::{self, OpenOptions};
use std::os::fd::AsFd;
use std::time::Duration;

use drm_fourcc::DrmFourcc;
use rustix::time::{clock_gettime, ClockId};

use crate::atomic::{Blob, Request};
use crate::buffer::{Frame, Mapping};
use crate::card::Card;
use crate::error::{Error, What};
use crate::output::Screen;
use crate::pattern::Pattern;

/// How many updates of a kind the time is measured of.
const ROUNDS: usize = 41;

/// How many updates in both directions come before those that are measured.
const WARM_UP: usize = 4;

/// The size of the cursor, and of other small changes, in pixels.
const SMALL: u32 = 64;

/// What is to be updated, with one of two different pictures in turn.
type Scene<'a> = (
    &'static str,
    Box<dyn Fn(usize) -> Result<Request, Error> + 'a>,
);

/// The memory of the display, as the PCI bus shows it.
struct Memory {
    mapping: Mapping,
}

impl Memory {
    fn of(card: &Card) -> Result<Self, Error> {
        let name = card.path.file_name().unwrap_or_default();
        let file = std::path::Path::new("/sys/class/drm")
            .join(name)
            .join("device/resource0");
        let size = fs::metadata(&file).what("size of the memory")?.len();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&file)
            .what("open of the memory")?;
        Ok(Memory {
            mapping: Mapping::new(file.as_fd(), 0, size as usize, true)
                .what("mapping of the memory")?,
        })
    }

    /// Returns how many bytes `update` writes that have another value than `value`.
    fn written(
        &mut self,
        value: u8,
        update: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Vec<bool>, Error> {
        self.mapping.bytes_mut().fill(value);
        update()?;
        Ok(self
            .mapping
            .bytes()
            .iter()
            .map(|byte| *byte != value)
            .collect())
    }
}

/// The CPU time of this thread, which carries out what it asks for.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Runs the subcommand.
pub fn run(card: &Card) -> Result<(), Error> {
    let screen = Screen::new(card)?;
    let (width, height) = screen.size();
    let primary = screen.output.primary;
    let mut memory = Memory::of(card)?;

    let edges = |left: u32, top: u32| [left, top, left + SMALL, top + SMALL];
    let clips = |rects: &[[u32; 4]]| {
        let bytes: Vec<u8> = rects
            .iter()
            .flatten()
            .flat_map(|edge| edge.to_ne_bytes())
            .collect();
        Blob::new(card, &bytes)
    };
    let one = clips(&[edges(128, 96)])?;
    let two = clips(&[edges(100, 100), edges(101, 100)])?;
    let flip = |round: usize| screen.flip_to([screen.back.id, screen.front.id][round % 2]);
    let draw_and_flip = |round: usize| {
        let mut mapping = [&screen.back, &screen.front][round % 2].buffer.map()?;
        let pixel = &mut mapping.bytes_mut()[..4];
        pixel.rotate_left(1);
        pixel.rotate_right(1);
        std::hint::black_box(pixel);
        flip(round)
    };
    let damaged = |blob: u32| {
        move |round: usize| flip(round)?.set(card, primary, "FB_DAMAGE_CLIPS", blob.into())
    };
    let cursor;

    let mut scenes: Vec<Scene<'_>> = vec![
        ("full-flip", Box::new(draw_and_flip)),
        // Two pictures in turn that stay as they are.
        ("unchanged-flip", Box::new(flip)),
        ("damage-64x64", Box::new(damaged(one.id))),
        // What a client without a cursor plane does: it draws the cursor itself.
        ("drawn-cursor", Box::new(draw_and_flip)),
        ("drawn-cursor-with-damage", Box::new(damaged(two.id))),
    ];
    if let Some(plane) = screen.output.cursor {
        cursor = Frame::with_format(card, SMALL, SMALL, DrmFourcc::Argb8888)?;
        cursor.draw(|x, y| Pattern::Gradient.pixel(x, y, SMALL, SMALL))?;
        let (screen, id) = (&screen, cursor.id);
        scenes.push((
            "cursor-plane",
            Box::new(move |round| {
                screen.plane(plane, id, (100 + (round % 2) as i32, 100), (SMALL, SMALL))
            }),
        ));
    }

    println!("# {width}x{height}: name, bytes, microseconds of CPU time (the least)");
    for (name, scene) in &scenes {
        let commit = |round: usize| scene(round)?.commit(card, 0).what("commit");
        // The first one turns on what was off. A driver may find out in some more what changes.
        for round in 1..2 * WARM_UP {
            commit(round)?;
        }
        let mut seen = Vec::new();
        for value in [0x5a, 0xa5] {
            commit(1)?;
            seen.push(memory.written(value, || commit(0))?);
        }
        let bytes = seen[0].iter().zip(&seen[1]).filter(|(a, b)| **a || **b);
        let bytes = bytes.count();
        screen.restore()?;
        commit(1)?;
        let mut times = [Duration::ZERO; ROUNDS];
        for (round, time) in times.iter_mut().enumerate() {
            let request = scene(round)?;
            let start = cpu_time();
            request.commit(card, 0).what("commit")?;
            *time = cpu_time() - start;
        }
        // Whatever else the machine does only adds to it.
        let time = times.iter().min().unwrap_or(&Duration::ZERO).as_micros();
        screen.restore()?;
        println!("{name} {bytes} {time}");
    }
    Ok(())
}
