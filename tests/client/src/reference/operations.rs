// SPDX-License-Identifier: GPL-2.0

//! Random colour pipelines.

use drm_sys::*;
use rvkms_reference::Op;

use crate::atomic::{Blob, Request};
use crate::card::Card;
use crate::error::{message, Error};
use crate::pipeline::{operations, Operation};
use crate::random::Random;

use super::tables;

/// The names of curves.
const CURVES: [(&str, Op); 8] = [
    ("sRGB EOTF", Op::SrgbEotf),
    ("sRGB Inverse EOTF", Op::SrgbInverse),
    ("PQ 125 EOTF", Op::PqEotf),
    ("PQ 125 Inverse EOTF", Op::PqInverse),
    ("BT.2020 Inverse OETF", Op::Bt2020Inverse),
    ("BT.2020 OETF", Op::Bt2020Oetf),
    ("Gamma 2.2", Op::Gamma22),
    ("Gamma 2.2 Inverse", Op::Gamma22Inverse),
];

/// A pipeline that a plane offers.
pub struct Pipeline {
    first: u32,
    operations: Vec<Operation>,
}

impl Pipeline {
    /// Reads the pipeline that begins with `first`; none if it has an operation that is not known.
    pub fn find(card: &Card, first: u32) -> Result<Option<Self>, Error> {
        let operations = operations(card, first)?;
        let known = |operation: &Operation| {
            let kinds = [
                DRM_COLOROP_1D_CURVE,
                DRM_COLOROP_1D_LUT,
                DRM_COLOROP_CTM_3X4,
                DRM_COLOROP_MULTIPLIER,
                DRM_COLOROP_3D_LUT,
            ];
            kinds.iter().any(|kind| operation.is(*kind))
        };
        let all = operations.iter().all(known);
        Ok(all.then_some(Pipeline { first, operations }))
    }

    /// Chooses what each operation does.
    pub fn choose(&self, random: &mut Random) -> Vec<Op> {
        let operations = self.operations.iter();
        operations
            .map(|operation| choose(operation, random))
            .collect()
    }

    /// The request that has a plane do so, and the blobs that this takes.
    pub fn request<'c>(
        &self,
        card: &'c Card,
        plane: u32,
        ops: &[Op],
    ) -> Result<(Request, Vec<Blob<'c>>), Error> {
        let mut blobs = Vec::new();
        let mut request = Request::new().set(card, plane, "COLOR_PIPELINE", self.first.into())?;
        for (operation, op) in self.operations.iter().zip(ops) {
            if operation.has("BYPASS") {
                request = operation.set(request, "BYPASS", u64::from(*op == Op::Bypassed))?;
            }
            let data = match op {
                Op::Bypassed => continue,
                Op::Multiplier(factor) => {
                    request = operation.set(request, "MULTIPLIER", *factor)?;
                    continue;
                }
                Op::Matrix(rows) => tables::numbers(rows),
                Op::Lut(entries) | Op::Lut3d(_, entries) => tables::wide_entries(entries),
                curve => {
                    let Some((name, _)) = CURVES.iter().find(|(_, known)| known == curve) else {
                        return message(format!("no operation of a pipeline is {curve:?}"));
                    };
                    request = operation.set_curve(request, name)?;
                    continue;
                }
            };
            let blob = Blob::new(card, &data)?;
            request = operation.set(request, "DATA", blob.id.into())?;
            blobs.push(blob);
        }
        Ok((request, blobs))
    }
}

/// Chooses what an operation does.
fn choose(operation: &Operation, random: &mut Random) -> Op {
    let size = operation.value("SIZE").max(2) as usize;
    // Each operation makes what comes out less certain.
    if operation.has("BYPASS") && !random.once_in(3) {
        return Op::Bypassed;
    }
    if operation.is(DRM_COLOROP_1D_CURVE) {
        let offered = operation.curves();
        let known = CURVES.iter().filter(|(name, _)| offered.contains(name));
        let ops: Vec<&Op> = known.map(|(_, op)| op).collect();
        return match ops.is_empty() {
            true => Op::Bypassed,
            false => random.one_of(&ops).clone(),
        };
    }
    if operation.is(DRM_COLOROP_1D_LUT) {
        return Op::Lut(tables::rising(size, random));
    }
    if operation.is(DRM_COLOROP_3D_LUT) {
        return Op::Lut3d(size, tables::any(size * size * size, random));
    }
    if operation.is(DRM_COLOROP_MULTIPLIER) {
        let factors = [1 << 32, 125 << 32, (1 << 32) / 125, 3 << 31, u64::MAX];
        return Op::Multiplier(random.one_of(&factors));
    }
    let (low, high) = random.one_of(&[(-2.0, 3.0), (-0.3, 0.7), (-40.0, 40.0)]);
    Op::Matrix([0; 12].map(|_| tables::number(low, high, random)))
}
