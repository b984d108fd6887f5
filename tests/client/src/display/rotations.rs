// SPDX-License-Identifier: GPL-2.0

//! Pictures that are rotated and reflected.

use drm_fourcc::DrmFourcc;
use drm_sys::*;

use crate::atomic::Request;
use crate::buffer::Frame;
use crate::error::What;
use crate::output::Screen;
use crate::pattern::Pattern;
use crate::testlist::{skip, Verdict};

use super::{cursor_pixel, expect, over, Monitor, CURSOR, PREMULTIPLIED};

const QUARTERS: u32 = DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270;

const ROTATIONS: [u32; 7] = [
    DRM_MODE_ROTATE_90,
    DRM_MODE_ROTATE_180,
    DRM_MODE_ROTATE_270,
    DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_X,
    DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_Y,
    DRM_MODE_ROTATE_90 | DRM_MODE_REFLECT_X,
    DRM_MODE_ROTATE_0,
];

/// The pixel of a picture that is seen at a place, if the picture is rotated counter-clockwise after
/// it was reflected. The size is that of the picture before.
fn origin(rotation: u32, (width, height): (u32, u32), (x, y): (u32, u32)) -> (u32, u32) {
    let (mut x, mut y) = match rotation {
        _ if rotation & DRM_MODE_ROTATE_90 != 0 => (width - 1 - y, x),
        _ if rotation & DRM_MODE_ROTATE_180 != 0 => (width - 1 - x, height - 1 - y),
        _ if rotation & DRM_MODE_ROTATE_270 != 0 => (y, height - 1 - x),
        _ => (x, y),
    };
    if rotation & DRM_MODE_REFLECT_X != 0 {
        x = width - 1 - x;
    }
    if rotation & DRM_MODE_REFLECT_Y != 0 {
        y = height - 1 - y;
    }
    (x, y)
}

/// Commits a request with a rotation of its plane, and looks at what is seen then.
fn expect_turned(
    screen: &Screen<'_>,
    monitor: &Monitor,
    (request, plane): (Request, u32),
    rotation: u32,
    pixel: impl Fn(u32, u32) -> u32,
) -> Verdict {
    let name = format!("rotation {rotation:#x}");
    request
        .set(screen.card, plane, "rotation", rotation.into())?
        .commit(screen.card, 0)
        .what(format!("commit of {name}"))?;
    expect(monitor, &name, screen.size(), pixel)
}

/// All of the picture is turned.
pub fn picture(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let (card, primary) = (screen.card, screen.output.primary);
    if card.property_id(primary, "rotation").is_none() {
        return skip("pictures cannot be rotated");
    }
    let mut frames = Vec::new();
    let verdict = turned_pictures(screen, monitor, &mut frames);
    // Upright again, whatever has happened, before the frames go.
    screen
        .plane(primary, screen.front.id, (0, 0), screen.size())?
        .set(card, primary, "rotation", DRM_MODE_ROTATE_0.into())?
        .commit(card, 0)
        .what("commit of the picture upright")?;
    verdict
}

fn turned_pictures<'c>(
    screen: &Screen<'c>,
    monitor: &Monitor,
    frames: &mut Vec<Frame<'c>>,
) -> Verdict {
    let (card, primary) = (screen.card, screen.output.primary);
    let (width, height) = screen.size();
    for rotation in ROTATIONS {
        let size = match rotation & QUARTERS {
            0 => (width, height),
            _ => (height, width),
        };
        let frame = Frame::new(card, size.0 + 3, size.1 + 5)?;
        let pattern = |x, y| Pattern::Gradient.pixel(x, y, size.0, size.1);
        frame.draw(|x, y| match (x.checked_sub(3), y.checked_sub(5)) {
            (Some(x), Some(y)) => pattern(x, y),
            _ => 0xff_00ff,
        })?;
        let request = screen
            .plane(primary, frame.id, (0, 0), (width, height))?
            .set(card, primary, "SRC_X", 3 << 16)?
            .set(card, primary, "SRC_Y", 5 << 16)?
            .set(card, primary, "SRC_W", u64::from(size.0) << 16)?
            .set(card, primary, "SRC_H", u64::from(size.1) << 16)?;
        expect_turned(screen, monitor, (request, primary), rotation, |x, y| {
            let (x, y) = origin(rotation, size, (x, y));
            pattern(x, y)
        })?;
        frames.push(frame);
    }
    Ok(())
}

/// The cursor is turned, and comes back when it is turned again.
pub fn cursor(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let card = screen.card;
    let Some(plane) = screen.output.cursor else {
        return skip("there is no cursor plane");
    };
    if card.property_id(plane, "rotation").is_none() {
        return skip("cursors cannot be rotated");
    }
    let frame = Frame::with_format(card, CURSOR, CURSOR, DrmFourcc::Argb8888)?;
    frame.draw(cursor_pixel)?;
    let verdict = turned_cursors(screen, monitor, plane, &frame);
    Request::new()
        .set(card, plane, "FB_ID", 0)?
        .set(card, plane, "CRTC_ID", 0)?
        .set(card, plane, "rotation", DRM_MODE_ROTATE_0.into())?
        .commit(card, 0)
        .what("commit without a cursor")?;
    verdict
}

fn turned_cursors(
    screen: &Screen<'_>,
    monitor: &Monitor,
    plane: u32,
    frame: &Frame<'_>,
) -> Verdict {
    let (width, height) = screen.size();
    for rotation in ROTATIONS {
        // Its left and its upper part are outside.
        let request = screen.plane(plane, frame.id, (-9, -5), (CURSOR, CURSOR))?;
        expect_turned(screen, monitor, (request, plane), rotation, |x, y| {
            let below = Pattern::Bars.pixel(x, y, width, height);
            let place = (x + 9, y + 5);
            if place.0 >= CURSOR || place.1 >= CURSOR {
                return below;
            }
            let (x, y) = origin(rotation, (CURSOR, CURSOR), place);
            over(PREMULTIPLIED, cursor_pixel(x, y), below)
        })?;
    }
    Ok(())
}
