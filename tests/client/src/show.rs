// SPDX-License-Identifier: GPL-2.0

//! `show`: a test picture with a moving square, flipped as fast as the device goes.

use std::time::{Duration, Instant};

use crate::buffer::{Frame, Mapping};
use crate::card::Card;
use crate::error::Error;
use crate::output::Screen;
use crate::pattern::Pattern;

const SQUARE: u32 = 48;

/// A frame, its mapping, and where the square is in it.
struct Canvas<'a> {
    frame: &'a Frame<'a>,
    mapping: Mapping,
    pattern: Pattern,
    square: (u32, u32),
}

impl<'a> Canvas<'a> {
    fn new(frame: &'a Frame<'a>, pattern: Pattern) -> Result<Self, Error> {
        frame.draw(|x, y| pattern.pixel(x, y, frame.width, frame.height))?;
        Ok(Canvas {
            frame,
            mapping: frame.buffer.map()?,
            pattern,
            square: (0, 0),
        })
    }

    fn fill(&mut self, at: (u32, u32), pixel: impl Fn(u32, u32) -> u32) {
        let pitch = self.frame.buffer.pitch as usize;
        for y in at.1..(at.1 + SQUARE).min(self.frame.height) {
            for x in at.0..(at.0 + SQUARE).min(self.frame.width) {
                let place = y as usize * pitch + x as usize * 4;
                self.mapping.bytes_mut()[place..place + 4]
                    .copy_from_slice(&pixel(x, y).to_le_bytes());
            }
        }
    }

    fn move_square(&mut self, at: (u32, u32)) {
        let (pattern, width, height) = (self.pattern, self.frame.width, self.frame.height);
        self.fill(self.square, |x, y| pattern.pixel(x, y, width, height));
        self.fill(at, |_, _| 0xffff_ffff);
        self.square = at;
    }
}

/// Sets a mode, flips for a time, and returns the flips and the time.
pub fn flips(card: &Card, pattern: Pattern, time: Duration) -> Result<(u64, Duration), Error> {
    let screen = Screen::new(card)?;
    let (width, height) = screen.size();
    let mut canvases = [
        Canvas::new(&screen.front, pattern)?,
        Canvas::new(&screen.back, pattern)?,
    ];
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        let step = (count * 4) as u32;
        let canvas = &mut canvases[(count as usize + 1) % 2];
        let across = width.saturating_sub(SQUARE).max(1);
        canvas.move_square((step % across, height / 2));
        screen.flip(canvas.frame.id, count)?;
        screen.flip_done(count)?;
        count += 1;
    }
    Ok((count, start.elapsed()))
}

/// Runs the subcommand.
pub fn run(card: &Card, pattern: Pattern, seconds: f64) -> Result<(), Error> {
    let (count, time) = flips(card, pattern, Duration::from_secs_f64(seconds))?;
    println!(
        "{count} flips in {:.2} s: {:.1} flips/s",
        time.as_secs_f64(),
        count as f64 / time.as_secs_f64()
    );
    Ok(())
}
