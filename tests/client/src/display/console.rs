// SPDX-License-Identifier: GPL-2.0

//! `console`: is what is written to the console to be seen on a display of QEMU?

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::termios::tcgetwinsize;

use crate::error::{message, Error};
use crate::testlist::{fail, Tally, Verdict};

use super::monitor::{Dump, Monitor};
use super::FOLDER;

/// The terminal that the display shows.
const TERMINAL: &str = "/dev/tty1";

/// How long a text may take to be seen, since the console is drawn now and then.
const PATIENCE: Duration = Duration::from_secs(20);

/// The background that a sequence for grey chooses.
const GREY: u32 = 0xaa_aaaa;

/// Runs the subcommand.
pub fn run(port: &Path) -> Result<Tally, Error> {
    let monitor = Monitor::open(port, Path::new(FOLDER))?;
    let mut tally = Tally::default();
    tally.record("console", console(&monitor));
    Ok(tally)
}

/// Waits until the display shows what is expected, and fails as the last look at it did.
fn wait_for(monitor: &Monitor, expected: impl Fn(&Dump) -> Verdict) -> Verdict {
    let start = Instant::now();
    loop {
        let verdict = expected(&monitor.screendump()?);
        if verdict.is_ok() || start.elapsed() > PATIENCE {
            return verdict;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn console(monitor: &Monitor) -> Verdict {
    let failed = |error: std::io::Error| Error::Message(format!("{TERMINAL}: {error}"));
    let mut terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(TERMINAL)
        .map_err(failed)?;
    let size = tcgetwinsize(&terminal).map_err(|error| failed(error.into()))?;
    let cells = (u32::from(size.ws_col), u32::from(size.ws_row));
    if cells.0 < 20 || cells.1 < 12 {
        return message(format!("the console has {cells:?} characters"))?;
    }
    let mut write = |text: &str| terminal.write_all(text.as_bytes()).map_err(failed);

    // Nothing: neither text nor the cursor.
    write("\x1b[?25l\x1b[0m\x1b[2J\x1b[H")?;
    wait_for(monitor, |dump| {
        match dump.pixels().filter(|pixel| *pixel != 0).count() {
            0 => Ok(()),
            count => fail(format!("{count} pixels of an empty console are not black")),
        }
    })?;

    // Ten grey cells from the fourth column of the sixth line on.
    write("\x1b[6;4H\x1b[47m          \x1b[0m")?;
    let cells_are_at = |dump: &Dump, line: u32| {
        let cell = (dump.width / cells.0, dump.height / cells.1);
        let is_in = |x: u32, y: u32| {
            (3 * cell.0..13 * cell.0).contains(&x)
                && (line * cell.1..(line + 1) * cell.1).contains(&y)
        };
        let places = (0..dump.height).flat_map(|y| (0..dump.width).map(move |x| (x, y)));
        let wrong = places
            .zip(dump.pixels())
            .find(|((x, y), pixel)| *pixel != if is_in(*x, *y) { GREY } else { 0 });
        match wrong {
            None => Ok(()),
            Some(((x, y), pixel)) => fail(format!("the pixel at {x},{y} is {pixel:06x}")),
        }
    };
    wait_for(monitor, |dump| cells_are_at(dump, 5))?;

    // All of it moves when the console scrolls.
    write(&format!("\x1b[{};1H\n\n", cells.1))?;
    wait_for(monitor, |dump| cells_are_at(dump, 3))?;

    // Letters have some pixels.
    write("\x1b[2J\x1b[2;1HText")?;
    wait_for(monitor, |dump| {
        match dump.pixels().filter(|pixel| *pixel == GREY).count() {
            20..400 => Ok(()),
            count => fail(format!("{count} pixels are text")),
        }
    })?;
    write("\x1b[2J\x1b[H\x1b[?25h")?;
    Ok(())
}
