// SPDX-License-Identifier: GPL-2.0

//! Flips while there is no time to compose: each checksum belongs to what its frame showed, no
//! frame has two of them, and the last one is right.

use std::thread;
use std::time::{Duration, Instant};

use super::{color, picture, same, while_busy};
use crate::atomic::{EVENT, NONBLOCK};
use crate::card::Card;
use crate::cpu::Urgent;
use crate::crc::Crc;
use crate::error::{Error, What};
use crate::picture_buffer::PictureBuffer;
use crate::planes::{Display, Place};
use crate::testlist::{fail, Verdict};

/// Width and height of what is shown.
type Size = (u32, u32);

/// So many pictures are shown in turn.
const PICTURES: usize = 5;

/// The picture with the number `number`, in a buffer of its own.
fn numbered<'c>(card: &'c Card, size: Size, number: usize) -> Result<PictureBuffer<'c>, Error> {
    let color = color(number as u32);
    picture(card, size, |x, y| color ^ (x + (y << 8)))
}

/// A flip, between two numbers of frames.
struct Flip {
    picture: usize,
    /// The last frame that had begun when the flip was asked for.
    asked: u32,
    /// The frame that the event of the flip names.
    done: u32,
}

/// Whether the frame `a` is later than `b`.
fn later(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

/// What was shown, from when to when, and the checksums that frames had meanwhile.
struct Record {
    size: Size,
    crc: Crc,
    /// The checksum of each picture.
    sums: Vec<String>,
    /// The first one stands for what was shown in the beginning.
    flips: Vec<Flip>,
    /// Numbers of frames, and their checksums.
    entries: Vec<(u32, String)>,
}

impl Record {
    /// Shows each of the pictures, the last of which stays.
    fn new(
        display: &mut Display<'_>,
        pictures: &[PictureBuffer<'_>],
        size: Size,
        hz: u32,
    ) -> Result<Self, Error> {
        display.light_up(pictures[0].id, size, hz)?;
        let mut record = Self {
            size,
            crc: display.crc()?,
            sums: Vec::new(),
            flips: Vec::new(),
            entries: Vec::new(),
        };
        for buffer in pictures {
            let sum = record.show(display, buffer)?;
            record.sums.push(sum);
        }
        record.begin(display, pictures.len() - 1)?;
        Ok(record)
    }

    /// Shows `buffer`, and waits for its checksum.
    fn show(
        &mut self,
        display: &mut Display<'_>,
        buffer: &PictureBuffer<'_>,
    ) -> Result<String, Error> {
        let place = Place::upright(self.size, (0, 0));
        display.commit(&display.show(display.planes[0], buffer.id, &place)?)?;
        display.checksum(&mut self.crc)
    }

    /// Begins with `picture`, which is shown now and may have been asked for at any time before.
    fn begin(&mut self, display: &Display<'_>, picture: usize) -> Result<(), Error> {
        let done = display.sequence()?;
        let asked = done.wrapping_sub(1 << 20);
        self.flips = vec![Flip {
            picture,
            asked,
            done,
        }];
        Ok(())
    }

    /// Flips to `buffer` with `picture` in it, and waits for the event.
    fn flip(
        &mut self,
        display: &mut Display<'_>,
        (picture, buffer): (usize, &PictureBuffer<'_>),
        flags: u32,
    ) -> Result<(), Error> {
        let place = Place::upright(self.size, (0, 0));
        let id = self.flips.len() as u64;
        let asked = display.sequence()?;
        display
            .show(display.planes[0], buffer.id, &place)?
            .prepare(EVENT | flags, id)
            .commit(display.card)
            .what("a flip")?;
        let done = display.flip_done(id)?.sequence;
        self.flips.push(Flip {
            picture,
            asked,
            done,
        });
        Ok(())
    }

    /// Takes the checksums that are there.
    fn read(&mut self) -> Result<(), Error> {
        self.entries.append(&mut self.crc.entries()?);
        Ok(())
    }

    /// Checks that the frame with the number `frame` may show `picture`.
    fn is_true(&self, frame: u32, picture: usize) -> bool {
        self.flips.iter().enumerate().any(|(index, flip)| {
            let next = self.flips.get(index + 1);
            let replaced = next.is_some_and(|next| !later(next.done, frame));
            flip.picture == picture && later(frame, flip.asked) && !replaced
        })
    }

    /// Checks all checksums, and that there is the right one now.
    fn check(mut self, display: &mut Display<'_>) -> Verdict {
        let last = display.checksum(&mut self.crc)?;
        let pairs = self.entries.windows(2);
        let gaps = pairs
            .clone()
            .filter(|pair| pair[1].0 != pair[0].0.wrapping_add(1));
        println!(
            "  {} flips, {} checksums, {} gaps between them",
            self.flips.len() - 1,
            self.entries.len(),
            gaps.count()
        );
        if let Some(pair) = pairs.clone().find(|pair| !later(pair[1].0, pair[0].0)) {
            return fail(format!("after frame {} comes {}", pair[0].0, pair[1].0));
        }
        for (frame, sum) in &self.entries {
            let Some(picture) = self.sums.iter().position(|known| known == sum) else {
                return fail(format!("frame {frame} has the unknown checksum {sum}"));
            };
            if !self.is_true(*frame, picture) {
                let near = |flip: &&Flip| flip.done.abs_diff(*frame) < 20;
                let near: Vec<_> = self
                    .flips
                    .iter()
                    .filter(near)
                    .map(|flip| (flip.picture, flip.asked, flip.done))
                    .collect();
                return fail(format!(
                    "frame {frame} did not show picture {picture}; (picture, asked, done): {near:?}"
                ));
            }
        }
        if self.entries.len() < 10 {
            return fail("there were hardly any checksums");
        }
        let shown = self.flips.last().map_or(0, |flip| flip.picture);
        same(&last, &self.sums[shown])
    }
}

/// More to compose than there is time for.
pub fn starved(display: &mut Display<'_>, time: Duration) -> Verdict {
    flip_while_busy(display, (1920, 1080), 120, time)
}

/// More vertical blanks than the machine has time for.
pub fn starved_often(display: &mut Display<'_>, time: Duration) -> Verdict {
    flip_while_busy(display, (320, 200), 900, time)
}

/// Flips as often as possible.
fn flip_while_busy(display: &mut Display<'_>, size: Size, hz: u32, time: Duration) -> Verdict {
    let pictures = (0..PICTURES)
        .map(|number| numbered(display.card, size, number))
        .collect::<Result<Vec<_>, _>>()?;
    let mut record = Record::new(display, &pictures, size, hz)?;
    let result: Result<(), Error> = while_busy(|| {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let next = record.flips.len() % PICTURES;
            record.flip(display, (next, &pictures[next]), NONBLOCK)?;
            record.read()?;
        }
        Ok(())
    });
    result?;
    record.check(display)
}

/// A blocking update has returned: what was shown before it is redrawn.
pub fn redrawn(display: &mut Display<'_>, time: Duration) -> Verdict {
    redraw(display, 0, time)
}

/// The event of an update is there, which itself may not have ended yet.
pub fn redrawn_after_events(display: &mut Display<'_>, time: Duration) -> Verdict {
    redraw(display, NONBLOCK, time)
}

/// Draws the next picture where the last one was, as soon as that is not shown any more: what is
/// composed too late for a checksum has none.
fn redraw(display: &mut Display<'_>, flags: u32, time: Duration) -> Verdict {
    const SIZE: Size = (1920, 1080);
    /// So often there is time to compose.
    const PAUSE: usize = 8;
    let pictures = (0..PICTURES)
        .map(|number| numbered(display.card, SIZE, number))
        .collect::<Result<Vec<_>, _>>()?;
    let mut record = Record::new(display, &pictures, SIZE, 120)?;

    let mut shown = numbered(display.card, SIZE, 0)?;
    let mut hidden = numbered(display.card, SIZE, 1)?;
    record.show(display, &shown)?;
    record.begin(display, 0)?;
    let result: Result<(), Error> = while_busy(|| {
        let _urgent = Urgent::new()?;
        let end = Instant::now() + time;
        while Instant::now() < end {
            let count = record.flips.len();
            let next = pictures[(count + 1) % PICTURES].mapping.bytes();
            record.flip(display, (count % PICTURES, &hidden), flags)?;
            shown.mapping.bytes_mut().copy_from_slice(next);
            std::mem::swap(&mut shown, &mut hidden);
            if count % PAUSE == 0 {
                thread::sleep(Duration::from_millis(500));
            }
            record.read()?;
        }
        Ok(())
    });
    result?;
    record.check(display)
}
