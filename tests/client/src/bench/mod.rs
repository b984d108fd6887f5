// SPDX-License-Identifier: GPL-2.0

//! `bench`: the CPU time that two drivers take for a frame, in turn, in one guest.
//!
//! Vertical blanks come faster than frames can be composed, so that none has to be waited for. What is
//! composed late is composed once for several frames, whose checksums then come at once, and counts as
//! one frame. So that none is missed, the client reads them before the next frame is begun.

mod cpus;

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use drm_sys::{DRM_MODE_ROTATE_0, DRM_MODE_ROTATE_90};

use crate::atomic::{Blob, Request};
use crate::card::Card;
use crate::chart;
use crate::cpu::{self, Urgent};
use crate::error::{message, Error};
use crate::picture_buffer::{Alpha, Format, PictureBuffer, Shape};
use crate::pipeline::{Pipeline, Use};
use crate::planes::{Display, Place};
use crate::random::Random;

pub use cpus::run as cpus;

/// What changes from frame to frame.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    /// A byte of the lowest framebuffer, without telling the driver.
    Byte,
    Nothing,
    /// The place of the cursor.
    Cursor,
    /// The framebuffer, in a square of 64 pixels, which the commit says.
    Damage,
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
    pipeline: Option<Use>,
    change: Change,
    /// About how many milliseconds C vkms takes for a frame of 1920x1080.
    slow: u32,
    /// The ratio that is to be reached.
    floor: Option<f64>,
}

const PLAIN: Scene = Scene {
    name: "XRGB8888",
    format: *b"XR24",
    overlays: None,
    rotation: DRM_MODE_ROTATE_0,
    gamma: false,
    pipeline: None,
    change: Change::Byte,
    slow: 80,
    floor: Some(5.0),
};

const fn of(name: &'static str, format: &Format, slow: u32, floor: f64) -> Scene {
    Scene {
        name,
        format: *format,
        slow,
        floor: Some(floor),
        ..PLAIN
    }
}

const fn written_back(name: &'static str, format: &Format, slow: u32, floor: Option<f64>) -> Scene {
    Scene {
        name,
        change: Change::WriteBack(*format),
        slow,
        floor,
        ..PLAIN
    }
}

const SCENES: [Scene; 21] = [
    PLAIN,
    Scene {
        name: "XRGB8888, nothing changes",
        change: Change::Nothing,
        floor: None,
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, the cursor moves",
        change: Change::Cursor,
        floor: Some(15.0),
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, flips with damage of 64x64",
        change: Change::Damage,
        floor: Some(15.0),
        ..PLAIN
    },
    Scene {
        name: "8 ARGB8888, mixed alpha",
        overlays: Some(Alpha::Mixed),
        slow: 300,
        floor: Some(4.0),
        ..PLAIN
    },
    Scene {
        name: "8 ARGB8888, random alpha",
        overlays: Some(Alpha::Random),
        slow: 300,
        floor: Some(2.0),
        ..PLAIN
    },
    of("RGB565", b"RG16", 450, 20.0),
    of("RGB888", b"RG24", 90, 5.0),
    of("XRGB16161616", b"XR48", 80, 4.0),
    of("ARGB16161616", b"AR48", 80, 4.0),
    Scene {
        name: "R8",
        format: *b"R8  ",
        floor: None,
        ..PLAIN
    },
    of("NV12", b"NV12", 1300, 50.0),
    of("YUV420", b"YU12", 1300, 50.0),
    of("P010", b"P010", 1300, 50.0),
    Scene {
        name: "XRGB8888, 256-entry gamma",
        gamma: true,
        slow: 700,
        floor: Some(60.0),
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, one CTM",
        pipeline: Some(Use::OneMatrix),
        slow: 1300,
        floor: Some(100.0),
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, full colour pipeline",
        pipeline: Some(Use::All),
        slow: 4000,
        floor: Some(200.0),
        ..PLAIN
    },
    Scene {
        name: "XRGB8888, rotate 90",
        rotation: DRM_MODE_ROTATE_90,
        ..PLAIN
    },
    written_back("writeback of XRGB8888", b"XR24", 80, Some(6.0)),
    written_back("writeback of ARGB16161616", b"AR48", 80, None),
    written_back("writeback of RGB565", b"RG16", 350, None),
];

/// Above so many milliseconds of C vkms one frame is enough to warm up.
const SLOW: u32 = 400;

/// How many times as many rounds there can be as were asked for.
const MORE: u32 = 3;

/// Above so many milliseconds of C vkms no checksum comes in time at 3840x2160.
const TOO_SLOW: u32 = 2000;

/// Vertical blanks a second: so many that none of the frames that take some milliseconds waits for one.
const HZ: u32 = 487;

/// How long a scene is measured at least.
const TIME: Duration = Duration::from_millis(1000);

/// How long a scene is measured at least of which a frame takes next to nothing.
const LONG_TIME: Duration = Duration::from_secs(4);

/// How many frames of a scene are measured at least.
const FRAMES: usize = 3;

/// The least time of a frame: shorter ones are not told apart.
const LEAST: Duration = Duration::from_nanos(100);

/// After a writeback C vkms clears up in a work item, which stops the next one if that has begun already.
const AFTER_WRITEBACK: Duration = Duration::from_millis(20);

/// How much is measured.
pub struct Effort {
    /// How often each scene is measured.
    pub rounds: u32,
    /// After this no scene is begun any more.
    pub time: Duration,
}

/// A scene that is being shown.
struct Stage<'c> {
    display: Display<'c>,
    buffers: Vec<PictureBuffer<'c>>,
    blobs: Vec<Blob<'c>>,
    cursor: Option<(u32, u32)>,
    step: u8,
}

impl<'c> Stage<'c> {
    fn new(card: &'c Card, scene: &Scene, size: (u32, u32), hz: u32) -> Result<Self, Error> {
        let mut stage = Stage {
            display: Display::new(card)?,
            buffers: Vec::new(),
            blobs: Vec::new(),
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
        if scene.change == Change::Damage {
            // What is shown in turn.
            stage.add(primary, scene.format, size, scene.rotation, alpha)?;
            let clip: [u32; 4] = [64, 64, 128, 128];
            let clip: Vec<u8> = clip.iter().flat_map(|value| value.to_ne_bytes()).collect();
            stage.blobs.push(Blob::new(card, &clip)?);
        }
        let table: Vec<[u16; 3]> = (0..256u32)
            .map(|n| [(n * n * 65535 / 65025) as u16, (n * 257) as u16, 7])
            .collect();
        let table = stage.display.gamma_table(&table)?;
        request = request.and(stage.display.gamma(scene.gamma.then_some(&table))?);
        if let Some(how) = scene.pipeline {
            let Some(pipeline) = Pipeline::find(card, primary)? else {
                return message(format!("{} has no colour pipeline", card.driver));
            };
            let (used, blobs) = pipeline.apply(&how.steps())?;
            request = request.and(used);
            stage.blobs.extend(blobs);
        }
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
        let place = Place {
            rotation,
            ..Place::upright(size, (0, 0))
        };
        let request = self.display.show(plane, buffer.id, &place)?;
        self.buffers.push(buffer);
        Ok(request)
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        self.step = self.step.wrapping_add(1);
        match (change, self.cursor) {
            (Change::Byte, _) => self.buffers[0].mapping.bytes_mut()[1] = self.step,
            (Change::Cursor, Some((plane, fb))) => {
                let at = 8 * i32::from(self.step);
                let place = Place::upright((64, 64), (at, at / 2));
                self.display
                    .commit(&self.display.show(plane, fb, &place)?)?;
            }
            (Change::Damage, _) => {
                let (card, plane) = (self.display.card, self.display.planes[0]);
                let shape = &self.buffers[0].shape;
                let size = (shape.width, shape.height);
                let at = shape.pitches[0] as usize * 100 + 400;
                let next = &mut self.buffers[usize::from(self.step % 2)];
                next.mapping.bytes_mut()[at] = self.step;
                let request = self
                    .display
                    .show(plane, next.id, &Place::upright(size, (0, 0)))?;
                let clip = self.blobs[0].id.into();
                self.display
                    .commit(&request.set_if_any(card, plane, "FB_DAMAGE_CLIPS", clip))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The CPU time of a frame.
    fn measure(&mut self, scene: &Scene) -> Result<Duration, Error> {
        if let Change::WriteBack(format) = scene.change {
            let target = self.display.target(format)?;
            return repeat(scene, || {
                sleep(AFTER_WRITEBACK);
                self.display.write_back(&target)
            });
        }
        let mut crc = self.display.crc()?;
        let _urgent = Urgent::new()?;
        crc.burst()?;
        repeat(scene, || {
            self.change(scene.change)?;
            crc.burst().map(drop)
        })
    }

    fn end(self) -> Result<(), Error> {
        let card = self.display.card;
        let request = Request::new();
        let plane = self.display.planes[0];
        self.display
            .commit(&request.set_if_any(card, plane, "COLOR_PIPELINE", 0))?;
        self.display.off()
    }
}

/// The CPU time of the kernel's workers for most of the times that `frame` is called: the median. So
/// those do not count in which the machine did something else.
fn repeat(scene: &Scene, mut frame: impl FnMut() -> Result<(), Error>) -> Result<Duration, Error> {
    let time = match scene.change {
        Change::Nothing | Change::Cursor | Change::Damage => LONG_TIME,
        _ => TIME,
    };
    let warm_up = if scene.slow > SLOW { 1 } else { 3 };
    for _ in 0..warm_up {
        frame()?;
    }
    let mut times = Vec::new();
    let (start, mut before) = (Instant::now(), cpu::of_workers());
    while times.len() < FRAMES || start.elapsed() < time {
        frame()?;
        let now = cpu::of_workers();
        // What a worker had used is gone if it has ended.
        times.push(now.saturating_sub(before));
        before = now;
    }
    times.sort_unstable();
    Ok(times[(times.len() - 1) / 2].max(LEAST))
}

/// The CPU time of a frame of `scene` on `card`.
fn measure(card: &Card, scene: &Scene, size: (u32, u32)) -> Result<Duration, Error> {
    let once = |card: &Card| {
        let mut stage = Stage::new(card, scene, size, HZ)?;
        let time = stage.measure(scene);
        stage.end()?;
        time
    };
    if scene.pipeline.is_none() {
        return once(card);
    }
    // Only one at a time can be the master.
    card.drop_master()?;
    let time = Card::open_for_pipelines(&card.driver).and_then(|card| once(&card));
    card.set_master()?;
    time
}

/// The shortest of the times in milliseconds that a measurement takes on each card, in turn; none of a
/// card that fails. There are at least `rounds`, and up to `MORE` times as many until a round is no longer
/// faster than all before it by more than a twentieth: what else runs on the machine slows some down.
fn in_turn(
    cards: [&Card; 2],
    rounds: u32,
    mut measure: impl FnMut(&Card) -> Result<Duration, Error>,
) -> [Option<f64>; 2] {
    let mut best = [Some(f64::MAX); 2];
    for round in 1..=rounds.saturating_mul(MORE) {
        let mut settled = true;
        for (card, best) in cards.into_iter().zip(&mut best) {
            let Some(least) = best else { continue };
            match measure(card) {
                Ok(time) => {
                    let time = time.as_secs_f64() * 1e3;
                    settled &= time > *least * 0.95;
                    *least = least.min(time);
                }
                Err(error) => {
                    println!("  {}: {error}", card.driver);
                    *best = None;
                }
            }
        }
        if settled && round >= rounds {
            break;
        }
    }
    best
}

/// What has been measured.
#[derive(Default)]
struct Report {
    bars: Vec<(String, f64)>,
    below: Vec<String>,
    missing: Vec<String>,
}

impl Report {
    fn add(&mut self, label: String, floor: Option<f64>, best: [Option<f64>; 2]) {
        let number = |number: Option<f64>| number.map_or("-".into(), |n| format!("{n:.3}"));
        let ratio = best[1].zip(best[0]).map(|(other, own)| other / own);
        let below = ratio.is_some() && ratio < floor;
        println!(
            "{label:44} {:>9} {:>9} {:>8} {:>6}{}",
            number(best[1]),
            number(best[0]),
            ratio.map_or("-".into(), |ratio| format!("{ratio:.1}")),
            floor.map_or("-".into(), |floor| floor.to_string()),
            if below { "  BELOW" } else { "" }
        );
        match ratio {
            Some(ratio) => {
                if below {
                    self.below.push(format!("{label} ({ratio:.1})"));
                }
                self.bars.push((label, ratio));
            }
            None => self.missing.push(label),
        }
    }

    /// Prints the verdict; returns whether it is good.
    fn end(&self) -> bool {
        println!(
            "{} measured, {} below their floor, {} not measured",
            self.bars.len(),
            self.below.len(),
            self.missing.len()
        );
        for (what, labels) in [
            ("below the floor", &self.below),
            ("not measured", &self.missing),
        ] {
            if !labels.is_empty() {
                println!("{what}: {}", labels.join("; "));
            }
        }
        self.below.is_empty() && self.missing.is_empty()
    }
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

/// How checksums are computed here.
fn checksums() -> &'static str {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if cpu.contains("User Mode") {
        "checksums: the kernel's crc32_le() goes byte by byte here, rvkms has code of its own (PCLMULQDQ)"
    } else if cpu.contains("pclmulqdq") {
        "checksums: both have the kernel's crc32_le(), with PCLMULQDQ"
    } else {
        "checksums: C vkms has the kernel's crc32_le(), rvkms that or tables of its own"
    }
}

/// Measures both cards, the second for comparison, and draws the ratios. Returns whether all scenes were
/// measured and no ratio is below its floor.
pub fn run(cards: [&Card; 2], effort: &Effort, filter: &str, output: &Path) -> Result<bool, Error> {
    let start = Instant::now();
    let mut report = Report::default();
    println!(
        "CPU time of the kernel's workers for a frame in ms, median of the best of at least {} rounds in turn, {} CPUs",
        effort.rounds,
        std::thread::available_parallelism().map_or(1, |n| n.get())
    );
    println!("{}", checksums());
    println!(
        "{:44} {:>9} {:>9} {:>8} {:>6}",
        "", cards[1].driver, cards[0].driver, "ratio", "floor"
    );
    for size in [(1920, 1080), (3840, 2160)] {
        let limit = if size.0 == 1920 { u32::MAX } else { TOO_SLOW };
        for scene in SCENES
            .iter()
            .filter(|scene| scene.name.contains(filter) && scene.slow < limit)
        {
            let label = format!("{}P {}", size.1, scene.name);
            if start.elapsed() > effort.time {
                report.missing.push(label);
                continue;
            }
            let best = in_turn(cards, effort.rounds, |card| measure(card, scene, size));
            report.add(label, scene.floor, best);
        }
    }
    if filter.is_empty() && start.elapsed() < effort.time {
        let best = in_turn(cards, effort.rounds, |card| latency(card, (1920, 1080)));
        report.add("commit at 60 Hz, by the clock".into(), None, best);
    }
    chart::draw(
        output,
        "CPU time of C vkms / of rvkms for a frame, logarithmic",
        &report.bars,
    )?;
    Ok(report.end())
}
