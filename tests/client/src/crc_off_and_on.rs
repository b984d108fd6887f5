// SPDX-License-Identifier: GPL-2.0

//! Checksums of a CRTC that is turned off and on again.

use crate::atomic::{Request, ALLOW_MODESET, EVENT};
use crate::card::Card;
use crate::error::What;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::Display;
use crate::random::Random;
use crate::testlist::{fail, skip, Verdict};

const SIZE: (u32, u32) = (64, 32);

/// Frames a second.
const HZ: u32 = 200;

const ROUNDS: u64 = 20;

/// Checks that no checksum is of a frame before the first one.
pub fn test(card: &Card) -> Verdict {
    let mut display = Display::new(card)?;
    let shape = Shape::new(*b"XR24", SIZE.0, SIZE.1, &mut Random::new(1));
    let buffer = PictureBuffer::new(card, &shape, 0, 0)?;
    display.light_up(buffer.id, SIZE, HZ)?;
    let Ok(mut crc) = display.crc() else {
        display.off()?;
        return skip("no checksums");
    };
    let active = |value| Request::new().set(card, display.output.crtc, "ACTIVE", value);
    let mut wrong = None;
    for round in 0..ROUNDS {
        display.checksum(&mut crc)?;
        display.commit(&active(0)?)?;
        crc.entries()?;
        active(1)?
            .prepare(ALLOW_MODESET | EVENT, round)
            .commit(card)
            .what("turning it on")?;
        let first = display.flip_done(round)?.sequence;
        let (frame, _) = crc.entry()?;
        // The numbers wrap around.
        if (frame.wrapping_sub(first) as i32) < 0 {
            wrong = Some((frame, first));
        }
    }
    drop(crc);
    display.off()?;
    match wrong {
        Some((frame, first)) => fail(format!(
            "a checksum of frame {frame}, the first was {first}"
        )),
        None => Ok(()),
    }
}
