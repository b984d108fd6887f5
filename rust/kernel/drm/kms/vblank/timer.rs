// SPDX-License-Identifier: GPL-2.0 OR MIT

//! What makes the vertical blanks of a CRTC.

use crate::{
    bindings,
    drm::kms::modes::DisplayMode,
    prelude::*, //
};

/// What makes the vertical blanks of a CRTC, of which it is a part.
#[allow(
    unreachable_pub,
    reason = "sources of vertical blanks, which are public, have one"
)]
pub trait Timer: Send + Sync + Sized {
    /// Whether the timer counts the vertical blanks, so that the core does not have to conclude
    /// from the time how many there were.
    const COUNTS: bool;

    /// Creates the timer of a CRTC, which is off.
    fn new() -> impl PinInit<Self, Error>;

    /// Begins to tell the core of vertical blanks.
    ///
    /// # Safety
    ///
    /// `self` must be a part of `crtc`, which must be turned on.
    unsafe fn enable(&self, crtc: *mut bindings::drm_crtc) -> c_int;

    /// Tells the core of vertical blanks no longer. One that has begun may still be on its way.
    ///
    /// # Safety
    ///
    /// As for [`enable`](Self::enable).
    unsafe fn disable(&self, crtc: *mut bindings::drm_crtc);

    /// Returns the time of the last vertical blank.
    ///
    /// # Safety
    ///
    /// As for [`enable`](Self::enable).
    unsafe fn timestamp(&self, crtc: *mut bindings::drm_crtc) -> bindings::ktime_t;

    /// Returns the number of the last vertical blank, if the timer [counts](Self::COUNTS).
    fn count(&self) -> u32 {
        0
    }

    /// Called before the vblank machinery of the CRTC is turned on, for a new mode.
    ///
    /// # Safety
    ///
    /// `self` must be a part of `crtc`, whose vblank machinery must be off.
    unsafe fn turn_on(&self, crtc: *mut bindings::drm_crtc, mode: &DisplayMode) {
        let _ = (crtc, mode);
    }

    /// Waits until nobody is told of a vertical blank any more. Called after the vblank machinery
    /// of the CRTC was turned off. May sleep.
    ///
    /// # Safety
    ///
    /// `self` must be a part of `crtc`, whose vblank machinery must be off.
    unsafe fn turn_off(&self, crtc: *mut bindings::drm_crtc);

    /// Called when the CRTC has been told to show something else.
    fn update(&self) {}
}

/// The timer of the core.
pub struct CoreTimer;

impl Timer for CoreTimer {
    const COUNTS: bool = false;

    fn new() -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    unsafe fn enable(&self, crtc: *mut bindings::drm_crtc) -> c_int {
        // SAFETY: The CRTC is valid and on by the safety requirements.
        unsafe { bindings::drm_crtc_vblank_helper_enable_vblank_timer(crtc) }
    }

    unsafe fn disable(&self, crtc: *mut bindings::drm_crtc) {
        // SAFETY: The CRTC is valid by the safety requirements.
        unsafe { bindings::drm_crtc_vblank_helper_disable_vblank_timer(crtc) };
    }

    unsafe fn timestamp(&self, crtc: *mut bindings::drm_crtc) -> bindings::ktime_t {
        let mut time = 0;

        // SAFETY: The CRTC is valid by the safety requirements.
        unsafe { bindings::drm_crtc_vblank_get_vblank_timeout(crtc, &mut time) };
        time
    }

    unsafe fn turn_off(&self, crtc: *mut bindings::drm_crtc) {
        // SAFETY: The CRTC is valid, and a device whose vblank machinery can be turned off has it.
        let timer = unsafe { &raw mut (*bindings::drm_crtc_vblank_crtc(crtc)).vblank_timer };

        // The core tells the timer to stop, and waits for it only when it frees the device. What
        // the timer calls would find a device without references then.
        //
        // SAFETY: Nobody starts the timer while the vblank machinery is off. It has been set up if
        // it has a CRTC.
        unsafe {
            if !(*timer).crtc.is_null() {
                bindings::hrtimer_cancel(&raw mut (*timer).timer);
            }
        }
    }
}
