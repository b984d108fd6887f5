// SPDX-License-Identifier: GPL-2.0

//! A display that sleeps and wakes up, or is reset.

use std::env;
use std::fs;
use std::process::Command;

use crate::buffer::Frame;
use crate::error::What;
use crate::output::Screen;
use crate::pattern::Pattern;
use crate::testlist::{fail, skip, Verdict};
use crate::unbind::device_of;

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
    is_as_before(screen, monitor, "the sleep", || {
        fs::write("/sys/power/state", "mem").what("write to /sys/power/state")?;
        match Command::new("sh").args(["-c", &after]).status() {
            Ok(status) if status.success() => (),
            result => return fail(format!("{after}: {result:?}")),
        }
        monitor.reopen()?;
        Ok(())
    })
}

/// The same after a reset, in which the device forgets all that it knows.
pub fn reset(screen: &Screen<'_>, monitor: &Monitor) -> Verdict {
    let reset = device_of(&screen.card.path)?.join("reset");
    if !reset.exists() {
        return skip("the device cannot be reset alone");
    }
    is_as_before(screen, monitor, "the reset", || {
        fs::write(&reset, "1").what("write to reset")?;
        Ok(())
    })
}

fn is_as_before(
    screen: &Screen<'_>,
    monitor: &Monitor,
    name: &str,
    event: impl FnOnce() -> Verdict,
) -> Verdict {
    let (width, height) = screen.size();
    let cursor = Frame::with_format(screen.card, CURSOR, CURSOR, drm_fourcc::DrmFourcc::Argb8888)?;
    cursor.draw(cursor_pixel)?;
    if let Some(plane) = screen.output.cursor {
        screen
            .plane(plane, cursor.id, (8, 8), (CURSOR, CURSOR))?
            .commit(screen.card, 0)
            .what("commit of the cursor")?;
    }

    event()?;

    let what = format!("after {name}");
    expect(monitor, &what, (width, height), |x, y| {
        let below = Pattern::Bars.pixel(x, y, width, height);
        let has_cursor = |at| (8..8 + CURSOR).contains(&at) && screen.output.cursor.is_some();
        match has_cursor(x) && has_cursor(y) {
            true => over(PREMULTIPLIED, cursor_pixel(x - 8, y - 8), below),
            false => below,
        }
    })?;
    screen.restore()?;
    let what = what + " and a flip";
    for (frame, pattern) in [
        (&screen.back, Pattern::Gradient),
        (&screen.front, Pattern::Bars),
    ] {
        screen.flip(frame.id, 1)?;
        screen.flip_done(1)?;
        expect_pattern(screen, monitor, &what, pattern)?;
    }
    Ok(())
}
