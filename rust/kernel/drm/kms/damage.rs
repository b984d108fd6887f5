// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What has changed of the pictures that planes show.
//!
//! User space can say with an update which parts of a framebuffer it has drawn to, so that a driver
//! that has to copy the pixels somewhere need not copy all of them.
//!
//! C header: [`include/drm/drm_damage_helper.h`](srctree/include/drm/drm_damage_helper.h)

use super::{
    atomic::AtomicCommit,
    is_attached,
    plane::{
        DriverPlane,
        OpaquePlane,
        Plane, //
    },
    rect::Rect,
    KmsDriver,
    KmsSetup, //
};
use crate::{
    bindings,
    prelude::*, //
};
use core::marker::PhantomData;

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` the property "FB_DAMAGE_CLIPS", and lets user space and the console report
    /// damage with the legacy interface as well.
    ///
    /// Fails with `EEXIST` if there is such a property already.
    ///
    /// C: `drm_plane_enable_fb_damage_clips()`, `drm_gem_fb_create_with_dirty()`.
    pub fn enable_fb_damage_clips(&self, plane: &OpaquePlane<D>) -> Result {
        self.check_own(plane.drm_dev())?;

        // SAFETY: The mode configuration is initialized, and the plane is of the device, which is
        // not registered yet.
        let (property, attached) = unsafe {
            (
                (*self.as_raw()).mode_config.prop_fb_damage_clips,
                &(*plane.as_raw()).properties,
            )
        };

        if is_attached(attached, property) {
            return Err(EEXIST);
        }

        // SAFETY: As above.
        unsafe { bindings::drm_plane_enable_fb_damage_clips(plane.as_raw()) };
        self.uses_damage.set(true);

        Ok(())
    }
}

impl<'a, D: KmsDriver> AtomicCommit<'a, D> {
    /// Returns which parts of the framebuffer of `plane` the update has changed.
    ///
    /// All of what the plane shows has, if user space does not say it, or if another part of the
    /// framebuffer is shown than before. Nothing has, if the plane is not visible or not part of
    /// the update.
    ///
    /// What user space says is relative to the picture that was shown before, also if that was
    /// another framebuffer.
    ///
    /// C: `drm_atomic_helper_damage_iter_init()`.
    pub fn plane_damage<T: DriverPlane<Driver = D>>(&self, plane: &Plane<T>) -> PlaneDamage<'_> {
        let mut iter = bindings::drm_atomic_helper_damage_iter::default();

        if let (Some(old), Some(new)) = (
            self.get_old_plane_state(plane),
            self.get_new_plane_state(plane),
        ) {
            // SAFETY: Both are valid states of the plane, which do not change any more.
            unsafe {
                bindings::drm_atomic_helper_damage_iter_init(&mut iter, old.as_raw(), new.as_raw())
            };
        }

        // INVARIANT: The states, and what they hold references to, are not freed for as long as
        // the commit is borrowed.
        PlaneDamage {
            iter,
            _states: PhantomData,
        }
    }
}

/// The changed parts of a framebuffer, in whole pixels of it, within what its plane shows.
///
/// They can overlap.
///
/// # Invariants
///
/// `iter` was initialized, or is zero, and what it refers to is valid for `'a`.
pub struct PlaneDamage<'a> {
    iter: bindings::drm_atomic_helper_damage_iter,
    _states: PhantomData<&'a ()>,
}

impl Iterator for PlaneDamage<'_> {
    type Item = Rect;

    fn next(&mut self) -> Option<Rect> {
        let mut rect = bindings::drm_rect::default();

        // SAFETY: By the type invariants. Without rectangles, as if it is zero, nothing is read.
        unsafe { bindings::drm_atomic_helper_damage_iter_next(&mut self.iter, &mut rect) }
            .then(|| rect.into())
    }
}
