// SPDX-License-Identifier: GPL-2.0

//! The hotspot of the cursor, for drivers that have it and clients that know about it.

use std::fs;
use std::path::Path;

use drm_sys::*;
use rustix::io::Errno;

use crate::atomic::{Request, TEST_ONLY};
use crate::buffer::Dumb;
use crate::card::Card;
use crate::crc::folder_of_device;
use crate::error::{Error, What};
use crate::features::hide_cursor;
use crate::modules::{with_parameter, Module};
use crate::output::{Output, Screen};
use crate::raw;
use crate::testlist::{fail, refused, skip, Verdict};

const PARAMETER: &str = "enable_cursor_hotspot";
const NAMES: [&str; 2] = ["HOTSPOT_X", "HOTSPOT_Y"];
const SIZE: u32 = 64;

/// Loads the module with and without hotspots.
pub fn test(module: &Module) -> Verdict {
    if !module.has_parameter(PARAMETER) {
        return skip(format!("{} has no parameter {PARAMETER}", module.name));
    }
    with_parameter(module, &format!("{PARAMETER}=1"), with)?;
    with_parameter(module, &format!("{PARAMETER}=0"), without)
}

/// A cursor like that of any other driver.
fn without(path: &Path) -> Verdict {
    let card = Card::open_path(path)?;
    let screen = Screen::new(&card)?;
    refused(
        "the client capability for hotspots",
        set_capability(&card),
        &[Errno::OPNOTSUPP],
    )?;
    let Some(cursor) = screen.output.cursor else {
        return fail("there is no cursor plane");
    };
    if NAMES
        .iter()
        .any(|name| card.property_id(cursor, name).is_some())
    {
        return fail("the cursor plane has a hotspot");
    }
    legacy_cursor(&screen, DRM_MODE_CURSOR_BO, (7, 8))?;
    hide_cursor(&screen)?;
    match printed(&card)? {
        Some(text) => fail(format!("debugfs has a hotspot: {text}")),
        None => Ok(()),
    }
}

fn with(path: &Path) -> Verdict {
    // Most clients do not know, and do not see the plane.
    let card = Card::open_path(path)?;
    if Output::find(&card)?.cursor.is_some() {
        return fail("a client that does not know about hotspots sees the cursor plane");
    }
    drop(card);

    let card = Card::open_for_hotspots(&path.to_string_lossy())?;
    let screen = Screen::new(&card)?;
    let Some(cursor) = screen.output.cursor else {
        return fail("a client that knows about hotspots sees no cursor plane");
    };
    if card.property_id(screen.output.primary, NAMES[0]).is_some() {
        return fail("the primary plane has a hotspot");
    }
    expect(&card, cursor, "at first", (0, 0))?;

    for hotspot in [(5, -6), (i32::MIN, i32::MAX), (1, 2)] {
        request(&card, cursor, hotspot.0.into(), hotspot.1.into())?
            .commit(&card, 0)
            .what("commit of a hotspot")?;
        expect(&card, cursor, "by a commit", hotspot)?;
    }
    for (x, y) in [(1 << 31, 0), (0, (-1 << 31) - 1), (0, i64::MAX)] {
        let result = request(&card, cursor, x, y)?.commit(&card, 0);
        refused(&format!("{x},{y}"), result, &[Errno::INVAL])?;
    }
    request(&card, cursor, 9, 9)?
        .commit(&card, TEST_ONLY)
        .what("test of a hotspot")?;
    expect(&card, cursor, "after what was refused or a test", (1, 2))?;

    legacy_cursor(&screen, DRM_MODE_CURSOR_BO, (7, -8))?;
    expect(&card, cursor, "by the legacy ioctl", (7, -8))?;
    legacy_cursor(&screen, DRM_MODE_CURSOR_MOVE, (9, 9))?;
    expect(&card, cursor, "after a move", (7, -8))?;
    // While an update of the primary plane is on its way, a cursor does not wait.
    screen.flip(screen.back.id, 1)?;
    legacy_cursor(&screen, DRM_MODE_CURSOR_BO, (3, 4))?;
    expect(&card, cursor, "during a page flip", (3, 4))?;
    screen.flip_done(1)?;
    hide_cursor(&screen)?;
    Ok(())
}

fn set_capability(card: &Card) -> Result<(), Errno> {
    let mut argument = drm_set_client_cap {
        capability: DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT.into(),
        value: 1,
    };
    card.call(raw::SET_CLIENT_CAP, &mut argument)
}

fn request(card: &Card, cursor: u32, x: i64, y: i64) -> Result<Request, Error> {
    Request::new()
        .set(card, cursor, NAMES[0], x as u64)?
        .set(card, cursor, NAMES[1], y as u64)
}

/// Shows or moves a cursor.
fn legacy_cursor(screen: &Screen<'_>, flags: u32, hotspot: (i32, i32)) -> Result<(), Error> {
    let buffer = Dumb::new(screen.card, SIZE, SIZE, 32)?;
    let mut argument = drm_mode_cursor2 {
        flags,
        crtc_id: screen.output.crtc,
        x: 20,
        y: 30,
        width: SIZE,
        height: SIZE,
        handle: buffer.handle,
        hot_x: hotspot.0,
        hot_y: hotspot.1,
    };
    screen
        .card
        .call(raw::CURSOR2, &mut argument)
        .what("CURSOR2")
}

/// Looks for the hotspot in the properties and in debugfs.
fn expect(card: &Card, cursor: u32, when: &str, (x, y): (i32, i32)) -> Verdict {
    for (name, expected) in NAMES.into_iter().zip([x, y]) {
        let value = card.value(cursor, name)? as i64;
        if value != i64::from(expected) {
            return fail(format!("{name} {when} is {value}, not {expected}"));
        }
    }
    let expected = format!("hotspot={x},{y}");
    match printed(card)? {
        Some(text) if text == expected => Ok(()),
        text => fail(format!("debugfs {when} has {text:?}, not {expected}")),
    }
}

/// The line about hotspots in debugfs.
fn printed(card: &Card) -> Result<Option<String>, Error> {
    let folder = folder_of_device(card).unwrap_or_default();
    let state = fs::read_to_string(folder.join("state")).what("read of the state in debugfs")?;
    let line = state.lines().find(|line| line.contains("hotspot"));
    Ok(line.map(|line| line.trim().to_string()))
}
