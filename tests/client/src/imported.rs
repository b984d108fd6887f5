// SPDX-License-Identifier: GPL-2.0

//! Memory of somebody else that the card shows: of a heap of dma-bufs.

use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::fs::OFlags;

use crate::buffer::{add_fb2, close_handle, import, remove_fb, Mapping};
use crate::crc::{argb_checksum, Crc};
use crate::error::{Error, What};
use crate::output::Screen;
use crate::raw;
use crate::testlist::{fail, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[test("imported-memory-is-shown", is_shown)];

const HEAP: &str = "/dev/dma_heap/system";

/// Takes memory from a heap, as a dma-buf.
fn allocate(heap: &File, length: usize) -> Result<OwnedFd, Error> {
    let mut argument = raw::DmaHeapAllocation {
        len: length as u64,
        fd: 0,
        fd_flags: (OFlags::RDWR | OFlags::CLOEXEC).bits(),
        heap_flags: 0,
    };
    // SAFETY: only the argument is written to.
    unsafe { raw::call(heap.as_fd(), raw::DMA_HEAP_ALLOC, &mut argument) }
        .what("DMA_HEAP_IOCTL_ALLOC")?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(argument.fd as i32) })
}

fn draw(mapping: &mut Mapping, width: u32, pixel: impl Fn(u32, u32) -> u32) {
    for (index, bytes) in (0..).zip(mapping.bytes_mut().chunks_exact_mut(4)) {
        bytes.copy_from_slice(&pixel(index % width, index / width).to_le_bytes());
    }
}

/// What is drawn is shown, also what is drawn later, though the driver cannot notice that.
fn is_shown(screen: &Screen<'_>) -> Verdict {
    let card = screen.card;
    let Ok(heap) = File::open(HEAP) else {
        return skip(format!("there is no {HEAP}"));
    };
    let Some(mut crc) = Crc::start(screen)? else {
        return skip("there are no checksums");
    };
    let (width, height) = screen.size();
    let length = (width * height * 4) as usize;
    let memory = allocate(&heap, length)?;
    let mut mapping = Mapping::new(memory.as_fd(), 0, length, true).what("mapping of a dma-buf")?;
    let handle = import(card, &memory).what("import")?;
    let argument = drm_mode_fb_cmd2 {
        width,
        height,
        pixel_format: DrmFourcc::Xrgb8888 as u32,
        handles: [handle, 0, 0, 0],
        pitches: [width * 4, 0, 0, 0],
        ..Default::default()
    };
    let id = add_fb2(card, argument).what("ADDFB2 of imported memory")?;

    for round in 0..3 {
        let pixel = |x: u32, y: u32| (x * 7 + y * 31 + round * 1000) & 0xff_ffff;
        draw(&mut mapping, width, pixel);
        if round == 0 {
            screen.flip_to(id)?.commit(card, 0).what("commit")?;
        }
        // What is composed already may be that of the picture before.
        let mut now = drm_crtc_get_sequence {
            crtc_id: screen.output.crtc,
            ..Default::default()
        };
        card.call(raw::CRTC_GET_SEQUENCE, &mut now)
            .what("CRTC_GET_SEQUENCE")?;
        let found = crc.after(now.sequence as u32)?;
        let expected = argb_checksum((width, height), pixel);
        if found != expected {
            return fail(format!(
                "picture {round} has the checksum {found}, {expected} expected"
            ));
        }
    }

    screen
        .flip_to(screen.front.id)?
        .commit(card, 0)
        .what("commit of the normal picture")?;
    remove_fb(card, id).what("RMFB")?;
    close_handle(card, handle).what("GEM_CLOSE")?;
    Ok(())
}
