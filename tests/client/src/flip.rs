// SPDX-License-Identifier: GPL-2.0

//! `flip`: do the events of page flips tell the truth about time?

use std::time::{Duration, Instant};

use rustix::time::{clock_gettime, ClockId};

use crate::atomic::{ALLOW_MODESET, EVENT, NONBLOCK};
use crate::card::{Card, Event};
use crate::error::{message, Error, What};
use crate::output::Screen;
use crate::testlist::{fail, Verdict};

/// Flips in one way for a time, checks order, and reports the rate.
fn check(screen: &Screen<'_>, legacy: bool, time: Duration) -> Verdict {
    let name = if legacy { "legacy" } else { "atomic" };
    let events = collect(screen, legacy, time)?;
    let [first, .., last] = events[..] else {
        return fail(format!("{name}: fewer than two flips"));
    };
    let mut missed = 0;
    for pair in events.windows(2) {
        let (old, new) = (pair[0], pair[1]);
        let step = new.sequence.wrapping_sub(old.sequence);
        if step == 0 || step > u32::MAX / 2 {
            return fail(format!(
                "{name}: sequence {} after {}",
                new.sequence, old.sequence
            ));
        }
        if new.time <= old.time {
            return fail(format!("{name}: time {:?} after {:?}", new.time, old.time));
        }
        if new.crtc != screen.output.crtc {
            return fail(format!("{name}: an event of CRTC {}", new.crtc));
        }
        missed += step - 1;
    }
    let seconds = (last.time - first.time).as_secs_f64();
    let frames = f64::from(last.sequence.wrapping_sub(first.sequence));
    let mode = &screen.mode;
    let pixels = f64::from(mode.htotal) * f64::from(mode.vtotal);
    println!(
        "{name}: {} flips in {seconds:.2} s: {:.2} frames/s by sequence, the mode has {:.2}; {missed} frames without a flip",
        events.len(),
        frames / seconds,
        f64::from(mode.clock) * 1000.0 / pixels,
    );
    Ok(())
}

/// The time by the clock of events.
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn collect(screen: &Screen<'_>, legacy: bool, time: Duration) -> Result<Vec<Event>, Error> {
    let start = Instant::now();
    let mut events = Vec::new();
    while start.elapsed() < time {
        let number = events.len() as u64;
        let frame = if number % 2 == 0 {
            &screen.back
        } else {
            &screen.front
        };
        if legacy {
            screen
                .legacy_flip(frame.id, number)
                .what("legacy page flip")?;
        } else {
            screen.flip(frame.id, number)?;
        }
        let event = screen.flip_done(number)?;
        let now = now();
        // The core rounds to microseconds. An event may be early by a frame where the hardware tells the future.
        if event.time > now + Duration::from_millis(100) {
            return message(format!("an event of {:?} at {now:?}", event.time));
        }
        events.push(event);
    }
    Ok(events)
}

/// Both ways, as a test.
pub fn test(card: &Card, time: Duration) -> Verdict {
    let screen = Screen::new(card)?;
    check(&screen, true, time / 2)?;
    check(&screen, false, time / 2)
}

/// Turns the output off and on: the event must be that of a frame that comes later.
pub fn turn_on(card: &Card) -> Verdict {
    let screen = Screen::new(card)?;
    for number in 0..10 {
        screen
            .off()?
            .commit(card, ALLOW_MODESET)
            .what("commit that turns off")?;
        let before = now();
        screen
            .only_primary(&screen.front)?
            .prepare(NONBLOCK | ALLOW_MODESET | EVENT, number)
            .commit(card)
            .what("commit that turns on")?;
        let event = screen.flip_done(number)?;
        // The core rounds to microseconds.
        if event.time + Duration::from_micros(1) < before {
            return fail(format!(
                "an event of {:?}, turned on after {before:?}",
                event.time
            ));
        }
    }
    Ok(())
}
