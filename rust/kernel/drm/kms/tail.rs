// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The steps of carrying out an update.
//!
//! Each step consumes a value that only the step before returns, so that a driver cannot leave one
//! out, repeat one, or take them in an order that the core does not support.

use super::{
    atomic::AtomicCommit,
    crtc::OpaqueCrtc,
    KmsDriver, //
};
use crate::bindings;

/// # Safety
///
/// `commit` must be a commit of a device of the driver `D` that is to be carried out.
pub(super) unsafe extern "C" fn commit_tail_callback<D: KmsDriver>(
    commit: *mut bindings::drm_atomic_commit,
) {
    // SAFETY: The states of the commit are not freed before it has been carried out. Access to the
    // new states ends with `commit_hw_done()`.
    let commit = unsafe { AtomicCommit::<D>::new(&commit) };

    let CommitDone { .. } = D::atomic_commit_tail(CommitTail { commit });
}

macro_rules! define_step {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[must_use = "an update must be carried out to the end"]
        pub struct $name<'a, D: KmsDriver> {
            commit: AtomicCommit<'a, D>,
        }

        impl<'a, D: KmsDriver> $name<'a, D> {
            /// Returns the update.
            pub fn commit(&self) -> &AtomicCommit<'a, D> {
                &self.commit
            }
        }
    };
}

define_step! {
    /// An update of which nothing has been carried out yet.
    CommitTail
}

define_step! {
    /// An update that has turned off what it turns off.
    ModesetsDisabled
}

define_step! {
    /// An update that has turned off and on what it turns off and on, but not updated the planes.
    EnablesCommitted
}

define_step! {
    /// An update that has updated the planes, but not turned on what it turns on.
    PlanesCommitted
}

define_step! {
    /// An update that has been told to the hardware completely.
    ModesetsCommitted
}

impl<'a, D: KmsDriver> ModesetsCommitted<'a, D> {
    /// Completes updates that turn a CRTC on with its first vertical blank.
    ///
    /// Both the planes and the CRTCs of the update must be up to date.
    fn new(commit: AtomicCommit<'a, D>) -> Self {
        for crtc in commit.raw_crtcs() {
            // SAFETY: The CRTC is part of the commit, which is being carried out.
            unsafe { bindings::drm_crtc_vblank_atomic_flush(crtc, commit.as_raw()) };
        }

        Self { commit }
    }
}

/// Which planes to update.
const ALL_PLANES: u32 = 0;

impl<'a, D: KmsDriver> CommitTail<'a, D> {
    /// Turns off the CRTCs, encoders and connectors that the update turns off or changes.
    ///
    /// C: `drm_atomic_helper_commit_modeset_disables()`.
    pub fn commit_modeset_disables(self) -> ModesetsDisabled<'a, D> {
        let commit = self.commit;

        // SAFETY: The commit is to be carried out; this is the first step.
        unsafe {
            bindings::drm_atomic_helper_commit_modeset_disables(
                commit.drm_dev().as_raw(),
                commit.as_raw(),
            )
        };

        ModesetsDisabled { commit }
    }
}

fn commit_planes<D: KmsDriver>(commit: &AtomicCommit<'_, D>) {
    // SAFETY: The commit is being carried out, and `ModesetsDisabled` has been reached.
    unsafe {
        bindings::drm_atomic_helper_commit_planes(
            commit.drm_dev().as_raw(),
            commit.as_raw(),
            ALL_PLANES,
        )
    };
}

fn commit_modeset_enables<D: KmsDriver>(commit: &AtomicCommit<'_, D>) {
    // SAFETY: The commit is being carried out, and `ModesetsDisabled` has been reached.
    unsafe {
        bindings::drm_atomic_helper_commit_modeset_enables(
            commit.drm_dev().as_raw(),
            commit.as_raw(),
        )
    };
}

impl<'a, D: KmsDriver> ModesetsDisabled<'a, D> {
    /// Updates the planes, before anything is turned on.
    ///
    /// C: `drm_atomic_helper_commit_planes()`.
    pub fn commit_planes(self) -> PlanesCommitted<'a, D> {
        commit_planes(&self.commit);

        PlanesCommitted {
            commit: self.commit,
        }
    }

    /// Turns on what the update turns on or changes, before the planes are updated.
    ///
    /// For hardware whose planes can only be updated while it is on.
    ///
    /// C: `drm_atomic_helper_commit_modeset_enables()`.
    pub fn commit_modeset_enables(self) -> EnablesCommitted<'a, D> {
        commit_modeset_enables(&self.commit);

        EnablesCommitted {
            commit: self.commit,
        }
    }
}

impl<'a, D: KmsDriver> PlanesCommitted<'a, D> {
    /// Turns on what the update turns on or changes.
    ///
    /// C: `drm_atomic_helper_commit_modeset_enables()`.
    pub fn commit_modeset_enables(self) -> ModesetsCommitted<'a, D> {
        commit_modeset_enables(&self.commit);

        ModesetsCommitted::new(self.commit)
    }
}

impl<'a, D: KmsDriver> EnablesCommitted<'a, D> {
    /// Updates the planes.
    ///
    /// C: `drm_atomic_helper_commit_planes()`.
    pub fn commit_planes(self) -> ModesetsCommitted<'a, D> {
        commit_planes(&self.commit);

        ModesetsCommitted::new(self.commit)
    }
}

impl<'a, D: KmsDriver> ModesetsCommitted<'a, D> {
    /// Tells the core that the hardware knows everything. The new states cannot be looked at any
    /// more.
    ///
    /// Events of CRTCs without vertical blanks are sent first.
    ///
    /// C: `drm_atomic_helper_fake_vblank()`, `drm_atomic_helper_commit_hw_done()`.
    pub fn commit_hw_done(self) -> HwDone<'a, D> {
        // SAFETY: The commit is being carried out, and all of it has been told to the hardware.
        unsafe {
            bindings::drm_atomic_helper_fake_vblank(self.commit.as_raw());
            bindings::drm_atomic_helper_commit_hw_done(self.commit.as_raw());
        }

        HwDone {
            commit: self.commit,
        }
    }
}

/// An update that the hardware knows completely, but may not show yet.
#[must_use = "an update must be carried out to the end"]
pub struct HwDone<'a, D: KmsDriver> {
    commit: AtomicCommit<'a, D>,
}

impl<'a, D: KmsDriver> HwDone<'a, D> {
    /// Waits until all page flips of the update are complete.
    ///
    /// C: `drm_atomic_helper_wait_for_flip_done()`.
    pub fn wait_for_flip_done(self) -> FlipDone<'a, D> {
        // SAFETY: The commit is being carried out, and `commit_hw_done()` has been called.
        unsafe {
            bindings::drm_atomic_helper_wait_for_flip_done(
                self.commit.drm_dev().as_raw(),
                self.commit.as_raw(),
            )
        };

        FlipDone {
            commit: self.commit,
        }
    }
}

/// An update that the hardware shows.
#[must_use = "an update must be carried out to the end"]
pub struct FlipDone<'a, D: KmsDriver> {
    commit: AtomicCommit<'a, D>,
}

impl<'a, D: KmsDriver> FlipDone<'a, D> {
    /// Returns the CRTCs that are part of the update.
    pub fn crtcs(&self) -> impl Iterator<Item = &OpaqueCrtc<D>> {
        self.commit.raw_crtcs().map(|crtc| {
            // SAFETY: The CRTC is part of an update of a device of `D`, and there as long as that
            // device is, which the update keeps.
            unsafe { OpaqueCrtc::from_raw(crtc) }
        })
    }

    /// Frees what the planes do not show any more.
    ///
    /// C: `drm_atomic_helper_cleanup_planes()`.
    pub fn cleanup_planes(self) -> CommitDone<'a> {
        // SAFETY: The commit is being carried out, and its page flips are complete, so that the
        // hardware does not read the old framebuffers any more.
        unsafe {
            bindings::drm_atomic_helper_cleanup_planes(
                self.commit.drm_dev().as_raw(),
                self.commit.as_raw(),
            )
        };

        CommitDone {
            _lifetime: core::marker::PhantomData,
        }
    }
}

/// An update that has been carried out.
pub struct CommitDone<'a> {
    /// Invariant, so that a value cannot stand for an update other than its own.
    _lifetime: core::marker::PhantomData<core::cell::Cell<&'a ()>>,
}
