// SPDX-License-Identifier: GPL-2.0

//! What the driver offers beyond the usual, judged by the checksum of what is shown.

use std::fs;
use std::time::Duration;

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::atomic::{Blob, Request, ALLOW_MODESET, EVENT, NONBLOCK, TEST_ONLY};
use crate::buffer::{add_fb2, fb_argument, remove_fb, Dumb, Frame};
use crate::crc::{checksum, folder_of_device, Crc};
use crate::error::What;
use crate::output::{plane_formats, Screen};
use crate::pattern::Pattern;
use crate::random::Random;
use crate::raw;
use crate::testlist::{accepted_or, fail, refused, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("feature-scaling-nearest", scaling_nearest),
    test("feature-scaling-filters-differ", scaling_filters_differ),
    test("feature-scaling-palette", scaling_palette),
    test("feature-palette", palette),
    test("feature-scaling-limits", scaling_limits),
    test("feature-odd-width-of-packed-yuv", odd_width_of_packed_yuv),
    test("feature-async-flips", async_flips),
    test("feature-panic-screen", panic_screen),
    test("feature-cursor-is-shown", cursor_is_shown),
    test("feature-cursor-does-not-wait", cursor_does_not_wait),
];

/// The value of `SCALING_FILTER` for the nearest pixel.
const NEAREST: u64 = 1;

/// Shows the upper left part of a framebuffer on the whole of the primary plane.
fn stretched(
    screen: &Screen<'_>,
    fb: u32,
    (width, height): (u32, u32),
    filter: u64,
) -> Result<Request, crate::error::Error> {
    let plane = screen.output.primary;
    screen
        .plane(plane, fb, (0, 0), screen.size())?
        .set(screen.card, plane, "SRC_W", u64::from(width) << 16)?
        .set(screen.card, plane, "SRC_H", u64::from(height) << 16)?
        .set(screen.card, plane, "SCALING_FILTER", filter)
}

fn can_scale(screen: &Screen<'_>) -> bool {
    let plane = screen.output.primary;
    screen.card.property_id(plane, "SCALING_FILTER").is_some()
}

/// Each pixel twice in each direction is the same, whoever does it.
fn scaling_nearest(screen: &Screen<'_>) -> Verdict {
    if !can_scale(screen) {
        return skip("planes cannot be scaled");
    }
    let (width, height) = screen.size();
    let (half_width, half_height) = (width / 2, height / 2);
    let pixel = |x, y| Pattern::Gradient.pixel(x, y, half_width, half_height) ^ (x * 7 + y * 13);
    let small = Frame::new(screen.card, half_width, half_height)?;
    let large = Frame::new(screen.card, width, height)?;
    small.draw(pixel)?;
    large.draw(|x, y| pixel(x / 2, y / 2))?;

    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    screen
        .plane(screen.output.primary, large.id, (0, 0), (width, height))?
        .commit(screen.card, 0)
        .what("commit of the large picture")?;
    let expected = crc.now()?;
    stretched(screen, small.id, (half_width, half_height), NEAREST)?
        .commit(screen.card, 0)
        .what("commit of the small picture")?;
    let found = crc.now()?;
    stretched(screen, screen.front.id, (width, height), 0)?
        .commit(screen.card, 0)
        .what("commit of the normal picture")?;
    if found != expected {
        return fail(format!("the checksum is {found}, {expected} expected"));
    }
    Ok(())
}

/// The property does something.
fn scaling_filters_differ(screen: &Screen<'_>) -> Verdict {
    if !can_scale(screen) {
        return skip("planes cannot be scaled");
    }
    let (width, height) = (screen.size().0 / 3, screen.size().1 / 3);
    let small = Frame::new(screen.card, width, height)?;
    small.draw(|x, y| Pattern::Bars.pixel(x, y, width, height))?;

    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let mut sums = Vec::new();
    for filter in [0, NEAREST] {
        stretched(screen, small.id, (width, height), filter)?
            .commit(screen.card, 0)
            .what("commit of a scaled picture")?;
        sums.push(crc.now()?);
    }
    stretched(screen, screen.front.id, screen.size(), 0)?
        .commit(screen.card, 0)
        .what("commit of the normal picture")?;
    if sums[0] == sums[1] {
        return fail("both filters give the same picture");
    }
    Ok(())
}

/// There is nothing between two entries of a palette.
fn scaling_palette(screen: &Screen<'_>) -> Verdict {
    let plane = screen.output.primary;
    if !can_scale(screen) || !plane_formats(screen.card, plane)?.contains(&(DrmFourcc::C8 as u32)) {
        return skip("there are no palettes, or planes cannot be scaled");
    }
    let size = 64;
    let buffer = Dumb::new(screen.card, size, size, 8)?;
    for (index, byte) in buffer.map()?.bytes_mut().iter_mut().enumerate() {
        *byte = (index * 37 % 256) as u8;
    }
    let id =
        add_fb2(screen.card, fb_argument(&buffer, size, size, DrmFourcc::C8)).what("ADDFB2")?;

    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let mut sums = Vec::new();
    for filter in [0, NEAREST] {
        screen
            .plane(plane, id, (0, 0), (3 * size, 3 * size))?
            .set(screen.card, plane, "SRC_W", u64::from(size) << 16)?
            .set(screen.card, plane, "SRC_H", u64::from(size) << 16)?
            .set(screen.card, plane, "SCALING_FILTER", filter)?
            .commit(screen.card, 0)
            .what("commit of a scaled picture")?;
        sums.push(crc.now()?);
    }
    stretched(screen, screen.front.id, screen.size(), 0)?
        .commit(screen.card, 0)
        .what("commit of the normal picture")?;
    remove_fb(screen.card, id).what("RMFB")?;
    if sums[0] != sums[1] {
        return fail("indices are interpolated");
    }
    Ok(())
}

/// Each index is shown as its entry of `GAMMA_LUT`.
fn palette(screen: &Screen<'_>) -> Verdict {
    let card = screen.card;
    let (plane, crtc) = (screen.output.primary, screen.output.crtc);
    if !plane_formats(card, plane)?.contains(&(DrmFourcc::C8 as u32)) {
        return skip("there are no palettes");
    }
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let (width, height) = screen.size();
    let index = |x: u32, y: u32| (x * 7 + y * 13) as u8;
    let mut random = Random::new(8);
    let entries = [(); 256].map(|()| [(); 3].map(|()| random.below(1 << 16) as u16));
    let bytes: Vec<u8> = entries
        .iter()
        .flat_map(|[red, green, blue]| [*red, *green, *blue, 0])
        .flat_map(u16::to_ne_bytes)
        .collect();
    let blob = Blob::new(card, &bytes)?;
    let buffer = Dumb::new(card, width, height, 8)?;
    let mut mapping = buffer.map()?;
    let lines = mapping.bytes_mut().chunks_exact_mut(buffer.pitch as usize);
    for (y, line) in (0..height).zip(lines) {
        for (x, byte) in (0..width).zip(line) {
            *byte = index(x, y);
        }
    }
    let id = add_fb2(card, fb_argument(&buffer, width, height, DrmFourcc::C8)).what("ADDFB2")?;

    screen
        .flip_to(id)?
        .set(card, crtc, "GAMMA_LUT", blob.id.into())?
        .commit(card, 0)
        .what("commit of a picture with a palette")?;
    let found = crc.now()?;
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let expected = checksum(places.map(|(x, y)| entries[usize::from(index(x, y))]));
    screen
        .flip_to(screen.front.id)?
        .set(card, crtc, "GAMMA_LUT", 0)?
        .commit(card, 0)
        .what("commit of the normal picture")?;
    remove_fb(card, id).what("RMFB")?;
    if found != expected {
        return fail(format!("the checksum is {found}, {expected} expected"));
    }
    Ok(())
}

/// A pixel that shares its chroma with one behind the framebuffer is like any other.
fn odd_width_of_packed_yuv(screen: &Screen<'_>) -> Verdict {
    let plane = screen.output.primary;
    if !plane_formats(screen.card, plane)?.contains(&(DrmFourcc::Yuyv as u32)) {
        return skip("the primary plane has no YUYV");
    }
    let (width, height) = (101, 64);
    let buffer = Dumb::new(screen.card, width + 1, height, 16)?;
    for (index, byte) in buffer.map()?.bytes_mut().iter_mut().enumerate() {
        *byte = (index * 7 % 256) as u8;
    }

    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let mut sums = Vec::new();
    for fb_width in [width, width + 1] {
        let mut argument = fb_argument(&buffer, fb_width, height, DrmFourcc::Yuyv);
        argument.pitches[0] = 2 * (width + 1);
        let id = add_fb2(screen.card, argument).what("ADDFB2")?;
        screen
            .plane(plane, id, (0, 0), (width, height))?
            .commit(screen.card, 0)
            .what("commit of a picture")?;
        sums.push(crc.now()?);
        screen
            .plane(plane, screen.front.id, (0, 0), screen.size())?
            .commit(screen.card, 0)
            .what("commit of the normal picture")?;
        remove_fb(screen.card, id).what("RMFB")?;
    }
    if sums[0] != sums[1] {
        return fail("the last column differs if the framebuffer ends there");
    }
    Ok(())
}

/// Eight times as large and as small, and not more.
fn scaling_limits(screen: &Screen<'_>) -> Verdict {
    if !can_scale(screen) {
        return skip("planes cannot be scaled");
    }
    let (width, height) = screen.size();
    let plane = screen.output.primary;
    let large = Frame::new(screen.card, 1024, 1024)?;
    let cases = [
        ((width / 8, height / 8), (width, height), true),
        ((width / 8 - 8, height / 8 - 8), (width, height), false),
        ((1024, 1024), (128, 128), true),
        ((1024, 1024), (120, 120), false),
    ];
    for (source, size, possible) in cases {
        let request = screen
            .plane(plane, large.id, (0, 0), size)?
            .set(screen.card, plane, "SRC_W", u64::from(source.0) << 16)?
            .set(screen.card, plane, "SRC_H", u64::from(source.1) << 16)?;
        let what = format!("{source:?} shown as {size:?}");
        let result = request.commit(screen.card, TEST_ONLY);
        if possible {
            accepted_or(&what, result, &[])?;
        } else {
            refused(&what, result, &[Errno::RANGE])?;
        }
    }
    Ok(())
}

/// The events come, and the last picture is the one that is shown.
fn async_flips(screen: &Screen<'_>) -> Verdict {
    if screen.card.capability(DRM_CAP_ASYNC_PAGE_FLIP) == 0 {
        return skip("there are no asynchronous flips");
    }
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let mut sums = Vec::new();
    for frame in [&screen.front, &screen.back] {
        screen
            .flip_to(frame.id)?
            .commit(screen.card, 0)
            .what("commit")?;
        sums.push(crc.now()?);
    }
    for round in 0..20u64 {
        let index = (round % 2) as usize;
        let frame = [&screen.front, &screen.back][index];
        screen.flip_async(frame.id, round)?;
        if round >= 18 && crc.now()? != sums[index] {
            return fail(format!("flip {round} is not to be seen"));
        }
    }
    screen
        .flip_to(screen.front.id)?
        .commit(screen.card, 0)
        .what("commit")?;
    async_flip_of_cursor(screen, &mut crc)
}

/// Other planes than the primary one can flip so, too.
fn async_flip_of_cursor(screen: &Screen<'_>, crc: &mut Crc) -> Verdict {
    let Some(cursor) = screen.output.cursor else {
        return Ok(());
    };
    let frames = [colored(screen, 0x00ff_0000)?, colored(screen, 0x0000_00ff)?];
    let mut sums = Vec::new();
    for frame in &frames {
        screen
            .plane(cursor, frame.id, (5, 5), (CURSOR, CURSOR))?
            .commit(screen.card, 0)
            .what("commit of the cursor")?;
        sums.push(crc.now()?);
    }
    Request::new()
        .set(screen.card, cursor, "FB_ID", frames[0].id.into())?
        .prepare(NONBLOCK | EVENT | DRM_MODE_PAGE_FLIP_ASYNC, 1)
        .commit(screen.card)
        .what("asynchronous flip of the cursor")?;
    screen.flip_done(1)?;
    if crc.now()? != sums[0] || sums[0] == sums[1] {
        return fail("the flip of the cursor is not to be seen");
    }
    hide_cursor(screen)?;
    Ok(())
}

/// A panic would be seen: it is drawn into the picture that is shown.
fn panic_screen(screen: &Screen<'_>) -> Verdict {
    let Some(trigger) = folder_of_device(screen.card).map(|f| f.join("drm_panic_plane_0")) else {
        return skip("there is no debugfs");
    };
    if !trigger.exists() {
        return skip("there is no panic screen, or the kernel is built without DRM_PANIC_DEBUG");
    }
    let (width, height) = screen.size();
    let frame = Frame::new(screen.card, width, height)?;
    frame.draw(|x, y| Pattern::Gradient.pixel(x, y, width, height))?;
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    screen
        .flip_to(frame.id)?
        .commit(screen.card, 0)
        .what("commit")?;
    let before = crc.now()?;
    fs::write(&trigger, "1").what("write to drm_panic_plane_0")?;
    let after = crc.now()?;
    let drawn = frame.buffer.map()?;
    let background = drawn
        .bytes()
        .chunks_exact(4)
        .filter(|pixel| pixel[..3] == [0; 3]);
    let background = background.count();
    drop(drawn);
    screen
        .flip_to(screen.front.id)?
        .commit(screen.card, 0)
        .what("commit")?;
    if before == after {
        return fail("the picture is the same as before");
    }
    if background < (width * height / 2) as usize {
        return fail(format!("only {background} pixels are background"));
    }
    Ok(())
}

/// The size of the cursor, which is a square of one colour.
const CURSOR: u32 = 64;

/// Calls the legacy interface for cursors; without a frame the cursor is only moved.
pub fn set_cursor(
    screen: &Screen<'_>,
    frame: Option<&Frame<'_>>,
    (x, y): (i32, i32),
) -> Result<(), crate::error::Error> {
    let mut argument = drm_mode_cursor {
        flags: DRM_MODE_CURSOR_MOVE,
        crtc_id: screen.output.crtc,
        x,
        y,
        ..Default::default()
    };
    if let Some(frame) = frame {
        argument.flags |= DRM_MODE_CURSOR_BO;
        argument.handle = frame.buffer.handle;
        argument.width = CURSOR;
        argument.height = CURSOR;
    }
    screen
        .card
        .call(raw::CURSOR, &mut argument)
        .what("legacy cursor")
}

pub fn hide_cursor(screen: &Screen<'_>) -> Result<(), crate::error::Error> {
    let mut argument = drm_mode_cursor {
        flags: DRM_MODE_CURSOR_BO,
        crtc_id: screen.output.crtc,
        ..Default::default()
    };
    screen
        .card
        .call(raw::CURSOR, &mut argument)
        .what("legacy cursor that is hidden")
}

/// Makes a cursor of one opaque colour.
fn colored<'c>(screen: &Screen<'c>, color: u32) -> Result<Frame<'c>, crate::error::Error> {
    let frame = Frame::with_format(screen.card, CURSOR, CURSOR, DrmFourcc::Argb8888)?;
    frame.draw(|_, _| 0xff00_0000 | color)?;
    Ok(frame)
}

/// The checksum of the front picture with a square drawn into it.
fn drawn(
    screen: &Screen<'_>,
    crc: &mut Crc,
    color: u32,
    (left, top): (i32, i32),
) -> Result<String, crate::error::Error> {
    let (width, height) = screen.size();
    let frame = Frame::new(screen.card, width, height)?;
    let inside = |start: i32, at: u32| (0..CURSOR as i32).contains(&(at as i32 - start));
    frame.draw(|x, y| match inside(left, x) && inside(top, y) {
        true => color,
        false => Pattern::Bars.pixel(x, y, width, height),
    })?;
    screen
        .flip_to(frame.id)?
        .commit(screen.card, 0)
        .what("commit of the drawn picture")?;
    let sum = crc.now()?;
    screen
        .flip_to(screen.front.id)?
        .commit(screen.card, 0)
        .what("commit")?;
    Ok(sum)
}

/// Each way to change the legacy cursor is to be seen: move, exchange, at the edges, while the CRTC
/// is off.
fn cursor_is_shown(screen: &Screen<'_>) -> Verdict {
    if screen.output.cursor.is_none() {
        return skip("there is no cursor plane");
    }
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let (width, height) = screen.size();
    let edge = (width as i32 - 10, height as i32 - 10);
    let (red, blue) = (0x00ff_0000, 0x0000_00ff);
    let places = [(0, 0), (33, 77), (-20, 50), edge, (width as i32, 0), (9, 9)];
    let plain = crc.now()?;
    let mut expected = Vec::new();
    for (color, place) in [red, blue]
        .map(|color| places.map(|place| (color, place)))
        .concat()
    {
        expected.push((color, place, drawn(screen, &mut crc, color, place)?));
    }

    let frames = [colored(screen, red)?, colored(screen, blue)?];
    for (color, place, sum) in &expected {
        let frame = &frames[usize::from(*color == blue)];
        // Once with the picture, once by moving it to the same place.
        set_cursor(screen, Some(frame), *place)?;
        let set = crc.now()?;
        set_cursor(screen, None, (500, 500))?;
        set_cursor(screen, None, *place)?;
        let moved = crc.now()?;
        if set != *sum || moved != *sum {
            return fail(format!(
                "the cursor {color:06x} at {place:?} gives {set} when set and {moved} when moved, not {sum}"
            ));
        }
    }

    let (_, place, sum) = &expected[1];
    let active = |on| Request::new().set(screen.card, screen.output.crtc, "ACTIVE", on);
    active(0)?
        .commit(screen.card, ALLOW_MODESET)
        .what("commit that turns the CRTC off")?;
    set_cursor(screen, Some(&frames[0]), (1, 1))?;
    set_cursor(screen, None, *place)?;
    active(1)?
        .commit(screen.card, ALLOW_MODESET)
        .what("commit that turns the CRTC on")?;
    let after = crc.now()?;
    hide_cursor(screen)?;
    let hidden = crc.now()?;
    if after != *sum {
        return fail(format!("after the CRTC was off it is {after}, not {sum}"));
    }
    if hidden != plain {
        return fail(format!("without a cursor it is {hidden}, not {plain}"));
    }
    Ok(())
}

/// A cursor that is moved after a page flip does not wait for it, and both are to be seen.
fn cursor_does_not_wait(screen: &Screen<'_>) -> Verdict {
    if screen.output.cursor.is_none() {
        return skip("there is no cursor plane");
    }
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let red = 0x00ff_0000;
    let place = (40, 60);
    let sum = drawn(screen, &mut crc, red, place)?;
    let frame = colored(screen, red)?;
    let mut overtaken = 0;
    for round in 0..20 {
        let picture = [&screen.back, &screen.front][round as usize % 2];
        set_cursor(screen, Some(&frame), (500, 500))?;
        screen.flip(picture.id, round)?;
        set_cursor(screen, None, (300, 300))?;
        set_cursor(screen, None, place)?;
        // A flip may be over by now if the machine is busy, but not each time.
        if screen.card.next_event(Duration::ZERO)?.is_none() {
            overtaken += 1;
            screen.flip_done(round)?;
        }
    }
    let seen = crc.now()?;
    hide_cursor(screen)?;
    if overtaken == 0 {
        return fail("the cursor has always waited for the page flip");
    }
    if seen != sum {
        return fail(format!("the checksum is {seen}, {sum} expected"));
    }
    Ok(())
}
