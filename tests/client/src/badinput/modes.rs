// SPDX-License-Identifier: GPL-2.0

//! Modes that no display has.

use drm_sys::*;
use rustix::io::Errno;

use super::rejected;
use crate::atomic::{Blob, Request, ALLOW_MODESET};
use crate::buffer::Frame;
use crate::card::address;
use crate::output::Screen;
use crate::raw;
use crate::testlist::{accepted_or, fail, refused, risky, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("mode-clock-zero", clock_zero),
    test("mode-clock-above-int-max", clock_above_int_max),
    risky("mode-clock-int-max", ENDLESS, clock_int_max),
    // C vkms then has no vblanks at all: its flips time out.
    test("mode-frame-below-a-nanosecond", frame_too_short),
    test("mode-frame-of-minutes", frame_too_long),
    test("mode-size-zero", size_zero),
    test("mode-timings-out-of-order", timings_out_of_order),
    test("mode-unknown-flags", unknown_flags),
    test("mode-larger-than-limits", larger_than_limits),
    test("mode-larger-than-fb", larger_than_fb),
    test("mode-odd-flags", odd_flags),
    test("mode-vrefresh-absurd", vrefresh_absurd),
    test("mode-name-not-terminated", name_not_terminated),
    test("mode-legacy-bad", legacy_bad),
];

/// With a frame shorter than its handling, C vkms's vblank timer never lets go of the CPU where timers are fine enough;
/// rvkms must refuse such a mode or survive it.
const ENDLESS: &str = "its vblank timer may never end";

/// Changes the normal mode and expects it to be refused.
fn bad(screen: &Screen<'_>, what: &str, alter: impl Fn(&mut drm_mode_modeinfo)) -> Verdict {
    let mut mode = screen.mode;
    alter(&mut mode);
    let blob = Blob::of_mode(screen.card, &mode)?;
    let request = Request::new().set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?;
    rejected(screen, what, &request, &[Errno::INVAL, Errno::RANGE])
}

/// Changes the normal mode; it may be refused, and if it is taken the output must go on: a flip in it if it is slow
/// enough for that, and the normal mode again afterwards (the test runner sees to that).
fn odd(
    screen: &Screen<'_>,
    what: &str,
    flips: bool,
    alter: impl Fn(&mut drm_mode_modeinfo),
) -> Verdict {
    let mut mode = screen.mode;
    alter(&mut mode);
    let blob = Blob::of_mode(screen.card, &mode)?;
    let request = Request::new().set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?;
    let result = request.commit(screen.card, ALLOW_MODESET);
    let allowed = [Errno::INVAL, Errno::RANGE, Errno::NOSPC];
    if accepted_or(what, result, &allowed)?.is_some() && flips {
        screen.check_alive()?;
    }
    Ok(screen.restore()?)
}

fn clock_zero(screen: &Screen<'_>) -> Verdict {
    bad(screen, "clock 0", |mode| mode.clock = 0)
}

fn clock_above_int_max(screen: &Screen<'_>) -> Verdict {
    for clock in [1 << 31, u32::MAX] {
        bad(screen, &format!("clock {clock}"), |mode| mode.clock = clock)?;
    }
    Ok(())
}

fn clock_int_max(screen: &Screen<'_>) -> Verdict {
    odd(screen, "clock INT_MAX", true, |mode| {
        mode.clock = i32::MAX as u32
    })?;
    // 100 pixels: a frame of 46 ns.
    odd(screen, "10x10 at clock INT_MAX", true, |mode| {
        small_mode(mode, 10)
    })
}

/// A square mode without blanking at the highest clock.
fn small_mode(mode: &mut drm_mode_modeinfo, size: u16) {
    mode.clock = i32::MAX as u32;
    (mode.hdisplay, mode.hsync_start) = (size, size);
    (mode.hsync_end, mode.htotal) = (size, size);
    (mode.vdisplay, mode.vsync_start) = (size, size);
    (mode.vsync_end, mode.vtotal) = (size, size);
}

fn frame_too_short(screen: &Screen<'_>) -> Verdict {
    // One pixel at the highest clock: the frame's duration rounds down to 0 ns.
    odd(screen, "a frame of 0 ns", true, |mode| small_mode(mode, 1))
}

fn frame_too_long(screen: &Screen<'_>) -> Verdict {
    // 65535 x 65535 pixels at 1 kHz: 71 minutes, and the number of pixels does not fit in 31 bits. Only leaving the
    // mode is tried; an event of it nobody can wait for.
    for clock in [1, 10] {
        odd(screen, &format!("clock {clock} kHz"), false, |mode| {
            mode.clock = clock;
            mode.htotal = u16::MAX;
            mode.vtotal = u16::MAX;
        })?;
    }
    Ok(())
}

fn size_zero(screen: &Screen<'_>) -> Verdict {
    bad(screen, "all zero", |mode| {
        *mode = drm_mode_modeinfo::default()
    })?;
    bad(screen, "hdisplay 0", |mode| mode.hdisplay = 0)?;
    bad(screen, "vdisplay 0", |mode| mode.vdisplay = 0)?;
    bad(screen, "htotal 0", |mode| mode.htotal = 0)?;
    bad(screen, "vtotal 0", |mode| mode.vtotal = 0)
}

fn timings_out_of_order(screen: &Screen<'_>) -> Verdict {
    bad(screen, "hsync before the end of the line", |mode| {
        mode.hsync_start = mode.hdisplay - 1
    })?;
    bad(screen, "hsync ends before it starts", |mode| {
        mode.hsync_end = mode.hsync_start - 1
    })?;
    bad(screen, "htotal before hsync ends", |mode| {
        mode.htotal = mode.hsync_end - 1
    })?;
    bad(screen, "vsync before the last line", |mode| {
        mode.vsync_start = mode.vdisplay - 1
    })?;
    bad(screen, "vsync ends before it starts", |mode| {
        mode.vsync_end = mode.vsync_start - 1
    })?;
    bad(screen, "vtotal before vsync ends", |mode| {
        mode.vtotal = mode.vsync_end - 1
    })
}

fn unknown_flags(screen: &Screen<'_>) -> Verdict {
    for flags in [1 << 31, 1 << 25, u32::MAX, 0xf << 19] {
        bad(screen, &format!("flags {flags:#x}"), |mode| {
            mode.flags = flags
        })?;
    }
    Ok(())
}

fn larger_than_limits(screen: &Screen<'_>) -> Verdict {
    // No framebuffer can fill it, so it is set with a small plane.
    let request = |size: u16, clock: u32| -> Result<_, crate::error::Error> {
        let mut mode = screen.mode;
        small_mode(&mut mode, size);
        mode.clock = clock;
        Blob::of_mode(screen.card, &mode)
    };
    // The last one has more than one frame a second.
    for (size, clock) in [
        (u16::MAX, screen.mode.clock),
        (32768, screen.mode.clock),
        (32767, screen.mode.clock),
        (8193, 600_000),
    ] {
        let blob = request(size, clock)?;
        let result = Request::new()
            .set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?
            .commit(screen.card, ALLOW_MODESET);
        if result.is_ok() && screen.card.driver == "rvkms" {
            return fail(format!("a mode of {size}x{size} is taken"));
        }
        accepted_or(
            &format!("a mode of {size}x{size}"),
            result,
            &[Errno::INVAL, Errno::RANGE, Errno::NOSPC, Errno::NOMEM],
        )?;
        screen.restore()?;
    }
    Ok(())
}

fn larger_than_fb(screen: &Screen<'_>) -> Verdict {
    // The primary plane covers only a part: accepted or refused, but never read past the framebuffer's end.
    let frame = Frame::new(screen.card, 64, 64)?;
    let request = screen.plane(screen.output.primary, frame.id, (0, 0), (64, 64))?;
    let result = request.commit(screen.card, ALLOW_MODESET);
    accepted_or(
        "a primary plane of 64x64",
        result,
        &[Errno::INVAL, Errno::RANGE],
    )?;
    screen.restore()?;
    let (width, height) = screen.size();
    let request = screen.plane(screen.output.primary, frame.id, (0, 0), (width, height))?;
    rejected(
        screen,
        "a framebuffer of 64x64 as full screen",
        &request,
        &[Errno::NOSPC],
    )
}

fn odd_flags(screen: &Screen<'_>) -> Verdict {
    for (what, flags) in [
        ("interlaced", DRM_MODE_FLAG_INTERLACE),
        ("double scan", DRM_MODE_FLAG_DBLSCAN),
        ("double clock", DRM_MODE_FLAG_DBLCLK),
        ("3D frame packing", 1 << 14),
        ("all sync flags", 0x3ff),
    ] {
        odd(screen, what, true, |mode| mode.flags = flags)?;
    }
    odd(screen, "hskew", true, |mode| mode.hskew = u16::MAX)
}

fn vrefresh_absurd(screen: &Screen<'_>) -> Verdict {
    odd(screen, "vrefresh INT_MAX", true, |mode| {
        mode.vrefresh = i32::MAX as u32
    })?;
    bad(screen, "vrefresh above INT_MAX", |mode| {
        mode.vrefresh = u32::MAX
    })?;
    // A scan of many lines divides the refresh rate; 0 and 1 mean the same.
    odd(screen, "vscan 100", false, |mode| mode.vscan = 100)?;
    odd(screen, "vscan 65535", false, |mode| mode.vscan = u16::MAX)
}

fn name_not_terminated(screen: &Screen<'_>) -> Verdict {
    odd(screen, "a name of 32 letters", true, |mode| {
        mode.name = [b'%' as _; 32]
    })
}

fn legacy_bad(screen: &Screen<'_>) -> Verdict {
    let mut connectors = [screen.output.connector];
    let valid = drm_mode_crtc {
        set_connectors_ptr: address(&mut connectors),
        count_connectors: 1,
        crtc_id: screen.output.crtc,
        fb_id: screen.front.id,
        mode_valid: 1,
        mode: screen.mode,
        ..Default::default()
    };
    let set = |mut argument: drm_mode_crtc| {
        // SAFETY: the kernel only reads the connectors.
        unsafe { raw::call(screen.card.fd(), raw::SET_CRTC, &mut argument) }
    };
    let with = |alter: &dyn Fn(&mut drm_mode_crtc)| {
        let mut argument = valid;
        alter(&mut argument);
        set(argument)
    };
    let range = [Errno::RANGE, Errno::INVAL];
    refused(
        "SETCRTC, no CRTC",
        with(&|a| a.crtc_id = 0),
        &[Errno::NOENT],
    )?;
    refused(
        "SETCRTC, bad fb",
        with(&|a| a.fb_id = 0x7fff),
        &[Errno::NOENT],
    )?;
    refused(
        "SETCRTC, x past the fb",
        with(&|a| a.x = 64),
        &[Errno::NOSPC],
    )?;
    refused("SETCRTC, x of 32 bits", with(&|a| a.x = u32::MAX), &range)?;
    refused("SETCRTC, y of 17 bits", with(&|a| a.y = 1 << 16), &range)?;
    refused("SETCRTC, clock 0", with(&|a| a.mode.clock = 0), &range)?;
    refused(
        "SETCRTC, clock above INT_MAX",
        with(&|a| a.mode.clock = 1 << 31),
        &range,
    )?;
    refused(
        "SETCRTC, no connector",
        with(&|a| a.count_connectors = 0),
        &[Errno::INVAL],
    )?;
    refused(
        "SETCRTC, connectors without a mode",
        with(&|a| (a.mode_valid, a.fb_id) = (0, 0)),
        &[Errno::INVAL],
    )?;
    refused(
        "SETCRTC, too many connectors",
        with(&|a| a.count_connectors = u32::MAX),
        &[Errno::INVAL, Errno::NOMEM],
    )?;
    refused(
        "SETCRTC, connectors at a bad address",
        with(&|a| a.set_connectors_ptr = 8),
        &[Errno::FAULT],
    )?;
    let mut crtcs = [screen.output.crtc];
    let wrong = address(&mut crtcs);
    refused(
        "SETCRTC, bad connector",
        with(&|a| a.set_connectors_ptr = wrong),
        &[Errno::NOENT],
    )
}
