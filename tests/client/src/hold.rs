// SPDX-License-Identifier: GPL-2.0

//! `hold`: a flip that waits for a fence which is never signalled.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::thread;

use crate::atomic::NONBLOCK;
use crate::card::Card;
use crate::error::{Error, What};
use crate::picture_buffer::{PictureBuffer, Shape};
use crate::planes::{Display, Place};
use crate::random::Random;
use crate::raw;

const SIZE: (u32, u32) = (640, 480);

const TIMELINE: &str = "/sys/kernel/debug/sync/sw_sync";

/// Flips, with a fence that is signalled when this process ends, lets somebody else be the master, says
/// `held`, and waits to be killed.
pub fn run(card: &Card) -> Result<(), Error> {
    let mut display = Display::new(card)?;
    let shape = Shape::new(*b"XR24", SIZE.0, SIZE.1, &mut Random::new(1));
    let buffer = PictureBuffer::new(card, &shape, 0, 0)?;
    display.light_up(buffer.id, SIZE, 60)?;
    let timeline = File::options()
        .read(true)
        .write(true)
        .open(TIMELINE)
        .what(TIMELINE)?;
    let mut argument = raw::SwSyncFence {
        value: 1,
        name: [0; 32],
        fence: -1,
    };
    // SAFETY: only the argument is written to.
    unsafe { raw::call(timeline.as_fd(), raw::SW_SYNC_CREATE_FENCE, &mut argument) }
        .what("SW_SYNC_IOC_CREATE_FENCE")?;
    // SAFETY: the kernel has just made this descriptor for us.
    let fence = unsafe { OwnedFd::from_raw_fd(argument.fence) };
    let plane = display.planes[0];
    display
        .show(plane, buffer.id, &Place::upright(SIZE, (0, 0)))?
        .set(card, plane, "IN_FENCE_FD", fence.as_raw_fd() as u64)?
        .commit(card, NONBLOCK)
        .what("a flip")?;
    card.drop_master()?;
    println!("held");
    loop {
        thread::park();
    }
}
