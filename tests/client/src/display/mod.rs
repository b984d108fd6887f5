// SPDX-License-Identifier: GPL-2.0

//! `display`: does a display of QEMU show what was drawn, pixel by pixel?

mod changes;
pub mod console;
mod monitor;
mod rotations;
mod suspend;

use std::path::Path;

use drm_fourcc::DrmFourcc;
use drm_sys::*;

use crate::atomic::{Blob, Request, ALLOW_MODESET};
use crate::buffer::{add_fb2, fb_argument, remove_fb, Dumb, Frame};
use crate::card::{address, Card};
use crate::error::{Error, What};
use crate::options::Options;
use crate::output::Screen;
use crate::pattern::Pattern;
use crate::raw;
use crate::testlist::{fail, skip, Stop, Tally, Verdict};

use monitor::Monitor;

/// Where QEMU leaves its pictures; the same folder for the guest and for QEMU.
const FOLDER: &str = "/rvkms/build/guest/display";

type Test = fn(&Screen<'_>, &Monitor) -> Verdict;

const TESTS: &[(&str, Test)] = &[
    ("display-frames", frames),
    ("display-front-buffer", front_buffer),
    ("display-formats", formats),
    ("display-part-of-framebuffer", part_of_framebuffer),
    ("display-cursor", cursor),
    ("display-cursor-blend-modes", cursor_blend_modes),
    ("display-rotation", rotations::picture),
    ("display-rotation-of-cursor", rotations::cursor),
    ("display-gamma", gamma),
    ("display-legacy-gamma", legacy_gamma),
    ("display-off", off),
    ("display-legacy-cursor", changes::legacy_cursor),
    ("display-damage", changes::damage),
    ("display-damage-of-part", changes::damage_of_part),
    ("display-async-flips", changes::async_flips),
    ("display-panic-screen", changes::panic_screen),
    ("display-modes", modes),
    ("display-suspend", suspend::suspend),
    ("display-reset", suspend::reset),
];

/// Runs the subcommand.
pub fn run(card: &Card, port: &Path, options: &Options) -> Result<Tally, Error> {
    let monitor = Monitor::open(port, Path::new(FOLDER))?;
    let screen = Screen::new(card)?;
    let mut tally = Tally::default();
    for (name, test) in TESTS {
        if name.contains(&options.choice.filter) {
            let verdict = test(&screen, &monitor);
            let after = screen.restore().and_then(|()| screen.check_alive());
            tally.record(name, verdict.and(after.map_err(Stop::from)));
        }
    }
    Ok(tally)
}

/// Expects a picture, of pixels 0xrrggbb.
fn expect(
    monitor: &Monitor,
    what: &str,
    (width, height): (u32, u32),
    pixel: impl Fn(u32, u32) -> u32,
) -> Verdict {
    let dump = monitor.screendump()?;
    if (dump.width, dump.height) != (width, height) {
        return fail(format!(
            "{what}: the display has {}x{} pixels, not {width}x{height}",
            dump.width, dump.height
        ));
    }
    let mut wrong = 0;
    let mut first = None;
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    for ((x, y), seen) in places.zip(dump.pixels()) {
        let wanted = pixel(x, y) & 0xff_ffff;
        if seen != wanted {
            wrong += 1;
            first.get_or_insert((x, y, seen, wanted));
        }
    }
    match first {
        None => Ok(()),
        Some((x, y, seen, wanted)) => fail(format!(
            "{what}: {wrong} pixels differ; the first is {seen:06x} at {x},{y}, not {wanted:06x}"
        )),
    }
}

/// Expects one of the test pictures.
fn expect_pattern(screen: &Screen<'_>, monitor: &Monitor, what: &str, pattern: Pattern) -> Verdict {
    let (width, height) = screen.size();
    expect(monitor, what, (width, height), |x, y| {
        pattern.pixel(x, y, width, height)
    })
}

/// Each frame is shown, whichever part of the memory it is in.
fn frames(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    for round in 0..3 {
        for (frame, pattern) in [
            (&screen.back, Pattern::Gradient),
            (&screen.front, Pattern::Bars),
        ] {
            screen.flip(frame.id, round)?;
            screen.flip_done(round)?;
            expect_pattern(screen, monitor, "after a flip", pattern)?;
        }
    }
    Ok(())
}

/// What is drawn into the buffer that is shown is seen once that was said.
fn front_buffer(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let frame = Frame::new(screen.card, width, height)?;
    frame.draw(|x, y| Pattern::Bars.pixel(x, y, width, height))?;
    screen.flip(frame.id, 1)?;
    screen.flip_done(1)?;
    let inside = |x: u32, y: u32| (64..128).contains(&x) && (32..96).contains(&y);
    let mixed = |x, y| match inside(x, y) {
        true => Pattern::Gradient.pixel(x, y, width, height),
        false => Pattern::Bars.pixel(x, y, width, height),
    };
    frame.draw(mixed)?;
    let mut clip = drm_clip_rect {
        x1: 64,
        y1: 32,
        x2: 128,
        y2: 96,
    };
    let mut argument = drm_mode_fb_dirty_cmd {
        fb_id: frame.id,
        num_clips: 1,
        clips_ptr: (&raw mut clip) as u64,
        ..Default::default()
    };
    // SAFETY: there is one rectangle, as said, which the kernel only reads.
    match unsafe { raw::call(screen.card.fd(), raw::DIRTY_FB, &mut argument) } {
        Err(rustix::io::Errno::NOSYS) => {
            return skip("framebuffers of this driver cannot be dirty")
        }
        result => result.what("DIRTYFB")?,
    }
    expect(monitor, "a changed part", (width, height), mixed)
}

/// The pixel of a format that is nearest to an XRGB8888 one, and what it is shown as.
fn reduce(format: DrmFourcc, pixel: u32) -> (u32, u32) {
    let [_, red, green, blue] = pixel.to_be_bytes().map(u32::from);
    let widen = |value: u32, bits: u32| (value << (8 - bits)) | (value >> (2 * bits - 8));
    match format {
        DrmFourcc::Rgb565 => {
            let (red, green, blue) = (red >> 3, green >> 2, blue >> 3);
            (
                (red << 11) | (green << 5) | blue,
                (widen(red, 5) << 16) | (widen(green, 6) << 8) | widen(blue, 5),
            )
        }
        DrmFourcc::Xrgb2101010 => (
            (red << 22) | (green << 12) | (blue << 2) | 0x0010_0401,
            pixel,
        ),
        _ => (pixel, pixel),
    }
}

/// Each format of the primary plane is converted.
fn formats(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let all = crate::output::plane_formats(screen.card, screen.output.primary)?;
    for format in all {
        let (format, bits) = match DrmFourcc::try_from(format) {
            Ok(format @ DrmFourcc::Rgb565) => (format, 16),
            Ok(format @ DrmFourcc::Rgb888) => (format, 24),
            Ok(format @ (DrmFourcc::Xrgb8888 | DrmFourcc::Argb8888 | DrmFourcc::Xrgb2101010)) => {
                (format, 32)
            }
            _ => return fail(format!("the format {format:#x} has no test")),
        };
        let bytes = bits as usize / 8;
        let buffer = Dumb::new(screen.card, width, height, bits)?;
        let mut mapping = buffer.map()?;
        let pattern = |x, y| Pattern::Gradient.pixel(x, y, width, height);
        for y in 0..height {
            let line = y as usize * buffer.pitch as usize;
            for x in 0..width {
                let place = line + x as usize * bytes;
                let pixel = reduce(format, pattern(x, y)).0.to_le_bytes();
                mapping.bytes_mut()[place..place + bytes].copy_from_slice(&pixel[..bytes]);
            }
        }
        let fb = add_fb2(screen.card, fb_argument(&buffer, width, height, format))
            .what(format!("ADDFB2 {format}"))?;
        screen.flip(fb, 1)?;
        screen.flip_done(1)?;
        expect(monitor, &format.to_string(), (width, height), |x, y| {
            reduce(format, pattern(x, y)).1
        })?;
        screen.restore()?;
        remove_fb(screen.card, fb).what("RMFB")?;
    }
    Ok(())
}

/// A framebuffer that is larger than the display shows its part.
fn part_of_framebuffer(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let (all_width, all_height) = (width + 56, height + 40);
    let frame = Frame::new(screen.card, all_width, all_height)?;
    let pattern = |x, y| Pattern::Gradient.pixel(x, y, all_width, all_height);
    frame.draw(pattern)?;
    for (left, top) in [(0, 0), (56, 40), (13, 7)] {
        screen
            .plane(screen.output.primary, frame.id, (0, 0), (width, height))?
            .set(
                screen.card,
                screen.output.primary,
                "SRC_X",
                u64::from(left) << 16,
            )?
            .set(
                screen.card,
                screen.output.primary,
                "SRC_Y",
                u64::from(top) << 16,
            )?
            .commit(screen.card, 0)
            .what("commit of a part")?;
        expect(monitor, "a part", (width, height), |x, y| {
            pattern(x + left, y + top)
        })?;
    }
    Ok(())
}

const CURSOR: u32 = 64;

/// The blend mode of cursors, unless something else is asked for.
const PREMULTIPLIED: &str = "Pre-multiplied";

/// A pixel of a cursor with all kinds of alpha, premultiplied.
fn cursor_pixel(x: u32, y: u32) -> u32 {
    let alpha = x * 255 / (CURSOR - 1);
    let (red, green) = (alpha * y / CURSOR, alpha / 2);
    (alpha << 24) | (red << 16) | (green << 8) | alpha
}

/// What is seen of a pixel over another one.
fn over(mode: &str, above: u32, below: u32) -> u32 {
    let [alpha, above @ ..] = above.to_be_bytes().map(u32::from);
    let [_, below @ ..] = below.to_be_bytes().map(u32::from);
    let scaled = |value: u32, factor: u32| (value * factor + 127) / 255;
    let mut pixel = 0;
    for (above, below) in above.into_iter().zip(below) {
        let value = match mode {
            "None" => above,
            "Coverage" => scaled(above, alpha) + scaled(below, 255 - alpha),
            _ => above + scaled(below, 255 - alpha),
        };
        pixel = (pixel << 8) | value.min(255);
    }
    pixel
}

/// The cursor is over the picture, wherever it is, and what was under it comes back.
fn cursor(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let Some(plane) = screen.output.cursor else {
        return skip("there is no cursor plane");
    };
    let frame = Frame::with_format(screen.card, CURSOR, CURSOR, DrmFourcc::Argb8888)?;
    frame.draw(cursor_pixel)?;
    let (right, bottom) = (width as i32 - 20, height as i32 - 30);
    for place in [
        (100, 50),
        (103, 49),
        (-20, -30),
        (right, bottom),
        (-10, bottom),
    ] {
        screen
            .plane(plane, frame.id, place, (CURSOR, CURSOR))?
            .commit(screen.card, 0)
            .what("commit of the cursor")?;
        expect(monitor, "a cursor", (width, height), |x, y| {
            let below = Pattern::Bars.pixel(x, y, width, height);
            let (left, top) = (x as i32 - place.0, y as i32 - place.1);
            match (u32::try_from(left), u32::try_from(top)) {
                (Ok(left), Ok(top)) if left < CURSOR && top < CURSOR => {
                    over(PREMULTIPLIED, cursor_pixel(left, top), below)
                }
                _ => below,
            }
        })?;
    }
    // A frame under a cursor that stays.
    screen.flip(screen.back.id, 1)?;
    screen.flip_done(1)?;
    let gone = Request::new().set(screen.card, plane, "FB_ID", 0)?.set(
        screen.card,
        plane,
        "CRTC_ID",
        0,
    )?;
    gone.commit(screen.card, 0)
        .what("commit without a cursor")?;
    expect_pattern(screen, monitor, "after the cursor", Pattern::Gradient)
}

/// Alpha is used as the property says.
fn cursor_blend_modes(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let Some(plane) = screen.output.cursor else {
        return skip("there is no cursor plane");
    };
    let modes = screen
        .card
        .property_id(plane, "pixel blend mode")
        .and_then(|id| screen.card.properties.get(&id));
    let Some(modes) = modes else {
        return skip("there are no blend modes");
    };
    let frame = Frame::with_format(screen.card, CURSOR, CURSOR, DrmFourcc::Argb8888)?;
    frame.draw(cursor_pixel)?;
    // The last one is what other tests expect.
    let mut modes: Vec<_> = modes.enums.iter().collect();
    modes.sort_by_key(|(_, mode)| *mode == PREMULTIPLIED);
    for (value, mode) in modes {
        screen
            .plane(plane, frame.id, (8, 8), (CURSOR, CURSOR))?
            .set(screen.card, plane, "pixel blend mode", *value)?
            .commit(screen.card, 0)
            .what("commit of the cursor")?;
        expect(monitor, mode, (width, height), |x, y| {
            let below = Pattern::Bars.pixel(x, y, width, height);
            match (8..8 + CURSOR).contains(&x) && (8..8 + CURSOR).contains(&y) {
                true => over(mode, cursor_pixel(x - 8, y - 8), below),
                false => below,
            }
        })?;
    }
    Ok(())
}

/// The gamma table is applied.
fn gamma(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let crtc = screen.output.crtc;
    if screen.card.property_id(crtc, "GAMMA_LUT").is_none() {
        return skip("there is no gamma table");
    }
    let size = screen.card.value(crtc, "GAMMA_LUT_SIZE")?;
    // Inverted, and green alone at half of its strength.
    let table: Vec<u8> = (0..size)
        .flat_map(|index| {
            let inverse = (0xffff - index * 0xffff / (size - 1)) as u16;
            [inverse, inverse / 2, inverse, 0]
        })
        .flat_map(u16::to_le_bytes)
        .collect();
    let blob = Blob::new(screen.card, &table)?;
    Request::new()
        .set(screen.card, crtc, "GAMMA_LUT", blob.id.into())?
        .commit(screen.card, 0)
        .what("commit of a gamma table")?;
    expect(monitor, "with gamma", (width, height), |x, y| {
        let pixel = Pattern::Bars.pixel(x, y, width, height);
        let [_, red, green, blue] = pixel.to_be_bytes().map(|value| 255 - u32::from(value));
        let half = (green * 257 / 2 * 255 + 0x7fff) / 0xffff;
        (red << 16) | (half << 8) | blue
    })
}

/// So is one that is set in the legacy interface.
fn legacy_gamma(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (width, height) = screen.size();
    let crtc = screen.output.crtc;
    if screen.card.property_id(crtc, "GAMMA_LUT").is_none() {
        return skip("there is no gamma table");
    }
    let mut inverse: Vec<u16> = (0..256).map(|index| 0xffff - index * 257).collect();
    let table = address(&mut inverse);
    let mut argument = drm_mode_crtc_lut {
        crtc_id: crtc,
        gamma_size: 256,
        red: table,
        green: table,
        blue: table,
    };
    // SAFETY: the kernel only reads the three arrays, which have 256 numbers.
    unsafe { raw::call(screen.card.fd(), raw::SET_GAMMA, &mut argument) }.what("legacy gamma")?;
    expect(monitor, "with legacy gamma", (width, height), |x, y| {
        0xff_ffff - (Pattern::Bars.pixel(x, y, width, height) & 0xff_ffff)
    })
}

/// A display that is off is dark.
fn off(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    Request::new()
        .set(screen.card, screen.output.crtc, "ACTIVE", 0)?
        .commit(screen.card, ALLOW_MODESET)
        .what("commit that turns the CRTC off")?;
    let dump = monitor.screendump()?;
    if dump.pixels().any(|pixel| pixel != 0) {
        return fail("something is to be seen");
    }
    Request::new()
        .set(screen.card, screen.output.crtc, "ACTIVE", 1)?
        .commit(screen.card, ALLOW_MODESET)
        .what("commit that turns the CRTC on")?;
    expect_pattern(screen, monitor, "after it was off", Pattern::Bars)
}

/// All modes can be set, and show all of their pixels.
fn modes(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let mut sizes = Vec::new();
    for mode in &screen.output.modes {
        let (width, height) = (mode.hdisplay.into(), mode.vdisplay.into());
        if sizes.contains(&(width, height)) {
            continue;
        }
        sizes.push((width, height));
        let pattern = |x, y| Pattern::Gradient.pixel(x, y, width, height);
        let frame = Frame::new(screen.card, width, height)?;
        frame.draw(pattern)?;
        let blob = Blob::of_mode(screen.card, mode)?;
        screen
            .plane(screen.output.primary, frame.id, (0, 0), (width, height))?
            .set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?
            .commit(screen.card, ALLOW_MODESET)
            .what(format!("commit of {width}x{height}"))?;
        expect(monitor, "in the mode", (width, height), pattern)?;
        screen.restore()?;
    }
    println!("# {} sizes", sizes.len());
    Ok(())
}
