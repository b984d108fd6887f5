// SPDX-License-Identifier: GPL-2.0

//! `load`: the largest pictures, all planes at once, a busy machine, and memory that runs out.
//!
//! Pictures may come late then. They must be right, and the numbers of their frames must not lie.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::atomic::{Request, ALLOW_MODESET, EVENT, NONBLOCK};
use crate::card::Card;
use crate::cpu::Urgent;
use crate::crc::argb_checksum;
use crate::error::{Error, What};
use crate::fault::{FailNth, WorkersWithoutMemory};
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{is_signalled, status_of, Display, Place};
use crate::random::Random;
use crate::testlist::{fail, skip, Stop, Tally, Verdict};

/// Threads that only use up CPUs.
const SPINNERS: usize = 8;

/// A test; the time is how long it is to go on.
type Test = (&'static str, fn(&mut Display<'_>, Duration) -> Verdict);

const TESTS: [Test; 9] = [
    ("load-many-planes", many_planes),
    ("load-starved", starved),
    ("load-starved-often", starved_often),
    ("load-redrawn", redrawn),
    ("load-many-writebacks", many_writebacks),
    ("load-writebacks-in-turn", writebacks_in_turn),
    ("load-writeback-without-memory", writeback_without_memory),
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

/// Runs `work` while all CPUs have something else to do.
fn while_busy<T>(work: impl FnOnce() -> T) -> T {
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..SPINNERS {
            scope.spawn(|| while !stop.load(Relaxed) {});
        }
        let result = work();
        stop.store(true, Relaxed);
        result
    })
}

/// An `XR24` picture of which each pixel is what `pixel` says.
fn picture<'c>(
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

/// A flip, between two numbers of frames.
struct Flip {
    picture: usize,
    /// The last frame that had begun when the flip was asked for.
    asked: u32,
    /// The frame that the event of the flip names.
    done: u32,
}

/// Whether the frame `a` is later than `b`.
fn later(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

/// Checks that the frame with the number `frame` may show `picture`.
fn is_true(flips: &[Flip], frame: u32, picture: usize) -> bool {
    flips.iter().enumerate().any(|(index, flip)| {
        let replaced = flips
            .get(index + 1)
            .is_some_and(|next| !later(next.done, frame));
        flip.picture == picture && later(frame, flip.asked) && !replaced
    })
}

fn starved(display: &mut Display<'_>, time: Duration) -> Verdict {
    // More to compose than there is time for.
    flip_while_busy(display, (1920, 1080), 120, time)
}

fn starved_often(display: &mut Display<'_>, time: Duration) -> Verdict {
    // More vertical blanks than the machine has time for.
    flip_while_busy(display, (320, 200), 900, time)
}

/// Checks that each checksum belongs to what its frame showed, and that no frame has two of them.
fn all_true(flips: &[Flip], entries: &[(u32, String)], sums: &[String]) -> Verdict {
    let pairs = entries.windows(2);
    let gaps = pairs
        .clone()
        .filter(|pair| pair[1].0 != pair[0].0.wrapping_add(1));
    println!(
        "  {} flips, {} checksums, {} gaps between them",
        flips.len() - 1,
        entries.len(),
        gaps.count()
    );
    if let Some(pair) = pairs.clone().find(|pair| !later(pair[1].0, pair[0].0)) {
        return fail(format!("after frame {} comes {}", pair[0].0, pair[1].0));
    }
    for (frame, sum) in entries {
        let Some(picture) = sums.iter().position(|known| known == sum) else {
            return fail(format!("frame {frame} has the unknown checksum {sum}"));
        };
        if !is_true(flips, *frame, picture) {
            let near = |flip: &&Flip| flip.done.abs_diff(*frame) < 20;
            let near = flips.iter().filter(near);
            let near: Vec<_> = near
                .map(|flip| (flip.picture, flip.asked, flip.done))
                .collect();
            return fail(format!(
                "frame {frame} did not show picture {picture}; (picture, asked, done): {near:?}"
            ));
        }
    }
    if entries.len() < 10 {
        return fail("there were hardly any checksums");
    }
    Ok(())
}

/// Flips as often as possible: each checksum belongs to what its frame showed, no frame has two of
/// them, and what comes last is right.
fn flip_while_busy(
    display: &mut Display<'_>,
    size: (u32, u32),
    hz: u32,
    time: Duration,
) -> Verdict {
    const PICTURES: u32 = 5;
    let plane = display.planes[0];
    let mut pictures = Vec::new();
    for number in 0..PICTURES {
        pictures.push(picture(display.card, size, |x, y| {
            color(number) ^ (x + (y << 8))
        })?);
    }
    let show = |display: &Display<'_>, index: usize| {
        display.show(plane, pictures[index].id, &Place::upright(size, (0, 0)))
    };
    display.light_up(pictures[0].id, size, hz)?;
    let mut crc = display.crc()?;
    let mut sums = Vec::new();
    for index in 0..pictures.len() {
        display.commit(&show(display, index)?)?;
        sums.push(display.checksum(&mut crc)?);
    }

    // What is shown now may have been asked for at any time before.
    let begin = display.sequence()?;
    let mut flips = vec![Flip {
        picture: pictures.len() - 1,
        asked: begin.wrapping_sub(1 << 20),
        done: begin,
    }];
    let mut entries = Vec::new();
    let result: Result<(), Error> = while_busy(|| {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let picture = flips.len() % pictures.len();
            let asked = display.sequence()?;
            show(display, picture)?
                .prepare(NONBLOCK | EVENT, flips.len() as u64)
                .commit(display.card)
                .what("a flip")?;
            let done = display.flip_done(flips.len() as u64)?.sequence;
            flips.push(Flip {
                picture,
                asked,
                done,
            });
            entries.append(&mut crc.entries()?);
        }
        Ok(())
    });
    result?;
    let last = display.checksum(&mut crc)?;

    all_true(&flips, &entries, &sums)?;
    let shown = flips.last().map_or(0, |flip| flip.picture);
    same(&last, &sums[shown])
}

/// Draws the next picture where the last one was, as soon as that is not shown any more: what is composed
/// too late for a checksum has none.
fn redrawn(display: &mut Display<'_>, time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (1920, 1080);
    const PICTURES: usize = 5;
    /// So often there is time to compose.
    const PAUSE: usize = 8;
    let plane = display.planes[0];
    let pixel = |number: usize| move |x: u32, y: u32| color(number as u32) ^ (x + (y << 8));
    let mut pictures = Vec::new();
    for number in 0..PICTURES {
        pictures.push(picture(display.card, SIZE, pixel(number))?);
    }
    let show = |display: &Display<'_>, buffer: &PictureBuffer<'_>| {
        display.show(plane, buffer.id, &Place::upright(SIZE, (0, 0)))
    };
    display.light_up(pictures[0].id, SIZE, 120)?;
    let mut crc = display.crc()?;
    let mut sums = Vec::new();
    for picture in &pictures {
        display.commit(&show(display, picture)?)?;
        sums.push(display.checksum(&mut crc)?);
    }

    let mut buffers = [
        picture(display.card, SIZE, pixel(0))?,
        picture(display.card, SIZE, pixel(1))?,
    ];
    display.commit(&show(display, &buffers[0])?)?;
    display.checksum(&mut crc)?;
    let begin = display.sequence()?;
    let mut flips = vec![Flip {
        picture: 0,
        asked: begin.wrapping_sub(1 << 20),
        done: begin,
    }];
    let mut entries = Vec::new();
    let result: Result<(), Error> = while_busy(|| {
        let _urgent = Urgent::new()?;
        let end = Instant::now() + time;
        while Instant::now() < end {
            let count = flips.len();
            let asked = display.sequence()?;
            show(display, &buffers[count % 2])?
                .prepare(EVENT, count as u64)
                .commit(display.card)
                .what("a flip")?;
            let next = &pictures[(count + 1) % PICTURES];
            let old = &mut buffers[(count + 1) % 2];
            old.mapping
                .bytes_mut()
                .copy_from_slice(next.mapping.bytes());
            flips.push(Flip {
                picture: count % PICTURES,
                asked,
                done: display.flip_done(count as u64)?.sequence,
            });
            if count % PAUSE == 0 {
                thread::sleep(Duration::from_millis(500));
            }
            entries.append(&mut crc.entries()?);
        }
        Ok(())
    });
    result?;
    let last = display.checksum(&mut crc)?;

    all_true(&flips, &entries, &sums)?;
    let shown = flips.last().map_or(0, |flip| flip.picture);
    same(&last, &sums[shown])
}

/// More pictures are to be written than there is time for: each fence is signalled, with an error if
/// the picture was not written.
fn many_writebacks(display: &mut Display<'_>, time: Duration) -> Verdict {
    // Several pictures are due while one is written.
    const SIZE: (u32, u32) = (3840, 2160);
    const AT_ONCE: usize = 40;
    let front = picture(display.card, SIZE, |x, y| x | (y << 12))?;
    display.light_up(front.id, SIZE, 200)?;
    let Some(connector) = display.writeback else {
        return skip("there is no writeback connector");
    };
    let mut target = display.target(*b"XR24")?;
    let request = display.write_to(&target)?;

    let (mut written, mut refused) = (0, 0);
    let end = Instant::now() + time;
    while Instant::now() < end {
        target.mapping.bytes_mut().fill(0);
        let mut fences = Vec::new();
        while fences.len() < AT_ONCE && Instant::now() < end {
            let request = request.clone();
            match request.commit_with_fence(display.card, connector, ALLOW_MODESET | NONBLOCK) {
                Ok(fence) => fences.push(fence),
                // The one before is not yet carried out.
                Err(Errno::BUSY) => thread::sleep(Duration::from_millis(1)),
                Err(errno) => return Err(errno).what("a commit with writeback")?,
            }
        }
        let before = written;
        for fence in &fences {
            match ended(fence)? {
                true => written += 1,
                false => refused += 1,
            }
        }
        if written > before && !same_pixels(&front, &target, SIZE) {
            return fail("what was written differs from what is shown");
        }
    }
    println!("  {written} pictures written, {refused} given up");
    if written == 0 {
        return fail("not one picture was written");
    }
    Ok(())
}

/// Who waits for the fence of a picture can ask for the next one at once: the update is over by then.
fn writebacks_in_turn(display: &mut Display<'_>, _time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (320, 200);
    const COUNT: u32 = 50;
    let front = picture(display.card, SIZE, |x, y| x | (y << 12))?;
    display.light_up(front.id, SIZE, 60)?;
    let Some(connector) = display.writeback else {
        return skip("there is no writeback connector");
    };
    let target = display.target(*b"XR24")?;
    let request = display.write_to(&target)?;
    // Turns the connector on.
    let fence = request
        .clone()
        .commit_with_fence(display.card, connector, ALLOW_MODESET)
        .what("the first commit")?;
    let mut written = u32::from(ended(&fence)?);
    for _ in 1..COUNT {
        let request = request.clone();
        let fence = match request.commit_with_fence(display.card, connector, NONBLOCK) {
            Ok(fence) => fence,
            Err(errno) => return fail(format!("after {written} pictures: {errno}")),
        };
        written += u32::from(ended(&fence)?);
    }
    if written < COUNT {
        return fail(format!("{written} of {COUNT} pictures were written"));
    }
    Ok(())
}

/// Waits for a fence; returns whether it was signalled without an error.
fn ended(fence: &OwnedFd) -> Result<bool, Stop> {
    if !is_signalled(fence)? {
        return fail("a fence was never signalled");
    }
    match status_of(fence)? {
        1 => Ok(true),
        status if status < 0 => Ok(false),
        status => fail(format!("a fence that is signalled has the status {status}")),
    }
}

/// Each allocation of an update with writeback fails once: there is an errno and no fence, or a fence
/// that is signalled.
fn writeback_without_memory(display: &mut Display<'_>, _time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (320, 200);
    const MOST: u32 = 1000;
    let front = picture(display.card, SIZE, |x, y| x | (y << 12))?;
    display.light_up(front.id, SIZE, 400)?;
    let Some(connector) = display.writeback else {
        return skip("there is no writeback connector");
    };
    let target = display.target(*b"XR24")?;
    let request = display.write_to(&target)?;
    let faults = match FailNth::new() {
        Ok(faults) => faults,
        Err(error) => return skip(error.to_string()),
    };
    let (mut errors, mut written) = (0, 0);
    for n in 1..MOST {
        let request = request.clone();
        let (result, reached) = faults.during(n, || {
            request.commit_with_fence(display.card, connector, ALLOW_MODESET)
        })?;
        match result {
            Ok(fence) => written += u32::from(ended(&fence)?),
            Err(errno) if !reached => return Err(errno).what("a commit with writeback")?,
            Err(_) => errors += 1,
        }
        if !reached {
            println!(
                "  {} allocations: {errors} errors, {written} pictures",
                n - 1
            );
            return match errors > 0 && written > 0 && same_pixels(&front, &target, SIZE) {
                true => Ok(()),
                false => fail("nothing failed, or the last picture is not right"),
            };
        }
    }
    fail(format!("no end after {MOST} allocations"))
}

/// Compares two `XR24` pictures.
fn same_pixels(
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
    if free_memory() < needed + needed / 4 {
        return skip(format!("{size:?} takes {needed} KiB of memory"));
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
