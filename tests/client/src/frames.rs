// SPDX-License-Identifier: GPL-2.0

//! `frames`: the kernel's memory must not grow with the number of frames.

use std::fs;

use crate::card::Card;
use crate::error::{message, Error, What};
use crate::picture_buffer::{Alpha, PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, skip, Verdict};

const SIZE: (u32, u32) = (320, 200);

/// Frames a second.
const HZ: u32 = 800;

/// Frames before the first look, so that what is allocated once is there.
const WARM_UP: u32 = 2000;

/// So many pages more may be what the rest of the system does meanwhile, and one for
/// [`FRAMES_PER_PAGE`]: less than an object of 4 bytes for each frame.
const SLACK: u32 = 32;
const FRAMES_PER_PAGE: u32 = 1250;

/// Lets the kernel give back the pages of small objects that are free, those too which KASAN keeps for a
/// while: these come and go by the thousand.
fn give_back() -> Result<(), Error> {
    const CACHES: &str = "/sys/kernel/slab";
    for cache in fs::read_dir(CACHES).what(CACHES)? {
        let cache = cache.what(CACHES)?;
        // The others are further names of the same caches.
        if cache.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that is gone by now has nothing to give back.
            let _ = fs::write(cache.path().join("shrink"), "1");
        }
    }
    Ok(())
}

/// The pages of the kernel's small objects that are in use.
fn slab_pages() -> Result<u64, Error> {
    give_back()?;
    let Ok(text) = fs::read_to_string("/proc/vmstat") else {
        return message("no /proc/vmstat");
    };
    let pages = text
        .lines()
        .filter_map(|line| line.strip_prefix("nr_slab_"))
        .filter_map(|line| line.split_once(' ')?.1.parse::<u64>().ok());
    Ok(pages.sum())
}

/// Shows at least `frames` frames, most of which differ from the one before.
fn show(
    display: &Display<'_>,
    primary: &mut PictureBuffer<'_>,
    cursor: Option<(u32, &PictureBuffer<'_>)>,
    frames: u32,
) -> Result<(), Error> {
    let mut crc = display.crc()?;
    let (mut count, mut step) = (0, 0u32);
    while count < frames {
        step += 1;
        if step % 4 != 0 {
            primary.mapping.bytes_mut()[step as usize % 4096] = step as u8;
        }
        if let (Some((plane, buffer)), 0) = (cursor, step % 8) {
            let at = (step / 8 % 200) as i32;
            let request =
                display.show(plane, buffer.id, &Place::upright((64, 64), (at, at / 2)))?;
            display.commit(&request)?;
        }
        count += crc.burst()?;
    }
    Ok(())
}

/// Checks that `frames` frames leave nothing behind.
pub fn test(card: &Card, frames: u32) -> Verdict {
    let mut display = Display::new(card)?;
    let mut random = Random::new(1);
    let shape = Shape::new(*b"XR24", SIZE.0, SIZE.1, &mut random);
    let mut primary = PictureBuffer::new(card, &shape, 0, 0)?;
    let small = Shape::new(*b"AR24", 64, 64, &mut random);
    let mut pointer = PictureBuffer::new(card, &small, 0, 0)?;
    let bytes = &mut pointer.mapping.bytes_mut()[..small.bytes as usize];
    small.fill_with(bytes, &mut random, Alpha::Mixed);
    display.light_up(primary.id, SIZE, HZ)?;
    if display.crc().is_err() {
        display.off()?;
        return skip("no checksums");
    }
    let cursor = display.output.cursor.map(|plane| (plane, &pointer));
    show(&display, &mut primary, cursor, WARM_UP)?;
    // What was freed before this test began goes in several steps.
    give_back()?;
    let before = slab_pages()?;
    show(&display, &mut primary, cursor, frames)?;
    let after = slab_pages()?;
    display.off()?;
    card.discard_events()?;
    println!("  {frames} frames: {before} pages of small objects before, {after} after");
    if after > before + u64::from(SLACK + frames / FRAMES_PER_PAGE) {
        return fail(format!("{} pages more", after - before));
    }
    Ok(())
}
