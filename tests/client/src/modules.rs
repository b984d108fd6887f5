// SPDX-License-Identifier: GPL-2.0

//! Loading and unloading the driver: `reload`, and `failslab --module`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::system::{delete_module, finit_module};

use crate::card::{card_paths, Card};
use crate::error::{message, name, Error, What};
use crate::fault::FailNth;
use crate::output::{Screen, PATIENCE};
use crate::testlist::{fail, skip, Verdict};

/// A module and the parameters to load it with.
#[derive(Clone, Debug)]
pub struct Module {
    pub name: String,
    pub parameters: Vec<String>,
}

impl Module {
    fn folder(&self) -> PathBuf {
        Path::new("/sys/module").join(self.name.replace('-', "_"))
    }

    fn is_loaded(&self) -> bool {
        self.folder().join("refcnt").exists()
    }

    /// Whether the module, which must be loaded, has a parameter of that name.
    pub fn has_parameter(&self, name: &str) -> bool {
        self.folder().join("parameters").join(name).exists()
    }

    fn load(&self) -> Result<(), Error> {
        let mut arguments = vec![self.name.clone()];
        arguments.extend(self.parameters.iter().cloned());
        command("modprobe", &arguments)
    }

    /// Unloads the module. A file that was just closed may hold it a moment longer, so it is tried for a while.
    fn unload(&self) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            match command("modprobe", &["-r".to_string(), self.name.clone()]) {
                Ok(()) => return Ok(()),
                Err(_) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(error),
            }
        }
    }

    /// The module's file, after loading what it needs.
    fn file_without_itself(&self) -> Result<PathBuf, Error> {
        let output = Command::new("modprobe")
            .args(["--show-depends", &self.name])
            .output()
            .what("modprobe --show-depends")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let files: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("insmod "))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let Some((own, needed)) = files.split_last() else {
            return message(format!("modprobe knows no module {}", self.name));
        };
        for file in needed {
            let name = Path::new(file).file_stem().unwrap_or_default();
            command("modprobe", &[name.to_string_lossy().into_owned()])?;
        }
        Ok(PathBuf::from(own))
    }
}

fn command(program: &str, arguments: &[String]) -> Result<(), Error> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .what(format!("run {program}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    message(format!(
        "{program} {}: {}",
        arguments.join(" "),
        text.trim()
    ))
}

/// Waits for a card that was not there before.
fn new_card(before: &[PathBuf]) -> Option<PathBuf> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let found = card_paths().into_iter().find(|path| !before.contains(path));
        if found.is_some() {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Waits until there are only the cards that were there before.
fn card_gone(before: &[PathBuf]) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if card_paths().iter().all(|path| before.contains(path)) {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Loads and unloads a module; every tenth card shows a picture meanwhile. In the end the module is loaded.
pub fn reload(module: &Module, rounds: u32) -> Result<(), Error> {
    if module.is_loaded() {
        module.unload()?;
    }
    let before = card_paths();
    let start = Instant::now();
    for round in 1..=rounds {
        let in_round = |error: Error| Error::Message(format!("round {round}: {error}"));
        module.load().map_err(in_round)?;
        let Some(path) = new_card(&before) else {
            return message(format!("round {round}: no new card appeared"));
        };
        if round % 10 == 1 {
            let card = Card::open_path(&path).map_err(in_round)?;
            let screen = Screen::new(&card).map_err(in_round)?;
            screen.check_alive().map_err(in_round)?;
        }
        module.unload().map_err(in_round)?;
        if !card_gone(&before) {
            return message(format!("round {round}: the card is still there"));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    module.load()?;
    println!(
        "{rounds} rounds of loading and unloading {} in {seconds:.1} s",
        module.name
    );
    Ok(())
}

/// Tests the card of a module that is loaded with one more parameter. In the end it is loaded without.
pub fn with_parameter(
    module: &Module,
    parameter: &str,
    test: impl FnOnce(&Path) -> Verdict,
) -> Verdict {
    let mut other = module.clone();
    other.parameters.push(parameter.to_string());

    if module.is_loaded() {
        module.unload()?;
    }
    let before = card_paths();
    other.load()?;
    let verdict = match new_card(&before) {
        Some(path) => test(&path),
        None => fail("no new card appeared"),
    };
    other.unload()?;
    module.load()?;
    verdict
}

/// Loads a module with each of its allocations failing in turn, or with fewer as `thin` leaves out more the later they
/// are.
pub fn failslab(module: &Module, thin: bool, risky: bool) -> Verdict {
    if module.name == "vkms" && !risky {
        return skip(
            "C vkms does not survive it (a failed load leaves its configfs subsystem behind); --risky runs it",
        );
    }
    let faults = match FailNth::new() {
        Ok(faults) => faults,
        Err(error) => return skip(error.to_string()),
    };
    if module.is_loaded() {
        module.unload()?;
    }
    let file = module.file_without_itself()?;
    let file = File::open(&file).what(format!("open {}", file.display()))?;
    let parameters = std::ffi::CString::new(module.parameters.join(" ")).unwrap_or_default();
    let before = card_paths();
    let (mut n, mut errors, mut survived) = (1, 0, 0);
    loop {
        let (result, reached) = faults.during(n, || finit_module(&file, &parameters, 0))?;
        match result {
            Ok(()) if !reached => break,
            Ok(()) => {
                // Without a card, or with one that lacks nothing essential.
                survived += 1;
                unload_now(module)?;
            }
            Err(errno) if !reached => {
                return fail(format!(
                    "with nothing failing after {} allocations: {}",
                    n - 1,
                    name(errno)
                ))
            }
            Err(_) => errors += 1,
        }
        if !card_gone(&before) {
            return fail(format!("allocation {n}: a card stayed"));
        }
        if module.is_loaded() {
            return fail(format!("allocation {n}: the module stayed"));
        }
        n += if thin { 1 + n / 16 } else { 1 };
    }
    println!(
        "  {} allocations: {errors} errors, {survived} loads in spite",
        n - 1
    );
    let Some(path) = new_card(&before) else {
        return fail("no card appeared when nothing failed");
    };
    let card = Card::open_path(&path)?;
    let screen = Screen::new(&card)?;
    Ok(screen.check_alive()?)
}

fn unload_now(module: &Module) -> Result<(), Error> {
    let name = std::ffi::CString::new(module.name.replace('-', "_")).unwrap_or_default();
    let start = Instant::now();
    loop {
        match delete_module(&name, 0) {
            Ok(()) => return Ok(()),
            Err(Errno::AGAIN | Errno::BUSY) if start.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5))
            }
            Err(errno) => {
                return Err(errno).what(format!("unloading {} after a fault", module.name))
            }
        }
    }
}

/// The module that drives a card, by sysfs.
pub fn of_card(card: &Card) -> Option<String> {
    let card_name = card.path.file_name()?;
    let device = Path::new("/sys/class/drm").join(card_name).join("device");
    let link = fs::read_link(device.join("driver/module")).ok();
    let from_link = link.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    from_link.or_else(|| {
        let name = card.driver.replace('-', "_");
        Path::new("/sys/module")
            .join(&name)
            .exists()
            .then_some(name)
    })
}
