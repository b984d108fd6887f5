// SPDX-License-Identifier: GPL-2.0

//! `unbind`: the device goes away while page flips run, and before the fences of updates do.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::atomic::{Request, ALLOW_MODESET, NONBLOCK};
use crate::buffer::{add_fb2, dumb_argument, fb_argument};
use crate::card::{card_paths, Card, Kind};
use crate::error::{message, name, Error, What};
use crate::output::{Screen, PATIENCE};
use crate::planes::{is_signalled, status_of};
use crate::raw;

/// How a device is taken away and brought back.
#[derive(Clone, Debug)]
pub enum Method {
    /// The bus's own files: `driver/unbind` and `driver/bind`.
    Bus { driver: PathBuf, device: String },
    /// The `enabled` file of a configfs device.
    Configfs { folder: PathBuf, ours: bool },
}

impl Method {
    /// Finds out how a card can be unbound.
    pub fn find(card: &Card) -> Result<Method, Error> {
        let device = device_of(&card.path)?;
        let driver = device.join("driver");
        let name = file_name(&device);
        if driver.join("unbind").exists() {
            return Ok(Method::Bus {
                driver: fs::canonicalize(&driver).what("read of the driver link")?,
                device: name,
            });
        }
        let subsystem = Path::new("/sys/kernel/config").join(&card.driver);
        if !subsystem.is_dir() {
            return message(format!(
                "{name} cannot be unbound: its bus has no unbind file (the faux bus suppresses it), and there is no {}",
                subsystem.display()
            ));
        }
        let folder = subsystem.join(&name);
        if folder.join("enabled").exists() {
            return Ok(Method::Configfs {
                folder,
                ours: false,
            });
        }
        // The default device is not in configfs; make one that is.
        let folder = subsystem.join("client");
        if let Err(error) = make_configfs_device(&folder) {
            remove_configfs_device(&folder);
            return Err(error);
        }
        Ok(Method::Configfs { folder, ours: true })
    }

    pub fn take_away(&self) -> Result<(), Error> {
        match self {
            Method::Bus { driver, device } => write(&driver.join("unbind"), device),
            Method::Configfs { folder, .. } => write(&folder.join("enabled"), "0"),
        }
    }

    pub fn bring_back(&self) -> Result<(), Error> {
        match self {
            Method::Bus { driver, device } => write(&driver.join("bind"), device),
            Method::Configfs { folder, .. } => write(&folder.join("enabled"), "1"),
        }
    }

    fn device_name(&self) -> String {
        match self {
            Method::Bus { device, .. } => device.clone(),
            Method::Configfs { folder, .. } => file_name(folder),
        }
    }

    /// Waits for the device's card.
    pub fn card(&self) -> Result<PathBuf, Error> {
        let wanted = self.device_name();
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            for path in card_paths() {
                if device_of(&path).is_ok_and(|device| file_name(&device) == wanted) {
                    return Ok(path);
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
        message(format!("no card of {wanted} appeared"))
    }

    pub fn clean_up(&self) {
        if let Method::Configfs { folder, ours: true } = self {
            remove_configfs_device(folder);
        }
    }
}

const LINKS: [(&str, &str); 3] = [
    ("planes/plane/possible_crtcs/crtc", "crtcs/crtc"),
    ("encoders/encoder/possible_crtcs/crtc", "crtcs/crtc"),
    (
        "connectors/connector/possible_encoders/encoder",
        "encoders/encoder",
    ),
];
const FOLDERS: [&str; 4] = [
    "planes/plane",
    "crtcs/crtc",
    "encoders/encoder",
    "connectors/connector",
];

fn make_configfs_device(folder: &Path) -> Result<(), Error> {
    fs::create_dir(folder).what(format!("mkdir {}", folder.display()))?;
    for name in FOLDERS {
        fs::create_dir(folder.join(name)).what(format!("mkdir {name}"))?;
    }
    write(&folder.join("planes/plane/type"), "1")?;
    write(&folder.join("crtcs/crtc/writeback"), "1")?;
    for (link, target) in LINKS {
        std::os::unix::fs::symlink(folder.join(target), folder.join(link))
            .what(format!("link {link}"))?;
    }
    write(&folder.join("enabled"), "1")
}

fn remove_configfs_device(folder: &Path) {
    let _ = write(&folder.join("enabled"), "0");
    for (link, _) in LINKS {
        let _ = fs::remove_file(folder.join(link));
    }
    for name in FOLDERS {
        let _ = fs::remove_dir(folder.join(name));
    }
    let _ = fs::remove_dir(folder);
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).what(format!("write {text} to {}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The folder of the device that a card belongs to.
pub fn device_of(card: &Path) -> Result<PathBuf, Error> {
    let link = Path::new("/sys/class/drm")
        .join(file_name(card))
        .join("device");
    fs::canonicalize(&link).what(format!("read of {}", link.display()))
}

/// Runs rounds of unbinding under page flips. The card is closed first.
pub fn run(card: Card, method: &Method, rounds: u32) -> Result<(), Error> {
    drop(card);
    let result = rounds_of(method, rounds);
    method.clean_up();
    result
}

fn rounds_of(method: &Method, rounds: u32) -> Result<(), Error> {
    let start = Instant::now();
    for round in 1..=rounds {
        let path = method.card()?;
        one_round(method, &path, round)
            .map_err(|error| Error::Message(format!("round {round}: {error}")))?;
    }
    println!(
        "{rounds} rounds of unbinding {} under page flips in {:.1} s",
        method.device_name(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn one_round(method: &Method, path: &Path, round: u32) -> Result<(), Error> {
    let (started, starts) = mpsc::channel();
    let (ended, ends) = mpsc::channel();
    let card_path = path.to_path_buf();
    let flipper = thread::spawn(move || {
        let result = flip_until_gone(&card_path, &started);
        let _ = ended.send(result);
    });
    // A writeback comes before, which takes long in a kernel that checks each access.
    if starts.recv_timeout(PATIENCE * 4).is_err() {
        // The flips did not even begin; say why if that is known.
        return match ends.recv_timeout(PATIENCE) {
            Ok(Err(error)) => Err(error),
            _ => message("the flips did not begin"),
        };
    }
    // A different moment each time, within two frames.
    thread::sleep(Duration::from_millis(u64::from(round * 7 % 40)));
    method.take_away()?;
    let fences = match ends.recv_timeout(PATIENCE * 2) {
        Ok(result) => result?,
        Err(_) => return message("the flips hang after the device is gone"),
    };
    let _ = flipper.join();
    // The card is closed, so the fences are all that is left.
    for fence in fences {
        match status_of(&fence)? {
            1 => {}
            status => {
                return message(format!(
                    "a fence has the status {status} after its device is gone"
                ))
            }
        }
    }
    method.bring_back()
}

/// The signalled fence of an update, and that of a writeback if the card has any.
fn fences(screen: &Screen<'_>) -> Result<Vec<OwnedFd>, Error> {
    let card = screen.card;
    let writeback = card
        .of_kind(Kind::Connector)
        .find(|connector| connector.properties.contains_key("WRITEBACK_FB_ID"));
    let mut fences = vec![screen
        .flip_to(screen.back.id)?
        .commit_with_fence(card, screen.output.crtc, NONBLOCK)
        .what("a flip with a fence")?];
    if let Some(writeback) = writeback {
        fences.push(
            Request::new()
                .set(card, writeback.id, "CRTC_ID", screen.output.crtc.into())?
                .set(card, writeback.id, "WRITEBACK_FB_ID", screen.back.id.into())?
                .commit_with_fence(card, writeback.id, ALLOW_MODESET)
                .what("a writeback with a fence")?,
        );
    }
    for fence in &fences {
        // Whoever has waited for a fence is taken off its list when it is closed.
        if !is_signalled(fence)? {
            return message("a fence was never signalled");
        }
    }
    Ok(fences)
}

/// Flips until the device is gone, then checks that nothing else works on the open file either.
/// Returns fences of the device.
fn flip_until_gone(path: &Path, started: &Sender<()>) -> Result<Vec<OwnedFd>, Error> {
    let card = Card::open_for_writeback(&path.to_string_lossy())?;
    let screen = Screen::new(&card)?;
    let fences = fences(&screen)?;
    let mut count = 0;
    let start = Instant::now();
    loop {
        let frame = if count % 2 == 0 {
            &screen.back
        } else {
            &screen.front
        };
        match screen.flip(frame.id, count) {
            Ok(()) => {}
            Err(error) if error.errno() == Some(Errno::NODEV) => break,
            // A flip whose event was lost with the device; the next call must say ENODEV.
            Err(error) if error.errno() == Some(Errno::BUSY) => {
                thread::sleep(Duration::from_millis(1))
            }
            Err(error) => return message(format!("{error}, ENODEV expected")),
        }
        if count == 2 {
            let _ = started.send(());
        }
        match card.next_event(Duration::from_millis(200)) {
            Ok(_) => {}
            Err(error) if error.errno() == Some(Errno::NODEV) => break,
            Err(error) => return Err(error),
        }
        count += 1;
        if start.elapsed() > PATIENCE + Duration::from_secs(2) {
            return message(format!(
                "{count} flips, and still no ENODEV {} s after the start",
                start.elapsed().as_secs()
            ));
        }
    }
    check_gone(&screen)?;
    Ok(fences)
}

fn check_gone(screen: &Screen<'_>) -> Result<(), Error> {
    let card = screen.card;
    let argument = fb_argument(&screen.front.buffer, 64, 64, DrmFourcc::Xrgb8888);
    let crtc = drm_crtc_get_sequence {
        crtc_id: screen.output.crtc,
        ..Default::default()
    };
    for (what, result) in [
        ("ADDFB2", add_fb2(card, argument).map(drop)),
        ("page flip", screen.legacy_flip(screen.front.id, 1)),
        (
            "CREATE_DUMB",
            card.call(raw::CREATE_DUMB, &mut dumb_argument(64, 64, 32)),
        ),
        (
            "GET_SEQUENCE",
            card.call(raw::CRTC_GET_SEQUENCE, &mut { crtc }),
        ),
        ("commit", screen.off()?.commit(card, ALLOW_MODESET)),
    ] {
        match result {
            Err(Errno::NODEV) => {}
            Err(errno) => {
                return message(format!(
                    "{what} after the device is gone: {}, ENODEV expected",
                    name(errno)
                ))
            }
            Ok(()) => return message(format!("{what} works after the device is gone")),
        }
    }
    Ok(())
}
