// SPDX-License-Identifier: GPL-2.0

//! What is drawn into a framebuffer while it is shown.

use std::hint::black_box;

use crate::card::Card;
use crate::error::Error;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, skip, Verdict};

const SIZE: (u32, u32) = (64, 32);

/// Frames a second.
const HZ: u32 = 400;

const ROUNDS: u32 = 400;

/// How often a pixel is drawn in a round: some frames long, without a call of the kernel.
const STROKES: u32 = 300_000;

fn show(display: &Display<'_>, buffer: &PictureBuffer<'_>) -> Result<(), Error> {
    let place = Place::upright(SIZE, (0, 0));
    display.commit(&display.show(display.planes[0], buffer.id, &place)?)
}

/// Checks that what was drawn last is in the checksum, though frames were composed meanwhile.
pub fn test(card: &Card) -> Verdict {
    let mut display = Display::new(card)?;
    let shape = Shape::new(*b"XR24", SIZE.0, SIZE.1, &mut Random::new(1));
    let mut drawn = PictureBuffer::new(card, &shape, 0, 0)?;
    let mut copy = PictureBuffer::new(card, &shape, 0, 0)?;
    display.light_up(drawn.id, SIZE, HZ)?;
    let Ok(mut crc) = display.crc() else {
        display.off()?;
        return skip("no checksums");
    };
    let mut missed = 0;
    for round in 0..ROUNDS {
        for stroke in 0..STROKES * (1 + round % 8) {
            let color = stroke ^ round << 16;
            black_box(drawn.mapping.bytes_mut())[..4].copy_from_slice(&color.to_ne_bytes());
        }
        let found = display.checksum(&mut crc)?;
        // Another framebuffer is composed afresh.
        let bytes = drawn.mapping.bytes();
        copy.mapping.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        show(&display, &copy)?;
        let expected = display.checksum(&mut crc)?;
        missed += u32::from(found != expected);
        show(&display, &drawn)?;
    }
    drop(crc);
    display.off()?;
    if missed > 0 {
        return fail(format!("{missed} of {ROUNDS} times something was not seen"));
    }
    Ok(())
}
