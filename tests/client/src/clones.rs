// SPDX-License-Identifier: GPL-2.0

//! A picture is written while a display shows it, and without a display.

use drm_sys::drm_mode_get_encoder;

use crate::atomic::ALLOW_MODESET;
use crate::card::Card;
use crate::crc::argb_checksum;
use crate::error::What;
use crate::load::{picture, same_pixels};
use crate::output::connector_encoders;
use crate::planes::{is_signalled, status_of, Display};
use crate::raw;
use crate::testlist::{fail, skip, Verdict};

const SIZE: (u32, u32) = (320, 200);

/// Runs the test while `card` is not the master.
pub fn test(card: &Card) -> Verdict {
    card.drop_master()?;
    let verdict = match Card::open_for_writeback(&card.path.to_string_lossy()) {
        Ok(card) => on_card(&card),
        Err(error) => skip(error.to_string()),
    };
    card.set_master()?;
    verdict
}

fn on_card(card: &Card) -> Verdict {
    let mut display = Display::new(card)?;
    let Some(writeback) = display.writeback else {
        return skip("there is no writeback connector");
    };
    can_be_cloned(card, [display.output.connector, writeback])?;

    let pixel = |x: u32, y: u32| x | (y << 12);
    let front = picture(card, SIZE, pixel)?;
    display.light_up(front.id, SIZE, 60)?;
    let target = display.target(*b"XR24")?;
    display.write_back(&target)?;
    let mut crc = display.crc()?;
    let found = display.checksum(&mut crc)?;
    drop(crc);
    if found != argb_checksum(SIZE, pixel) {
        return fail("the display does not show the picture");
    }
    if !same_pixels(&front, &target, SIZE) {
        return fail("what is written beside a display is not the picture");
    }

    let target = display.target(*b"XR24")?;
    let fence = display
        .write_to(&target)?
        .set(card, display.output.connector, "CRTC_ID", 0)?
        .commit_with_fence(card, writeback, ALLOW_MODESET)
        .what("a commit of a writeback connector alone")?;
    if !is_signalled(&fence)? || status_of(&fence)? != 1 {
        return fail("nothing is written without a display");
    }
    if !same_pixels(&front, &target, SIZE) {
        return fail("what is written without a display is not the picture");
    }
    Ok(display.off()?)
}

/// Each encoder of the connectors says that it can be used together with those of the others.
fn can_be_cloned(card: &Card, connectors: [u32; 2]) -> Verdict {
    let mut encoders = Vec::new();
    for connector in connectors {
        encoders.extend(connector_encoders(card, connector)?);
    }
    let places = card.encoders.iter().enumerate();
    let together = places
        .filter(|(_, id)| encoders.contains(id))
        .fold(0, |mask, (index, _)| mask | 1 << index);
    for encoder_id in encoders {
        let mut argument = drm_mode_get_encoder {
            encoder_id,
            ..Default::default()
        };
        card.call(raw::GET_ENCODER, &mut argument)
            .what("GETENCODER")?;
        let clones = argument.possible_clones;
        if clones & together != together {
            return fail(format!(
                "the possible clones of encoder {encoder_id} are {clones:#x}, without {together:#x}"
            ));
        }
    }
    Ok(())
}
