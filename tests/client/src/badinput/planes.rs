// SPDX-License-Identifier: GPL-2.0

//! Planes, CRTCs and connectors: what goes where, and how large.

use drm_fourcc::DrmFourcc;
use rustix::io::Errno;

use super::rejected;
use crate::atomic::{Request, ALLOW_MODESET, TEST_ONLY};
use crate::buffer::Frame;
use crate::card::Kind;
use crate::output::{plane_crtcs, plane_formats, Screen};
use crate::testlist::{accepted_or, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("plane-fb-without-crtc", fb_without_crtc),
    test("plane-crtc-without-fb", crtc_without_fb),
    test("plane-bad-fb-id", bad_fb_id),
    test("plane-bad-crtc-id", bad_crtc_id),
    test("plane-source-outside-fb", source_outside_fb),
    test("plane-source-overflows", source_overflows),
    test("plane-source-empty", source_empty),
    test("plane-destination-overflows", destination_overflows),
    test("plane-destination-far-away", destination_far_away),
    test("plane-scaled", scaled),
    test("plane-tiny", tiny),
    test("plane-foreign-format", foreign_format),
    test("plane-foreign-crtc", foreign_crtc),
    test("plane-cursor-too-large", cursor_too_large),
    test("connector-bad-crtc", connector_bad_crtc),
    test("crtc-active-without-mode", active_without_mode),
    test("crtc-mode-without-connector", mode_without_connector),
    test("connector-without-mode", connector_without_mode),
    test("crtc-many-changes-one-bad", many_changes_one_bad),
];

/// All planes of the output that can show the frames of `screen`.
fn planes(screen: &Screen<'_>) -> Vec<u32> {
    let output = &screen.output;
    let mut planes = vec![output.primary];
    planes.extend(output.cursor);
    planes.extend(output.overlays.iter().take(2));
    planes.retain(|plane| {
        plane_formats(screen.card, *plane)
            .is_ok_and(|formats| formats.contains(&(DrmFourcc::Xrgb8888 as u32)))
    });
    planes
}

/// Tries some properties of a valid 64x64 update on each plane.
fn each(screen: &Screen<'_>, what: &str, values: &[(&str, u64)], allowed: &[Errno]) -> Verdict {
    for plane in planes(screen) {
        let mut request = screen.plane(plane, screen.back.id, (0, 0), (64, 64))?;
        for (name, value) in values {
            request = request.set(screen.card, plane, name, *value)?;
        }
        rejected(screen, &format!("plane {plane}: {what}"), &request, allowed)?;
    }
    Ok(())
}

fn fb_without_crtc(screen: &Screen<'_>) -> Verdict {
    each(screen, "no CRTC", &[("CRTC_ID", 0)], &[Errno::INVAL])
}

fn crtc_without_fb(screen: &Screen<'_>) -> Verdict {
    each(screen, "no framebuffer", &[("FB_ID", 0)], &[Errno::INVAL])
}

fn bad_fb_id(screen: &Screen<'_>) -> Verdict {
    for id in [screen.output.crtc, screen.mode_blob.id, u32::MAX] {
        let values = [("FB_ID", id.into())];
        each(screen, &format!("FB_ID {id}"), &values, &[Errno::INVAL])?;
    }
    // Object ids have 32 bits; what is cut off must not make a valid id.
    let values = [("FB_ID", (1 << 32) | u64::from(screen.front.id))];
    for plane in planes(screen) {
        let request = screen.plane(plane, screen.back.id, (0, 0), (64, 64))?.set(
            screen.card,
            plane,
            values[0].0,
            values[0].1,
        )?;
        let result = request.commit(screen.card, TEST_ONLY);
        accepted_or("FB_ID of 33 bits", result, &[Errno::INVAL])?;
    }
    Ok(())
}

fn bad_crtc_id(screen: &Screen<'_>) -> Verdict {
    for id in [screen.output.primary, screen.front.id, u32::MAX] {
        let values = [("CRTC_ID", id.into())];
        each(screen, &format!("CRTC_ID {id}"), &values, &[Errno::INVAL])?;
    }
    Ok(())
}

fn source_outside_fb(screen: &Screen<'_>) -> Verdict {
    let (width, height) = screen.size();
    let (width, height) = (u64::from(width) << 16, u64::from(height) << 16);
    let wide = 64 << 16;
    for (name, value) in [
        ("SRC_X", width - wide + 1),
        ("SRC_X", width),
        ("SRC_Y", height - wide + 1),
        ("SRC_Y", height + 1),
        ("SRC_W", width + 1),
        ("SRC_H", height + 1),
    ] {
        each(
            screen,
            &format!("{name} {value:#x}"),
            &[(name, value)],
            &[Errno::NOSPC],
        )?;
    }
    Ok(())
}

fn source_overflows(screen: &Screen<'_>) -> Verdict {
    let max = u64::from(u32::MAX);
    for values in [
        [("SRC_X", max), ("SRC_W", 1)],
        [("SRC_X", max - (32 << 16)), ("SRC_W", 64 << 16)],
        [("SRC_Y", max), ("SRC_H", max)],
        [("SRC_X", 1 << 31), ("SRC_Y", 1 << 31)],
    ] {
        each(
            screen,
            &format!("{values:x?}"),
            &values,
            &[Errno::NOSPC, Errno::RANGE, Errno::INVAL],
        )?;
    }
    Ok(())
}

fn source_empty(screen: &Screen<'_>) -> Verdict {
    // Nothing to show of something: a driver without scaling refuses, and none may divide by it.
    for values in [
        vec![("SRC_W", 0)],
        vec![("SRC_H", 0)],
        vec![("SRC_W", 0), ("SRC_H", 0)],
        vec![("CRTC_W", 0)],
        vec![("CRTC_H", 0)],
        vec![("SRC_W", 1), ("SRC_H", 1)],
        vec![("SRC_W", 0), ("SRC_H", 0), ("CRTC_W", 0), ("CRTC_H", 0)],
    ] {
        tolerated(screen, &values)?;
    }
    Ok(())
}

/// Commits an odd update on each plane, which may be accepted or refused, and checks that the output goes on.
fn tolerated(screen: &Screen<'_>, values: &[(&str, u64)]) -> Verdict {
    for plane in planes(screen) {
        let mut request = screen.plane(plane, screen.back.id, (0, 0), (64, 64))?;
        for (name, value) in values {
            request = request.set(screen.card, plane, name, *value)?;
        }
        let what = format!("plane {plane}: {values:x?}");
        let allowed = [Errno::INVAL, Errno::RANGE, Errno::NOSPC];
        let tested = request.commit(screen.card, TEST_ONLY | ALLOW_MODESET);
        let tested = accepted_or(&format!("{what} (test)"), tested, &allowed)?;
        let done = request.commit(screen.card, ALLOW_MODESET);
        let done = accepted_or(&what, done, &allowed)?;
        if tested.is_some() != done.is_some() {
            return crate::testlist::fail(format!(
                "{what}: the test says otherwise than the commit"
            ));
        }
        if plane != screen.output.primary {
            screen.check_alive()?;
        }
        screen.restore()?;
    }
    Ok(())
}

fn destination_overflows(screen: &Screen<'_>) -> Verdict {
    let max = i64::from(i32::MAX) as u64;
    for values in [
        [("CRTC_X", max), ("CRTC_Y", 0)],
        [("CRTC_X", 0), ("CRTC_Y", max - 63)],
        [("CRTC_X", 1), ("CRTC_W", max)],
        [("CRTC_W", max + 1), ("CRTC_H", max + 1)],
    ] {
        each(
            screen,
            &format!("{values:x?}"),
            &values,
            &[Errno::RANGE, Errno::INVAL],
        )?;
    }
    Ok(())
}

fn destination_far_away(screen: &Screen<'_>) -> Verdict {
    let at = |value: i32| i64::from(value) as u64;
    for (x, y) in [
        (i32::MIN, i32::MIN),
        (i32::MAX - 64, i32::MAX - 64),
        (i32::MIN, 0),
        (-64, -64),
        (-63, -63),
        (65535, 65535),
    ] {
        tolerated(screen, &[("CRTC_X", at(x)), ("CRTC_Y", at(y))])?;
    }
    Ok(())
}

fn scaled(screen: &Screen<'_>) -> Verdict {
    for (width, height) in [(128, 64), (64, 128), (32, 32), (8000, 8000), (65, 64)] {
        tolerated(screen, &[("CRTC_W", width), ("CRTC_H", height)])?;
    }
    let max = i64::from(i32::MAX) as u64;
    tolerated(screen, &[("CRTC_W", max), ("CRTC_H", max)])
}

fn tiny(screen: &Screen<'_>) -> Verdict {
    let one = 1 << 16;
    tolerated(
        screen,
        &[("SRC_W", one), ("SRC_H", one), ("CRTC_W", 1), ("CRTC_H", 1)],
    )?;
    tolerated(screen, &[("SRC_X", 0x8000), ("SRC_Y", 0x7fff)])
}

fn foreign_format(screen: &Screen<'_>) -> Verdict {
    let all: Vec<(u32, Vec<u32>)> = planes(screen)
        .into_iter()
        .map(|plane| Ok((plane, plane_formats(screen.card, plane)?)))
        .collect::<Result<_, crate::error::Error>>()?;
    for (plane, formats) in &all {
        for format in [
            DrmFourcc::Xrgb8888,
            DrmFourcc::Argb8888,
            DrmFourcc::Xbgr8888,
        ] {
            let known = all.iter().any(|(_, f)| f.contains(&(format as u32)));
            if !known || formats.contains(&(format as u32)) {
                continue;
            }
            let frame = Frame::with_format(screen.card, 64, 64, format)?;
            let request = screen.plane(*plane, frame.id, (0, 0), (64, 64))?;
            return rejected(
                screen,
                &format!("{format} on plane {plane}"),
                &request,
                &[Errno::INVAL],
            );
        }
    }
    skip("all planes take the same 32-bit formats")
}

fn foreign_crtc(screen: &Screen<'_>) -> Verdict {
    for plane in screen.card.of_kind(Kind::Plane) {
        let possible = plane_crtcs(screen.card, plane.id)?;
        for (index, crtc) in screen.card.of_kind(Kind::Crtc).enumerate() {
            if possible & (1 << index) != 0 {
                continue;
            }
            let request = screen
                .plane(plane.id, screen.back.id, (0, 0), (64, 64))?
                .set(screen.card, plane.id, "CRTC_ID", crtc.id.into())?;
            return rejected(
                screen,
                &format!("plane {} on CRTC {}", plane.id, crtc.id),
                &request,
                &[Errno::INVAL],
            );
        }
    }
    skip("every plane can be on every CRTC")
}

fn cursor_too_large(screen: &Screen<'_>) -> Verdict {
    // The core does not compare a cursor with DRM_CAP_CURSOR_WIDTH, so a driver may take it or not.
    let Some(cursor) = screen.output.cursor else {
        return skip("there is no cursor plane");
    };
    let large = Frame::with_format(screen.card, 2048, 2048, DrmFourcc::Argb8888)?;
    let request = screen.plane(cursor, large.id, (-10, -10), (2048, 2048))?;
    let result = request.commit(screen.card, ALLOW_MODESET);
    accepted_or(
        "a cursor of 2048x2048",
        result,
        &[Errno::INVAL, Errno::RANGE],
    )?;
    Ok(screen.check_alive()?)
}

fn connector_bad_crtc(screen: &Screen<'_>) -> Verdict {
    let output = &screen.output;
    for id in [output.connector, output.primary, screen.front.id, u32::MAX] {
        let request = Request::new().set(screen.card, output.connector, "CRTC_ID", id.into())?;
        rejected(
            screen,
            &format!("connector on {id}"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn active_without_mode(screen: &Screen<'_>) -> Verdict {
    let request = screen
        .off()?
        .set(screen.card, screen.output.crtc, "ACTIVE", 1)?;
    rejected(screen, "ACTIVE without a mode", &request, &[Errno::INVAL])?;
    let request = Request::new().set(screen.card, screen.output.crtc, "MODE_ID", 0)?;
    rejected(screen, "no mode, still active", &request, &[Errno::INVAL])
}

fn mode_without_connector(screen: &Screen<'_>) -> Verdict {
    let request = Request::new().set(screen.card, screen.output.connector, "CRTC_ID", 0)?;
    rejected(
        screen,
        "a CRTC with a mode and no connector",
        &request,
        &[Errno::INVAL],
    )
}

fn connector_without_mode(screen: &Screen<'_>) -> Verdict {
    let request = Request::new()
        .set(screen.card, screen.output.crtc, "ACTIVE", 0)?
        .set(screen.card, screen.output.crtc, "MODE_ID", 0)?;
    rejected(
        screen,
        "a connector on a CRTC without a mode",
        &request,
        &[Errno::INVAL],
    )
}

fn many_changes_one_bad(screen: &Screen<'_>) -> Verdict {
    // Good changes of every object, and one bad source rectangle: nothing at all may happen.
    let mut request = screen.only_primary(&screen.back)?;
    for plane in planes(screen) {
        request = request.and(screen.plane(plane, screen.back.id, (3, 4), (100, 100))?);
    }
    let bad = u64::from(u32::MAX);
    request = request.set(screen.card, screen.output.primary, "SRC_X", bad)?;
    rejected(screen, "many changes, one bad", &request, &[Errno::NOSPC])
}
