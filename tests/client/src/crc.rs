// SPDX-License-Identifier: GPL-2.0

//! Checksums of what a CRTC shows, from debugfs.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::event::{poll, PollFd, PollFlags};
use rustix::fs::Timespec;

use crate::error::{message, Error, What};
use crate::output::{Screen, PATIENCE};

/// A running CRC source.
pub struct Crc {
    data: File,
}

impl Crc {
    /// Starts the source `auto` of the screen's CRTC; `None` if the device has none.
    pub fn start(screen: &Screen<'_>) -> Result<Option<Crc>, Error> {
        let Some(folder) = folder(screen) else {
            return Ok(None);
        };
        if fs::write(folder.join("control"), "auto").is_err() {
            return Ok(None);
        }
        match File::open(folder.join("data")) {
            Ok(data) => Ok(Some(Crc { data })),
            // A driver without CRC has the files, and says so here.
            Err(_) => Ok(None),
        }
    }

    /// The checksum of what is shown now.
    pub fn now(&mut self) -> Result<String, Error> {
        // The first frames may have been composed before the last commit.
        let mut last = String::new();
        self.drain()?;
        for _ in 0..3 {
            last = self.line()?;
        }
        match last.split_once(' ') {
            Some((_frame, values)) => Ok(values.trim().to_string()),
            None => message(format!("a CRC line reads {last:?}")),
        }
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

fn folder(screen: &Screen<'_>) -> Option<PathBuf> {
    let card = screen.card.path.file_name()?.to_string_lossy().into_owned();
    let minor = card.strip_prefix("card")?;
    let folder = PathBuf::from(format!(
        "/sys/kernel/debug/dri/{minor}/crtc-{}/crc",
        screen.output.crtc_index
    ));
    folder.is_dir().then_some(folder)
}
