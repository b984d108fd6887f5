// SPDX-License-Identifier: GPL-2.0

//! Property blobs, and properties that take one.

use drm_sys::*;
use rustix::io::Errno;

use super::rejected;
use crate::atomic::{mode_bytes, Blob, Request, Snapshot, ALLOW_MODESET, TEST_ONLY};
use crate::card::address;
use crate::output::Screen;
use crate::raw;
use crate::testlist::{accepted_or, fail, refused, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("blob-bad-length", bad_length),
    test("blob-bad-address", bad_address),
    test("blob-bad-id", bad_id),
    test("blob-destroy-foreign", destroy_foreign),
    test("blob-outlives-its-id", outlives_its_id),
    test("mode-blob-bad-id", mode_blob_bad_id),
    test("mode-blob-bad-size", mode_blob_bad_size),
    test("gamma-lut-bad-blob", gamma_lut_bad_blob),
    test("gamma-lut-wrong-entries", gamma_lut_wrong_entries),
    test("gamma-legacy-wrong-size", gamma_legacy_wrong_size),
    test("ctm-bad-blob", ctm_bad_blob),
    test("damage-clips-bad-blob", damage_clips_bad_blob),
];

fn create(screen: &Screen<'_>, data: u64, length: u32) -> Result<u32, Errno> {
    let mut argument = drm_mode_create_blob {
        data,
        length,
        blob_id: 0,
    };
    // SAFETY: the kernel only reads the data.
    unsafe { raw::call(screen.card.fd(), raw::CREATE_BLOB, &mut argument) }?;
    Ok(argument.blob_id)
}

fn bad_length(screen: &Screen<'_>) -> Verdict {
    let mut byte = [0u8; 1];
    refused(
        "a blob of no bytes",
        create(screen, address(&mut byte), 0),
        &[Errno::INVAL],
    )?;
    for length in [u32::MAX, i32::MAX as u32, 1 << 31] {
        refused(
            &format!("a blob of {length} bytes"),
            create(screen, address(&mut byte), length),
            &[Errno::INVAL, Errno::NOMEM, Errno::FAULT],
        )?;
    }
    Ok(())
}

fn bad_address(screen: &Screen<'_>) -> Verdict {
    for data in [0, 8, u64::MAX - 4095] {
        refused(
            &format!("a blob from address {data:#x}"),
            create(screen, data, 64),
            &[Errno::FAULT],
        )?;
    }
    Ok(())
}

fn bad_id(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.output.crtc] {
        let result = screen.card.call(
            raw::DESTROY_BLOB,
            &mut drm_mode_destroy_blob { blob_id: id },
        );
        refused(&format!("DESTROYPROPBLOB {id}"), result, &[Errno::NOENT])?;
        let mut argument = drm_mode_get_blob {
            blob_id: id,
            length: 0,
            data: 0,
        };
        // SAFETY: with length 0 nothing is written.
        let result = unsafe { raw::call(screen.card.fd(), raw::GET_BLOB, &mut argument) };
        refused(&format!("GETPROPBLOB {id}"), result, &[Errno::NOENT])?;
    }
    Ok(())
}

fn destroy_foreign(screen: &Screen<'_>) -> Verdict {
    let other = screen.card.reopen()?;
    let mut argument = drm_mode_destroy_blob {
        blob_id: screen.mode_blob.id,
    };
    refused(
        "destroying another file's blob",
        other.call(raw::DESTROY_BLOB, &mut argument),
        &[Errno::PERM],
    )
}

fn outlives_its_id(screen: &Screen<'_>) -> Verdict {
    let blob = Blob::of_mode(screen.card, &screen.mode)?;
    Request::new()
        .set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?
        .commit(screen.card, ALLOW_MODESET)
        .map_err(|errno| {
            crate::testlist::Stop::Fail(format!(
                "commit of the same mode: {}",
                crate::error::name(errno)
            ))
        })?;
    drop(blob);
    Ok(screen.check_alive()?)
}

fn mode_blob_bad_id(screen: &Screen<'_>) -> Verdict {
    for id in [
        u64::from(u32::MAX),
        1 << 32,
        u64::MAX,
        screen.output.crtc.into(),
        screen.front.id.into(),
    ] {
        let request = Request::new().set(screen.card, screen.output.crtc, "MODE_ID", id)?;
        rejected(screen, &format!("MODE_ID {id}"), &request, &[Errno::INVAL])?;
    }
    Ok(())
}

fn mode_blob_bad_size(screen: &Screen<'_>) -> Verdict {
    let mode = mode_bytes(&screen.mode);
    let twice = [mode, mode].concat();
    for length in [1, mode.len() - 1, mode.len() + 1, 2 * mode.len()] {
        let blob = Blob::new(screen.card, &twice[..length])?;
        let request =
            Request::new().set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?;
        rejected(
            screen,
            &format!("a mode of {length} bytes"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

/// The number of entries that the driver says its gamma table has.
fn gamma_size(screen: &Screen<'_>) -> Result<usize, crate::testlist::Stop> {
    if screen
        .card
        .property_id(screen.output.crtc, "GAMMA_LUT")
        .is_none()
    {
        return skip("the CRTC has no GAMMA_LUT");
    }
    Ok(screen.card.value(screen.output.crtc, "GAMMA_LUT_SIZE")? as usize)
}

fn gamma_lut_bad_blob(screen: &Screen<'_>) -> Verdict {
    let size = gamma_size(screen)?;
    let crtc = screen.output.crtc;
    for length in [1, 7, 9, size * 8 - 1, size * 8 + 1] {
        let blob = Blob::new(screen.card, &vec![0x7f; length])?;
        let request = Request::new().set(screen.card, crtc, "GAMMA_LUT", blob.id.into())?;
        rejected(
            screen,
            &format!("a gamma table of {length} bytes"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    let request = Request::new().set(screen.card, crtc, "GAMMA_LUT", screen.front.id.into())?;
    rejected(
        screen,
        "a framebuffer as gamma table",
        &request,
        &[Errno::INVAL],
    )
}

fn gamma_lut_wrong_entries(screen: &Screen<'_>) -> Verdict {
    // A driver may take fewer entries than it says it has, but then it must go on working; more are a mistake.
    let size = gamma_size(screen)?;
    let crtc = screen.output.crtc;
    for entries in [1, size / 2, size - 1] {
        let blob = Blob::new(screen.card, &vec![0x7f; entries * 8])?;
        let result = Request::new()
            .set(screen.card, crtc, "GAMMA_LUT", blob.id.into())?
            .commit(screen.card, ALLOW_MODESET);
        accepted_or(
            &format!("a gamma table of {entries} of {size} entries"),
            result,
            &[Errno::INVAL],
        )?;
        screen.check_alive()?;
    }
    for entries in [size + 1, size * 2, 100_000] {
        let blob = Blob::new(screen.card, &vec![0x7f; entries * 8])?;
        let request = Request::new().set(screen.card, crtc, "GAMMA_LUT", blob.id.into())?;
        rejected(
            screen,
            &format!("a gamma table of {entries} entries"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn gamma_legacy_wrong_size(screen: &Screen<'_>) -> Verdict {
    let before = Snapshot::take(screen.card)?;
    for size in [0, 1, 255, 257, 65535, u32::MAX] {
        let mut argument = drm_mode_crtc_lut {
            crtc_id: screen.output.crtc,
            gamma_size: size,
            red: 8,
            green: 8,
            blue: 8,
        };
        // SAFETY: the kernel only reads the three arrays, which are not mapped.
        let result = unsafe { raw::call(screen.card.fd(), raw::SET_GAMMA, &mut argument) };
        refused(
            &format!("SETGAMMA of {size} entries"),
            result,
            &[Errno::INVAL, Errno::NOSYS, Errno::FAULT],
        )?;
    }
    match Snapshot::take(screen.card)?.difference(&before, screen.card) {
        None => Ok(()),
        Some(difference) => fail(format!("SETGAMMA left a change: {difference}")),
    }
}

fn ctm_bad_blob(screen: &Screen<'_>) -> Verdict {
    let crtc = screen.output.crtc;
    if screen.card.property_id(crtc, "CTM").is_none() {
        return skip("the CRTC has no CTM");
    }
    for length in [1, 71, 73, 144] {
        let blob = Blob::new(screen.card, &vec![0; length])?;
        let request = Request::new().set(screen.card, crtc, "CTM", blob.id.into())?;
        rejected(
            screen,
            &format!("a CTM of {length} bytes"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn damage_clips_bad_blob(screen: &Screen<'_>) -> Verdict {
    let plane = screen.output.primary;
    let name = "FB_DAMAGE_CLIPS";
    if screen.card.property_id(plane, name).is_none() {
        return skip("the primary plane has no FB_DAMAGE_CLIPS");
    }
    let flip = screen.flip_to(screen.back.id)?;
    let blob = Blob::new(screen.card, &[0; 15])?;
    let request = flip.clone().set(screen.card, plane, name, blob.id.into())?;
    rejected(
        screen,
        "damage clips of 15 bytes",
        &request,
        &[Errno::INVAL],
    )?;
    let far = i32::MAX;
    for clip in [
        [10, 10, 10, 20],
        [20, 10, 10, 20],
        [-1, 0, 10, 10],
        [0, 0, far, far],
        [i32::MIN, i32::MIN, far, far],
    ] {
        let bytes: Vec<u8> = clip.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let blob = Blob::new(screen.card, &bytes)?;
        let request = flip.clone().set(screen.card, plane, name, blob.id.into())?;
        if clip == [0, 0, far, far] {
            // The core compares clips with the framebuffer's size in 16.16, so this one passes; a driver must clip it.
            let result = request.commit(screen.card, TEST_ONLY);
            accepted_or("a damage clip past the end", result, &[Errno::INVAL])?;
            let result = request.commit(screen.card, ALLOW_MODESET);
            accepted_or("a damage clip past the end", result, &[Errno::INVAL])?;
            continue;
        }
        rejected(
            screen,
            &format!("damage clip {clip:?}"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}
