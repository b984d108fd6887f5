// SPDX-License-Identifier: GPL-2.0

//! Page flips and vblank events.

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::atomic::{ALLOW_MODESET, EVENT, NONBLOCK};
use crate::buffer::Frame;
use crate::error::{name, What};
use crate::output::{plane_formats, Screen, PATIENCE};
use crate::raw;
use crate::testlist::{fail, refused, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("flip-twice-legacy", twice_legacy),
    test("flip-twice-atomic", twice_atomic),
    test("flip-disabled-crtc", disabled_crtc),
    test("flip-inactive-crtc", inactive_crtc),
    test("flip-bad-arguments", bad_arguments),
    test("flip-to-smaller-fb", to_smaller_fb),
    test("flip-to-other-format", to_other_format),
    test("flip-then-close", then_close),
    test("flip-then-off", then_off),
    test("flip-events-not-read", events_not_read),
    test("vblank-bad-arguments", vblank_bad_arguments),
    test("vblank-disabled-crtc", vblank_disabled_crtc),
    test("vblank-event-then-off", vblank_event_then_off),
    test("sequence-bad-crtc", sequence_bad_crtc),
];

fn twice_legacy(screen: &Screen<'_>) -> Verdict {
    // The second of two flips within a frame is refused; on a busy machine a frame may pass in between, so try again.
    for _ in 0..20 {
        screen
            .legacy_flip(screen.back.id, 1)
            .what("first of two flips")?;
        let second = screen.legacy_flip(screen.front.id, 2);
        screen.flip_done(1)?;
        match second {
            Err(Errno::BUSY) => return Ok(()),
            Err(errno) => return fail(format!("second flip: {}, EBUSY expected", name(errno))),
            Ok(()) => screen.flip_done(2)?,
        };
    }
    fail("20 times two flips within a frame, and none was refused")
}

fn twice_atomic(screen: &Screen<'_>) -> Verdict {
    for _ in 0..20 {
        let second = screen.flip_to(screen.front.id)?;
        screen.flip(screen.back.id, 1)?;
        let second = second.prepare(NONBLOCK | EVENT, 2).commit(screen.card);
        screen.flip_done(1)?;
        match second {
            Err(Errno::BUSY) => return Ok(()),
            Err(errno) => return fail(format!("second flip: {}, EBUSY expected", name(errno))),
            Ok(()) => screen.flip_done(2)?,
        };
    }
    fail("20 times two flips within a frame, and none was refused")
}

fn switch_off(screen: &Screen<'_>) -> Result<(), crate::error::Error> {
    screen
        .off()?
        .commit(screen.card, ALLOW_MODESET)
        .what("switching off")
}

fn disabled_crtc(screen: &Screen<'_>) -> Verdict {
    switch_off(screen)?;
    refused(
        "a legacy flip on a CRTC that is off",
        screen.legacy_flip(screen.front.id, 1),
        &[Errno::BUSY],
    )?;
    refused(
        "an atomic flip on a CRTC that is off",
        screen
            .flip_to(screen.front.id)?
            .commit(screen.card, NONBLOCK | EVENT),
        &[Errno::INVAL],
    )
}

fn inactive_crtc(screen: &Screen<'_>) -> Verdict {
    // Enabled and with all its resources, but not active: no events.
    let inactive =
        screen
            .only_primary(&screen.front)?
            .set(screen.card, screen.output.crtc, "ACTIVE", 0)?;
    inactive
        .commit(screen.card, ALLOW_MODESET)
        .what("ACTIVE off")?;
    refused(
        "an atomic flip on an inactive CRTC",
        screen
            .flip_to(screen.back.id)?
            .commit(screen.card, NONBLOCK | EVENT),
        &[Errno::INVAL],
    )?;
    refused(
        "a legacy flip on an inactive CRTC",
        screen.legacy_flip(screen.back.id, 1),
        &[Errno::INVAL, Errno::BUSY],
    )
}

fn bad_arguments(screen: &Screen<'_>) -> Verdict {
    let valid = drm_mode_crtc_page_flip {
        crtc_id: screen.output.crtc,
        fb_id: screen.back.id,
        flags: DRM_MODE_PAGE_FLIP_EVENT,
        ..Default::default()
    };
    let with = |alter: &dyn Fn(&mut drm_mode_crtc_page_flip)| {
        let mut argument = valid;
        alter(&mut argument);
        screen.card.call(raw::PAGE_FLIP, &mut argument)
    };
    refused("no CRTC", with(&|a| a.crtc_id = 0), &[Errno::NOENT])?;
    refused(
        "a plane as CRTC",
        with(&|a| a.crtc_id = screen.output.primary),
        &[Errno::NOENT],
    )?;
    refused("no fb", with(&|a| a.fb_id = 0), &[Errno::NOENT])?;
    refused(
        "a CRTC as fb",
        with(&|a| a.fb_id = screen.output.crtc),
        &[Errno::NOENT],
    )?;
    refused("all flags", with(&|a| a.flags = u32::MAX), &[Errno::INVAL])?;
    refused("reserved set", with(&|a| a.reserved = 1), &[Errno::INVAL])?;
    if screen.card.capability(DRM_CAP_ASYNC_PAGE_FLIP) == 0 {
        refused(
            "asynchronous, which the device does not do",
            with(&|a| a.flags |= DRM_MODE_PAGE_FLIP_ASYNC),
            &[Errno::INVAL],
        )?;
    }
    match screen
        .card
        .next_event(std::time::Duration::from_millis(100))?
    {
        None => Ok(()),
        Some(event) => fail(format!("a refused flip gave an event: {event:?}")),
    }
}

fn to_smaller_fb(screen: &Screen<'_>) -> Verdict {
    let small = Frame::new(screen.card, 64, 64)?;
    refused(
        "a legacy flip to 64x64",
        screen.legacy_flip(small.id, 1),
        &[Errno::NOSPC],
    )?;
    super::rejected(
        screen,
        "an atomic flip to 64x64",
        &screen.flip_to(small.id)?,
        &[Errno::NOSPC],
    )
}

fn to_other_format(screen: &Screen<'_>) -> Verdict {
    let formats = plane_formats(screen.card, screen.output.primary)?;
    let other = [DrmFourcc::Argb8888, DrmFourcc::Xbgr8888]
        .into_iter()
        .find(|format| formats.contains(&(*format as u32)));
    let Some(format) = other else {
        return skip("the primary plane has only one 32-bit format");
    };
    let (width, height) = screen.size();
    let frame = Frame::with_format(screen.card, width, height, format)?;
    refused(
        &format!("a legacy flip to {format}"),
        screen.legacy_flip(frame.id, 1),
        &[Errno::INVAL],
    )
}

fn then_close(screen: &Screen<'_>) -> Verdict {
    screen.card.drop_master()?;
    let closed = (|| {
        for _ in 0..10 {
            let card = screen.card.reopen()?;
            card.set_master()?;
            let other = Screen::new(&card)?;
            other.flip(other.back.id, 1)?;
            // The event is still to come when the file is closed, and so are the frames' last uses.
        }
        Ok(())
    })();
    screen.card.set_master()?;
    closed
}

fn then_off(screen: &Screen<'_>) -> Verdict {
    for _ in 0..10 {
        screen.flip(screen.back.id, 1)?;
        switch_off(screen)?;
        // Switching off waits for the flip; its event must have come or come at once.
        screen.flip_done(1)?;
        screen.restore()?;
    }
    Ok(())
}

fn events_not_read(screen: &Screen<'_>) -> Verdict {
    // A file holds 4096 bytes of events. Then flips are refused with ENOMEM until they are read; nothing is lost.
    let mut sent = 0;
    for number in 0..200 {
        let fb = if number % 2 == 0 {
            screen.back.id
        } else {
            screen.front.id
        };
        let start = std::time::Instant::now();
        loop {
            let flip = screen.flip_to(fb)?.prepare(NONBLOCK | EVENT, number);
            match { flip }.commit(screen.card) {
                Ok(()) => {
                    sent += 1;
                    break;
                }
                Err(Errno::BUSY) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(std::time::Duration::from_millis(2))
                }
                Err(Errno::NOMEM) => {
                    for expected in 0..sent {
                        screen.flip_done(expected)?;
                    }
                    return Ok(());
                }
                Err(errno) => return fail(format!("flip {number}: {}", name(errno))),
            }
        }
    }
    fail(format!(
        "{sent} flips without reading an event, and none refused"
    ))
}

fn wait_vblank(screen: &Screen<'_>, kind: u32, sequence: u32) -> Result<(), Errno> {
    let request = drm_wait_vblank_request {
        type_: kind as _,
        sequence,
        signal: 0,
    };
    let mut argument = drm_wait_vblank { request };
    screen.card.call(raw::WAIT_VBLANK, &mut argument)
}

const RELATIVE: u32 = 1;
const VBLANK_EVENT: u32 = 0x0400_0000;
const VBLANK_SIGNAL: u32 = 0x4000_0000;
const HIGH_CRTC_SHIFT: u32 = 1;

fn vblank_bad_arguments(screen: &Screen<'_>) -> Verdict {
    for (what, kind) in [
        ("CRTC 31", RELATIVE | (31 << HIGH_CRTC_SHIFT)),
        ("unknown flags", (1 << 7) | RELATIVE),
        ("a signal", RELATIVE | VBLANK_SIGNAL),
    ] {
        refused(
            &format!("WAIT_VBLANK, {what}"),
            wait_vblank(screen, kind, 1),
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn vblank_type(screen: &Screen<'_>) -> u32 {
    RELATIVE | ((screen.output.crtc_index as u32) << HIGH_CRTC_SHIFT)
}

fn vblank_disabled_crtc(screen: &Screen<'_>) -> Verdict {
    wait_vblank(screen, vblank_type(screen), 1).what("WAIT_VBLANK of a CRTC that is on")?;
    switch_off(screen)?;
    refused(
        "WAIT_VBLANK of a CRTC that is off",
        wait_vblank(screen, vblank_type(screen), 1),
        &[Errno::INVAL],
    )?;
    refused(
        "a vblank event of a CRTC that is off",
        wait_vblank(screen, vblank_type(screen) | VBLANK_EVENT, 1),
        &[Errno::INVAL],
    )
}

fn vblank_event_then_off(screen: &Screen<'_>) -> Verdict {
    wait_vblank(screen, vblank_type(screen) | VBLANK_EVENT, 1000).what("a vblank event")?;
    switch_off(screen)?;
    match screen.card.next_event(PATIENCE)? {
        Some(event) if event.kind == DRM_EVENT_VBLANK => Ok(()),
        other => fail(format!("switching off did not send the event ({other:?})")),
    }
}

fn sequence_bad_crtc(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.output.primary] {
        let mut argument = drm_crtc_get_sequence {
            crtc_id: id,
            ..Default::default()
        };
        let result = screen.card.call(raw::CRTC_GET_SEQUENCE, &mut argument);
        refused(&format!("GET_SEQUENCE {id}"), result, &[Errno::NOENT])?;
    }
    let mut argument = drm_crtc_queue_sequence {
        crtc_id: screen.output.crtc,
        flags: u32::MAX,
        ..Default::default()
    };
    let result = screen.card.call(raw::CRTC_QUEUE_SEQUENCE, &mut argument);
    refused("QUEUE_SEQUENCE with all flags", result, &[Errno::INVAL])
}
