// SPDX-License-Identifier: GPL-2.0

//! A small test runner: named tests on one [`Screen`], one line each, and a summary.

use std::fmt;
use std::ops::AddAssign;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use crate::error::{name, names, Error};
use crate::output::Screen;

/// How long one test may take before the whole run is given up.
const LIMIT: Duration = Duration::from_secs(60);

/// Why a test did not pass.
#[derive(Debug)]
pub enum Stop {
    Fail(String),
    Skip(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Fail(error.to_string())
    }
}

/// What a test says.
pub type Verdict = Result<(), Stop>;

/// Ends the test as failed.
pub fn fail<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fail(why.into()))
}

/// Ends the test as skipped.
pub fn skip<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Skip(why.into()))
}

/// Expects a system call to be refused with one of some errnos.
pub fn refused<T>(what: &str, result: Result<T, Errno>, allowed: &[Errno]) -> Verdict {
    match result {
        Ok(_) => fail(format!("{what}: accepted, {} expected", names(allowed))),
        Err(errno) if allowed.contains(&errno) => Ok(()),
        Err(errno) => fail(format!(
            "{what}: {}, {} expected",
            name(errno),
            names(allowed)
        )),
    }
}

/// Expects a system call to succeed, or to be refused with one of some errnos.
pub fn accepted_or<T>(
    what: &str,
    result: Result<T, Errno>,
    allowed: &[Errno],
) -> Result<Option<T>, Stop> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(errno) if allowed.contains(&errno) => Ok(None),
        Err(errno) => fail(format!(
            "{what}: {}, success or {} expected",
            name(errno),
            names(allowed)
        )),
    }
}

/// A named test.
pub struct Test {
    pub name: &'static str,
    pub run: fn(&Screen<'_>) -> Verdict,
    /// Why C vkms is spared this test, if it does not survive it.
    pub kills_vkms: Option<&'static str>,
}

/// Makes a test.
pub const fn test(name: &'static str, run: fn(&Screen<'_>) -> Verdict) -> Test {
    Test {
        name,
        run,
        kills_vkms: None,
    }
}

/// Makes a test that C vkms is known not to survive.
pub const fn risky(name: &'static str, why: &'static str, run: fn(&Screen<'_>) -> Verdict) -> Test {
    Test {
        name,
        run,
        kills_vkms: Some(why),
    }
}

/// The results so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Tally {
    /// Prints a test's line and counts it.
    pub fn record(&mut self, name: &str, verdict: Verdict) {
        match verdict {
            Ok(()) => {
                println!("ok {name}");
                self.passed += 1;
            }
            Err(Stop::Fail(why)) => {
                println!("FAIL {name}: {why}");
                self.failed += 1;
            }
            Err(Stop::Skip(why)) => {
                println!("skip {name}: {why}");
                self.skipped += 1;
            }
        }
    }
}

/// What is to be run of a list.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only tests whose name holds this.
    pub filter: String,
    /// Also tests that C vkms does not survive.
    pub risky: bool,
}

/// Runs tests, one after the other, each from the normal picture.
pub fn run(screen: &Screen<'_>, groups: &[&[Test]], choice: &Choice, before: Tally) -> Tally {
    let total = Arc::new(Mutex::new(before));
    let watchdog = watch(Arc::clone(&total));
    for test in groups.iter().copied().flatten() {
        if !test.name.contains(&choice.filter) {
            continue;
        }
        let _ = watchdog.send(Some(test.name));
        let verdict = run_one(screen, test, choice.risky);
        let _ = watchdog.send(None);
        if let Ok(mut total) = total.lock() {
            total.record(test.name, verdict);
        }
    }
    let total = *total
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    total
}

fn run_one(screen: &Screen<'_>, test: &Test, risky: bool) -> Verdict {
    if let Some(why) = test.kills_vkms {
        if screen.card.driver == "vkms" && !risky {
            return skip(format!(
                "C vkms does not survive it ({why}); --risky runs it"
            ));
        }
    }
    let verdict = (test.run)(screen);
    // Whatever happened, the device must still work.
    let after = screen.restore().and_then(|()| screen.check_alive());
    match (verdict, after) {
        (verdict, Ok(())) => verdict,
        (Err(Stop::Fail(why)), Err(error)) => fail(format!("{why}; and afterwards: {error}")),
        (_, Err(error)) => fail(format!("afterwards: {error}")),
    }
}

/// Ends the process with a message when a test hangs.
fn watch(total: Arc<Mutex<Tally>>) -> Sender<Option<&'static str>> {
    let (sender, receiver) = mpsc::channel::<Option<&'static str>>();
    thread::spawn(move || {
        let mut running = None;
        loop {
            running = match receiver.recv_timeout(LIMIT) {
                Ok(name) => name,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => match running {
                    None => None,
                    Some(name) => {
                        let mut total = total.lock().unwrap_or_else(|p| p.into_inner());
                        let why = format!("still running after {} s", LIMIT.as_secs());
                        total.record(name, fail(why));
                        println!("{total}");
                        process::exit(1);
                    }
                },
            };
        }
    });
    sender
}
