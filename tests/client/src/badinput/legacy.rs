// SPDX-License-Identifier: GPL-2.0

//! The legacy cursor and plane calls.

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::buffer::{Dumb, Frame};
use crate::error::What;
use crate::output::Screen;
use crate::raw;
use crate::testlist::{accepted_or, refused, skip, test, Stop, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("cursor-bad-arguments", cursor_bad_arguments),
    test("cursor-too-large", cursor_too_large),
    test("cursor-buffer-too-small", cursor_buffer_too_small),
    test("cursor-huge-coordinates", cursor_huge_coordinates),
    test("cursor-buffer-freed-while-shown", cursor_buffer_freed),
    test("setplane-bad-arguments", setplane_bad_arguments),
    test("setplane-out-of-range", setplane_out_of_range),
];

const SET: u32 = DRM_MODE_CURSOR_BO;
const MOVE: u32 = DRM_MODE_CURSOR_MOVE;

fn need_cursor(screen: &Screen<'_>) -> Result<u32, Stop> {
    match screen.output.cursor {
        Some(plane) => Ok(plane),
        None => skip("there is no cursor plane"),
    }
}

fn cursor(screen: &Screen<'_>, flags: u32, handle: u32, size: (u32, u32)) -> Result<(), Errno> {
    let mut argument = drm_mode_cursor2 {
        flags,
        crtc_id: screen.output.crtc,
        width: size.0,
        height: size.1,
        handle,
        ..Default::default()
    };
    screen.card.call(raw::CURSOR2, &mut argument)
}

fn cursor_bad_arguments(screen: &Screen<'_>) -> Verdict {
    need_cursor(screen)?;
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let size = (64, 64);
    refused(
        "no flags",
        cursor(screen, 0, buffer.handle, size),
        &[Errno::INVAL],
    )?;
    refused(
        "all flags",
        cursor(screen, u32::MAX, buffer.handle, size),
        &[Errno::INVAL],
    )?;
    refused(
        "a bad handle",
        cursor(screen, SET, 0x7fff, size),
        &[Errno::NOENT],
    )?;
    let mut argument = drm_mode_cursor {
        flags: SET,
        crtc_id: screen.output.primary,
        width: 64,
        height: 64,
        handle: buffer.handle,
        ..Default::default()
    };
    let result = screen.card.call(raw::CURSOR, &mut argument);
    refused("a plane as CRTC", result, &[Errno::NOENT])
}

fn cursor_too_large(screen: &Screen<'_>) -> Verdict {
    need_cursor(screen)?;
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let (width, height) = (screen.card.limits.width.1, screen.card.limits.height.1);
    for size in [
        (width + 1, 64),
        (64, height + 1),
        (u32::MAX, u32::MAX),
        (1 << 30, 1),
        (1 << 30, 64),
        (0, 0),
        (0, 64),
    ] {
        refused(
            &format!("a cursor of {}x{}", size.0, size.1),
            cursor(screen, SET, buffer.handle, size),
            &[Errno::INVAL, Errno::RANGE],
        )?;
    }
    Ok(())
}

fn cursor_buffer_too_small(screen: &Screen<'_>) -> Verdict {
    need_cursor(screen)?;
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    refused(
        "a cursor larger than its buffer",
        cursor(screen, SET, buffer.handle, (512, 512)),
        &[Errno::INVAL],
    )
}

fn move_to(screen: &Screen<'_>, x: i32, y: i32) -> Result<(), Errno> {
    let mut argument = drm_mode_cursor {
        flags: MOVE,
        crtc_id: screen.output.crtc,
        x,
        y,
        ..Default::default()
    };
    screen.card.call(raw::CURSOR, &mut argument)
}

fn cursor_huge_coordinates(screen: &Screen<'_>) -> Verdict {
    need_cursor(screen)?;
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    cursor(screen, SET, buffer.handle, (64, 64)).what("SETCURSOR")?;
    for (x, y) in [
        (i32::MAX, i32::MAX),
        (i32::MIN, i32::MIN),
        (i32::MAX - 64, 0),
        (0, i32::MIN),
        (-64, -64),
        (32767, 32768),
    ] {
        accepted_or(
            &format!("a cursor at {x},{y}"),
            move_to(screen, x, y),
            &[Errno::RANGE, Errno::INVAL],
        )?;
    }
    move_to(screen, 10, 10).what("moving the cursor back")?;
    screen.check_alive()?;
    cursor(screen, SET, 0, (0, 0)).what("taking the cursor away")?;
    Ok(())
}

fn cursor_buffer_freed(screen: &Screen<'_>) -> Verdict {
    need_cursor(screen)?;
    for round in 0..50 {
        let buffer = Dumb::new(screen.card, 64, 64, 32)?;
        buffer.map()?.bytes_mut().fill(round as u8);
        cursor(screen, SET, buffer.handle, (64, 64)).what("SETCURSOR")?;
        drop(buffer);
        move_to(screen, round * 7, round * 3).what("moving a cursor whose handle is closed")?;
    }
    cursor(screen, SET, 0, (0, 0)).what("taking the cursor away")?;
    Ok(())
}

/// A plane other than the primary one, else the primary one.
fn some_plane(screen: &Screen<'_>) -> u32 {
    let output = &screen.output;
    let overlay = output.overlays.first().copied();
    overlay.or(output.cursor).unwrap_or(output.primary)
}

fn set_plane(
    screen: &Screen<'_>,
    frame: &Frame<'_>,
    alter: &dyn Fn(&mut drm_mode_set_plane),
) -> Result<(), Errno> {
    let mut argument = drm_mode_set_plane {
        plane_id: some_plane(screen),
        crtc_id: screen.output.crtc,
        fb_id: frame.id,
        crtc_w: 64,
        crtc_h: 64,
        src_w: 64 << 16,
        src_h: 64 << 16,
        ..Default::default()
    };
    alter(&mut argument);
    screen.card.call(raw::SET_PLANE, &mut argument)
}

fn setplane_bad_arguments(screen: &Screen<'_>) -> Verdict {
    let frame = Frame::with_format(screen.card, 64, 64, DrmFourcc::Argb8888)?;
    let set = |alter: &dyn Fn(&mut drm_mode_set_plane)| set_plane(screen, &frame, alter);
    let absent = [Errno::NOENT];
    refused("no plane", set(&|a| a.plane_id = 0), &absent)?;
    refused("no CRTC", set(&|a| a.crtc_id = 0x7fff), &absent)?;
    refused("a bad fb", set(&|a| a.fb_id = 0x7fff), &absent)?;
    refused(
        "a CRTC as plane",
        set(&|a| a.plane_id = screen.output.crtc),
        &absent,
    )
}

fn setplane_out_of_range(screen: &Screen<'_>) -> Verdict {
    let frame = Frame::with_format(screen.card, 64, 64, DrmFourcc::Argb8888)?;
    let set = |alter: &dyn Fn(&mut drm_mode_set_plane)| set_plane(screen, &frame, alter);
    let outside = [Errno::NOSPC];
    refused("src_x", set(&|a| a.src_x = 1), &outside)?;
    refused("src_w", set(&|a| a.src_w = u32::MAX), &outside)?;
    refused(
        "src_x and src_w that wrap",
        set(&|a| (a.src_x, a.src_w) = (u32::MAX - 0xffff, 1 << 16)),
        &outside,
    )?;
    let range = [Errno::RANGE, Errno::INVAL];
    refused("crtc_w", set(&|a| a.crtc_w = u32::MAX), &range)?;
    refused("crtc_x", set(&|a| a.crtc_x = i32::MAX), &range)?;
    refused("crtc_y", set(&|a| a.crtc_y = i32::MAX - 63), &range)?;
    accepted_or(
        "crtc_x at the lower end",
        set(&|a| (a.crtc_x, a.crtc_y) = (i32::MIN, i32::MIN)),
        &range,
    )?;
    accepted_or("scaling", set(&|a| a.crtc_w = 128), &range)?;
    Ok(())
}
