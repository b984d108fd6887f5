// SPDX-License-Identifier: GPL-2.0

//! A display of any size with all of its planes, its checksums and its writeback connector.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use drm_sys::*;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::fs::Timespec;

use crate::atomic::{Blob, Request, ALLOW_MODESET};
use crate::card::{Card, Event, Kind};
use crate::crc::Crc;
use crate::error::{message, Error, What};
use crate::output::{Output, PATIENCE};
use crate::picture_buffer::{Format, PictureBuffer, Shape};
use crate::random::Random;
use crate::raw;

/// Where a plane shows which part of a framebuffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// In pixels with 16 fractional bits.
    pub src: (u32, u32),
    /// The size on the display.
    pub size: (u32, u32),
    pub position: (i32, i32),
    pub rotation: u32,
    pub encoding: u32,
    pub range: u32,
}

impl Place {
    /// Where a plane shows a framebuffer from its upper left corner on, as it is.
    pub fn upright(size: (u32, u32), position: (i32, i32)) -> Self {
        Place {
            src: (0, 0),
            size,
            position,
            rotation: DRM_MODE_ROTATE_0,
            encoding: 0,
            range: 0,
        }
    }
}

/// The display of a card.
pub struct Display<'c> {
    pub card: &'c Card,
    pub output: Output,
    /// The primary plane, the overlays, the cursor: as they lie over each other.
    pub planes: Vec<u32>,
    pub writeback: Option<u32>,
    mode: Option<Blob<'c>>,
    pub size: (u32, u32),
}

impl<'c> Display<'c> {
    /// Finds the first display.
    pub fn new(card: &'c Card) -> Result<Self, Error> {
        let output = Output::find(card)?;
        let mut planes = vec![output.primary];
        planes.extend(&output.overlays);
        planes.extend(output.cursor);
        let writeback = card
            .of_kind(Kind::Connector)
            .find(|connector| connector.properties.contains_key("WRITEBACK_FB_ID"));
        Ok(Display {
            card,
            planes,
            writeback: writeback.map(|connector| connector.id),
            output,
            mode: None,
            size: (0, 0),
        })
    }

    /// The request that sets a mode of any size and rate.
    pub fn set_mode(&mut self, size: (u32, u32), hz: u32) -> Result<Request, Error> {
        let mode = mode(size, hz);
        self.mode = Some(Blob::of_mode(self.card, &mode)?);
        self.size = size;
        let id = self.mode.as_ref().map_or(0, |blob| blob.id);
        let crtc = self.output.crtc;
        Request::new()
            .set(self.card, self.output.connector, "CRTC_ID", u64::from(crtc))?
            .set(self.card, crtc, "MODE_ID", u64::from(id))?
            .set(self.card, crtc, "ACTIVE", 1)
    }

    /// Turns the display on, with a framebuffer that fills it.
    pub fn light_up(&mut self, fb: u32, size: (u32, u32), hz: u32) -> Result<(), Error> {
        let mode = self.set_mode(size, hz)?;
        let picture = self.show(self.planes[0], fb, &Place::upright(size, (0, 0)))?;
        self.commit(&mode.and(picture))
    }

    /// The request that turns a plane off.
    pub fn hide(&self, plane: u32) -> Result<Request, Error> {
        Request::new()
            .set(self.card, plane, "FB_ID", 0)?
            .set(self.card, plane, "CRTC_ID", 0)
    }

    /// The request that shows a framebuffer on a plane.
    pub fn show(&self, plane: u32, fb: u32, place: &Place) -> Result<Request, Error> {
        let signed = |value: i32| i64::from(value) as u64;
        let turned = place.rotation & (DRM_MODE_ROTATE_90 | DRM_MODE_ROTATE_270) != 0;
        let (width, height) = place.size;
        let (src_w, src_h) = if turned {
            (height, width)
        } else {
            (width, height)
        };
        let request = Request::new()
            .set(self.card, plane, "FB_ID", u64::from(fb))?
            .set(self.card, plane, "CRTC_ID", u64::from(self.output.crtc))?
            .set(self.card, plane, "CRTC_X", signed(place.position.0))?
            .set(self.card, plane, "CRTC_Y", signed(place.position.1))?
            .set(self.card, plane, "CRTC_W", u64::from(width))?
            .set(self.card, plane, "CRTC_H", u64::from(height))?
            .set(self.card, plane, "SRC_X", u64::from(place.src.0))?
            .set(self.card, plane, "SRC_Y", u64::from(place.src.1))?
            .set(self.card, plane, "SRC_W", u64::from(src_w) << 16)?
            .set(self.card, plane, "SRC_H", u64::from(src_h) << 16)?
            .set(self.card, plane, "rotation", u64::from(place.rotation))?
            // Not there if colour pipelines are.
            .set_if_any(
                self.card,
                plane,
                "COLOR_ENCODING",
                u64::from(place.encoding),
            )
            .set_if_any(self.card, plane, "COLOR_RANGE", u64::from(place.range));
        Ok(request)
    }

    /// The request that sets the colour where no plane is.
    pub fn background(&self, color: u64) -> Result<Request, Error> {
        Request::new().set(self.card, self.output.crtc, "BACKGROUND_COLOR", color)
    }

    /// The request that sets a gamma table, or none.
    pub fn gamma(&self, blob: Option<&Blob<'_>>) -> Result<Request, Error> {
        let id = blob.map_or(0, |blob| blob.id);
        Request::new().set(self.card, self.output.crtc, "GAMMA_LUT", u64::from(id))
    }

    /// Makes a gamma table.
    pub fn gamma_table(&self, entries: &[[u16; 3]]) -> Result<Blob<'c>, Error> {
        let mut bytes = Vec::new();
        for [red, green, blue] in entries {
            for value in [*red, *green, *blue, 0] {
                bytes.extend(value.to_ne_bytes());
            }
        }
        Blob::new(self.card, &bytes)
    }

    /// Commits and waits until it is shown.
    pub fn commit(&self, request: &Request) -> Result<(), Error> {
        request.commit(self.card, ALLOW_MODESET).what("a commit")
    }

    /// Turns everything off.
    pub fn off(&self) -> Result<(), Error> {
        let mut request = Request::new()
            .set(self.card, self.output.connector, "CRTC_ID", 0)?
            .set(self.card, self.output.crtc, "ACTIVE", 0)?
            .set(self.card, self.output.crtc, "MODE_ID", 0)?;
        if let Some(connector) = self.writeback {
            request = request.set(self.card, connector, "CRTC_ID", 0)?;
        }
        for plane in &self.planes {
            request = request.and(self.hide(*plane)?);
        }
        self.commit(&request)
    }

    /// Starts checksums.
    pub fn crc(&self) -> Result<Crc, Error> {
        match Crc::of(self.card, self.output.crtc_index)? {
            Some(crc) => Ok(crc),
            None => message(format!("{} has no checksums", self.card.driver)),
        }
    }

    /// The number of the last vertical blank.
    pub fn sequence(&self) -> Result<u32, Error> {
        Ok(self.vblank()?.0)
    }

    /// The number and the time of the last vertical blank.
    pub fn vblank(&self) -> Result<(u32, Duration), Error> {
        let mut argument = drm_crtc_get_sequence {
            crtc_id: self.output.crtc,
            ..Default::default()
        };
        self.card
            .call(raw::CRTC_GET_SEQUENCE, &mut argument)
            .what("CRTC_GET_SEQUENCE")?;
        let time = Duration::from_nanos(argument.sequence_ns as u64);
        Ok((argument.sequence as u32, time))
    }

    /// Waits for the event of a flip. A starved machine may take its time.
    pub fn flip_done(&self, user_data: u64) -> Result<Event, Error> {
        self.card.flip_done(user_data, 4 * PATIENCE)
    }

    /// The checksum of a frame that begins after this call.
    pub fn checksum(&self, crc: &mut Crc) -> Result<String, Error> {
        crc.after(self.sequence()?)
    }

    /// Creates a framebuffer that the writeback connector can write what is shown to.
    pub fn target(&self, format: Format) -> Result<PictureBuffer<'c>, Error> {
        let shape = Shape::new(format, self.size.0, self.size.1, &mut Random::new(0));
        PictureBuffer::new(self.card, &shape, 0, 0)
    }

    /// The request that writes what is shown to a framebuffer.
    pub fn write_to(&self, target: &PictureBuffer<'_>) -> Result<Request, Error> {
        let Some(connector) = self.writeback else {
            return message(format!("{} has no writeback", self.card.driver));
        };
        Request::new()
            .set(self.card, connector, "WRITEBACK_FB_ID", target.id.into())?
            .set(self.card, connector, "CRTC_ID", u64::from(self.output.crtc))
    }

    /// Writes what is shown to a framebuffer.
    pub fn write_back(&self, target: &PictureBuffer<'_>) -> Result<(), Error> {
        let request = self.write_to(target)?;
        let fence = request
            .commit_with_fence(self.card, self.writeback.unwrap_or_default(), ALLOW_MODESET)
            .what("a commit with writeback")?;
        if !is_signalled(&fence)? {
            let driver = &self.card.driver;
            return message(format!("a writeback fence of {driver} was never signalled"));
        }
        Ok(())
    }
}

/// Waits for a fence; returns whether it was signalled.
pub fn is_signalled(fence: &OwnedFd) -> Result<bool, Error> {
    let patience = Timespec {
        tv_sec: 4 * PATIENCE.as_secs() as i64,
        tv_nsec: 0,
    };
    let mut fds = [PollFd::from_borrowed_fd(fence.as_fd(), PollFlags::IN)];
    Ok(poll(&mut fds, Some(&patience)).what("poll of a fence")? > 0)
}

/// The status of a fence: 1 if it was signalled, below 0 if that was with an error.
pub fn status_of(fence: &OwnedFd) -> Result<i32, Error> {
    let mut argument = raw::SyncFileInfo::default();
    // SAFETY: no array of fences is asked for, so only the argument is written to.
    unsafe { raw::call(fence.as_fd(), raw::SYNC_FILE_INFO, &mut argument) }
        .what("SYNC_IOC_FILE_INFO")?;
    Ok(argument.status)
}

/// A mode of any size and rate, with a little blanking.
fn mode((width, height): (u32, u32), hz: u32) -> drm_mode_modeinfo {
    let (htotal, vtotal) = (width + 24, height + 6);
    let name = b"test";
    let mut mode = drm_mode_modeinfo {
        clock: (u64::from(htotal) * u64::from(vtotal) * u64::from(hz)).div_ceil(1000) as u32,
        hdisplay: width as u16,
        hsync_start: width as u16 + 8,
        hsync_end: width as u16 + 16,
        htotal: htotal as u16,
        vdisplay: height as u16,
        vsync_start: height as u16 + 2,
        vsync_end: height as u16 + 4,
        vtotal: vtotal as u16,
        vrefresh: hz,
        ..Default::default()
    };
    for (to, from) in mode.name.iter_mut().zip(name) {
        *to = *from as std::ffi::c_char;
    }
    mode
}
