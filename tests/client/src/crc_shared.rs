// SPDX-License-Identifier: GPL-2.0

//! Checksums that somebody wants as soon as somebody else has read them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::card::Card;
use crate::crc::{self, Crc};
use crate::error::Error;
use crate::output::Screen;
use crate::testlist::{fail, skip, Verdict};

/// How long it is tried.
const TIME: Duration = Duration::from_secs(3);

/// One thread opens and closes the file, another one opens it and reads: they never have it both, since each would lose
/// checksums to the other.
pub fn test(card: &Card) -> Verdict {
    let screen = Screen::new(card)?;
    let index = screen.output.crtc_index;
    let (Some(_), Some(folder)) = (Crc::start(&screen)?, crc::folder(card, index)) else {
        return skip("there are no checksums");
    };
    let data = &folder.join("data");

    let stop = &AtomicBool::new(false);
    let held = &AtomicBool::new(false);
    let (reads, (opens, shared)) = thread::scope(|scope| {
        let opener = scope.spawn(move || {
            let (mut opens, mut shared) = (0, 0);
            while !stop.load(SeqCst) {
                if let Some(_crc) = Crc::open(data) {
                    opens += 1;
                    shared += u32::from(held.load(SeqCst));
                }
            }
            (opens, shared)
        });
        let reads = read(data, held);
        stop.store(true, SeqCst);
        (reads, opener.join().unwrap_or((0, 0)))
    });
    let reads = reads?;
    println!("  opened {opens} times, read {reads} times");
    if shared != 0 {
        return fail(format!("both had it open {shared} times"));
    }
    if reads == 0 || opens == 0 {
        return fail("one of them never got it");
    }
    Ok(())
}

fn read(data: &Path, held: &AtomicBool) -> Result<u32, Error> {
    let end = Instant::now() + TIME;
    let mut reads = 0;
    while Instant::now() < end {
        // Nobody can open it while it is open.
        if let Some(mut crc) = Crc::open(data) {
            held.store(true, SeqCst);
            let result = crc.burst();
            held.store(false, SeqCst);
            result?;
            reads += 1;
        }
    }
    Ok(reads)
}
