// SPDX-License-Identifier: GPL-2.0

//! Checksums that somebody wants as soon as somebody else has read them.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::card::Card;
use crate::crc::Crc;
use crate::output::Screen;
use crate::testlist::{fail, skip, Verdict};

/// How long it is tried.
const TIME: Duration = Duration::from_secs(3);

/// One thread opens and closes the file, another one opens it and reads: each reader gets what it waits for.
pub fn test(card: &Card) -> Verdict {
    let screen = Screen::new(card)?;
    let index = screen.output.crtc_index;
    if Crc::start(&screen)?.is_none() {
        return skip("there are no checksums");
    }

    let other = Card::open_path(&card.path)?;
    let stop = &AtomicBool::new(false);
    let (reads, opens) = thread::scope(|scope| {
        let opener = scope.spawn(move || {
            let mut opens = 0;
            while !stop.load(Relaxed) {
                opens += u32::from(matches!(Crc::of(&other, index), Ok(Some(_))));
            }
            opens
        });
        let reads = read(card, index);
        stop.store(true, Relaxed);
        (reads, opener.join().unwrap_or(0))
    });
    let reads = reads?;
    if reads == 0 || opens == 0 {
        return fail(format!("opened {opens} times, read {reads} times"));
    }
    Ok(())
}

fn read(card: &Card, index: usize) -> Result<u32, crate::error::Error> {
    let end = Instant::now() + TIME;
    let mut reads = 0;
    while Instant::now() < end {
        // Nobody can open it while it is open.
        if let Some(mut crc) = Crc::of(card, index)? {
            crc.burst()?;
            reads += 1;
        }
    }
    Ok(reads)
}
