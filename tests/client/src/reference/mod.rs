// SPDX-License-Identifier: GPL-2.0

//! `reference`: random scenes on one driver, whose pixels must be what a plain composer, written from
//! the documentation of KMS, says.
//!
//! A scene is changed step by step, also by single properties. What the driver has no property for is
//! no part of a scene.

mod abilities;
mod layers;
mod operations;
mod random_layer;
mod stage;
mod tables;
mod verdict;

use std::time::{Duration, Instant};

use crate::card::Card;
use crate::random::Random;
use crate::testlist::{fail, skip, Verdict};
use abilities::Abilities;
use stage::Stage;

/// Steps before everything is new.
const STEPS: u32 = 12;

/// What scenes are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// Planes, and the colours of the CRTC.
    Scenes,
    /// Colour pipelines of planes.
    Pipelines,
}

/// Judges random scenes for `time`, from `seed` on.
pub fn run(card: &Card, subject: Subject, seed: u64, time: Duration) -> Verdict {
    let end = Instant::now() + time;
    let abilities = Abilities::find(card)?;
    if abilities.targets.is_empty() {
        return skip("there is no writeback");
    }
    let has_pipelines = |plane: &abilities::Plane| !plane.pipelines.is_empty();
    if subject == Subject::Pipelines && !abilities.planes.iter().any(has_pipelines) {
        return skip("there are no colour pipelines");
    }
    println!("reference: {subject:?}, seed {seed}");
    let mut stage = Stage::new(card, abilities)?;
    let (mut round, mut judged, mut failures) = (0, 0, 0);
    while Instant::now() < end && failures < 3 {
        let mut random = Random::new(seed.wrapping_add(round));
        for step in 0..STEPS {
            let difference = match step {
                0 => stage.renew(&mut random)?,
                _ => stage.change(&mut random)?,
            };
            judged += 1;
            if let Some(difference) = difference {
                failures += 1;
                println!(
                    "round {round} of seed {seed}, step {step}: {difference}\n{}",
                    stage.describe()
                );
                break;
            }
        }
        round += 1;
    }
    stage.leave()?;
    println!(
        "reference: {judged} scenes judged, {failures} wrong, {}",
        stage.report()
    );
    if failures > 0 {
        return fail(format!("{failures} scenes are wrong; seed {seed}"));
    }
    Ok(())
}
