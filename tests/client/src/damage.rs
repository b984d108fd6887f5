// SPDX-License-Identifier: GPL-2.0

//! Updates that say what differs from the picture before: `FB_DAMAGE_CLIPS`.

use crate::atomic::Blob;
use crate::buffer::Frame;
use crate::crc::{argb_checksum, Crc};
use crate::error::{Error, What};
use crate::output::Screen;
use crate::random::Random;
use crate::testlist::{fail, skip, test, Stop, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("damage-of-flips", flips),
    test("damage-with-writes", with_writes),
    test("damage-is-used", is_used),
];

const PROPERTY: &str = "FB_DAMAGE_CLIPS";

/// A rectangle of one colour.
#[derive(Clone, Copy)]
struct Patch {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    color: u32,
}

impl Patch {
    fn random(random: &mut Random, (width, height): (u32, u32)) -> Self {
        let (x, y) = (random.below(width - 1), random.below(height - 1));
        Self {
            x,
            y,
            width: 1 + random.below((width - x).min(100)),
            height: 1 + random.below((height - y).min(100)),
            color: random.below(1 << 24),
        }
    }

    fn covers(&self, x: u32, y: u32) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}

/// What is drawn where no patch is.
fn ground(x: u32, y: u32) -> u32 {
    x | (y << 12)
}

/// The picture of some patches, the last of which is on top.
fn pixel(patches: &[Patch], x: u32, y: u32) -> u32 {
    let top = patches.iter().rev().find(|patch| patch.covers(x, y));
    top.map_or(ground(x, y), |patch| patch.color)
}

/// Two framebuffers, one of which is shown.
struct Flipped<'s> {
    screen: &'s Screen<'s>,
    frames: [Frame<'s>; 2],
    crc: Crc,
    shown: usize,
}

impl<'s> Flipped<'s> {
    /// Shows the first one, without patches.
    fn new(screen: &'s Screen<'s>) -> Result<Self, Stop> {
        let plane = screen.output.primary;
        if screen.card.property_id(plane, PROPERTY).is_none() {
            return skip("there is no FB_DAMAGE_CLIPS");
        }
        let Some(crc) = Crc::start(screen)? else {
            return skip("there are no checksums");
        };
        let (width, height) = screen.size();
        let frame = || Frame::new(screen.card, width, height);
        let mut this = Self {
            screen,
            frames: [frame()?, frame()?],
            crc,
            shown: 0,
        };
        this.frames[0].draw(ground)?;
        this.frames[1].draw(ground)?;
        screen
            .flip_to(this.frames[0].id)?
            .commit(screen.card, 0)
            .what("commit")?;
        this.crc.now()?;
        Ok(this)
    }

    /// Draws `patches` to the frame that is not shown, shows it, and says that what it shows differs
    /// in `damage` only.
    fn show(&mut self, patches: &[Patch], damage: &Patch) -> Result<String, Error> {
        let card = self.screen.card;
        let next = &self.frames[1 - self.shown];
        next.draw(|x, y| pixel(patches, x, y))?;
        let (x, y) = (damage.x, damage.y);
        let clip = [x, y, x + damage.width, y + damage.height];
        let bytes: Vec<u8> = clip.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let blob = Blob::new(card, &bytes)?;
        self.screen
            .flip_to(next.id)?
            .set(card, self.screen.output.primary, PROPERTY, blob.id.into())?
            .commit(card, 0)
            .what("a commit with damage")?;
        self.shown = 1 - self.shown;
        self.crc.now()
    }

    fn expect(&self, found: &str, patches: &[Patch]) -> Verdict {
        let expected = argb_checksum(self.screen.size(), |x, y| pixel(patches, x, y));
        if found == expected {
            Ok(())
        } else {
            fail(format!("the checksum is {found}, {expected} expected"))
        }
    }
}

/// Flips that tell the truth show what they are to.
fn flips(screen: &Screen<'_>) -> Verdict {
    let mut flipped = Flipped::new(screen)?;
    let mut random = Random::new(5);
    let mut patches = Vec::new();
    for _ in 0..20 {
        patches.push(Patch::random(&mut random, screen.size()));
        let found = flipped.show(&patches, &patches[patches.len() - 1])?;
        flipped.expect(&found, &patches)?;
    }
    Ok(())
}

/// What is drawn into the picture that is shown is seen, too.
fn with_writes(screen: &Screen<'_>) -> Verdict {
    let mut flipped = Flipped::new(screen)?;
    let mut random = Random::new(6);
    let mut patches = Vec::new();
    for _ in 0..5 {
        patches.push(Patch::random(&mut random, screen.size()));
        flipped.show(&patches, &patches[patches.len() - 1])?;
        patches.push(Patch::random(&mut random, screen.size()));
        flipped.frames[flipped.shown].draw(|x, y| pixel(&patches, x, y))?;
        let found = flipped.crc.now()?;
        flipped.expect(&found, &patches)?;
    }
    Ok(())
}

/// Who says too little does not get more: rows without damage are not composed.
fn is_used(screen: &Screen<'_>) -> Verdict {
    let mut flipped = Flipped::new(screen)?;
    let patch = |y, color| Patch {
        x: 8,
        y,
        width: 16,
        height: 16,
        color,
    };
    let (said, not_said) = (patch(16, 0x00ff_0000), patch(100, 0x0000_ff00));
    let found = flipped.show(&[said], &said)?;
    flipped.expect(&found, &[said])?;
    let other = patch(16, 0x0000_00ff);
    let found = flipped.show(&[other, not_said], &other)?;
    flipped.expect(&found, &[other])
}
