// SPDX-License-Identifier: GPL-2.0

//! Checksums of what a CRTC shows, from debugfs.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::event::{poll, PollFd, PollFlags};
use rustix::fs::Timespec;

use crate::card::Card;
use crate::error::{message, Error, What};
use crate::output::{Screen, PATIENCE};

/// A running CRC source.
pub struct Crc {
    data: File,
}

impl Crc {
    /// Starts the source `auto` of the screen's CRTC; `None` if the device has none.
    pub fn start(screen: &Screen<'_>) -> Result<Option<Crc>, Error> {
        Self::of(screen.card, screen.output.crtc_index)
    }

    /// Starts the source `auto` of a CRTC; `None` if the device has none.
    pub fn of(card: &Card, crtc_index: usize) -> Result<Option<Crc>, Error> {
        let Some(folder) = folder(card, crtc_index) else {
            return Ok(None);
        };
        if fs::write(folder.join("control"), "auto").is_err() {
            return Ok(None);
        }
        // A driver without CRC has the files, and says so here.
        Ok(Self::open(&folder.join("data")))
    }

    /// Starts the source that was chosen last; `None` if somebody else reads.
    pub fn open(data: &Path) -> Option<Crc> {
        File::open(data).ok().map(|data| Crc { data })
    }

    /// The checksum of what is shown now.
    pub fn now(&mut self) -> Result<String, Error> {
        // The first frames may have been composed before the last commit.
        let mut last = String::new();
        self.drain()?;
        for _ in 0..3 {
            last = self.line()?;
        }
        Ok(parse(&last)?.1)
    }

    /// The checksum of a frame with a number greater than `frame`, the first that comes.
    pub fn after(&mut self, frame: u32) -> Result<String, Error> {
        loop {
            let (number, values) = self.entry()?;
            if number.wrapping_sub(frame) as i32 > 0 {
                return Ok(values);
            }
        }
    }

    /// The next checksum, with the number of its frame. Waits for it.
    pub fn entry(&mut self) -> Result<(u32, String), Error> {
        parse(&self.line()?)
    }

    /// The checksums that are there, with the numbers of their frames. Does not wait.
    pub fn entries(&mut self) -> Result<Vec<(u32, String)>, Error> {
        let mut entries = Vec::new();
        while self.ready(Timespec::default())? {
            entries.push(self.entry()?);
        }
        Ok(entries)
    }

    /// Waits for checksums and returns how many came at once.
    pub fn burst(&mut self) -> Result<u32, Error> {
        let mut count = 1;
        self.line()?;
        while self.ready(Timespec::default())? {
            self.line()?;
            count += 1;
        }
        Ok(count)
    }

    /// The file that the checksums are read from.
    pub fn into_file(self) -> File {
        self.data
    }

    fn ready(&self, wait: Timespec) -> Result<bool, Error> {
        let mut fds = [PollFd::from_borrowed_fd(self.data.as_fd(), PollFlags::IN)];
        let count = poll(&mut fds, Some(&wait)).what("poll for a CRC")?;
        Ok(count > 0)
    }

    fn drain(&mut self) -> Result<(), Error> {
        while self.ready(Timespec::default())? {
            self.line()?;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String, Error> {
        let wait = Timespec {
            tv_sec: PATIENCE.as_secs() as i64 * 2,
            tv_nsec: 0,
        };
        if !self.ready(wait)? {
            return message("no CRC came");
        }
        // One read gives one line.
        let mut buffer = [0u8; 512];
        let length = self.data.read(&mut buffer).what("read of a CRC")?;
        let text = buffer[..length].split(|byte| *byte == 0).next();
        Ok(String::from_utf8_lossy(text.unwrap_or_default()).into_owned())
    }
}

/// Takes a line apart into the number of the frame and the checksum.
fn parse(line: &str) -> Result<(u32, String), Error> {
    let parts = line.split_once(' ').and_then(|(number, values)| {
        let number = u32::from_str_radix(number.trim_start_matches("0x"), 16).ok()?;
        Some((number, values.trim().to_string()))
    });
    match parts {
        Some(parts) => Ok(parts),
        None => message(format!("a CRC line reads {line:?}")),
    }
}

/// The checksum of a picture that consists of the `XR24` pixels that `pixel` says.
pub fn argb_checksum((width, height): (u32, u32), pixel: impl Fn(u32, u32) -> u32) -> String {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    checksum(places.map(|(x, y)| {
        let [blue, green, red, _] = pixel(x, y).to_le_bytes();
        [red, green, blue].map(|byte| u16::from(byte) * 257)
    }))
}

/// The checksum of opaque pixels: that of A, R, G and B, of 16 bits each.
pub fn checksum(pixels: impl Iterator<Item = [u16; 3]>) -> String {
    let mut table = [0u32; 256];
    for (value, entry) in (0u32..).zip(&mut table) {
        *entry = (0..8).fold(value, |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)));
    }
    let mut crc = 0u32;
    for [red, green, blue] in pixels {
        for byte in [0xffff, red, green, blue]
            .map(u16::to_le_bytes)
            .as_flattened()
        {
            crc = table[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
        }
    }
    format!("0x{crc:08x}")
}

/// The device's folder in debugfs.
pub fn folder_of_device(card: &Card) -> Option<PathBuf> {
    let card = card.path.file_name()?.to_string_lossy().into_owned();
    let minor = card.strip_prefix("card")?;
    Some(PathBuf::from(format!("/sys/kernel/debug/dri/{minor}")))
}

/// The folder of the checksums of a CRTC.
pub fn folder(card: &Card, crtc_index: usize) -> Option<PathBuf> {
    let folder = folder_of_device(card)?
        .join(format!("crtc-{crtc_index}"))
        .join("crc");
    folder.is_dir().then_some(folder)
}
