// SPDX-License-Identifier: GPL-2.0

//! Dumb buffers, their mappings, and framebuffers on them.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};

use crate::card::Card;
use crate::error::{message, Error, What};
use crate::raw;

/// A shared mapping, unmapped when dropped.
pub struct Mapping {
    start: *mut u8,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes of `fd` from `offset` on.
    pub fn new(fd: BorrowedFd<'_>, offset: u64, length: usize, write: bool) -> Result<Self, Errno> {
        let mut access = ProtFlags::READ;
        if write {
            access |= ProtFlags::WRITE;
        }
        // SAFETY: the kernel chooses a free place.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                length,
                access,
                MapFlags::SHARED,
                fd,
                offset,
            )
        }?;
        Ok(Mapping {
            start: start.cast(),
            length,
        })
    }

    /// Unmaps the first `length` bytes of it, whole pages.
    pub fn cut(&mut self, length: usize) -> Result<(), Errno> {
        assert!(length < self.length);
        // SAFETY: the range is the beginning of the mapping, and no slice of it exists while `self` is borrowed.
        unsafe { munmap(self.start.cast(), length) }?;
        // SAFETY: this stays inside of the mapping.
        self.start = unsafe { self.start.add(length) };
        self.length -= length;
        Ok(())
    }

    /// The bytes, to read.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is this long and lives as long as `self`. Another process may draw into it meanwhile;
        // bytes have no invalid values, and what is read is only compared or encoded.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// The bytes, to write. The mapping must have been made writable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new`, and no slice of it outlives `self`.
        let _ = unsafe { munmap(self.start.cast(), self.length) };
    }
}

/// A dumb buffer, destroyed when dropped.
pub struct Dumb<'c> {
    card: &'c Card,
    pub handle: u32,
    pub pitch: u32,
    pub size: u64,
}

impl<'c> Dumb<'c> {
    /// Creates a dumb buffer.
    pub fn new(card: &'c Card, width: u32, height: u32, bpp: u32) -> Result<Self, Error> {
        let mut argument = dumb_argument(width, height, bpp);
        card.call(raw::CREATE_DUMB, &mut argument)
            .what(format!("CREATE_DUMB {width}x{height}, {bpp} bits"))?;
        Ok(Dumb {
            card,
            handle: argument.handle,
            pitch: argument.pitch,
            size: argument.size,
        })
    }

    /// Maps all of it.
    pub fn map(&self) -> Result<Mapping, Error> {
        map_handle(self.card, self.handle, self.size as usize, true)
    }
}

impl Drop for Dumb<'_> {
    fn drop(&mut self) {
        let mut argument = drm_mode_destroy_dumb {
            handle: self.handle,
        };
        let _ = self.card.call(raw::DESTROY_DUMB, &mut argument);
    }
}

/// What `CREATE_DUMB` is asked.
pub fn dumb_argument(width: u32, height: u32, bpp: u32) -> drm_mode_create_dumb {
    drm_mode_create_dumb {
        width,
        height,
        bpp,
        ..Default::default()
    }
}

/// Maps a GEM handle through `MAP_DUMB`.
pub fn map_handle(card: &Card, handle: u32, size: usize, write: bool) -> Result<Mapping, Error> {
    let mut argument = drm_mode_map_dumb {
        handle,
        ..Default::default()
    };
    card.call(raw::MAP_DUMB, &mut argument).what("MAP_DUMB")?;
    Mapping::new(card.fd(), argument.offset, size, write).what("mmap of a dumb buffer")
}

/// Exports a GEM handle as a dma-buf.
pub fn export(card: &Card, handle: u32) -> Result<OwnedFd, Errno> {
    let mut argument = drm_prime_handle {
        handle,
        flags: DRM_CLOEXEC | DRM_RDWR,
        fd: -1,
    };
    card.call(raw::PRIME_HANDLE_TO_FD, &mut argument)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(argument.fd) })
}

/// Imports a dma-buf as a GEM handle.
pub fn import(card: &Card, fd: impl AsFd) -> Result<u32, Errno> {
    use std::os::fd::AsRawFd;
    let mut argument = drm_prime_handle {
        handle: 0,
        flags: 0,
        fd: fd.as_fd().as_raw_fd(),
    };
    card.call(raw::PRIME_FD_TO_HANDLE, &mut argument)?;
    Ok(argument.handle)
}

/// Gives a GEM handle back.
pub fn close_handle(card: &Card, handle: u32) -> Result<(), Errno> {
    card.call(raw::GEM_CLOSE, &mut drm_gem_close { handle, pad: 0 })
}

/// Calls `ADDFB2` with whatever it is given.
pub fn add_fb2(card: &Card, mut argument: drm_mode_fb_cmd2) -> Result<u32, Errno> {
    card.call(raw::ADD_FB2, &mut argument)?;
    Ok(argument.fb_id)
}

/// Calls `RMFB`.
pub fn remove_fb(card: &Card, id: u32) -> Result<(), Errno> {
    card.call(raw::RM_FB, &mut { id })
}

/// The valid `ADDFB2` argument for a one-plane format on a buffer.
pub fn fb_argument(
    buffer: &Dumb<'_>,
    width: u32,
    height: u32,
    format: DrmFourcc,
) -> drm_mode_fb_cmd2 {
    drm_mode_fb_cmd2 {
        width,
        height,
        pixel_format: format as u32,
        handles: [buffer.handle, 0, 0, 0],
        pitches: [buffer.pitch, 0, 0, 0],
        ..Default::default()
    }
}

/// A dumb buffer with an XRGB8888 (or like) framebuffer on it.
pub struct Frame<'c> {
    pub buffer: Dumb<'c>,
    pub id: u32,
    pub width: u32,
    pub height: u32,
}

impl<'c> Frame<'c> {
    /// Creates a 32-bit frame.
    pub fn new(card: &'c Card, width: u32, height: u32) -> Result<Self, Error> {
        Self::with_format(card, width, height, DrmFourcc::Xrgb8888)
    }

    /// Creates a frame of a 32-bit format.
    pub fn with_format(
        card: &'c Card,
        width: u32,
        height: u32,
        format: DrmFourcc,
    ) -> Result<Self, Error> {
        let buffer = Dumb::new(card, width, height, 32)?;
        let argument = fb_argument(&buffer, width, height, format);
        let id = add_fb2(card, argument).what(format!("ADDFB2 {width}x{height} {format}"))?;
        Ok(Frame {
            buffer,
            id,
            width,
            height,
        })
    }

    /// Calls `pixel` for each place and stores what it says.
    pub fn draw(&self, pixel: impl Fn(u32, u32) -> u32) -> Result<(), Error> {
        let mut mapping = self.buffer.map()?;
        let lines = mapping
            .bytes_mut()
            .chunks_exact_mut(self.buffer.pitch as usize);
        for (y, line) in (0..self.height).zip(lines) {
            for (x, place) in (0..self.width).zip(line.chunks_exact_mut(4)) {
                place.copy_from_slice(&pixel(x, y).to_le_bytes());
            }
        }
        Ok(())
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        let _ = remove_fb(self.buffer.card, self.id);
    }
}

/// Reads a framebuffer of any process; needs root or DRM master.
///
/// The handles are new ones of `card`, to be given back by [`Borrowed`]'s drop.
pub fn get_fb2(card: &Card, id: u32) -> Result<Borrowed<'_>, Error> {
    let mut argument = drm_mode_fb_cmd2 {
        fb_id: id,
        ..Default::default()
    };
    card.call(raw::GET_FB2, &mut argument)
        .what(format!("GETFB2 {id}"))?;
    if argument.handles[0] == 0 {
        return message("GETFB2 gives no handles: only root or the DRM master may look at it");
    }
    Ok(Borrowed { card, argument })
}

/// A framebuffer's description, and handles of its buffers.
pub struct Borrowed<'c> {
    card: &'c Card,
    pub argument: drm_mode_fb_cmd2,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut handles = self.argument.handles.to_vec();
        handles.sort_unstable();
        handles.dedup();
        for handle in handles.into_iter().filter(|handle| *handle != 0) {
            let _ = close_handle(self.card, handle);
        }
    }
}
