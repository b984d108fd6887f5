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

mod timer;
mod vrr;

use super::modes::{
    DisplayMode,
    ModeStatus, //
};
use crate::{
    bindings,
    drm::private::Sealed,
    time::Delta, //
};
use core::marker::PhantomData;

pub(super) use self::timer::Timer;

/// The shortest frame that a timer makes, in nanoseconds: 1000 frames a second.
const MIN_FRAME_NS: i64 = 1_000_000;

/// The longest frame that a timer makes, in nanoseconds: one frame a second.
const MAX_FRAME_NS: i64 = 1_000_000_000;

/// The most pixels of a frame that the core can compute with.
const MAX_FRAME_PIXELS: u64 = i32::MAX as u64;

/// The most lines of a frame that the core can compute with.
const MAX_FRAME_LINES: u64 = u16::MAX as u64;

/// A vertical blank that begins now, in the callback that is
/// [called for it](super::crtc::DriverCrtc::handle_vblank).
///
/// # Invariants
///
/// `crtc` is a CRTC of which the vblank machinery is there for `'a`, and for which nobody else
/// handles a vertical blank.
pub struct Vblank<'a> {
    crtc: *mut bindings::drm_crtc,
    /// Once the events have been sent: the number of the frame, if somebody waits for vertical
    /// blanks.
    sent: Option<Option<u64>>,
    /// Invariant, so that a value cannot stand for another vertical blank.
    _lifetime: PhantomData<core::cell::Cell<&'a ()>>,
}

impl Vblank<'_> {
    /// # Safety
    ///
    /// `crtc` must fulfil the type invariants for the lifetime of the value.
    pub(super) unsafe fn new(crtc: *mut bindings::drm_crtc) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            crtc,
            sent: None,
            _lifetime: PhantomData,
        }
    }

    /// Counts the vertical blank, and sends the events of page flips that it completes, if that has
    /// not been done. Otherwise this is done when the callback returns.
    ///
    /// Once user space has its event it may show something else, which belongs to the next frame.
    /// A driver that keeps what each frame shows calls this with the lock that
    /// [`atomic_flush`](super::crtc::DriverCrtc::atomic_flush) takes for it, too.
    ///
    /// Returns the number of the frame that begins, as in the events, or `None` if nobody waits for
    /// vertical blanks any more. Does not sleep.
    ///
    /// C: `drm_crtc_handle_vblank()`.
    pub fn send_events(&mut self) -> Option<u64> {
        if self.sent.is_none() {
            // SAFETY: By the type invariants. The count is the one of the events: an accurate one
            // could be greater if it took long to get here.
            self.sent = Some(unsafe {
                bindings::drm_crtc_handle_vblank(self.crtc)
                    .then(|| bindings::drm_crtc_vblank_count(self.crtc))
            });
        }

        self.sent.flatten()
    }
}

/// A source of vertical blanks: [`NoVblank`], [`VblankTimer`] or [`VrrVblankTimer`].
pub trait VblankSource: Sealed + 'static {
    /// Whether there are vertical blanks at all.
    const HAS_VBLANK: bool;

    /// What each CRTC has to make them.
    #[doc(hidden)]
    type Timer: Timer;

    /// Checks whether vertical blanks can be made for `mode`.
    fn mode_valid(mode: &DisplayMode) -> ModeStatus;
}

/// The CRTC has no vertical blanks: page flips complete as soon as they are carried out.
pub struct NoVblank;

impl Sealed for NoVblank {}

impl VblankSource for NoVblank {
    const HAS_VBLANK: bool = false;

    type Timer = timer::CoreTimer;

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

impl Sealed for VblankTimer {}

impl VblankSource for VblankTimer {
    const HAS_VBLANK: bool = true;

    type Timer = timer::CoreTimer;

    fn mode_valid(mode: &DisplayMode) -> ModeStatus {
        timed_mode_valid(mode)
    }
}

/// As [`VblankTimer`], but frames may last longer, until there is something else to show.
///
/// The driver says for [how long](super::crtc::Crtc::set_longest_frame), when user space has set
/// the property ["VRR_ENABLED"](super::crtc::OpaqueCrtcState::vrr_enabled). An update then ends the
/// frame that is shown, though not before the time of a frame of the mode is over. What moves a
/// cursor [at once](super::plane::DriverPlane::atomic_async_update) does not.
pub struct VrrVblankTimer;

impl Sealed for VrrVblankTimer {}

impl VblankSource for VrrVblankTimer {
    const HAS_VBLANK: bool = true;

    type Timer = vrr::VrrTimer;

    fn mode_valid(mode: &DisplayMode) -> ModeStatus {
        timed_mode_valid(mode)
    }
}

/// Checks whether a timer can make the vertical blanks of `mode`.
fn timed_mode_valid(mode: &DisplayMode) -> ModeStatus {
    if mode.clock() == 0 {
        return ModeStatus::NoClock;
    }
    if mode.frame_lines() > MAX_FRAME_LINES {
        return ModeStatus::VirtualY;
    }
    if mode.frame_pixels() > MAX_FRAME_PIXELS {
        return ModeStatus::Bad;
    }

    match mode.vblank_interval().map(Delta::as_nanos) {
        Some(ns) if ns < MIN_FRAME_NS => ModeStatus::ClockHigh,
        Some(ns) if ns <= MAX_FRAME_NS => ModeStatus::Ok,
        _ => ModeStatus::ClockLow,
    }
}
