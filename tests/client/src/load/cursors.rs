// SPDX-License-Identifier: GPL-2.0

//! Cursors that are exchanged while there is no time to compose.

use std::thread;
use std::time::{Duration, Instant};

use drm_sys::{drm_mode_cursor, DRM_MODE_CURSOR_BO};

use super::{picture, while_busy};
use crate::buffer::{Dumb, Mapping};
use crate::cpu::Urgent;
use crate::crc::argb_checksum;
use crate::error::{Error, What};
use crate::planes::Display;
use crate::raw;
use crate::testlist::{fail, skip, Verdict};

/// The cursor is a square in the upper left corner.
const CURSOR: u32 = 64;

/// What the squares look like while they are shown.
const SHOWN: u32 = 0xffff_8000;

/// What they look like otherwise.
const HIDDEN: u32 = 0xff00_1234;

fn fill(mapping: &mut Mapping, color: u32) {
    for pixel in mapping.bytes_mut().chunks_exact_mut(4) {
        pixel.copy_from_slice(&color.to_le_bytes());
    }
}

fn show(display: &Display<'_>, cursor: &Dumb<'_>) -> Result<(), Error> {
    let mut argument = drm_mode_cursor {
        flags: DRM_MODE_CURSOR_BO,
        crtc_id: display.output.crtc,
        width: CURSOR,
        height: CURSOR,
        handle: cursor.handle,
        ..Default::default()
    };
    display
        .card
        .call(raw::CURSOR, &mut argument)
        .what("the cursor")
}

/// Two squares are the cursor in turn, and are drawn over as soon as they are not: no checksum
/// tells of that. Cursors do not wait for vertical blanks.
pub fn redrawn(display: &mut Display<'_>, time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (1920, 1080);
    /// So often there is time to compose.
    const PAUSE: usize = 8;
    if display.output.cursor.is_none() {
        return skip("there is no cursor plane");
    }
    let front = |x: u32, y: u32| x | (y << 12);
    let buffer = picture(display.card, SIZE, front)?;
    let mut squares = Vec::new();
    for _ in 0..2 {
        let square = Dumb::new(display.card, CURSOR, CURSOR, 32)?;
        let mapping = square.map()?;
        squares.push((square, mapping));
    }
    fill(&mut squares[0].1, SHOWN);
    display.light_up(buffer.id, SIZE, 120)?;
    show(display, &squares[0].0)?;

    let expected = argb_checksum(SIZE, |x, y| match x < CURSOR && y < CURSOR {
        true => SHOWN & 0x00ff_ffff,
        false => front(x, y),
    });
    let mut crc = display.crc()?;
    let first = display.checksum(&mut crc)?;
    if first != expected {
        return fail(format!("the checksum is {first}, {expected} expected"));
    }
    let mut entries = Vec::new();
    let mut count = 0;
    let result: Result<(), Error> = while_busy(|| {
        let _urgent = Urgent::new()?;
        let end = Instant::now() + time;
        while Instant::now() < end {
            count += 1;
            let (new, old) = (count % 2, (count + 1) % 2);
            fill(&mut squares[new].1, SHOWN);
            show(display, &squares[new].0)?;
            fill(&mut squares[old].1, HIDDEN);
            let pause = if count % PAUSE == 0 { 500 } else { 4 };
            thread::sleep(Duration::from_millis(pause));
            entries.append(&mut crc.entries()?);
        }
        Ok(())
    });
    result?;
    println!("  {count} cursors, {} checksums", entries.len());
    if let Some((frame, sum)) = entries.iter().find(|(_, sum)| *sum != expected) {
        return fail(format!(
            "frame {frame} has the checksum {sum}, {expected} expected"
        ));
    }
    if entries.len() < 10 {
        return fail("there were hardly any checksums");
    }
    Ok(())
}
