// SPDX-License-Identifier: GPL-2.0

//! Framebuffers that are valid but that C vkms reads wrongly. Judged by the CRTC's checksum where there is one.

use drm_fourcc::DrmFourcc;
use drm_sys::*;

use crate::atomic::ALLOW_MODESET;
use crate::buffer::{add_fb2, fb_argument, remove_fb, Dumb};
use crate::crc::Crc;
use crate::error::What;
use crate::output::{plane_formats, Screen};
use crate::pattern::Pattern;
use crate::testlist::{fail, risky, skip, test, Stop, Test, Verdict};

pub const TESTS: &[Test] = &[
    // C vkms applies the offset twice and shows the third frame.
    test("pixels-offset-in-object", offset_in_object),
    risky(
        "pixels-offset-at-end-of-object",
        "it applies the offset twice and reads past the object: oops in its composer",
        offset_at_end,
    ),
    // C vkms reads all planes from the first object.
    test("pixels-nv12-in-two-objects", nv12_in_two_objects),
];

fn crc(screen: &Screen<'_>) -> Result<Crc, Stop> {
    match Crc::start(screen)? {
        Some(crc) => Ok(crc),
        None => skip("the CRTC has no CRC"),
    }
}

/// The checksum of the primary plane with a framebuffer that is as large as the mode.
fn checksum(
    screen: &Screen<'_>,
    crc: &mut Crc,
    argument: drm_mode_fb_cmd2,
) -> Result<String, Stop> {
    let id = add_fb2(screen.card, argument).what("ADDFB2")?;
    let size = screen.size();
    let shown = screen
        .plane(screen.output.primary, id, (0, 0), size)
        .and_then(|request| {
            request
                .commit(screen.card, ALLOW_MODESET)
                .what("commit of the framebuffer")
        })
        .and_then(|()| crc.now());
    screen.restore()?;
    let _ = remove_fb(screen.card, id);
    Ok(shown?)
}

/// Shows the second of `frames` frames in one object, and the same picture at offset 0 of another.
fn second_frame(screen: &Screen<'_>, frames: u32) -> Verdict {
    let mut crc = crc(screen)?;
    let (width, height) = screen.size();
    let tall = Dumb::new(screen.card, width, height * frames, 32)?;
    let plain = Dumb::new(screen.card, width, height, 32)?;
    let frame = (tall.pitch * height) as usize;
    let picture = |buffer: &Dumb<'_>, at: usize, pattern: Pattern| -> Verdict {
        let mut mapping = buffer.map()?;
        let lines = mapping.bytes_mut()[at..].chunks_exact_mut(buffer.pitch as usize);
        for (y, line) in (0..height).zip(lines) {
            for (x, place) in (0..width).zip(line.chunks_exact_mut(4)) {
                place.copy_from_slice(&pattern.pixel(x, y, width, height).to_le_bytes());
            }
        }
        Ok(())
    };
    // The first frame is bars, any third is black.
    picture(&tall, 0, Pattern::Bars)?;
    picture(&tall, frame, Pattern::Gradient)?;
    picture(&plain, 0, Pattern::Gradient)?;
    let expected = fb_argument(&plain, width, height, DrmFourcc::Xrgb8888);
    let expected = checksum(screen, &mut crc, expected)?;
    let mut argument = fb_argument(&tall, width, height, DrmFourcc::Xrgb8888);
    let first = checksum(screen, &mut crc, argument)?;
    argument.offsets[0] = frame as u32;
    let second = checksum(screen, &mut crc, argument)?;
    if first == expected {
        return fail("the checksum does not tell the two pictures apart");
    }
    if second == expected {
        Ok(())
    } else {
        fail(format!(
            "the frame at an offset has checksum {second}, the same picture at offset 0 has {expected}"
        ))
    }
}

fn offset_in_object(screen: &Screen<'_>) -> Verdict {
    second_frame(screen, 3)
}

fn offset_at_end(screen: &Screen<'_>) -> Verdict {
    second_frame(screen, 2)
}

fn nv12_in_two_objects(screen: &Screen<'_>) -> Verdict {
    let formats = plane_formats(screen.card, screen.output.primary)?;
    if !formats.contains(&(DrmFourcc::Nv12 as u32)) {
        return skip("the primary plane has no NV12");
    }
    let mut crc = crc(screen)?;
    let (width, height) = screen.size();
    let both = Dumb::new(screen.card, width, height * 3 / 2, 8)?;
    let luma = Dumb::new(screen.card, width, height, 8)?;
    let chroma = Dumb::new(screen.card, width, height / 2, 8)?;
    let luma_size = (both.pitch * height) as usize;
    let chroma_size = (both.pitch * height / 2) as usize;
    let brightness = |index: usize| (index % 199) as u8 + 16;
    let tint = |index: usize| (index / 7 % 201) as u8 + 20;
    for (buffer, start, size, value) in [
        (&both, 0, luma_size, &brightness as &dyn Fn(usize) -> u8),
        (&both, luma_size, chroma_size, &tint),
        (&luma, 0, luma_size, &brightness),
        (&chroma, 0, chroma_size, &tint),
    ] {
        let mut mapping = buffer.map()?;
        for (index, byte) in mapping.bytes_mut()[start..start + size]
            .iter_mut()
            .enumerate()
        {
            *byte = value(index);
        }
    }
    let mut argument = fb_argument(&both, width, height, DrmFourcc::Nv12);
    argument.handles[1] = both.handle;
    argument.pitches[1] = both.pitch;
    argument.offsets[1] = luma_size as u32;
    let expected = checksum(screen, &mut crc, argument)?;
    argument.handles = [luma.handle, chroma.handle, 0, 0];
    argument.offsets = [0; 4];
    let seen = checksum(screen, &mut crc, argument)?;
    if seen == expected {
        Ok(())
    } else {
        fail(format!(
            "planes in two objects give checksum {seen}, in one object {expected}"
        ))
    }
}
