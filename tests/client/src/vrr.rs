// SPDX-License-Identifier: GPL-2.0

//! `vrr`: do frames last as long as they should when the refresh rate varies?

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::atomic::{Request, EVENT, NONBLOCK};
use crate::card::Card;
use crate::error::{Error, What};
use crate::flip::now;
use crate::output::PATIENCE;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, Verdict};

const SIZE: (u32, u32) = (320, 200);

/// The rate of the mode.
const HZ: u32 = 60;

/// The slowest rate of the display, less a half: what rounds to it is as slow.
const SLOWEST_HZ: f64 = 29.5;

/// How long after a frame has begun the next is asked for: later than those of the mode would begin.
const LATER: Duration = Duration::from_millis(25);

/// How often a frame is asked for.
const FLIPS: u64 = 20;

/// The duration of frames in which nothing changes, in milliseconds.
fn idle_frame(display: &Display<'_>) -> Result<f64, Error> {
    const FRAMES: u32 = 10;
    let end = Instant::now() + PATIENCE;
    // What was before may still be shown.
    let (first, _) = display.vblank()?;
    let wait = |frames: u32| loop {
        let now = display.vblank()?;
        if now.0.wrapping_sub(first) >= frames || Instant::now() > end {
            break Ok::<_, Error>(now);
        }
        sleep(Duration::from_millis(5));
    };
    let (from, to) = (wait(2)?, wait(2 + FRAMES)?);
    Ok((to.1 - from.1).as_secs_f64() * 1000.0 / f64::from(to.0.wrapping_sub(from.0)))
}

fn is_about(found: f64, hz: f64) -> bool {
    (found * hz / 1000.0 - 1.0).abs() < 0.01
}

/// Checks how long frames last with and without a rate that varies.
pub fn test(card: &Card) -> Verdict {
    let mut display = Display::new(card)?;
    if card.value(display.output.connector, "vrr_capable")? != 1 {
        return fail("the display is not vrr_capable");
    }
    let shape = Shape::new(*b"XR24", SIZE.0, SIZE.1, &mut Random::new(1));
    let buffer = PictureBuffer::new(card, &shape, 0, 0)?;
    display.light_up(buffer.id, SIZE, HZ)?;
    let verdict = frames(&display, &buffer);
    display.commit(&Request::new().set(card, display.output.crtc, "VRR_ENABLED", 0)?)?;
    display.off()?;
    card.discard_events()?;
    verdict
}

fn frames(display: &Display<'_>, buffer: &PictureBuffer<'_>) -> Verdict {
    let vary = |value| -> Result<(), Error> {
        display.commit(&Request::new().set(
            display.card,
            display.output.crtc,
            "VRR_ENABLED",
            value,
        )?)
    };
    for (value, hz) in [(0, f64::from(HZ)), (1, SLOWEST_HZ), (0, f64::from(HZ))] {
        vary(value)?;
        let duration = idle_frame(display)?;
        println!("  VRR_ENABLED {value}: frames of {duration:.3} ms");
        if !is_about(duration, hz) {
            return fail(format!("{:.3} ms expected", 1000.0 / hz));
        }
    }
    vary(1)?;
    let frame = display.show(display.planes[0], buffer.id, &Place::upright(SIZE, (0, 0)))?;
    let (mut soonest, mut last) = (PATIENCE, now());
    for number in 0..FLIPS {
        sleep((last + LATER).saturating_sub(now()));
        let asked = now();
        frame
            .prepare(NONBLOCK | EVENT, number)
            .commit(display.card)
            .what("a flip")?;
        let event = display.flip_done(number)?;
        // No frame may be shorter than those of the mode, but for what the core rounds.
        if number > 0 && event.time + Duration::from_micros(2) < last + Duration::from_secs(1) / HZ
        {
            return fail(format!("after {last:?} a frame at {:?}", event.time));
        }
        soonest = soonest.min(event.time.saturating_sub(asked));
        last = event.time;
    }
    println!("  the soonest flip took {soonest:?}");
    // With the rate of the mode it would be a third of a frame.
    if soonest > Duration::from_millis(3) {
        return fail("flips wait for frames of the mode");
    }
    Ok(())
}
