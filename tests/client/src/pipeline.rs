// SPDX-License-Identifier: GPL-2.0

//! The colour pipelines of planes.

use std::collections::BTreeMap;

use drm_sys::*;

use crate::atomic::{Blob, Request};
use crate::card::{Card, Kind, Property};
use crate::error::{message, Error};

/// What an operation of a pipeline does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing.
    Bypassed,
    /// Applies the curve of this name.
    Curve(&'static str),
    /// Applies a matrix: the numbers of `struct drm_color_ctm_3x4`.
    Matrix([u64; 12]),
}

/// What the operations of a pipeline do.
pub type Steps = [Step; 4];

/// The curve from sRGB to linear light.
pub const TO_LIGHT: Step = Step::Curve("sRGB EOTF");

/// The curve from linear light to sRGB.
pub const TO_SRGB: Step = Step::Curve("sRGB Inverse EOTF");

/// What pictures of the benchmark go through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Use {
    /// One of the matrices.
    OneMatrix,
    /// From sRGB to linear light, both matrices, and back.
    All,
}

impl Use {
    pub fn steps(self) -> Steps {
        match self {
            Use::OneMatrix => [
                Step::Bypassed,
                desaturation(),
                Step::Bypassed,
                Step::Bypassed,
            ],
            Use::All => [TO_LIGHT, desaturation(), desaturation(), TO_SRGB],
        }
    }
}

/// A colour operation.
pub struct Operation {
    id: u32,
    properties: BTreeMap<String, (Property, u64)>,
}

impl Operation {
    fn read(card: &Card, id: u32) -> Result<Self, Error> {
        let mut properties = BTreeMap::new();
        for (property, value) in card.values_of(id, Kind::ColorOp)? {
            let property = card.describe(property)?;
            properties.insert(property.name.clone(), (property, value));
        }
        Ok(Operation { id, properties })
    }

    /// Returns whether there is such a property.
    pub fn has(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// The value of a property as it was read, or 0.
    pub fn value(&self, name: &str) -> u64 {
        self.properties.get(name).map_or(0, |(_, value)| *value)
    }

    /// Returns whether it is of this kind.
    pub fn is(&self, kind: drm_colorop_type) -> bool {
        self.value("TYPE") == u64::from(kind)
    }

    /// The names of the curves that there are.
    pub fn curves(&self) -> Vec<&str> {
        let property = self.properties.get("CURVE_1D_TYPE");
        let enums = property.iter().flat_map(|(property, _)| &property.enums);
        enums.map(|(_, name)| name.as_str()).collect()
    }

    /// Sets a property.
    pub fn set(&self, request: Request, name: &str, value: u64) -> Result<Request, Error> {
        match self.properties.get(name) {
            Some((property, _)) => Ok(request.set_raw(self.id, property.id, value)),
            None => message(format!("colour operation {} has no {name}", self.id)),
        }
    }

    /// Sets a curve by its name.
    pub fn set_curve(&self, request: Request, curve: &str) -> Result<Request, Error> {
        let property = self.properties.get("CURVE_1D_TYPE");
        let mut enums = property.iter().flat_map(|(property, _)| &property.enums);
        match enums.find(|(_, name)| name == curve) {
            Some((value, _)) => self.set(request, "CURVE_1D_TYPE", *value),
            None => message(format!("colour operation {} has no curve {curve}", self.id)),
        }
    }
}

/// The pipelines that a plane offers, by their first operations.
pub fn offered(card: &Card, plane: u32) -> Vec<u32> {
    let property = card
        .property_id(plane, "COLOR_PIPELINE")
        .and_then(|id| card.properties.get(&id));
    let enums = property.map_or(&[][..], |property| &property.enums);
    let firsts = enums.iter().map(|(first, _)| *first as u32);
    firsts.filter(|first| *first != 0).collect()
}

/// The operations of the pipeline that begins with `first`.
pub fn operations(card: &Card, first: u32) -> Result<Vec<Operation>, Error> {
    let mut operations = Vec::new();
    let mut next = first;
    while next != 0 {
        let operation = Operation::read(card, next)?;
        next = operation.value("NEXT") as u32;
        operations.push(operation);
    }
    Ok(operations)
}

/// The pipeline of a plane that C vkms has, too: a curve, two matrices and a curve.
pub struct Pipeline<'c> {
    card: &'c Card,
    plane: u32,
    /// Its value of `COLOR_PIPELINE`.
    first: u64,
    operations: Vec<Operation>,
}

impl<'c> Pipeline<'c> {
    /// Finds the pipeline of `plane`, if it has one. The card must have been opened for pipelines.
    pub fn find(card: &'c Card, plane: u32) -> Result<Option<Self>, Error> {
        let kinds = [
            DRM_COLOROP_1D_CURVE,
            DRM_COLOROP_CTM_3X4,
            DRM_COLOROP_CTM_3X4,
            DRM_COLOROP_1D_CURVE,
        ];
        for first in offered(card, plane) {
            let operations = operations(card, first)?;
            let fits = operations.len() == kinds.len();
            if fits && operations.iter().zip(kinds).all(|(op, kind)| op.is(kind)) {
                return Ok(Some(Pipeline {
                    card,
                    plane,
                    first: first.into(),
                    operations,
                }));
            }
        }
        Ok(None)
    }

    /// The request that has the plane go through `steps`, and the blobs that this takes.
    pub fn apply(&self, steps: &Steps) -> Result<(Request, Vec<Blob<'c>>), Error> {
        let mut blobs = Vec::new();
        let mut request =
            Request::new().set(self.card, self.plane, "COLOR_PIPELINE", self.first)?;
        for (operation, step) in self.operations.iter().zip(steps) {
            let bypassed = u64::from(*step == Step::Bypassed);
            request = operation.set(request, "BYPASS", bypassed)?;
            request = match step {
                Step::Bypassed => request,
                Step::Curve(name) => operation.set_curve(request, name)?,
                Step::Matrix(numbers) => {
                    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
                    let blob = Blob::new(self.card, &bytes)?;
                    let id = blob.id.into();
                    blobs.push(blob);
                    operation.set(request, "DATA", id)?
                }
            };
        }
        Ok((request, blobs))
    }

    /// The request that takes the plane out of the pipeline.
    pub fn leave(&self) -> Result<Request, Error> {
        Request::new().set(self.card, self.plane, "COLOR_PIPELINE", 0)
    }
}

/// A matrix that takes half of the colour away.
fn desaturation() -> Step {
    let (near, far) = (1 << 31, 1 << 30);
    Step::Matrix([near, far, far, 0, far, near, far, 0, far, far, near, 0])
}
