// SPDX-License-Identifier: GPL-2.0

//! What a CRTC shows now.
//!
//! An update says what the planes show that it changes; the others go on showing what they did.

use crate::{
    compose::Layer,
    scene::{
        Canvas,
        Content,
        Draft,
        Scene, //
    },
};
use kernel::{
    drm::kms::MAX_OBJECTS,
    prelude::*,
    sync::Arc, //
};

/// What a plane shows.
struct Placed {
    /// The index of the plane.
    plane: u32,
    /// The place of the plane among those of the CRTC. No two have the same.
    zpos: u32,
    layer: Layer<Content>,
}

/// What a CRTC shows now.
pub(crate) struct Picture {
    /// Only there while the CRTC is on.
    canvas: Option<Canvas>,
    /// What the planes show, the lowest first. There is room for all planes.
    placed: KVec<Placed>,
}

impl Picture {
    /// Creates the picture of a CRTC that is off.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            canvas: None,
            placed: KVec::with_capacity(MAX_OBJECTS as usize, GFP_KERNEL)?,
        })
    }

    /// Turns the CRTC off, so that no plane is seen any more.
    pub(crate) fn clear(&mut self) {
        self.canvas = None;
        self.placed.clear();
    }

    /// Sets what the pictures from now on have in common.
    pub(crate) fn set_canvas(&mut self, canvas: Canvas) {
        self.canvas = Some(canvas);
    }

    /// Sets what the plane with the index `plane` shows at the place `zpos`.
    pub(crate) fn set_layer(&mut self, plane: u32, zpos: u32, layer: Option<Layer<Content>>) {
        self.placed.retain(|other| other.plane != plane);

        let Some(layer) = layer else {
            return;
        };
        let placed = Placed { plane, zpos, layer };
        let above = self.placed.iter().position(|other| other.zpos > zpos);
        let index = above.unwrap_or(self.placed.len());

        // There is room for all planes.
        let _ = self.placed.insert_within_capacity(index, placed);
    }

    /// Makes a scene of the picture out of `draft`. Returns `None` if the CRTC is off.
    pub(crate) fn scene(&self, draft: &Draft) -> Option<Arc<Scene>> {
        let layers = self.placed.iter().map(|placed| &placed.layer);

        draft.fill(self.canvas.as_ref()?, layers)
    }
}
