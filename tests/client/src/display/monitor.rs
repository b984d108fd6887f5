// SPDX-License-Identifier: GPL-2.0

//! QEMU's monitor, as the guest reaches it: it says what a display really shows.

use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::error::{message, Error};

/// A connection to the monitor.
pub struct Monitor {
    port: RefCell<BufReader<File>>,
    path: PathBuf,
    /// A folder that QEMU sees under the same name.
    folder: PathBuf,
    pictures: Cell<u32>,
}

impl Monitor {
    /// Connects to the monitor at the end of `port`.
    pub fn open(port: &Path, folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder)
            .or_else(|error| message(format!("{}: {error}", folder.display())))?;
        let monitor = Monitor {
            port: RefCell::new(open(port)?),
            path: port.into(),
            folder: folder.into(),
            pictures: Cell::new(0),
        };
        // This is wanted once, and an error when somebody else was here before.
        let _ = monitor.execute(r#"{"execute": "qmp_capabilities"}"#);
        Ok(monitor)
    }

    /// Connects again, after the line was reset.
    pub fn reopen(&self) -> Result<(), Error> {
        // Only one can have it at a time.
        self.port.replace(open(Path::new("/dev/null"))?);
        self.port.replace(open(&self.path)?);
        Ok(())
    }

    /// Sends a request, and waits for its answer.
    pub fn execute(&self, request: &str) -> Result<(), Error> {
        let mut port = self.port.borrow_mut();
        let failed = |error: std::io::Error| Error::Message(format!("QEMU's monitor: {error}"));
        writeln!(port.get_mut(), "{request}").map_err(failed)?;
        loop {
            let mut line = String::new();
            if port.read_line(&mut line).map_err(failed)? == 0 {
                return message("QEMU's monitor is gone");
            }
            if line.starts_with(r#"{"return""#) {
                return Ok(());
            }
            if line.starts_with(r#"{"error""#) {
                return message(format!("{request}: {}", line.trim()));
            }
        }
    }

    /// Returns what the first display shows.
    pub fn screendump(&self) -> Result<Dump, Error> {
        let number = self.pictures.get();
        self.pictures.set(number + 1);
        // A new name each time, since the guest may remember what was in a file.
        let file = self.folder.join(format!("screen-{number}.ppm"));
        self.execute(&format!(
            r#"{{"execute": "screendump", "arguments": {{"filename": "{}"}}}}"#,
            file.display()
        ))?;
        let bytes =
            fs::read(&file).or_else(|error| message(format!("{}: {error}", file.display())))?;
        let _ = fs::remove_file(&file);
        Dump::parse(bytes)
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Error> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.map(BufReader::new)
        .or_else(|error| message(format!("{}: {error}", path.display())))
}

/// A picture of a display.
#[derive(PartialEq, Eq)]
pub struct Dump {
    pub width: u32,
    pub height: u32,
    /// The picture file, whose end are the pixels: red, green, blue.
    file: Vec<u8>,
}

impl Dump {
    fn parse(file: Vec<u8>) -> Result<Self, Error> {
        let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u32>().ok();
        let words: Vec<&[u8]> = file.splitn(5, |byte| byte.is_ascii_whitespace()).collect();
        if let [b"P6", width, height, b"255", pixels] = words[..] {
            if let (Some(width), Some(height)) = (number(width), number(height)) {
                let area = u64::from(width) * u64::from(height);
                if area.checked_mul(3) == Some(pixels.len() as u64) {
                    return Ok(Dump {
                        width,
                        height,
                        file,
                    });
                }
            }
        }
        message("QEMU made no picture of the display")
    }

    /// The pixels, as 0xrrggbb, line by line.
    pub fn pixels(&self) -> impl Iterator<Item = u32> + '_ {
        let start = self.file.len() - (self.width * self.height * 3) as usize;
        self.file[start..]
            .chunks_exact(3)
            .map(|rgb| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_their_pixels() {
        let dump = Dump::parse(b"P6\n2 1\n255\n\x01\x02\x03\xff\x00\x0a".to_vec()).expect("valid");
        assert_eq!((dump.width, dump.height), (2, 1));
        assert_eq!(dump.pixels().collect::<Vec<_>>(), [0x010203, 0xff000a]);
        assert!(Dump::parse(b"P6\n2 1\n255\n\x01".to_vec()).is_err());
        assert!(Dump::parse(b"P5\n1 1\n255\n\x01\x02\x03".to_vec()).is_err());
    }
}
