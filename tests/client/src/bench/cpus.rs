// SPDX-License-Identifier: GPL-2.0

//! `cpus`: how many more frames all CPUs compose together than one.
//!
//! The CPUs of a machine that has other work, too, are not equally fast, and not for long. So what they
//! do together is compared with what each does alone shortly before and after.

use std::time::{Duration, Instant};

use crate::card::Card;
use crate::cpu::{Urgent, WorkerCpus};
use crate::error::{message, Error};

use super::{Scene, Stage, HZ, SCENES};

/// Large frames: with small ones the CPUs would wait for vertical blanks.
const SIZE: (u32, u32) = (3840, 2160);

/// The scenes whose frames take all CPUs.
const NAMES: [&str; 5] = [
    "XRGB8888",
    "8 ARGB8888, mixed alpha",
    "8 ARGB8888, random alpha",
    "NV12",
    "XRGB8888, rotate 90",
];

/// How often all CPUs are compared with each alone.
const TURNS: u32 = 15;

/// How many frames are composed in a row.
const FRAMES: u32 = 5;

/// No frame of this size is composed in less.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many times as many frames all CPUs are to compose, for each of them.
const FLOOR: f64 = 0.85;

/// Prints how many frames are composed in a second, and returns whether there are enough with all CPUs.
pub fn run(card: &Card) -> Result<bool, Error> {
    let cpus = WorkerCpus::new()?;
    let count = cpus.list().len();
    if count < 2 {
        return message("one CPU cannot be compared with more");
    }
    let floor = FLOOR * count as f64;
    println!("frames a second, with one CPU and with {count}, median of {TURNS} turns");
    println!(
        "{:44} {:>9} {:>9} {:>8} {:>6}",
        "", "one", "all", "ratio", "floor"
    );
    let mut good = true;
    for scene in SCENES.iter().filter(|scene| NAMES.contains(&scene.name)) {
        let [one, all, ratio] = compare(card, scene, &cpus)?;
        let below = ratio < floor;
        println!(
            "{:44} {one:>9.2} {all:>9.2} {ratio:>8.2} {floor:>6.1}{}",
            scene.name,
            if below { "  BELOW" } else { "" }
        );
        good &= !below;
    }
    Ok(good)
}

/// The frames of `scene` in a second with one of the CPUs, with all, and how many times as many these are:
/// the medians, each for itself.
fn compare(card: &Card, scene: &Scene, cpus: &WorkerCpus) -> Result<[f64; 3], Error> {
    let mut stage = Stage::new(card, scene, SIZE, HZ)?;
    let (mut ones, mut alls, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (mut one, mut all) = (0.0, 0.0);
        for cpu in cpus.list() {
            cpus.only(*cpu)?;
            one += rate(&mut stage, scene)?;
            cpus.all()?;
            all += rate(&mut stage, scene)?;
        }
        let turns = cpus.list().len() as f64;
        ones.push(one / turns);
        alls.push(all / turns);
        ratios.push(all / one);
    }
    stage.end()?;
    Ok([ones, alls, ratios].map(median))
}

/// Frames that are composed in a second if all change.
fn rate(stage: &mut Stage, scene: &Scene) -> Result<f64, Error> {
    // A worker that always has work stays where it is, so the checksums are begun anew.
    let mut crc = stage.display.crc()?;
    let _urgent = Urgent::new()?;
    crc.burst()?;
    let mut frame = || -> Result<(), Error> {
        stage.change(scene.change)?;
        let start = Instant::now();
        crc.burst()?;
        // What comes at once is the rest of the checksums, which another CPU is still telling.
        while start.elapsed() < SHORTEST {
            crc.burst()?;
        }
        Ok(())
    };
    frame()?;
    let start = Instant::now();
    for _ in 0..FRAMES {
        frame()?;
    }
    Ok(f64::from(FRAMES) / start.elapsed().as_secs_f64())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
