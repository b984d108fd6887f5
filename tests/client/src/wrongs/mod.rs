// SPDX-License-Identifier: GPL-2.0

//! What C vkms shows wrongly, and what a driver should show instead.
//!
//! C vkms is to survive this, so these are not among it:
//!
//! - an offset of a framebuffer that is not followed by as much memory again, from which C vkms
//!   reads behind the mapping: an oops;
//! - the legacy cursor moved while a frame is composed, from states of planes that are freed
//!   meanwhile: an oops;
//! - updates that do not wait for each other while a slow frame is composed, which then reads gamma
//!   tables and colour operations that may be freed; here each waits;
//! - a composer without memory, which never signals the fence of a writeback: a hang;
//! - a connector removed through configfs while it is asked for its modes: a list is walked without
//!   its lock.

mod mixed;
mod pipelines;

use drm_sys::DRM_MODE_ROTATE_0;
use rvkms_reference::Format;

use crate::card::Card;
use crate::error::Error;
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::testlist::{fail, Stop, Verdict};

const SIZE: (u32, u32) = (64, 48);

fn place(rotation: u32) -> Place {
    Place {
        rotation,
        ..Place::upright(SIZE, (0, 0))
    }
}

/// Shows two framebuffers one after the other; returns whether the checksums are the same.
fn compare(
    display: &mut Display<'_>,
    one: (&PictureBuffer<'_>, &Place),
    other: (&PictureBuffer<'_>, &Place),
) -> Result<bool, Error> {
    let plane = display.planes[0];
    let mut sums = Vec::new();
    for (buffer, place) in [one, other] {
        let request = display
            .set_mode(SIZE, 200)?
            .and(display.show(plane, buffer.id, place)?);
        display.commit(&request)?;
        let mut crc = display.crc()?;
        sums.push(display.checksum(&mut crc)?);
        drop(crc);
        // A framebuffer must not go away while it is shown.
        display.off()?;
    }
    Ok(sums[0] == sums[1])
}

fn pixels(shape: &Shape) -> Vec<u8> {
    let mut bytes = vec![0; shape.bytes as usize];
    shape.fill(&mut bytes, &mut Random::new(99));
    bytes
}

/// A framebuffer of a format in one object, and its bytes.
fn filled<'c>(
    display: &Display<'c>,
    format: Format,
) -> Result<(Shape, PictureBuffer<'c>, Vec<u8>), Error> {
    let shape = Shape::new(format, SIZE.0, SIZE.1, &mut Random::new(1));
    let bytes = pixels(&shape);
    let mut buffer = PictureBuffer::new(display.card, &shape, 0, 0)?;
    buffer.mapping.bytes_mut()[..bytes.len()].copy_from_slice(&bytes);
    Ok((shape, buffer, bytes))
}

/// A framebuffer may begin anywhere in its object. C vkms adds the offset twice.
fn offset(display: &mut Display<'_>) -> Result<bool, Stop> {
    let (shape, start, bytes) = filled(display, *b"XR24")?;
    // There is room for what is read in the wrong place.
    let mut behind = PictureBuffer::new(display.card, &shape, shape.bytes, shape.bytes)?;
    behind.mapping.bytes_mut()[bytes.len()..2 * bytes.len()].copy_from_slice(&bytes);
    let place = place(DRM_MODE_ROTATE_0);
    Ok(compare(display, (&start, &place), (&behind, &place))?)
}

/// The colour planes of a framebuffer may be in several objects. C vkms reads all from the first.
fn apart(display: &mut Display<'_>) -> Result<bool, Stop> {
    let (shape, together, bytes) = filled(display, *b"NV12")?;
    let apart = PictureBuffer::apart(display.card, &shape, &bytes)?;
    let place = place(DRM_MODE_ROTATE_0);
    Ok(compare(display, (&together, &place), (&apart, &place))?)
}

/// Checksums go on when a picture is written meanwhile. Those of C vkms stop.
fn both_at_once(display: &mut Display<'_>) -> Result<bool, Stop> {
    let (_, buffer, _) = filled(display, *b"XR24")?;
    let request = display.set_mode(SIZE, 200)?.and(display.show(
        display.planes[0],
        buffer.id,
        &place(DRM_MODE_ROTATE_0),
    )?);
    display.commit(&request)?;
    let mut crc = display.crc()?;
    let before = display.checksum(&mut crc)?;
    let target = display.target(*b"XR24")?;
    display.write_back(&target)?;
    let after = display.checksum(&mut crc);
    drop(crc);
    display.off()?;
    Ok(after.is_ok_and(|after| after == before))
}

/// A name, and a function that returns whether what it shows is right.
type Case = (&'static str, fn(&mut Display<'_>) -> Result<bool, Stop>);

/// The cases for any card with a writeback connector.
pub const CASES: [Case; 4] = [
    ("offset-of-a-framebuffer", offset),
    ("planes-in-several-objects", apart),
    ("checksums-while-writing-back", both_at_once),
    ("gamma-changed-while-composing", mixed::gamma),
];

/// The cases for a card that has been opened for colour pipelines.
pub const WITH_PIPELINES: [Case; 3] = [
    ("curve-after-matrix", pipelines::curve_after_matrix),
    ("offset-of-a-matrix", pipelines::offset_of_matrix),
    ("pipeline-changed-while-composing", mixed::pipeline),
];

/// Runs a case on the driver that is to be right, and says what the other one does.
pub fn run(case: Case, card: &Card, other: &Card) -> Verdict {
    let right = (case.1)(&mut Display::new(card)?)?;
    let text = match (case.1)(&mut Display::new(other)?) {
        Ok(true) => "right, too".to_string(),
        Ok(false) => "wrong".to_string(),
        Err(Stop::Fail(why) | Stop::Skip(why)) => why,
    };
    println!("     {}: {}: {text}", case.0, other.driver);
    if !right {
        return fail("what is shown is not right");
    }
    Ok(())
}
