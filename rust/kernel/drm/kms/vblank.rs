// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Vertical blanking.
//!
//! A CRTC has a vertical blank after each frame that it scans out. User space waits for it, and
//! page flips are completed by it. [`DriverCrtc::Vblank`](super::crtc::DriverCrtc::Vblank) says
//! where a CRTC's vertical blanks come from.
//!
//! The vblank machinery of a CRTC is turned on and off with the CRTC, and the event of each page
//! flip is sent or armed when the flip has been carried out; a driver cannot forget either. An
//! update that turns a CRTC on completes with the first vertical blank.
//!
//! C headers: [`include/drm/drm_vblank.h`](srctree/include/drm/drm_vblank.h),
//! [`include/drm/drm_vblank_helper.h`](srctree/include/drm/drm_vblank_helper.h)

use super::modes::{
    DisplayMode,
    ModeStatus, //
};
use crate::drm::private::Sealed;

/// A source of vertical blanks: [`NoVblank`] or [`VblankTimer`].
pub trait VblankSource: Sealed + 'static {
    /// Whether there are vertical blanks at all.
    const HAS_VBLANK: bool;

    /// Checks whether vertical blanks can be made for `mode`.
    fn mode_valid(mode: &DisplayMode) -> ModeStatus;
}

/// The CRTC has no vertical blanks: page flips complete as soon as they are carried out.
pub struct NoVblank;

impl Sealed for NoVblank {}

impl VblankSource for NoVblank {
    const HAS_VBLANK: bool = false;

    fn mode_valid(_mode: &DisplayMode) -> ModeStatus {
        ModeStatus::Ok
    }
}

/// The vertical blanks come from a timer that runs at the refresh rate of the mode.
///
/// For virtual hardware, and for hardware without an interrupt. The timer runs only while somebody
/// waits for a vertical blank. Modes with a refresh rate that no timer can keep up with are
/// rejected.
///
/// C: `DRM_CRTC_VBLANK_TIMER_FUNCS`.
pub struct VblankTimer;

impl VblankTimer {
    /// The shortest frame that the timer makes, in nanoseconds: 1000 frames a second.
    const MIN_FRAME_NS: u64 = 1_000_000;

    /// The longest frame that the timer makes, in nanoseconds: one frame a second.
    const MAX_FRAME_NS: u64 = 1_000_000_000;

    /// The most pixels of a frame that the core can compute with.
    const MAX_FRAME_PIXELS: u64 = i32::MAX as u64;

    /// The most lines of a frame that the core can compute with.
    const MAX_FRAME_LINES: u64 = u16::MAX as u64;
}

impl Sealed for VblankTimer {}

impl VblankSource for VblankTimer {
    const HAS_VBLANK: bool = true;

    fn mode_valid(mode: &DisplayMode) -> ModeStatus {
        if mode.clock() == 0 {
            return ModeStatus::NoClock;
        }
        if mode.frame_lines() > Self::MAX_FRAME_LINES {
            return ModeStatus::VirtualY;
        }
        if mode.frame_pixels() > Self::MAX_FRAME_PIXELS {
            return ModeStatus::Bad;
        }

        match mode.frame_duration_ns() {
            None => ModeStatus::ClockLow,
            Some(ns) if ns < Self::MIN_FRAME_NS => ModeStatus::ClockHigh,
            Some(ns) if ns > Self::MAX_FRAME_NS => ModeStatus::ClockLow,
            Some(_) => ModeStatus::Ok,
        }
    }
}
