// SPDX-License-Identifier: GPL-2.0

//! A display that sleeps and wakes up.

use std::env;
use std::fs;
use std::process::Command;

use crate::buffer::Frame;
use crate::error::What;
use crate::output::Screen;
use crate::pattern::Pattern;
use crate::testlist::{fail, skip, Verdict};

use super::monitor::Monitor;
use super::{cursor_pixel, expect, expect_pattern, over, CURSOR, PREMULTIPLIED};

/// The environment variable with a command that makes the guest usable after it has slept.
const AFTER: &str = "RVKMS_AFTER_RESUME";

/// All that was shown is shown again, and the display can be used as before.
///
/// How deep the sleep is depends on /sys/power/pm_test.
pub fn suspend(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let Ok(after) = env::var(AFTER) else {
        return skip(format!("{AFTER} does not say what to do after it"));
    };
    let (width, height) = screen.size();
    let cursor = Frame::with_format(screen.card, CURSOR, CURSOR, drm_fourcc::DrmFourcc::Argb8888)?;
    cursor.draw(cursor_pixel)?;
    if let Some(plane) = screen.output.cursor {
        screen
            .plane(plane, cursor.id, (8, 8), (CURSOR, CURSOR))?
            .commit(screen.card, 0)
            .what("commit of the cursor")?;
    }

    fs::write("/sys/power/state", "mem").what("write to /sys/power/state")?;
    match Command::new("sh").args(["-c", &after]).status() {
        Ok(status) if status.success() => (),
        result => return fail(format!("{after}: {result:?}")),
    }
    monitor.reopen()?;

    expect(monitor, "after the sleep", (width, height), |x, y| {
        let below = Pattern::Bars.pixel(x, y, width, height);
        let has_cursor = |at| (8..8 + CURSOR).contains(&at) && screen.output.cursor.is_some();
        match has_cursor(x) && has_cursor(y) {
            true => over(PREMULTIPLIED, cursor_pixel(x - 8, y - 8), below),
            false => below,
        }
    })?;
    screen.restore()?;
    for (frame, pattern) in [
        (&screen.back, Pattern::Gradient),
        (&screen.front, Pattern::Bars),
    ] {
        screen.flip(frame.id, 1)?;
        screen.flip_done(1)?;
        expect_pattern(screen, monitor, "after the sleep and a flip", pattern)?;
    }
    Ok(())
}
