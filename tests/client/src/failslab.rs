// SPDX-License-Identifier: GPL-2.0

//! `failslab`: every allocation of a call fails once, one after the other.
//!
//! Each time the call must either report an error and leave the old state, or have got along without the memory. In the
//! end, when no allocation is left to fail, it must succeed.

use std::collections::BTreeSet;
use std::os::fd::AsFd;

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::atomic::{Blob, Request, Snapshot, ALLOW_MODESET, EVENT, NONBLOCK, TEST_ONLY};
use crate::buffer::{
    add_fb2, close_handle, dumb_argument, export, fb_argument, import, remove_fb, Dumb, Frame,
};
use crate::card::Card;
use crate::error::{names, What};
use crate::fault::FailNth;
use crate::output::Screen;
use crate::raw;
use crate::testlist::{fail, skip, test, Stop, Test, Verdict};

/// More allocations than any single call here makes.
const MOST: u32 = 5000;

/// The tests, for the runner.
pub const TESTS: &[Test] = &[
    test("failslab-flip", flip),
    test("failslab-flip-with-event", flip_with_event),
    test("failslab-legacy-flip", legacy_flip),
    test("failslab-test-only", test_only),
    test("failslab-modeset", modeset),
    test("failslab-off-and-on", off_and_on),
    test("failslab-cursor", cursor),
    test("failslab-plane", plane),
    test("failslab-gamma", gamma),
    test("failslab-add-framebuffer", add_framebuffer),
    test("failslab-create-dumb", create_dumb),
    test("failslab-create-blob", create_blob),
    test("failslab-export", export_buffer),
    test("failslab-import", import_buffer),
    test("failslab-open", open),
    test("failslab-probe-connector", probe_connector),
];

/// What one round of a sweep did.
struct Sweep {
    faults: FailNth,
    errnos: BTreeSet<i32>,
    survived: u32,
}

impl Sweep {
    fn new() -> Result<Self, Stop> {
        match FailNth::new() {
            Ok(faults) => Ok(Sweep {
                faults,
                errnos: BTreeSet::new(),
                survived: 0,
            }),
            Err(error) => skip(error.to_string()),
        }
    }

    /// Lets each allocation of `call` fail in turn; `undo` brings back what was before a success.
    fn run<T>(
        mut self,
        screen: &Screen<'_>,
        mut call: impl FnMut() -> Result<T, Errno>,
        mut undo: impl FnMut(T) -> Result<(), crate::error::Error>,
    ) -> Verdict {
        let before = Snapshot::take(screen.card)?;
        for n in 1..MOST {
            let (result, reached) = self.faults.during(n, &mut call)?;
            match result {
                Ok(value) => {
                    undo(value)?;
                    if !reached {
                        return self.finish(n - 1);
                    }
                    self.survived += 1;
                }
                Err(errno) if !reached => {
                    return fail(format!(
                        "with nothing failing after {} allocations: {}",
                        n - 1,
                        crate::error::name(errno)
                    ));
                }
                Err(errno) => {
                    self.errnos.insert(errno.raw_os_error());
                }
            }
            let after = Snapshot::take(screen.card)?;
            if let Some(text) = after.difference(&before, screen.card) {
                return fail(format!("allocation {n} failed and left a change: {text}"));
            }
        }
        fail(format!("no end after {MOST} allocations"))
    }

    fn finish(self, allocations: u32) -> Verdict {
        let errnos: Vec<Errno> = self
            .errnos
            .iter()
            .map(|number| Errno::from_raw_os_error(*number))
            .collect();
        println!(
            "  {allocations} allocations: {} errors ({}), {} not needed",
            allocations - self.survived,
            names(&errnos),
            self.survived
        );
        if allocations == 0 {
            return fail("no allocation was seen: is fault injection on for this thread?");
        }
        Ok(())
    }
}

/// Sweeps an atomic request; a success is undone by the normal picture.
fn sweep_request(screen: &Screen<'_>, request: &Request, flags: u32) -> Verdict {
    let mut prepared = request.prepare(flags, 7);
    Sweep::new()?.run(
        screen,
        || prepared.commit(screen.card),
        |()| {
            if flags & EVENT != 0 {
                screen.flip_done(7)?;
            }
            screen.restore()
        },
    )
}

fn flip(screen: &Screen<'_>) -> Verdict {
    sweep_request(screen, &screen.flip_to(screen.back.id)?, 0)
}

fn flip_with_event(screen: &Screen<'_>) -> Verdict {
    sweep_request(screen, &screen.flip_to(screen.back.id)?, NONBLOCK | EVENT)
}

fn legacy_flip(screen: &Screen<'_>) -> Verdict {
    Sweep::new()?.run(
        screen,
        || screen.legacy_flip(screen.back.id, 8),
        |()| {
            screen.flip_done(8)?;
            screen.restore()
        },
    )
}

fn test_only(screen: &Screen<'_>) -> Verdict {
    sweep_request(screen, &screen.off()?, TEST_ONLY | ALLOW_MODESET)
}

fn modeset(screen: &Screen<'_>) -> Verdict {
    let (width, height) = screen.size();
    let smaller = screen
        .output
        .modes
        .iter()
        .find(|mode| u32::from(mode.hdisplay) < width && u32::from(mode.vdisplay) < height);
    let Some(mode) = smaller else {
        return skip("the output has no second mode");
    };
    let blob = Blob::of_mode(screen.card, mode)?;
    let size = (mode.hdisplay.into(), mode.vdisplay.into());
    let request = screen
        .plane(screen.output.primary, screen.back.id, (0, 0), size)?
        .set(screen.card, screen.output.crtc, "MODE_ID", blob.id.into())?;
    sweep_request(screen, &request, ALLOW_MODESET)
}

fn off_and_on(screen: &Screen<'_>) -> Verdict {
    sweep_request(screen, &screen.off()?, ALLOW_MODESET)?;
    screen
        .off()?
        .commit(screen.card, ALLOW_MODESET)
        .what("switching off")?;
    let mut prepared = screen.normal()?.prepare(ALLOW_MODESET, 0);
    let off = screen.off()?;
    Sweep::new()?.run(
        screen,
        || prepared.commit(screen.card),
        |()| off.commit(screen.card, ALLOW_MODESET).what("off again"),
    )
}

fn cursor(screen: &Screen<'_>) -> Verdict {
    if screen.output.cursor.is_none() {
        return skip("there is no cursor plane");
    }
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let set = |handle: u32| {
        let mut argument = drm_mode_cursor2 {
            flags: DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
            crtc_id: screen.output.crtc,
            width: 64,
            height: 64,
            handle,
            ..Default::default()
        };
        screen.card.call(raw::CURSOR2, &mut argument)
    };
    Sweep::new()?.run(screen, || set(buffer.handle), |()| screen.restore())
}

fn plane(screen: &Screen<'_>) -> Verdict {
    let output = &screen.output;
    let Some(plane) = output.overlays.first().copied().or(output.cursor) else {
        return skip("there is only a primary plane");
    };
    let frame = Frame::with_format(screen.card, 64, 64, DrmFourcc::Argb8888)?;
    let request = screen.plane(plane, frame.id, (5, 5), (64, 64))?;
    sweep_request(screen, &request, 0)
}

fn gamma(screen: &Screen<'_>) -> Verdict {
    let crtc = screen.output.crtc;
    if screen.card.property_id(crtc, "GAMMA_LUT").is_none() {
        return skip("the CRTC has no GAMMA_LUT");
    }
    let size = screen.card.value(crtc, "GAMMA_LUT_SIZE")? as usize;
    let blob = Blob::new(screen.card, &vec![0x40; size * 8])?;
    let request = Request::new().set(screen.card, crtc, "GAMMA_LUT", blob.id.into())?;
    sweep_request(screen, &request, 0)
}

fn add_framebuffer(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let argument = fb_argument(&buffer, 64, 64, DrmFourcc::Xrgb8888);
    Sweep::new()?.run(
        screen,
        || add_fb2(screen.card, argument),
        |id| remove_fb(screen.card, id).what("RMFB"),
    )
}

fn create_dumb(screen: &Screen<'_>) -> Verdict {
    Sweep::new()?.run(
        screen,
        || {
            let mut argument = dumb_argument(64, 64, 32);
            screen.card.call(raw::CREATE_DUMB, &mut argument)?;
            Ok(argument.handle)
        },
        |handle| close_handle(screen.card, handle).what("GEM_CLOSE"),
    )
}

fn create_blob(screen: &Screen<'_>) -> Verdict {
    let mut bytes = [0u8; 68];
    Sweep::new()?.run(
        screen,
        || {
            let mut argument = drm_mode_create_blob {
                data: crate::card::address(&mut bytes),
                length: 68,
                blob_id: 0,
            };
            // SAFETY: the kernel only reads the data.
            unsafe { raw::call(screen.card.fd(), raw::CREATE_BLOB, &mut argument) }?;
            Ok(argument.blob_id)
        },
        |blob_id| {
            screen
                .card
                .call(raw::DESTROY_BLOB, &mut drm_mode_destroy_blob { blob_id })
                .what("DESTROYPROPBLOB")
        },
    )
}

fn export_buffer(screen: &Screen<'_>) -> Verdict {
    // A buffer stays exported once it was, so each call gets a fresh one.
    let buffer = std::cell::RefCell::new(Dumb::new(screen.card, 64, 64, 32)?);
    Sweep::new()?.run(
        screen,
        || export(screen.card, buffer.borrow().handle),
        |fd| {
            drop(fd);
            *buffer.borrow_mut() = Dumb::new(screen.card, 64, 64, 32)?;
            Ok(())
        },
    )
}

fn import_buffer(screen: &Screen<'_>) -> Verdict {
    let other = screen.card.reopen()?;
    let buffer = Dumb::new(&other, 64, 64, 32)?;
    let fd = export(&other, buffer.handle).what("export")?;
    Sweep::new()?.run(
        screen,
        || import(screen.card, fd.as_fd()),
        |handle| close_handle(screen.card, handle).what("GEM_CLOSE"),
    )
}

fn open(screen: &Screen<'_>) -> Verdict {
    let path = &screen.card.path;
    Sweep::new()?.run(
        screen,
        || rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()),
        |fd| {
            drop(fd);
            Ok(())
        },
    )
}

fn probe_connector(screen: &Screen<'_>) -> Verdict {
    // The core does without memory here: it may show fewer modes. It must only not crash, and know them all again.
    let faults = match FailNth::new() {
        Ok(faults) => faults,
        Err(error) => return skip(error.to_string()),
    };
    let count = |card: &Card| {
        let mut argument = drm_mode_get_connector {
            connector_id: screen.output.connector,
            ..Default::default()
        };
        // SAFETY: with all counts 0 nothing is written but the argument.
        unsafe { raw::call(card.fd(), raw::GET_CONNECTOR, &mut argument) }
            .map(|()| argument.count_modes)
    };
    let modes = count(screen.card).what("GETCONNECTOR")?;
    for n in 1..MOST {
        let (_, reached) = faults.during(n, || count(screen.card))?;
        if !reached {
            println!("  {} allocations", n - 1);
            break;
        }
    }
    let now = count(screen.card).what("GETCONNECTOR")?;
    if now == modes {
        Ok(())
    } else {
        fail(format!("{modes} modes before, {now} afterwards"))
    }
}
