// SPDX-License-Identifier: GPL-2.0

//! Updates that change a part of the picture, or that do not wait; and the screen of a panic.

use std::fs;

use drm_fourcc::DrmFourcc;
use drm_sys::*;

use crate::atomic::{Blob, Request};
use crate::buffer::Frame;
use crate::crc::folder_of_device;
use crate::error::What;
use crate::features::{hide_cursor, set_cursor};
use crate::output::Screen;
use crate::pattern::Pattern;
use crate::testlist::{fail, skip, Verdict};

use super::monitor::Monitor;
use super::{cursor_pixel, expect, expect_pattern, over, CURSOR, PREMULTIPLIED};

/// Left, top, right, bottom; the last two are outside.
type Clip = [i32; 4];

fn is_in(clips: &[Clip], x: u32, y: u32) -> bool {
    let (x, y) = (x as i32, y as i32);
    clips
        .iter()
        .any(|clip| (clip[0]..clip[2]).contains(&x) && (clip[1]..clip[3]).contains(&y))
}

/// Adds to a request that only some parts of the framebuffer have changed.
fn with_damage(
    screen: &Screen<'_>,
    request: Request,
    clips: &[Clip],
) -> Result<(), crate::error::Error> {
    let bytes: Vec<u8> = clips
        .iter()
        .flatten()
        .flat_map(|edge| edge.to_ne_bytes())
        .collect();
    let blob = Blob::new(screen.card, &bytes)?;
    request
        .set(
            screen.card,
            screen.output.primary,
            "FB_DAMAGE_CLIPS",
            blob.id.into(),
        )?
        .commit(screen.card, 0)
        .what("commit with damage")
}

fn has_damage(screen: &Screen<'_>) -> bool {
    screen
        .card
        .property_id(screen.output.primary, "FB_DAMAGE_CLIPS")
        .is_some()
}

/// Only what is said to have changed is drawn: the test tells lies, and sees that they are believed.
pub fn damage(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    if !has_damage(screen) {
        return skip("there is no damage");
    }
    let (width, height) = screen.size();
    let (right, bottom) = (width as i32, height as i32);
    let cases: [&[Clip]; 4] = [
        &[[64, 32, 128, 96]],
        &[[0, 0, 1, 1], [right - 1, bottom - 1, right, bottom]],
        &[[10, 10, 20, 200], [15, 100, 300, 110], [300, 100, 301, 101]],
        // More than a driver may want to tell apart.
        &[[40, 40, 90, 90]; 40],
    ];
    for clips in cases {
        with_damage(screen, screen.flip_to(screen.back.id)?, clips)?;
        expect(monitor, "with damage", (width, height), |x, y| {
            let pattern = match is_in(clips, x, y) {
                true => Pattern::Gradient,
                false => Pattern::Bars,
            };
            pattern.pixel(x, y, width, height)
        })?;
        // The truth, in both parts of the memory.
        for (frame, pattern) in [
            (&screen.back, Pattern::Gradient),
            (&screen.front, Pattern::Bars),
        ] {
            screen.flip(frame.id, 1)?;
            screen.flip_done(1)?;
            expect_pattern(screen, monitor, "without damage", pattern)?;
        }
    }
    Ok(())
}

/// Damage is said in pixels of the framebuffer, also if only a part of that is shown.
pub fn damage_of_part(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    if !has_damage(screen) {
        return skip("there is no damage");
    }
    let (width, height) = screen.size();
    let (left, top) = (24, 17);
    let (all_width, all_height) = (width + 56, height + 40);
    let frame = Frame::new(screen.card, all_width, all_height)?;
    let request = || {
        screen
            .plane(screen.output.primary, frame.id, (0, 0), (width, height))?
            .set(screen.card, screen.output.primary, "SRC_X", left << 16)?
            .set(screen.card, screen.output.primary, "SRC_Y", top << 16)
    };
    frame.draw(|x, y| Pattern::Bars.pixel(x, y, all_width, all_height))?;
    request()?.commit(screen.card, 0).what("commit of a part")?;
    frame.draw(|x, y| Pattern::Gradient.pixel(x, y, all_width, all_height))?;
    // The first one is half outside of what is shown.
    let clips = [[0, 0, 40, 40], [200, 100, 264, 164]];
    with_damage(screen, request()?, &clips)?;
    expect(monitor, "damage of a part", (width, height), |x, y| {
        let (x, y) = (x + left as u32, y + top as u32);
        let pattern = match is_in(&clips, x, y) {
            true => Pattern::Gradient,
            false => Pattern::Bars,
        };
        pattern.pixel(x, y, all_width, all_height)
    })
}

/// A picture that does not wait for a vertical blank is shown when the event says so.
pub fn async_flips(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    if screen.card.capability(DRM_CAP_ASYNC_PAGE_FLIP) == 0 {
        return skip("there are no asynchronous flips");
    }
    for round in 0..20 {
        let (frame, pattern) = match round % 2 {
            0 => (&screen.back, Pattern::Gradient),
            _ => (&screen.front, Pattern::Bars),
        };
        screen.flip_async(frame.id, round)?;
        if round >= 17 {
            expect_pattern(screen, monitor, "after an asynchronous flip", pattern)?;
        }
    }
    Ok(())
}

/// The legacy cursor is where it was moved to, also while page flips are on their way.
pub fn legacy_cursor(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    if screen.output.cursor.is_none() {
        return skip("there is no cursor plane");
    }
    let (width, height) = screen.size();
    let cursor = Frame::with_format(screen.card, CURSOR, CURSOR, DrmFourcc::Argb8888)?;
    cursor.draw(cursor_pixel)?;
    set_cursor(screen, Some(&cursor), (500, 400))?;
    for (round, place) in [(300, 200), (331, 209), (0, 0), (5, 7)]
        .into_iter()
        .enumerate()
    {
        let (frame, pattern) = match round % 2 {
            0 => (&screen.back, Pattern::Gradient),
            _ => (&screen.front, Pattern::Bars),
        };
        screen.flip(frame.id, round as u64)?;
        for step in 0..20 {
            set_cursor(screen, None, (place.0 + step, place.1 + step))?;
        }
        set_cursor(screen, None, place)?;
        screen.flip_done(round as u64)?;
        expect(monitor, "a legacy cursor", (width, height), |x, y| {
            let below = pattern.pixel(x, y, width, height);
            let (x, y) = (x as i32 - place.0, y as i32 - place.1);
            match (0..CURSOR as i32).contains(&x) && (0..CURSOR as i32).contains(&y) {
                true => over(PREMULTIPLIED, cursor_pixel(x as u32, y as u32), below),
                false => below,
            }
        })?;
    }
    hide_cursor(screen)?;
    expect_pattern(screen, monitor, "after the legacy cursor", Pattern::Bars)
}

/// The screen of a panic is seen, whichever part of the memory is shown, and can be drawn over.
pub fn panic_screen(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let trigger = folder_of_device(screen.card).map(|folder| folder.join("drm_panic_plane_0"));
    let Some(trigger) = trigger.filter(|trigger| trigger.exists()) else {
        return skip("there is no panic screen, or the kernel is built without DRM_PANIC_DEBUG");
    };
    for (frame, pattern) in [
        (&screen.back, Pattern::Gradient),
        (&screen.front, Pattern::Bars),
    ] {
        fs::write(&trigger, "1").what("write to drm_panic_plane_0")?;
        let dump = monitor.screendump()?;
        let of = |color| dump.pixels().filter(|pixel| *pixel == color).count();
        let (text, all) = (of(0xff_ffff), dump.pixels().count());
        if text < 500 || text + of(0) != all {
            return fail(format!(
                "{text} of {all} pixels are text, {} are not",
                of(0)
            ));
        }
        screen.flip(frame.id, 1)?;
        screen.flip_done(1)?;
        expect_pattern(screen, monitor, "after the panic", pattern)?;
    }
    Ok(())
}
