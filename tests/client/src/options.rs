// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::error::{message, Error};
use crate::modules::Module;
use crate::pattern::Pattern;
use crate::testlist::Choice;

const HELP: &str = "\
The test client of the rvkms drivers. It runs as root, on any atomic KMS driver.

usage: rvkms-client COMMAND [OPTIONS]

  picture --card CARD [--crtc N] OUT.png
        writes what the first active CRTC's (or CRTC N's) primary plane scans out now, whoever shows it
  show --card CARD [--pattern smpte|gradient] [--seconds N]
        sets the preferred mode, flips a picture with a moving square, prints the flips per second
  flip --card CARD [--seconds N]
        flips through the legacy and the atomic interface, checks the events' order, reports the rate
  badinput --card CARD [--filter TEXT] [--risky]
        sends what a hostile or careless client would; the old state and the device must survive
  display --card CARD --monitor PORT [--filter TEXT]
        draws pictures on a display of QEMU, and compares them with what it really shows
  copies --card CARD
        counts the bytes of a PCI display's memory that updates write, and the CPU time of these
  console --monitor PORT
        writes to the console, and looks for it on the display; nobody else must use the display
  hold --card CARD
        flips with a fence that is signalled when this is killed; others can be the master meanwhile
  route --card CARD COMMIT...
        turns connectors on and off: each commit is a list like 0@1,1@- of connectors and CRTCs by their
        index; in the end nothing changes, which must not take a modeset
  failslab [--card CARD] [--module NAME [--quick]] [--filter TEXT]
        lets each allocation of mode setting calls, and of loading the module, fail once
  unbind --card CARD [--rounds N]
        takes the device away while page flips run, and brings it back
  reload --module NAME [--rounds N]
        loads and unloads the driver
  diff --card CARD --other CARD [--seconds N] [--seed N]
        shows random scenes on both cards for N seconds (60), with colour pipelines half as long:
        checksums and writeback pixels must be equal
  reference --card CARD [--seconds N] [--seed N]
        shows random scenes of all that the card can do: writeback pixels must be those of a plain composer
  frames --card CARD [--rounds N]
        shows N frames (10,000); the kernel's memory must not grow with them
  load --card CARD [--seconds N] [--filter TEXT]
        the largest pictures, all planes at once, a busy machine, no memory: each test for N seconds (3)
  vrr --card CARD
        looks at the duration of frames with and without VRR_ENABLED, on a display for 30 to 60 Hz
  bench --card CARD --other CARD [--rounds N] [--seconds N] [--filter TEXT] OUT.png
        measures the CPU time of frames on both cards in turn, for N seconds (600) at most, draws the
        ratios; fails if one is below its floor or has not been measured
  cpus --card CARD
        compares the frames that are composed in a second on all CPUs with those on one; fails if they are
        not enough
  all --card CARD [--module NAME]
        all of the above but picture, display, copies, console, hold, route, diff, reference, load, vrr, bench and cpus,
        in short forms; leaves the module loaded

  --card CARD      a path (/dev/dri/card0) or a driver's name (vkms); --other CARD, a second one
  --module NAME    the driver's module; --parameter KEY=VALUE, once for each of its parameters
  --monitor PORT   the device node of a line to QEMU's monitor (QMP)
  --filter TEXT    only tests whose name holds TEXT
  --risky          also tests that C vkms is known not to survive (they always run on other drivers)
  --quick          not every allocation, but fewer the later they come

Tests print 'ok NAME', 'FAIL NAME: why' or 'skip NAME: why', and in the end 'N passed, M failed, K skipped'.
The exit status is 0 if nothing failed, 1 if a test failed, 2 if the command could not do its work.
";

/// What to do.
#[derive(Debug)]
pub enum Command {
    Picture {
        crtc: Option<usize>,
        output: PathBuf,
    },
    Show {
        pattern: Pattern,
    },
    Flip,
    BadInput,
    Display {
        monitor: PathBuf,
    },
    Copies,
    Console {
        monitor: PathBuf,
    },
    Hold,
    Route {
        commits: Vec<String>,
    },
    Failslab,
    Unbind,
    Reload,
    Diff,
    Reference,
    Frames,
    Load,
    Vrr,
    Bench {
        output: PathBuf,
    },
    Cpus,
    All,
}

/// The command and what goes with several of them.
#[derive(Debug)]
pub struct Options {
    pub command: Command,
    pub card: Option<String>,
    pub other: Option<String>,
    pub seed: Option<u64>,
    pub module: Option<Module>,
    pub quick: bool,
    pub choice: Choice,
    seconds: Option<f64>,
    rounds: Option<u32>,
}

impl Options {
    pub fn seconds(&self, otherwise: f64) -> f64 {
        self.seconds.unwrap_or(otherwise)
    }

    pub fn duration(&self, otherwise: f64) -> Duration {
        Duration::from_secs_f64(self.seconds(otherwise))
    }

    pub fn rounds(&self, otherwise: u32) -> u32 {
        self.rounds.unwrap_or(otherwise)
    }
}

/// Reads the command line; `None` if help was asked for and given.
pub fn parse() -> Result<Option<Options>, Error> {
    let (mut other, mut seed) = (None, None);
    let mut words = Vec::new();
    let mut parameters = Vec::new();
    let (mut card, mut module, mut crtc, mut monitor) = (None, None, None, None);
    let (mut seconds, mut rounds, mut pattern) = (None, None, Pattern::Bars);
    let mut quick = false;
    let mut choice = Choice::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(None);
            }
            Long("card") => card = Some(parser.value()?.string()?),
            Long("other") => other = Some(parser.value()?.string()?),
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Long("crtc") => crtc = Some(parser.value()?.parse()?),
            Long("module") => module = Some(parser.value()?.string()?),
            Long("parameter") => parameters.push(parser.value()?.string()?),
            Long("seconds") => seconds = Some(time(parser.value()?.parse()?)?),
            Long("rounds") => rounds = Some(parser.value()?.parse()?),
            Long("monitor") => monitor = Some(parser.value()?),
            Long("filter") => choice.filter = parser.value()?.string()?,
            Long("risky") => choice.risky = true,
            Long("quick") => quick = true,
            Long("pattern") => {
                let name = parser.value()?.string()?;
                pattern = match Pattern::named(&name) {
                    Some(pattern) => pattern,
                    None => return message(format!("no pattern {name}: smpte or gradient")),
                };
            }
            Value(word) => words.push(word),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let mut words = words.into_iter();
    let Some(name) = words.next() else {
        return message("say what to do; --help tells what there is");
    };
    let command = match name.to_str().unwrap_or_default() {
        "picture" => match words.next() {
            Some(output) => Command::Picture {
                crtc,
                output: output.into(),
            },
            None => return message("picture needs the name of the file to write"),
        },
        "show" => Command::Show { pattern },
        "flip" => Command::Flip,
        "badinput" => Command::BadInput,
        "display" => match monitor {
            Some(monitor) => Command::Display {
                monitor: monitor.into(),
            },
            None => return message("display needs --monitor"),
        },
        "copies" => Command::Copies,
        "console" => match monitor {
            Some(monitor) => Command::Console {
                monitor: monitor.into(),
            },
            None => return message("console needs --monitor"),
        },
        "hold" => Command::Hold,
        "route" => Command::Route {
            commits: words
                .by_ref()
                .map(|word| word.string())
                .collect::<Result<_, _>>()?,
        },
        "failslab" => Command::Failslab,
        "unbind" => Command::Unbind,
        "reload" => Command::Reload,
        "diff" => Command::Diff,
        "reference" => Command::Reference,
        "frames" => Command::Frames,
        "load" => Command::Load,
        "vrr" => Command::Vrr,
        "bench" => match words.next() {
            Some(output) => Command::Bench {
                output: output.into(),
            },
            None => return message("bench needs the name of the file to write"),
        },
        "cpus" => Command::Cpus,
        "all" => Command::All,
        other => return message(format!("no command {other}; --help tells what there is")),
    };
    if let Some(word) = words.next() {
        return message(format!("{} is too much", word.to_string_lossy()));
    }
    Ok(Some(Options {
        command,
        card,
        other,
        seed,
        module: module.map(|name| Module { name, parameters }),
        quick,
        choice,
        seconds,
        rounds,
    }))
}

fn time(seconds: f64) -> Result<f64, Error> {
    if (0.0..=86400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        message(format!("{seconds} is no sensible number of seconds"))
    }
}
