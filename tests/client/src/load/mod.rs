// SPDX-License-Identifier: GPL-2.0

//! `load`: the largest pictures, all planes at once, a busy machine, and memory that runs out.
//!
//! Pictures may come late then. They must be right, and the numbers of their frames must not lie.

mod cursors;
mod flips;
mod writebacks;

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::atomic::Request;
use crate::card::Card;
use crate::crc::argb_checksum;
use crate::error::{Error, What};
use crate::fault::WorkersWithoutMemory;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, skip, Tally, Verdict};

/// Processes that only use up CPUs.
const SPINNERS: usize = 8;

/// A test; the time is how long it is to go on.
type Test = (&'static str, fn(&mut Display<'_>, Duration) -> Verdict);

const TESTS: [Test; 12] = [
    ("load-many-planes", many_planes),
    ("load-starved", flips::starved),
    ("load-starved-often", flips::starved_often),
    ("load-redrawn", flips::redrawn),
    ("load-redrawn-after-events", flips::redrawn_after_events),
    ("load-redrawn-cursor", cursors::redrawn),
    ("load-many-writebacks", writebacks::many),
    ("load-writebacks-in-turn", writebacks::in_turn),
    ("load-writebacks-of-late-frames", writebacks::late),
    ("load-writeback-without-memory", writebacks::without_memory),
    ("load-workers-without-memory", workers_without_memory),
    ("load-largest-picture", largest_picture),
];

/// Runs the tests whose names hold `filter`, each for about `time`.
pub fn run(card: &Card, filter: &str, time: Duration) -> Tally {
    let mut tally = Tally::default();
    for (name, test) in TESTS {
        if name.contains(filter) {
            tally.record(name, run_one(card, test, time));
        }
    }
    tally
}

fn run_one(
    card: &Card,
    test: fn(&mut Display<'_>, Duration) -> Verdict,
    time: Duration,
) -> Verdict {
    let mut display = Display::new(card)?;
    let verdict = test(&mut display, time);
    let off = display.off();
    card.discard_events()?;
    verdict.and(Ok(off?))
}

/// A process that only uses up a CPU.
struct Spinner(Child);

impl Spinner {
    fn new() -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        Ok(Self(command.spawn().what("a process that spins")?))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `work` while all CPUs have something else to do.
pub fn while_busy<T, E: From<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let _spinners = (0..SPINNERS)
        .map(|_| Spinner::new())
        .collect::<Result<Vec<_>, Error>>()?;
    work()
}

/// An `XR24` picture of which each pixel is what `pixel` says.
pub fn picture<'c>(
    card: &'c Card,
    (width, height): (u32, u32),
    pixel: impl Fn(u32, u32) -> u32,
) -> Result<PictureBuffer<'c>, Error> {
    let shape = Shape::new(*b"XR24", width, height, &mut Random::new(7));
    let mut picture = PictureBuffer::new(card, &shape, 0, 0)?;
    let lines = picture.mapping.bytes_mut();
    for (y, line) in lines.chunks_mut(shape.pitches[0] as usize).enumerate() {
        for (x, bytes) in line.chunks_exact_mut(4).take(width as usize).enumerate() {
            bytes.copy_from_slice(&pixel(x as u32, y as u32).to_le_bytes());
        }
    }
    Ok(picture)
}

/// A colour that differs from that of other numbers.
fn color(number: u32) -> u32 {
    number.wrapping_add(1).wrapping_mul(0x003d_4d51) & 0x00ff_ffff
}

/// Each plane shows a square of its own colour over a part of the ones below.
fn many_planes(display: &mut Display<'_>, _time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (640, 480);
    const SQUARE: u32 = 64;
    if display.planes.len() < 3 {
        return skip("there are only two planes");
    }
    let others = display.planes[1..].to_vec();
    let at = |index: usize| (index as u32 * 17, index as u32 * 13);
    let front = picture(display.card, SIZE, |x, y| x ^ (y << 8))?;
    display.light_up(front.id, SIZE, 60)?;

    let mut squares = Vec::new();
    let mut request = Request::new();
    for (index, plane) in others.iter().enumerate() {
        let square = picture(display.card, (SQUARE, SQUARE), |_, _| color(index as u32))?;
        let (x, y) = at(index);
        let place = Place::upright((SQUARE, SQUARE), (x as i32, y as i32));
        request = request.and(display.show(*plane, square.id, &place)?);
        squares.push(square);
    }
    display.commit(&request)?;
    let mut crc = display.crc()?;
    let found = display.checksum(&mut crc)?;

    let expected = argb_checksum(SIZE, |x, y| {
        let covers = |index: &usize| {
            let (left, top) = at(*index);
            (left..left + SQUARE).contains(&x) && (top..top + SQUARE).contains(&y)
        };
        let top = (0..others.len()).rev().find(covers);
        top.map_or(x ^ (y << 8), |index| color(index as u32))
    });
    println!("  {} planes", display.planes.len());
    same(&found, &expected)
}

fn same(found: &str, expected: &str) -> Verdict {
    if found == expected {
        Ok(())
    } else {
        fail(format!("the checksum is {found}, {expected} expected"))
    }
}

/// Compares two `XR24` pictures.
pub fn same_pixels(
    one: &PictureBuffer<'_>,
    other: &PictureBuffer<'_>,
    (width, height): (u32, u32),
) -> bool {
    let line = |picture: &'_ PictureBuffer<'_>, y: u32| -> Vec<[u8; 3]> {
        let start = (y * picture.shape.pitches[0]) as usize;
        let pixels = picture.mapping.bytes()[start..].chunks_exact(4);
        let pixels = pixels.take(width as usize);
        pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
    };
    (0..height).all(|y| line(one, y) == line(other, y))
}

/// What composes needs no memory: without any, frames have their checksums and pictures are written.
fn workers_without_memory(display: &mut Display<'_>, time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (800, 600);
    let front = picture(display.card, SIZE, |x, y| x | (y << 12))?;
    let square = picture(display.card, (64, 64), |_, _| 0x00ff_8000)?;
    display.light_up(front.id, SIZE, 200)?;
    let mut crc = display.crc()?;
    let target = display.target(*b"XR24")?;
    let other = display.planes.last().copied().unwrap_or_default();
    let place = |round: u32| Place::upright((64, 64), ((round % 600) as i32, 100));
    let mut workers = match WorkersWithoutMemory::new() {
        Ok(workers) => workers,
        Err(error) => return skip(error.to_string()),
    };
    let end = Instant::now() + time;
    let mut rounds = 0;
    while Instant::now() < end {
        display.commit(&display.show(other, square.id, &place(rounds))?)?;
        let sum = display.checksum(&mut crc)?;
        if rounds % 10 == 0 {
            workers.find()?;
            let expected = argb_checksum(SIZE, |x, y| {
                let inside = (rounds % 600..rounds % 600 + 64).contains(&x);
                match inside && (100..164).contains(&y) {
                    true => 0x00ff_8000,
                    false => x | (y << 12),
                }
            });
            same(&sum, &expected)?;
            display.write_back(&target)?;
        }
        rounds += 1;
    }
    let failed = workers.failures()?;
    drop(workers);
    println!("  {rounds} pictures; {failed} allocations of workers failed");
    Ok(())
}

/// The largest picture is right, while the cursor moves and nobody has time.
fn largest_picture(display: &mut Display<'_>, time: Duration) -> Verdict {
    let size = (display.card.limits.width.1, display.card.limits.height.1);
    let needed = u64::from(size.0) * u64::from(size.1) * 8 / 1024;
    let (needed, free) = (needed + needed / 4, free_memory());
    if free < needed {
        return fail(format!(
            "{size:?} takes {needed} KiB of memory, and {free} are free"
        ));
    }
    let pixel = |x: u32, y: u32| x.wrapping_mul(2053) ^ y.wrapping_mul(131_101);
    let pixel = |x: u32, y: u32| pixel(x, y) & 0x00ff_ffff;
    let front = picture(display.card, size, pixel)?;
    display.light_up(front.id, size, 5)?;
    let mut crc = display.crc()?;
    let expected = argb_checksum(size, pixel);
    same(&display.checksum(&mut crc)?, &expected)?;

    let square = picture(display.card, (64, 64), |_, _| 0x00ff_8000)?;
    let plane = display.planes.last().copied().unwrap_or_default();
    let mut moves = 0;
    let result: Result<(), Error> = while_busy(|| {
        let end = Instant::now() + time;
        while Instant::now() < end || moves == 0 {
            let at = (
                (moves * 997 % size.0) as i32,
                (moves * 1009 % size.1) as i32,
            );
            display.commit(&display.show(plane, square.id, &Place::upright((64, 64), at))?)?;
            moves += 1;
        }
        Ok(())
    });
    result?;
    display.commit(&display.hide(plane)?)?;
    same(&display.checksum(&mut crc)?, &expected)?;

    let target = display.target(*b"XR24")?;
    display.write_back(&target)?;
    println!("  {}x{}, {moves} moves", size.0, size.1);
    if !same_pixels(&front, &target, size) {
        return fail("what was written differs from what is shown");
    }
    Ok(())
}

/// KiB of memory that is free.
fn free_memory() -> u64 {
    let text = fs::read_to_string(Path::new("/proc/meminfo")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}
