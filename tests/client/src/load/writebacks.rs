// SPDX-License-Identifier: GPL-2.0

//! Each picture that is to be written back has a fence, which is signalled whatever happens.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::{picture, same_pixels};
use crate::atomic::{Request, ALLOW_MODESET, NONBLOCK};
use crate::error::What;
use crate::fault::FailNth;
use crate::picture_buffer::PictureBuffer;
use crate::planes::{is_signalled, status_of, Display, Place};
use crate::testlist::{fail, skip, Stop, Verdict};

/// A picture that is shown, and what it takes to have it written back.
struct Shown<'c> {
    front: PictureBuffer<'c>,
    connector: u32,
    target: PictureBuffer<'c>,
    request: Request,
}

impl<'c> Shown<'c> {
    fn new(display: &mut Display<'c>, size: (u32, u32), hz: u32) -> Result<Self, Stop> {
        let front = picture(display.card, size, |x, y| x | (y << 12))?;
        display.light_up(front.id, size, hz)?;
        let Some(connector) = display.writeback else {
            return skip("there is no writeback connector");
        };
        let target = display.target(*b"XR24")?;
        let request = display.write_to(&target)?;
        Ok(Self {
            front,
            connector,
            target,
            request,
        })
    }
}

/// More pictures are to be written than there is time for: each fence is signalled, with an error if
/// the picture was not written.
pub fn many(display: &mut Display<'_>, time: Duration) -> Verdict {
    // Several pictures are due while one is written.
    const SIZE: (u32, u32) = (3840, 2160);
    const AT_ONCE: usize = 40;
    let Shown {
        front,
        connector,
        mut target,
        request,
    } = Shown::new(display, SIZE, 200)?;

    let (mut written, mut refused) = (0, 0);
    let end = Instant::now() + time;
    while Instant::now() < end {
        target.mapping.bytes_mut().fill(0);
        let mut fences = Vec::new();
        while fences.len() < AT_ONCE && Instant::now() < end {
            let request = request.clone();
            match request.commit_with_fence(display.card, connector, ALLOW_MODESET | NONBLOCK) {
                Ok(fence) => fences.push(fence),
                // The one before is not yet carried out.
                Err(Errno::BUSY) => thread::sleep(Duration::from_millis(1)),
                Err(errno) => return Err(errno).what("a commit with writeback")?,
            }
        }
        let before = written;
        for fence in &fences {
            match ended(fence, Some(Errno::BUSY))? {
                true => written += 1,
                false => refused += 1,
            }
        }
        if written > before && !same_pixels(&front, &target, SIZE) {
            return fail("what was written differs from what is shown");
        }
    }
    println!("  {written} pictures written, {refused} given up");
    if written == 0 {
        return fail("not one picture was written");
    }
    Ok(())
}

/// Who waits for the fence of a picture can ask for the next one at once: the update is over by then.
pub fn in_turn(display: &mut Display<'_>, _time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (320, 200);
    const COUNT: u32 = 50;
    let shown = Shown::new(display, SIZE, 60)?;
    let (connector, request) = (shown.connector, &shown.request);
    // Turns the connector on.
    let fence = request
        .clone()
        .commit_with_fence(display.card, connector, ALLOW_MODESET)
        .what("the first commit")?;
    let mut written = u32::from(ended(&fence, None)?);
    for _ in 1..COUNT {
        let request = request.clone();
        let fence = match request.commit_with_fence(display.card, connector, NONBLOCK) {
            Ok(fence) => fence,
            Err(errno) => return fail(format!("after {written} pictures: {errno}")),
        };
        written += u32::from(ended(&fence, None)?);
    }
    if written < COUNT {
        return fail(format!("{written} of {COUNT} pictures were written"));
    }
    Ok(())
}

/// Each frame takes longer to compose than to be shown, and somebody wants all checksums: nobody waits for the end of
/// that.
pub fn late(display: &mut Display<'_>, time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (3840, 2160);
    const COUNT: usize = 40;
    let shown = Shown::new(display, SIZE, 200)?;
    let back = picture(display.card, SIZE, |x, y| y | (x << 12))?;
    let pictures = [&shown.front, &back];
    // Nobody knows whether an exported buffer was written to, so that each frame is composed.
    let mut exported = Vec::new();
    for picture in pictures {
        exported.push(picture.export()?);
    }
    let _crc = display.crc()?;
    let (mut written, mut fences) = (0, Vec::new());
    let end = Instant::now() + time.max(Duration::from_secs(20));
    while fences.len() < COUNT && Instant::now() < end {
        let picture = pictures[fences.len() % 2];
        let flip = display.show(display.planes[0], picture.id, &Place::upright(SIZE, (0, 0)))?;
        let request = shown.request.clone().and(flip);
        match request.commit_with_fence(display.card, shown.connector, ALLOW_MODESET | NONBLOCK) {
            Ok(fence) => fences.push(fence),
            Err(Errno::BUSY) => thread::sleep(Duration::from_millis(1)),
            Err(errno) => return Err(errno).what("a commit with writeback")?,
        }
    }
    for fence in &fences {
        written += u32::from(ended(fence, Some(Errno::BUSY))?);
    }
    println!("  {written} of {} pictures written", fences.len());
    if fences.len() < COUNT {
        return fail("the updates did not go on");
    }
    Ok(())
}

/// Waits for a fence; returns whether it was signalled without an error, or else with the `allowed`
/// one.
fn ended(fence: &OwnedFd, allowed: Option<Errno>) -> Result<bool, Stop> {
    if !is_signalled(fence)? {
        return fail("a fence was never signalled");
    }
    match status_of(fence)? {
        1 => Ok(true),
        status if allowed.is_some_and(|errno| status == -errno.raw_os_error()) => Ok(false),
        status => fail(format!("a fence that is signalled has the status {status}")),
    }
}

/// Each allocation of an update with writeback fails once: there is an errno and no fence, or a fence
/// that is signalled.
pub fn without_memory(display: &mut Display<'_>, _time: Duration) -> Verdict {
    const SIZE: (u32, u32) = (320, 200);
    const MOST: u32 = 1000;
    let Shown {
        front,
        connector,
        target,
        request,
    } = Shown::new(display, SIZE, 400)?;
    let faults = match FailNth::new() {
        Ok(faults) => faults,
        Err(error) => return skip(error.to_string()),
    };
    let (mut errors, mut written) = (0, 0);
    for n in 1..MOST {
        let request = request.clone();
        let (result, reached) = faults.during(n, || {
            request.commit_with_fence(display.card, connector, ALLOW_MODESET)
        })?;
        match result {
            Ok(fence) => written += u32::from(ended(&fence, None)?),
            Err(errno) if !reached => return Err(errno).what("a commit with writeback")?,
            Err(_) => errors += 1,
        }
        if !reached {
            println!(
                "  {} allocations: {errors} errors, {written} pictures",
                n - 1
            );
            return match errors > 0 && written > 0 && same_pixels(&front, &target, SIZE) {
                true => Ok(()),
                false => fail("nothing failed, or the last picture is not right"),
            };
        }
    }
    fail(format!("no end after {MOST} allocations"))
}
