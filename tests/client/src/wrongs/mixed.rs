// SPDX-License-Identifier: GPL-2.0

//! Each frame shows what one update said. C vkms takes the picture from that one, but gamma tables
//! and colour pipelines from the update that came last when it composes.

use std::time::{Duration, Instant};

use crate::atomic::Request;
use crate::crc::argb_checksum;
use crate::error::Error;
use crate::load::{picture, while_busy};
use crate::pipeline::Step;
use crate::planes::{Display, Place};
use crate::testlist::{fail, Stop};

use super::pipelines::{end, pipeline_of};

/// Large enough for C vkms to take longer than until the next vertical blank.
const SIZE: (u32, u32) = (160, 120);

/// How long updates go on.
const TIME: Duration = Duration::from_secs(3);

/// Two pictures.
const PIXELS: [fn(u32, u32) -> u32; 2] = [
    |x, y| x | y << 8 | 0x0040_0000,
    |x, y| y | x << 8 | 0x0012_0000,
];

/// Shows both pictures in turn while nobody has time, with what else belongs to each; returns
/// whether all frames had the checksum of one of them.
fn all_are_whole(
    display: &mut Display<'_>,
    extra: [Request; 2],
    expected: [String; 2],
) -> Result<bool, Stop> {
    let card = display.card;
    let pictures = [
        picture(card, SIZE, PIXELS[0])?,
        picture(card, SIZE, PIXELS[1])?,
    ];
    let plane = display.planes[0];
    let mut updates = Vec::new();
    for (picture, extra) in pictures.iter().zip(extra) {
        let place = Place::upright(SIZE, (0, 0));
        updates.push(display.show(plane, picture.id, &place)?.and(extra));
    }
    let first = display.set_mode(SIZE, 200)?.and(updates[0].clone());
    display.commit(&first)?;
    let mut crc = display.crc()?;
    let mut rounds = 0;
    let mut seen = Vec::new();
    let result: Result<(), Error> = while_busy(|| {
        let start = Instant::now();
        while start.elapsed() < TIME {
            rounds += 1;
            display.commit(&updates[rounds % 2])?;
            seen.extend(crc.entries()?);
        }
        Ok(())
    });
    result?;
    let last = display.checksum(&mut crc)?;
    drop(crc);
    display.off()?;

    let mixed = seen.iter().filter(|(_, sum)| !expected.contains(sum));
    let mixed = mixed.count();
    let (driver, frames) = (&card.driver, seen.len());
    println!("  {driver}: {rounds} updates, {frames} frames, {mixed} of them mixed");
    if last != expected[rounds % 2] {
        return fail(format!("the last picture of {driver} is not right"));
    }
    if !expected
        .iter()
        .all(|sum| seen.iter().any(|(_, s)| s == sum))
    {
        return fail(format!("{driver} did not show both pictures"));
    }
    Ok(mixed == 0)
}

/// Each picture has a gamma table of its own.
pub fn gamma(display: &mut Display<'_>) -> Result<bool, Stop> {
    // No two neighbours differ by much, since what C vkms computes is near to one of them only.
    let entries: [fn(u8) -> u8; 2] = [|value| 255 - value, |value| value / 2];
    let mut tables = Vec::new();
    let mut extra = [Request::new(), Request::new()];
    for (entry, extra) in entries.iter().zip(&mut extra) {
        let entries: Vec<[u16; 3]> = (0..=255)
            .map(|value| [u16::from(entry(value)) * 257; 3])
            .collect();
        let table = display.gamma_table(&entries)?;
        *extra = display.gamma(Some(&table))?;
        tables.push(table);
    }
    let expected = [0, 1].map(|index| {
        argb_checksum(SIZE, |x, y| {
            let channels = PIXELS[index](x, y).to_le_bytes();
            u32::from_le_bytes(channels.map(entries[index]))
        })
    });
    let whole = all_are_whole(display, extra, expected)?;
    // The next pictures have none.
    display.commit(&display.gamma(None)?)?;
    Ok(whole)
}

/// Each picture goes through a colour pipeline that exchanges channels in another way.
pub fn pipeline(display: &mut Display<'_>) -> Result<bool, Stop> {
    const ONE: u64 = 1 << 32;
    let matrices = [
        [0, ONE, 0, 0, 0, 0, ONE, 0, ONE, 0, 0, 0],
        [0, 0, ONE, 0, ONE, 0, 0, 0, 0, ONE, 0, 0],
    ];
    let pipeline = pipeline_of(display)?;
    let mut blobs = Vec::new();
    let mut extra = [Request::new(), Request::new()];
    for (matrix, extra) in matrices.into_iter().zip(&mut extra) {
        let matrix = Step::Matrix(matrix);
        let steps = [Step::Bypassed, matrix, Step::Bypassed, Step::Bypassed];
        let (request, used) = pipeline.apply(&steps)?;
        *extra = request;
        blobs.extend(used);
    }
    let expected = [0, 1].map(|index| {
        argb_checksum(SIZE, |x, y| {
            let [blue, green, red, _] = PIXELS[index](x, y).to_le_bytes();
            let [red, green, blue] = match index {
                0 => [green, blue, red],
                _ => [blue, red, green],
            };
            u32::from_le_bytes([blue, green, red, 0])
        })
    });
    let whole = all_are_whole(display, extra, expected)?;
    end(display, &pipeline)?;
    Ok(whole)
}
