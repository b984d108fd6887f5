// SPDX-License-Identifier: GPL-2.0

//! Colour pipelines of random scenes: what C vkms has, and does right.

use super::layers::Layer;
use super::Side;
use crate::atomic::{Blob, Request};
use crate::card::{Card, Kind};
use crate::error::{Error, What};
use crate::pipeline::{Step, Steps, TO_LIGHT, TO_SRGB};
use crate::random::Random;

/// 1.0 in the numbers of a matrix.
const ONE: i32 = 1 << 16;

/// Has all planes of a card take YUV for the same. Who sees colour pipelines cannot choose, so a card
/// that is opened afterwards for those keeps that; at first the drivers differ.
pub fn fix_yuv(card: &Card) -> Result<(), Error> {
    let mut request = Request::new();
    for plane in card.of_kind(Kind::Plane) {
        request = request.set(card, plane.id, "COLOR_ENCODING", 0)?.set(
            card,
            plane.id,
            "COLOR_RANGE",
            0,
        )?;
    }
    request.commit(card, 0).what("a commit of how YUV is taken")
}

/// Lets a layer go through random steps, through none, or past the pipeline.
pub fn choose(layer: &mut Layer, random: &mut Random) {
    layer.steps = (layer.may_use_pipeline() && !random.once_in(3)).then(|| steps(random));
}

fn steps(random: &mut Random) -> Steps {
    let first = curve(random);
    let (one, one_is_mild) = matrix(random);
    let (other, other_is_mild) = matrix(random);
    // C vkms wraps around what is beyond 0 and 1 when it looks it up.
    let last = match one_is_mild && other_is_mild {
        true => curve(random),
        false => Step::Bypassed,
    };
    [first, one, other, last]
}

fn curve(random: &mut Random) -> Step {
    match random.below(3) {
        0 => Step::Bypassed,
        1 => TO_LIGHT,
        _ => TO_SRGB,
    }
}

/// A matrix, and whether it leaves each colour between 0 and 1.
fn matrix(random: &mut Random) -> (Step, bool) {
    if random.once_in(3) {
        return (Step::Bypassed, true);
    }
    let mild = random.once_in(2);
    let numbers = std::array::from_fn(|index| match (index % 4, mild) {
        // C vkms takes an offset of 1.0 for that of the least that a colour can change by.
        (3, _) => 0,
        // No sum of three is above 1.
        (_, true) => number(random.within(0, ONE / 3)),
        (_, false) => number(random.within(-3 * ONE, 3 * ONE)),
    });
    (Step::Matrix(numbers), mild)
}

/// A number of a matrix: its sign and its magnitude with 32 fractional bits.
fn number(value: i32) -> u64 {
    let sign = u64::from(value < 0) << 63;
    sign | u64::from(value.unsigned_abs()) << 16
}

impl<'c> Side<'c> {
    /// Whether all planes have the pipeline.
    pub fn has_pipelines(&self) -> bool {
        self.pipelines.iter().all(Option::is_some)
    }

    /// The request that has the plane of a layer do its steps, and the blobs that this takes.
    pub fn color(&self, layer: &Layer) -> Result<(Request, Vec<Blob<'c>>), Error> {
        match (&self.pipelines[layer.plane], &layer.steps) {
            (Some(pipeline), Some(steps)) => pipeline.apply(steps),
            (Some(pipeline), None) => Ok((pipeline.leave()?, Vec::new())),
            (None, _) => Ok((Request::new(), Vec::new())),
        }
    }
}
