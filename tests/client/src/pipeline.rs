// SPDX-License-Identifier: GPL-2.0

//! The colour pipelines of planes.

use std::collections::BTreeMap;

use drm_sys::*;

use crate::atomic::{Blob, Request};
use crate::card::{Card, Kind, Property};
use crate::error::{message, Error};

/// What a pipeline of two curves around two matrices does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Use {
    /// One of the matrices.
    OneMatrix,
    /// From sRGB to linear light, both matrices, and back.
    All,
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

/// The request that has `plane` use a pipeline of a curve, two matrices and a curve, as C vkms offers
/// it, and the blob that this takes.
pub fn apply<'c>(card: &'c Card, plane: u32, how: Use) -> Result<(Request, Blob<'c>), Error> {
    let kinds = [
        DRM_COLOROP_1D_CURVE,
        DRM_COLOROP_CTM_3X4,
        DRM_COLOROP_CTM_3X4,
        DRM_COLOROP_1D_CURVE,
    ];
    for first in offered(card, plane) {
        let operations = operations(card, first)?;
        let fits = operations.len() == kinds.len();
        if !fits || !operations.iter().zip(kinds).all(|(op, kind)| op.is(kind)) {
            continue;
        }
        let blob = Blob::new(card, &desaturation())?;
        let mut request = Request::new().set(card, plane, "COLOR_PIPELINE", first.into())?;
        for (index, operation) in operations.iter().enumerate() {
            let used = how == Use::All || index == 1;
            request = operation.set(request, "BYPASS", u64::from(!used))?;
            request = match index {
                0 => operation.set_curve(request, "sRGB EOTF")?,
                3 => operation.set_curve(request, "sRGB Inverse EOTF")?,
                _ => operation.set(request, "DATA", blob.id.into())?,
            };
        }
        return Ok((request, blob));
    }
    message(format!(
        "no plane {plane} of {} with a curve, two matrices and a curve",
        card.driver
    ))
}

/// A matrix that takes half of the colour away, as `struct drm_color_ctm_3x4`.
fn desaturation() -> Vec<u8> {
    let (near, far) = (1u64 << 31, 1u64 << 30);
    let matrix = [near, far, far, 0, far, near, far, 0, far, far, near, 0];
    matrix
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}
