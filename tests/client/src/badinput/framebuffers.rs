// SPDX-License-Identifier: GPL-2.0

//! ADDFB, ADDFB2, RMFB, GETFB2 and DIRTYFB.

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::buffer::{add_fb2, fb_argument, remove_fb, Dumb, Frame};
use crate::error::What;
use crate::output::{plane_formats, Screen};
use crate::raw;
use crate::testlist::{accepted_or, fail, refused, skip, test, Stop, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("fb-offset-past-object", offset_past_object),
    test("fb-offset-past-object-by-one", offset_past_object_by_one),
    test("fb-offset-overflows", offset_overflows),
    test("fb-pitch-too-small", pitch_too_small),
    test("fb-pitch-zero", pitch_zero),
    test("fb-pitch-overflows", pitch_overflows),
    test("fb-size-zero", size_zero),
    test("fb-size-below-limit", size_below_limit),
    test("fb-size-above-limit", size_above_limit),
    test("fb-higher-than-object", higher_than_object),
    test("fb-unknown-format", unknown_format),
    test("fb-format-of-no-plane", format_of_no_plane),
    test("fb-unknown-flag", unknown_flag),
    test("fb-modifier-without-flag", modifier_without_flag),
    test("fb-foreign-modifier", foreign_modifier),
    test("fb-unused-planes-set", unused_planes_set),
    test("fb-bad-handle", bad_handle),
    test("fb-nv12-without-second-plane", nv12_without_second_plane),
    test("fb-nv12-chroma-past-object", nv12_chroma_past_object),
    test(
        "fb-nv12-chroma-pitch-too-small",
        nv12_chroma_pitch_too_small,
    ),
    test(
        "fb-nv12-second-object-too-small",
        nv12_second_object_too_small,
    ),
    test("fb-yuyv-pitch-cuts-a-pair", yuyv_pitch_cuts_a_pair),
    test("fb-yuyv-object-cuts-a-pair", yuyv_object_cuts_a_pair),
    test("fb-legacy-bad-depth", legacy_bad_depth),
    test("fb-remove-bad-id", remove_bad_id),
    test("fb-remove-foreign", remove_foreign),
    test("fb-remove-while-shown", remove_while_shown),
    test("fb-outlives-its-handle", outlives_its_handle),
    test("fb-get-bad-id", get_bad_id),
    test("fb-dirty-bad-arguments", dirty_bad_arguments),
];

const WIDTH: u32 = 256;
const HEIGHT: u32 = 128;

/// Tries one change of a valid argument.
fn altered(
    screen: &Screen<'_>,
    what: &str,
    allowed: &[Errno],
    alter: impl Fn(&mut drm_mode_fb_cmd2),
) -> Verdict {
    let buffer = Dumb::new(screen.card, WIDTH, HEIGHT, 32)?;
    let mut argument = fb_argument(&buffer, WIDTH, HEIGHT, DrmFourcc::Xrgb8888);
    alter(&mut argument);
    let result = add_fb2(screen.card, argument);
    if let Ok(id) = result {
        let _ = remove_fb(screen.card, id);
    }
    refused(what, result, allowed)
}

fn offset_past_object(screen: &Screen<'_>) -> Verdict {
    for offset in [WIDTH * 4, WIDTH * HEIGHT * 4, 1 << 30] {
        altered(screen, &format!("offset {offset}"), &[Errno::INVAL], |fb| {
            fb.offsets[0] = offset
        })?;
    }
    Ok(())
}

fn offset_past_object_by_one(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, WIDTH, HEIGHT, 32)?;
    let spare = buffer.size - u64::from(buffer.pitch) * u64::from(HEIGHT);
    altered(
        screen,
        "an offset one byte too large",
        &[Errno::INVAL],
        |fb| fb.offsets[0] = spare as u32 + 1,
    )
}

fn offset_overflows(screen: &Screen<'_>) -> Verdict {
    for offset in [u32::MAX, u32::MAX - WIDTH * HEIGHT * 4 + 1] {
        altered(
            screen,
            &format!("offset {offset}"),
            &[Errno::RANGE, Errno::INVAL],
            |fb| fb.offsets[0] = offset,
        )?;
    }
    Ok(())
}

fn pitch_too_small(screen: &Screen<'_>) -> Verdict {
    for pitch in [1, WIDTH, WIDTH * 4 - 1] {
        altered(screen, &format!("pitch {pitch}"), &[Errno::INVAL], |fb| {
            fb.pitches[0] = pitch
        })?;
    }
    Ok(())
}

fn pitch_zero(screen: &Screen<'_>) -> Verdict {
    altered(screen, "pitch 0", &[Errno::INVAL], |fb| fb.pitches[0] = 0)
}

fn pitch_overflows(screen: &Screen<'_>) -> Verdict {
    for pitch in [u32::MAX, u32::MAX / HEIGHT + 1, 1 << 31] {
        altered(
            screen,
            &format!("pitch {pitch}"),
            &[Errno::RANGE, Errno::INVAL],
            |fb| fb.pitches[0] = pitch,
        )?;
    }
    Ok(())
}

fn size_zero(screen: &Screen<'_>) -> Verdict {
    altered(screen, "width 0", &[Errno::INVAL], |fb| fb.width = 0)?;
    altered(screen, "height 0", &[Errno::INVAL], |fb| fb.height = 0)
}

fn size_below_limit(screen: &Screen<'_>) -> Verdict {
    let limits = screen.card.limits;
    if limits.width.0 <= 1 && limits.height.0 <= 1 {
        return skip("the device has no lower limit");
    }
    if limits.width.0 > 1 {
        altered(screen, "width below the limit", &[Errno::INVAL], |fb| {
            fb.width = limits.width.0 - 1
        })?;
    }
    if limits.height.0 > 1 {
        altered(screen, "height below the limit", &[Errno::INVAL], |fb| {
            fb.height = limits.height.0 - 1
        })?;
    }
    Ok(())
}

fn size_above_limit(screen: &Screen<'_>) -> Verdict {
    let limits = screen.card.limits;
    for width in [limits.width.1 + 1, u32::MAX, 1 << 30] {
        altered(screen, &format!("width {width}"), &[Errno::INVAL], |fb| {
            fb.width = width
        })?;
    }
    for height in [limits.height.1 + 1, u32::MAX, 1 << 30] {
        altered(screen, &format!("height {height}"), &[Errno::INVAL], |fb| {
            fb.height = height
        })?;
    }
    Ok(())
}

fn higher_than_object(screen: &Screen<'_>) -> Verdict {
    // One line more than the object holds; the object's size is rounded up to pages, so take a whole page of lines.
    altered(screen, "a larger height", &[Errno::INVAL], |fb| {
        fb.height = HEIGHT + 4096 / (WIDTH * 4) + 1
    })?;
    altered(screen, "the largest height", &[Errno::INVAL], |fb| {
        fb.height = screen.card.limits.height.1
    })
}

fn unknown_format(screen: &Screen<'_>) -> Verdict {
    for format in [0, 1, u32::MAX, u32::from_le_bytes(*b"????")] {
        altered(
            screen,
            &format!("format {format:#x}"),
            &[Errno::INVAL],
            |fb| fb.pixel_format = format,
        )?;
    }
    Ok(())
}

fn format_of_no_plane(screen: &Screen<'_>) -> Verdict {
    let mut known = Vec::new();
    for object in screen.card.of_kind(crate::card::Kind::Plane) {
        known.extend(plane_formats(screen.card, object.id)?);
    }
    let candidates = [
        DrmFourcc::Rgbx4444,
        DrmFourcc::Bgra5551,
        DrmFourcc::Xyuv8888,
        DrmFourcc::Y410,
        DrmFourcc::Rgb332,
    ];
    let Some(format) = candidates
        .into_iter()
        .find(|format| !known.contains(&(*format as u32)))
    else {
        return skip("the planes take every format that the test knows");
    };
    altered(
        screen,
        &format!("{format}, which no plane has"),
        &[Errno::INVAL],
        |fb| fb.pixel_format = format as u32,
    )
}

fn unknown_flag(screen: &Screen<'_>) -> Verdict {
    for flags in [1 << 2, 1 << 31, u32::MAX] {
        altered(
            screen,
            &format!("flags {flags:#x}"),
            &[Errno::INVAL],
            |fb| fb.flags = flags,
        )?;
    }
    Ok(())
}

fn modifier_without_flag(screen: &Screen<'_>) -> Verdict {
    altered(
        screen,
        "a modifier without its flag",
        &[Errno::INVAL],
        |fb| fb.modifier[0] = I915_X_TILED,
    )
}

const I915_X_TILED: u64 = (1 << 56) | 1;
const INVALID_MODIFIER: u64 = (1 << 56) - 1;

fn foreign_modifier(screen: &Screen<'_>) -> Verdict {
    for modifier in [I915_X_TILED, INVALID_MODIFIER, u64::MAX] {
        altered(
            screen,
            &format!("modifier {modifier:#x}"),
            &[Errno::INVAL],
            |fb| {
                fb.flags = DRM_MODE_FB_MODIFIERS;
                fb.modifier[0] = modifier;
            },
        )?;
    }
    Ok(())
}

fn unused_planes_set(screen: &Screen<'_>) -> Verdict {
    let allowed = [Errno::INVAL];
    let flags = DRM_MODE_FB_MODIFIERS;
    altered(screen, "a handle of an unused plane", &allowed, |fb| {
        fb.flags = flags;
        fb.handles[1] = fb.handles[0];
    })?;
    altered(screen, "a pitch of an unused plane", &allowed, |fb| {
        fb.flags = flags;
        fb.pitches[3] = 64;
    })?;
    altered(screen, "an offset of an unused plane", &allowed, |fb| {
        fb.flags = flags;
        fb.offsets[2] = 64;
    })?;
    altered(screen, "a modifier of an unused plane", &allowed, |fb| {
        fb.modifier[1] = I915_X_TILED
    })
}

fn bad_handle(screen: &Screen<'_>) -> Verdict {
    altered(screen, "handle 0", &[Errno::INVAL], |fb| fb.handles[0] = 0)?;
    for handle in [0x7fff, u32::MAX] {
        altered(
            screen,
            &format!("handle {handle:#x}"),
            &[Errno::NOENT],
            |fb| fb.handles[0] = handle,
        )?;
    }
    Ok(())
}

/// Tries one change of a valid NV12 argument whose planes lie in one object.
fn altered_nv12(
    screen: &Screen<'_>,
    what: &str,
    allowed: &[Errno],
    alter: impl Fn(&mut drm_mode_fb_cmd2),
) -> Verdict {
    need_nv12(screen)?;
    let buffer = Dumb::new(screen.card, WIDTH, HEIGHT * 3 / 2, 8)?;
    let mut argument = nv12_argument(&buffer);
    alter(&mut argument);
    let result = add_fb2(screen.card, argument);
    if let Ok(id) = result {
        let _ = remove_fb(screen.card, id);
    }
    refused(what, result, allowed)
}

fn need_nv12(screen: &Screen<'_>) -> Verdict {
    let formats = plane_formats(screen.card, screen.output.primary)?;
    if formats.contains(&(DrmFourcc::Nv12 as u32)) {
        Ok(())
    } else {
        skip("the primary plane has no NV12")
    }
}

fn nv12_argument(buffer: &Dumb<'_>) -> drm_mode_fb_cmd2 {
    let mut argument = fb_argument(buffer, WIDTH, HEIGHT, DrmFourcc::Nv12);
    argument.handles[1] = buffer.handle;
    argument.pitches[1] = buffer.pitch;
    argument.offsets[1] = buffer.pitch * HEIGHT;
    argument
}

fn nv12_without_second_plane(screen: &Screen<'_>) -> Verdict {
    altered_nv12(screen, "NV12 with one handle", &[Errno::INVAL], |fb| {
        fb.handles[1] = 0
    })?;
    altered_nv12(screen, "NV12 with one pitch", &[Errno::INVAL], |fb| {
        fb.pitches[1] = 0
    })
}

fn nv12_chroma_past_object(screen: &Screen<'_>) -> Verdict {
    altered_nv12(screen, "chroma one page too far", &[Errno::INVAL], |fb| {
        fb.offsets[1] += 4096
    })?;
    altered_nv12(
        screen,
        "chroma at the end of u32",
        &[Errno::RANGE, Errno::INVAL],
        |fb| fb.offsets[1] = u32::MAX,
    )
}

fn nv12_chroma_pitch_too_small(screen: &Screen<'_>) -> Verdict {
    altered_nv12(
        screen,
        "chroma pitch of half a line",
        &[Errno::INVAL],
        |fb| fb.pitches[1] /= 2,
    )
}

fn nv12_second_object_too_small(screen: &Screen<'_>) -> Verdict {
    let small = Dumb::new(screen.card, WIDTH, 1, 8)?;
    altered_nv12(
        screen,
        "chroma in an object of one page",
        &[Errno::INVAL],
        |fb| {
            fb.handles[1] = small.handle;
            fb.offsets[1] = 0;
        },
    )
}

/// The last pixel of a row of odd length shares its chroma with one behind it.
fn yuyv_pitch_cuts_a_pair(screen: &Screen<'_>) -> Verdict {
    let formats = plane_formats(screen.card, screen.output.primary)?;
    if !formats.contains(&(DrmFourcc::Yuyv as u32)) {
        return skip("the primary plane has no YUYV");
    }
    let buffer = Dumb::new(screen.card, WIDTH, HEIGHT, 16)?;
    let mut argument = fb_argument(&buffer, 101, HEIGHT, DrmFourcc::Yuyv);
    argument.pitches[0] = 2 * 101;
    refused(
        "a pitch without the last chroma",
        add_fb2(screen.card, argument),
        &[Errno::INVAL],
    )?;
    argument.pitches[0] = 2 * 102;
    let id = add_fb2(screen.card, argument).what("ADDFB2 with whole pairs")?;
    remove_fb(screen.card, id).what("RMFB")?;
    Ok(())
}

/// The same, in the last row of the object.
fn yuyv_object_cuts_a_pair(screen: &Screen<'_>) -> Verdict {
    const ROWS: u32 = 10;
    const PITCH: u32 = 24;
    let formats = plane_formats(screen.card, screen.output.primary)?;
    if !formats.contains(&(DrmFourcc::Yuyv as u32)) {
        return skip("the primary plane has no YUYV");
    }
    let buffer = Dumb::new(screen.card, 64, 16, 32)?;
    let mut argument = fb_argument(&buffer, 11, ROWS, DrmFourcc::Yuyv);
    argument.pitches[0] = PITCH;
    let last = buffer.size as u32 - PITCH * ROWS;
    argument.offsets[0] = last + 2;
    refused(
        "an object without the last chroma",
        add_fb2(screen.card, argument),
        &[Errno::INVAL],
    )?;
    argument.offsets[0] = last;
    let id = add_fb2(screen.card, argument).what("ADDFB2 up to the end of an object")?;
    remove_fb(screen.card, id).what("RMFB")?;
    Ok(())
}

fn legacy_bad_depth(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, WIDTH, HEIGHT, 32)?;
    for (bpp, depth) in [(0, 0), (32, 1), (7, 7), (u32::MAX, u32::MAX)] {
        let mut argument = drm_mode_fb_cmd {
            width: WIDTH,
            height: HEIGHT,
            pitch: buffer.pitch,
            bpp,
            depth,
            handle: buffer.handle,
            ..Default::default()
        };
        let result = screen.card.call(raw::ADD_FB, &mut argument);
        refused(
            &format!("{bpp} bits of depth {depth}"),
            result,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn remove_bad_id(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.output.crtc] {
        refused(
            &format!("RMFB {id}"),
            remove_fb(screen.card, id),
            &[Errno::NOENT],
        )?;
    }
    let frame = Frame::new(screen.card, WIDTH, HEIGHT)?;
    let id = frame.id;
    drop(frame);
    refused(
        "RMFB of a removed framebuffer",
        remove_fb(screen.card, id),
        &[Errno::NOENT],
    )
}

fn remove_foreign(screen: &Screen<'_>) -> Verdict {
    let other = screen.card.reopen()?;
    refused(
        "RMFB of another file's framebuffer",
        remove_fb(&other, screen.front.id),
        &[Errno::NOENT],
    )
}

fn remove_while_shown(screen: &Screen<'_>) -> Verdict {
    let (width, height) = screen.size();
    let frame = Frame::new(screen.card, width, height)?;
    screen.flip(frame.id, 1)?;
    screen.flip_done(1)?;
    remove_fb(screen.card, frame.id)
        .map_err(|errno| Stop::Fail(format!("RMFB: {}", crate::error::name(errno))))?;
    match screen.card.value(screen.output.primary, "FB_ID")? {
        0 => Ok(()),
        id => fail(format!("the plane still has framebuffer {id}")),
    }
}

fn outlives_its_handle(screen: &Screen<'_>) -> Verdict {
    // The framebuffer keeps its object; closing the handle while it is shown takes nothing away.
    let (width, height) = screen.size();
    let buffer = Dumb::new(screen.card, width, height, 32)?;
    let argument = fb_argument(&buffer, width, height, DrmFourcc::Xrgb8888);
    let id = match add_fb2(screen.card, argument) {
        Ok(id) => id,
        Err(errno) => return fail(format!("ADDFB2: {}", crate::error::name(errno))),
    };
    drop(buffer);
    let shown = screen
        .flip(id, 2)
        .and_then(|()| screen.flip_done(2).map(drop));
    let _ = remove_fb(screen.card, id);
    Ok(shown?)
}

fn get_bad_id(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.output.crtc] {
        let mut argument = drm_mode_fb_cmd2 {
            fb_id: id,
            ..Default::default()
        };
        let result = screen.card.call(raw::GET_FB2, &mut argument);
        refused(&format!("GETFB2 {id}"), result, &[Errno::NOENT])?;
    }
    Ok(())
}

fn dirty_bad_arguments(screen: &Screen<'_>) -> Verdict {
    let dirty = |fb_id: u32, num_clips: u32, clips_ptr: u64, flags: u32| {
        let mut argument = drm_mode_fb_dirty_cmd {
            fb_id,
            flags,
            color: 0,
            num_clips,
            clips_ptr,
        };
        // SAFETY: the kernel only reads the clips.
        unsafe { raw::call(screen.card.fd(), raw::DIRTY_FB, &mut argument) }
    };
    let front = screen.front.id;
    refused(
        "DIRTYFB of no framebuffer",
        dirty(0, 0, 0, 0),
        &[Errno::NOENT],
    )?;
    // A driver without damage says ENOSYS to all the rest, but only after these checks.
    let bad = [Errno::INVAL, Errno::NOSYS];
    refused("clips without an address", dirty(front, 1, 0, 0), &bad)?;
    refused("an address without clips", dirty(front, 0, 64, 0), &bad)?;
    refused(
        "more clips than there may be",
        dirty(front, u32::MAX, 64, 0),
        &bad,
    )?;
    let bad = [Errno::FAULT, Errno::NOSYS];
    refused("clips at a bad address", dirty(front, 1, 64, 0), &bad)?;
    let mut clip = [drm_clip_rect {
        x1: 65535,
        y1: 65535,
        x2: 0,
        y2: 1,
    }];
    accepted_or(
        "a clip inside out and outside",
        dirty(front, 1, crate::card::address(&mut clip), 0),
        &[Errno::INVAL, Errno::NOSYS],
    )?;
    Ok(())
}
