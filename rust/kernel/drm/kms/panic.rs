// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The screen that is shown when the kernel panics.
//!
//! The core draws it into the framebuffer that a plane shows already, which
//! [`DriverPlane::get_scanout_buffer`](super::plane::DriverPlane::get_scanout_buffer) returns.
//!
//! C header: [`include/drm/drm_panic.h`](srctree/include/drm/drm_panic.h)

use super::{
    framebuffer::FramebufferMap,
    KmsDriver, //
};
use crate::bindings;
use core::marker::PhantomData;

/// Memory that a picture can be drawn into, when nothing but writing to it works any more.
///
/// # Invariants
///
/// For `'a`, `buffer` has a valid format with one colour plane, and a mapping of all lines of that
/// which is valid for writes.
pub struct ScanoutBuffer<'a> {
    buffer: bindings::drm_scanout_buffer,
    _map: PhantomData<&'a ()>,
}

impl<'a> ScanoutBuffer<'a> {
    /// Returns the memory of a framebuffer, or `None` if its format has several colour planes.
    pub fn new<D: KmsDriver>(map: &'a FramebufferMap<D>) -> Option<Self> {
        let fb = map.framebuffer();

        if fb.num_planes() != 1 {
            return None;
        }

        let mut buffer = bindings::drm_scanout_buffer {
            format: fb.info(),
            width: fb.width(),
            height: fb.height(),
            ..pin_init::zeroed()
        };
        buffer.pitch[0] = fb.pitch(0);
        buffer.map[0].__bindgen_anon_1.vaddr = map.start(0)?.as_ptr().cast();

        // INVARIANT: A `FramebufferMap` is a mapping of all lines of all colour planes of the
        // framebuffer, and keeps both.
        Some(Self {
            buffer,
            _map: PhantomData,
        })
    }

    pub(super) fn into_raw(self) -> bindings::drm_scanout_buffer {
        self.buffer
    }
}
