// SPDX-License-Identifier: GPL-2.0

//! `bench`: the CPU time that two drivers take for a frame, in turn, in one guest.
//!
//! Vertical blanks come faster than frames can be composed, so that the workers are never idle and
//! even a coarse clock measures them. What is composed late is composed once for several frames, whose
//! checksums then come at once, and counts as one frame.

use std::path::Path;
use std::time::{Duration, Instant};

use drm_sys::{DRM_MODE_ROTATE_0, DRM_MODE_ROTATE_90};

use crate::atomic::Request;
use crate::card::Card;
use crate::chart;
use crate::cpu;
use crate::error::Error;
use crate::picture_buffer::{Alpha, Format, PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;

/// What changes from frame to frame.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    /// A byte of the lowest framebuffer, without telling the driver.
    Byte,
    Nothing,
    /// The place of the cursor.
    Cursor,
    /// Each frame is written back instead.
    WriteBack(Format),
}

#[derive(Clone, Copy)]
struct Scene {
    name: &'static str,
    format: Format,
    overlays: Option<Alpha>,
    rotation: u32,
    gamma: bool,
    change: Change,
    /// About how many milliseconds C vkms takes for a frame of 1920x1080.
    slow: u32,
}

const PLAIN: Scene = Scene {
    name: "XRGB8888",
    format: *b"XR24",
    overlays: None,
    rotation: DRM_MODE_ROTATE_0,
    gamma: false,
    change: Change::Byte,
    slow: 80,
};

const fn of(name: &'static str, format: &Format, slow: u32) -> Scene {
    Scene {
        name,
        format: *format,
        slow,
        ..PLAIN
    }
}

const SCENES: [Scene; 18] = [
    PLAIN,
    Scene {
        name: "XRGB8888, nothing changes",
        change: Change::Nothing,
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, the cursor moves",
        change: Change::Cursor,
        ..PLAIN
    },
    Scene {
        name: "8 ARGB8888, mixed alpha",
        overlays: Some(Alpha::Mixed),
        slow: 300,
        ..PLAIN
    },
    Scene {
        name: "8 ARGB8888, random alpha",
        overlays: Some(Alpha::Random),
        slow: 300,
        ..PLAIN
    },
    of("RGB565", b"RG16", 450),
    of("RGB888", b"RG24", 90),
    of("XRGB16161616", b"XR48", 80),
    of("ARGB16161616", b"AR48", 80),
    of("R8", b"R8  ", 80),
    of("NV12", b"NV12", 1300),
    of("YUV420", b"YU12", 1300),
    of("P010", b"P010", 1300),
    Scene {
        name: "XRGB8888, 256-entry gamma",
        gamma: true,
        slow: 700,
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, rotate 90",
        rotation: DRM_MODE_ROTATE_90,
        ..PLAIN
    },
    Scene {
        name: "writeback of XRGB8888",
        change: Change::WriteBack(*b"XR24"),
        ..PLAIN
    },
    Scene {
        name: "writeback of ARGB16161616",
        change: Change::WriteBack(*b"AR48"),
        ..PLAIN
    },
    Scene {
        name: "writeback of RGB565",
        change: Change::WriteBack(*b"RG16"),
        slow: 350,
        ..PLAIN
    },
];

/// Vertical blanks a second.
const HZ: u32 = 500;

/// How long a scene is measured at least.
const TIME: Duration = Duration::from_millis(1500);

/// A scene that is being shown.
struct Stage<'c> {
    display: Display<'c>,
    buffers: Vec<PictureBuffer<'c>>,
    cursor: Option<(u32, u32)>,
    step: u8,
}

impl<'c> Stage<'c> {
    fn new(card: &'c Card, scene: &Scene, size: (u32, u32), hz: u32) -> Result<Self, Error> {
        let mut stage = Stage {
            display: Display::new(card)?,
            buffers: Vec::new(),
            cursor: None,
            step: 0,
        };
        let mut request = stage.display.set_mode(size, hz)?;
        let primary = stage.display.planes[0];
        let alpha = scene.overlays.unwrap_or(Alpha::Binary);
        request = request.and(stage.add(primary, scene.format, size, scene.rotation, alpha)?);
        if scene.overlays.is_some() {
            for plane in stage.display.output.overlays.clone().into_iter().take(8) {
                request =
                    request.and(stage.add(plane, *b"AR24", size, DRM_MODE_ROTATE_0, alpha)?);
            }
        }
        if scene.change == Change::Cursor {
            if let Some(plane) = stage.display.output.cursor {
                let small = (64, 64);
                request = request.and(stage.add(
                    plane,
                    *b"AR24",
                    small,
                    DRM_MODE_ROTATE_0,
                    Alpha::Binary,
                )?);
                stage.cursor = Some((plane, stage.buffers.last().map_or(0, |fb| fb.id)));
            }
        }
        let table: Vec<[u16; 3]> = (0..256u32)
            .map(|n| [(n * n * 65535 / 65025) as u16, (n * 257) as u16, 7])
            .collect();
        let table = stage.display.gamma_table(&table)?;
        request = request.and(stage.display.gamma(scene.gamma.then_some(&table))?);
        stage.display.commit(&request)?;
        Ok(stage)
    }

    fn add(
        &mut self,
        plane: u32,
        format: Format,
        size: (u32, u32),
        rotation: u32,
        alpha: Alpha,
    ) -> Result<Request, Error> {
        let mut random = Random::new(u64::from(plane));
        let (width, height) = match rotation {
            DRM_MODE_ROTATE_90 => (size.1, size.0),
            _ => size,
        };
        let shape = Shape::new(format, width, height, &mut random);
        let mut buffer = PictureBuffer::new(self.display.card, &shape, 0, 0)?;
        let bytes = &mut buffer.mapping.bytes_mut()[..shape.bytes as usize];
        shape.fill_with(bytes, &mut random, alpha);
        let request = self
            .display
            .show(plane, buffer.id, &place(size, (0, 0), rotation))?;
        self.buffers.push(buffer);
        Ok(request)
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        self.step = self.step.wrapping_add(1);
        match (change, self.cursor) {
            (Change::Byte, _) => self.buffers[0].mapping.bytes_mut()[1] = self.step,
            (Change::Cursor, Some((plane, fb))) => {
                let at = 8 * i32::from(self.step);
                let place = place((64, 64), (at, at / 2), DRM_MODE_ROTATE_0);
                self.display
                    .commit(&self.display.show(plane, fb, &place)?)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The CPU time of a frame.
    fn measure(&mut self, change: Change) -> Result<Duration, Error> {
        if let Change::WriteBack(format) = change {
            let target = self.display.target(format)?;
            return repeat(|| self.display.write_back(&target));
        }
        let mut crc = self.display.crc()?;
        crc.burst()?;
        repeat(|| {
            self.change(change)?;
            crc.burst().map(drop)
        })
    }

    fn end(self) -> Result<(), Error> {
        self.display.off()
    }
}

/// The CPU time of the kernel's workers for each time that `frame` is called.
fn repeat(mut frame: impl FnMut() -> Result<(), Error>) -> Result<Duration, Error> {
    for _ in 0..3 {
        frame()?;
    }
    let (start, before, mut count) = (Instant::now(), cpu::of_workers(), 0);
    while count < 2 || start.elapsed() < TIME {
        frame()?;
        count += 1;
    }
    Ok((cpu::of_workers() - before) / count)
}

fn place(size: (u32, u32), position: (i32, i32), rotation: u32) -> Place {
    Place {
        src: (0, 0),
        size,
        position,
        rotation,
        encoding: 0,
        range: 0,
    }
}

/// The shortest of the times that `rounds` take on each card, in turn.
///
/// C vkms loses the fence of a writeback now and then: the second card may fail in some rounds.
fn in_turn(
    cards: [&Card; 2],
    rounds: u32,
    mut measure: impl FnMut(&Card) -> Result<Duration, Error>,
) -> Result<[f64; 2], Error> {
    let mut best = [f64::MAX; 2];
    for _ in 0..rounds {
        for (index, card) in cards.into_iter().enumerate() {
            match measure(card) {
                Ok(time) => best[index] = best[index].min(time.as_secs_f64() * 1e3),
                Err(error) if index > 0 => println!("  {error}"),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(best)
}

fn report(bars: &mut Vec<(String, f64)>, label: String, [own, other]: [f64; 2]) {
    if other == f64::MAX {
        println!("{label:44} {:>9} {own:>9.3} {:>8}", "-", "-");
        return;
    }
    // A clock that ticks every 10 ms says nothing about less than this.
    let ratio = other / own.max(0.01);
    println!("{label:44} {other:>9.2} {own:>9.3} {ratio:>8.1}");
    bars.push((label, ratio));
}

/// How long a commit takes that moves the cursor, while checksums are read.
fn latency(card: &Card, size: (u32, u32)) -> Result<Duration, Error> {
    const COMMITS: u32 = 20;
    let scene = Scene {
        change: Change::Cursor,
        ..PLAIN
    };
    let mut stage = Stage::new(card, &scene, size, 60)?;
    let crc = stage.display.crc()?;
    let mut total = Duration::ZERO;
    for _ in 0..COMMITS {
        let start = Instant::now();
        stage.change(scene.change)?;
        total += start.elapsed();
    }
    drop(crc);
    stage.end()?;
    Ok(total / COMMITS)
}

/// Frames that are composed in a second if all change.
fn rate(card: &Card, scene: &Scene, size: (u32, u32)) -> Result<f64, Error> {
    let mut stage = Stage::new(card, scene, size, HZ)?;
    let mut crc = stage.display.crc()?;
    crc.burst()?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < 2 * TIME {
        stage.change(scene.change)?;
        crc.burst()?;
        count += 1;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    drop(crc);
    stage.end()?;
    Ok(rate)
}

/// How checksums are computed here.
fn checksums() -> &'static str {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if cpu.contains("User Mode") {
        "checksums: the kernel's crc32_le() goes byte by byte here, rvkms has tables of its own"
    } else if cpu.contains("pclmulqdq") {
        "checksums: both have the kernel's crc32_le(), with PCLMULQDQ"
    } else {
        "checksums: C vkms has the kernel's crc32_le(), rvkms that or tables of its own"
    }
}

/// Prints how many frames are composed in a second.
pub fn rates(card: &Card) -> Result<(), Error> {
    for scene in [&SCENES[0], &SCENES[3], &SCENES[4], &SCENES[10], &SCENES[14]] {
        let rate = rate(card, scene, (1920, 1080))?;
        println!("rate {:44} {rate:.2}", scene.name);
    }
    Ok(())
}

/// Measures both cards, the second for comparison, and draws the ratios.
pub fn run(cards: [&Card; 2], rounds: u32, filter: &str, output: &Path) -> Result<(), Error> {
    let mut bars = Vec::new();
    println!(
        "CPU time of the kernel's workers for a frame in ms, least of {rounds} rounds in turn, {} CPUs",
        std::thread::available_parallelism().map_or(1, |n| n.get())
    );
    println!("{}", checksums());
    println!(
        "{:44} {:>9} {:>9} {:>8}",
        "", cards[1].driver, cards[0].driver, "ratio"
    );
    for size in [(1920, 1080), (3840, 2160)] {
        // With more pixels the slowest would take minutes.
        let limit = if size.0 == 1920 { u32::MAX } else { 100 };
        for scene in SCENES
            .iter()
            .filter(|scene| scene.name.contains(filter) && scene.slow < limit)
        {
            let rounds = if scene.slow > 400 { 1 } else { rounds };
            let best = in_turn(cards, rounds, |card| {
                let mut stage = Stage::new(card, scene, size, HZ)?;
                let time = stage.measure(scene.change)?;
                stage.end()?;
                Ok(time)
            })?;
            report(&mut bars, format!("{}P {}", size.1, scene.name), best);
        }
    }
    if filter.is_empty() {
        let best = in_turn(cards, rounds, |card| latency(card, (1920, 1080)))?;
        report(&mut bars, "commit at 60 Hz, by the clock".into(), best);
    }
    chart::draw(
        output,
        "CPU time of C vkms / of rvkms for a frame, logarithmic",
        &bars,
    )
}
