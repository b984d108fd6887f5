// SPDX-License-Identifier: GPL-2.0

//! Operations of colour pipelines that C vkms gets wrong.

use crate::crc::argb_checksum;
use crate::error::Error;
use crate::load::picture;
use crate::pipeline::{Pipeline, Step, Steps, TO_SRGB};
use crate::planes::Display;
use crate::testlist::{skip, Stop};

use super::SIZE;

/// 1.0 in the numbers of a matrix, and what has a number be taken as negative.
const ONE: u64 = 1 << 32;
const MINUS: u64 = 1 << 63;

/// The pipeline of the plane that is shown.
pub fn pipeline_of<'c>(display: &Display<'c>) -> Result<Pipeline<'c>, Stop> {
    match Pipeline::find(display.card, display.planes[0])? {
        Some(pipeline) => Ok(pipeline),
        None => skip(format!("{} has no colour pipelines", display.card.driver)),
    }
}

/// Shows what `pixel` says through `steps`; returns whether it looks like `expected`.
fn looks_like(
    display: &mut Display<'_>,
    pixel: impl Fn(u32, u32) -> u32,
    steps: &Steps,
    expected: impl Fn(u32) -> u32,
) -> Result<bool, Stop> {
    let pipeline = pipeline_of(display)?;
    let front = picture(display.card, SIZE, &pixel)?;
    display.light_up(front.id, SIZE, 200)?;
    let (request, _blobs) = pipeline.apply(steps)?;
    display.commit(&request)?;
    let mut crc = display.crc()?;
    let found = display.checksum(&mut crc)?;
    drop(crc);
    end(display, &pipeline)?;
    Ok(found == argb_checksum(SIZE, |x, y| expected(pixel(x, y))))
}

/// Takes the plane out of its pipeline, and turns everything off.
pub fn end(display: &Display<'_>, pipeline: &Pipeline<'_>) -> Result<(), Error> {
    display.commit(&pipeline.leave()?)?;
    display.off()
}

/// What is beyond 0 and 1 after a matrix is taken for 0 and 1 by a curve. C vkms wraps it around.
pub fn curve_after_matrix(display: &mut Display<'_>) -> Result<bool, Stop> {
    let (more, less) = (ONE * 3 / 2, (ONE * 3 / 2) | MINUS);
    let difference = [more, less, 0, 0, 0, more, less, 0, less, 0, more, 0];
    // The channels are all low or high, so that what the matrix returns is 0 or beyond.
    let pixel = |x: u32, y: u32| {
        let channel = |bit: u32| match (x + y) >> bit & 1 {
            0 => x % 40,
            _ => 255 - y % 40,
        };
        channel(0) << 16 | channel(1) << 8 | channel(2)
    };
    let expected = |pixel: u32| {
        let [blue, green, red, _] = pixel.to_le_bytes();
        let greater = |one: u8, other: u8| if one > other { 0xff } else { 0 };
        greater(red, green) << 16 | greater(green, blue) << 8 | greater(blue, red)
    };
    let steps = [
        Step::Bypassed,
        Step::Matrix(difference),
        Step::Bypassed,
        TO_SRGB,
    ];
    looks_like(display, pixel, &steps, expected)
}

/// An offset of 1.0 makes a channel as light as it can be. C vkms adds the least that there is.
pub fn offset_of_matrix(display: &mut Display<'_>) -> Result<bool, Stop> {
    let lighter = [ONE, 0, 0, ONE, 0, ONE, 0, 0, 0, 0, ONE, 0];
    let steps = [
        Step::Bypassed,
        Step::Matrix(lighter),
        Step::Bypassed,
        Step::Bypassed,
    ];
    let pixel = |x: u32, y: u32| x | y << 8 | (x + y) << 16;
    looks_like(display, pixel, &steps, |pixel| pixel | 0x00ff_0000)
}
