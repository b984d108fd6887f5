// SPDX-License-Identifier: GPL-2.0

//! The test client of the rvkms drivers.

mod atomic;
mod badinput;
mod bench;
mod buffer;
mod card;
mod chart;
mod clones;
mod copies;
mod cpu;
mod crc;
mod crc_gone;
mod crc_off_and_on;
mod crc_shared;
mod damage;
mod diff;
mod display;
mod drawing;
mod error;
mod failslab;
mod fault;
mod features;
mod flip;
mod frames;
mod hold;
mod hotspot;
mod imported;
mod load;
mod modules;
mod options;
mod output;
mod pattern;
mod picture;
mod picture_buffer;
mod pipeline;
mod pixels;
mod planes;
mod random;
mod raw;
mod reference;
mod route;
mod show;
mod testlist;
mod unbind;
mod vrr;
mod wrongs;

use std::process::ExitCode;
use std::time::Duration;

use card::Card;
use error::Error;
use modules::Module;
use options::{Command, Options};
use output::Screen;
use reference::Subject;
use testlist::{fail, skip, Tally, Verdict};

fn main() -> ExitCode {
    match options::parse().and_then(|options| match options {
        Some(options) => run(&options),
        None => Ok(ExitCode::SUCCESS),
    }) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rvkms-client: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Error> {
    match &options.command {
        Command::Picture { crtc, output } => picture::run(&open(options)?, *crtc, output)?,
        Command::Show { pattern } => show::run(&open(options)?, *pattern, options.seconds(3.0))?,
        Command::Flip => {
            let mut tally = Tally::default();
            let card = open(options)?;
            tally.record("flip-events", flip::test(&card, options.duration(4.0)));
            tally.record("turn-on-event", flip::turn_on(&card));
            return Ok(summary(tally));
        }
        Command::BadInput => {
            let card = open(options)?;
            let tally = on_screen(&card, badinput::GROUPS, options, Tally::default())?;
            return Ok(summary(tally));
        }
        Command::Display { monitor } => {
            let card = open(options)?;
            return Ok(summary(display::run(&card, monitor, options)?));
        }
        Command::Hold => hold::run(&open(options)?)?,
        Command::Route { commits } => route::run(&open(options)?, commits)?,
        Command::Copies => copies::run(&open(options)?)?,
        Command::Console { monitor } => return Ok(summary(display::console::run(monitor)?)),
        Command::Failslab => return failslab_command(options),
        Command::Unbind => {
            let card = open(options)?;
            let method = unbind::Method::find(&card)?;
            unbind::run(card, &method, options.rounds(10))?;
        }
        Command::Reload => match &options.module {
            Some(module) => modules::reload(module, options.rounds(10))?,
            None => return error::message("reload needs --module"),
        },
        Command::Diff => return diff_command(options),
        Command::Reference => return reference_command(options),
        Command::Frames => {
            let mut tally = Tally::default();
            let card = open(options)?;
            tally.record("frames", frames::test(&card, options.rounds(10_000)));
            return Ok(summary(tally));
        }
        Command::Vrr => {
            let mut tally = Tally::default();
            tally.record("vrr", vrr::test(&open(options)?));
            return Ok(summary(tally));
        }
        Command::Load => {
            let card = Card::open_for_writeback(named(&options.card, "--card")?)?;
            let time = options.duration(3.0);
            return Ok(summary(load::run(&card, &options.choice.filter, time)));
        }
        Command::Bench { output } => {
            let (card, other) = two_cards(options, Card::open_for_writeback)?;
            let good = bench::run(
                [&card, &other],
                &bench::Effort {
                    rounds: options.rounds(2),
                    time: options.duration(600.0),
                },
                &options.choice.filter,
                output,
            )?;
            return Ok(code(good));
        }
        Command::Cpus => return Ok(code(bench::cpus(&open(options)?)?)),
        Command::All => return all(options),
    }
    Ok(ExitCode::SUCCESS)
}

fn open(options: &Options) -> Result<Card, Error> {
    Card::open(named(&options.card, "--card")?)
}

/// The value of an option that is needed.
fn named<'o>(value: &'o Option<String>, option: &str) -> Result<&'o str, Error> {
    match value {
        Some(name) => Ok(name),
        None => error::message(format!("say which card with {option}")),
    }
}

fn on_screen(
    card: &Card,
    groups: &[&[testlist::Test]],
    options: &Options,
    before: Tally,
) -> Result<Tally, Error> {
    let screen = Screen::new(card)?;
    Ok(testlist::run(&screen, groups, &options.choice, before))
}

fn failslab_command(options: &Options) -> Result<ExitCode, Error> {
    let mut tally = Tally::default();
    if options.card.is_some() {
        let card = open(options)?;
        tally = on_screen(&card, &[failslab::TESTS], options, tally)?;
    }
    if let Some(module) = &options.module {
        tally.record(
            "failslab-load-module",
            modules::failslab(module, options.quick, options.choice.risky),
        );
    }
    Ok(summary(tally))
}

/// Everything, in short forms.
fn all(options: &Options) -> Result<ExitCode, Error> {
    let card = open(options)?;
    let groups: Vec<&[testlist::Test]> = badinput::GROUPS
        .iter()
        .copied()
        .chain([
            features::TESTS,
            imported::TESTS,
            damage::TESTS,
            failslab::TESTS,
        ])
        .collect();
    let mut tally = on_screen(&card, &groups, options, Tally::default())?;
    let rounds = options.rounds(5);
    let module = options.module.clone().or_else(|| {
        Some(Module {
            name: modules::of_card(&card)?,
            parameters: Vec::new(),
        })
    });
    let mut run = |name: &str, test: &mut dyn FnMut() -> Verdict| {
        if name.contains(&options.choice.filter) {
            tally.record(name, test());
        }
    };
    run("flip-events", &mut || {
        flip::test(&card, Duration::from_secs(2))
    });
    run("turn-on-event", &mut || flip::turn_on(&card));
    run("show", &mut || {
        show::flips(&card, pattern::Pattern::Gradient, Duration::from_secs(1))?;
        Ok(())
    });
    run("frames", &mut || frames::test(&card, 10_000));
    run("crc-shared", &mut || crc_shared::test(&card));
    run("crc-off-and-on", &mut || crc_off_and_on::test(&card));
    run("drawing", &mut || drawing::test(&card));
    run("writeback-beside-display", &mut || clones::test(&card));
    run("crc-while-gone", &mut || match &module {
        Some(module) => crc_gone::test(&card, &module.name),
        None => skip("no module drives the card"),
    });
    let mut card = Some(card);
    run("unbind", &mut || unbind_test(card.take(), rounds));
    // An open card keeps its module loaded.
    drop(card);
    run("reload", &mut || match &module {
        Some(module) => Ok(modules::reload(module, rounds)?),
        None => skip("no module drives the card"),
    });
    run("cursor-hotspot", &mut || match &module {
        Some(module) => hotspot::test(module),
        None => skip("no module drives the card"),
    });
    run("failslab-load-module", &mut || match &module {
        Some(module) => modules::failslab(module, true, options.choice.risky),
        None => skip("no module drives the card"),
    });
    if tally.passed + tally.failed == 0 {
        tally.record("all", fail("not one test ran"));
    }
    Ok(summary(tally))
}

/// Opens both cards; `open` says with which capabilities.
fn two_cards(
    options: &Options,
    open: fn(&str) -> Result<Card, Error>,
) -> Result<(Card, Card), Error> {
    let card = named(&options.card, "--card")?;
    let other = named(&options.other, "--other")?;
    Ok((open(card)?, open(other)?))
}

fn diff_command(options: &Options) -> Result<ExitCode, Error> {
    let mut tally = Tally::default();
    let (seed, time) = (seed(options), options.duration(60.0));

    let (card, other) = two_cards(options, Card::open_for_writeback)?;
    for case in wrongs::CASES {
        tally.record(case.0, wrongs::run(case, &card, &other));
    }
    tally.record("random-scenes", diff::run([&card, &other], seed, time));
    for card in [&card, &other] {
        diff::fix_yuv(card)?;
    }
    // Only one at a time can be the master.
    drop((card, other));

    let (card, other) = two_cards(options, Card::open_for_writeback_and_pipelines)?;
    for case in wrongs::WITH_PIPELINES {
        tally.record(case.0, wrongs::run(case, &card, &other));
    }
    tally.record(
        "random-pipelines",
        diff::run_with_pipelines([&card, &other], seed, time / 2),
    );
    Ok(summary(tally))
}

fn reference_command(options: &Options) -> Result<ExitCode, Error> {
    let name = named(&options.card, "--card")?;
    let time = options.duration(60.0) / 2;
    let mut tally = Tally::default();
    let card = Card::open_for_writeback(name)?;
    let verdict = reference::run(&card, Subject::Scenes, seed(options), time);
    tally.record("scenes", verdict);
    // There is one master at a time.
    drop(card);
    let verdict = match Card::open_for_writeback_and_pipelines(name) {
        Ok(card) => reference::run(&card, Subject::Pipelines, seed(options), time),
        Err(_) => skip("there are no colour pipelines"),
    };
    tally.record("pipelines", verdict);
    Ok(summary(tally))
}

/// What random numbers begin with.
fn seed(options: &Options) -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed();
    let now = now.map_or(1, |time| time.as_secs());
    options.seed.unwrap_or(now)
}

fn unbind_test(card: Option<Card>, rounds: u32) -> Verdict {
    let Some(card) = card else {
        return fail("the card was closed before");
    };
    match unbind::Method::find(&card) {
        Ok(method) => Ok(unbind::run(card, &method, rounds)?),
        Err(error) => skip(error.to_string()),
    }
}

fn summary(tally: Tally) -> ExitCode {
    println!("{tally}");
    code(tally.failed == 0)
}

fn code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
