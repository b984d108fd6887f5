// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Display modes.
//!
//! C header: [`include/drm/drm_modes.h`](srctree/include/drm/drm_modes.h)

use crate::{
    bindings,
    time::Delta,
    types::Opaque, //
};

/// The size and timing of a picture on a display.
///
/// C: `struct drm_display_mode`.
///
/// # Invariants
///
/// `mode` is a valid mode, and nobody changes it for as long as there is a reference to it.
#[repr(transparent)]
pub struct DisplayMode {
    mode: Opaque<bindings::drm_display_mode>,
}

impl DisplayMode {
    /// # Safety
    ///
    /// `mode` must fulfil the type invariants for `'a`.
    pub(super) unsafe fn from_raw<'a>(mode: *const bindings::drm_display_mode) -> &'a Self {
        // SAFETY: `Self` is transparent, and the invariants hold by the safety requirements.
        unsafe { &*mode.cast() }
    }

    fn as_raw(&self) -> *const bindings::drm_display_mode {
        self.mode.get()
    }

    /// The width of the picture in pixels.
    pub fn hdisplay(&self) -> u16 {
        // SAFETY: The mode does not change by the type invariants.
        unsafe { (*self.as_raw()).hdisplay }
    }

    /// The height of the picture in lines.
    pub fn vdisplay(&self) -> u16 {
        // SAFETY: The mode does not change by the type invariants.
        unsafe { (*self.as_raw()).vdisplay }
    }

    /// The width of a line with its blanking, in pixels.
    pub fn htotal(&self) -> u16 {
        // SAFETY: The mode does not change by the type invariants.
        unsafe { (*self.as_raw()).htotal }
    }

    /// The height of a frame with its blanking, in lines.
    pub fn vtotal(&self) -> u16 {
        // SAFETY: The mode does not change by the type invariants.
        unsafe { (*self.as_raw()).vtotal }
    }

    /// The pixel clock in kHz.
    pub fn clock(&self) -> u32 {
        // SAFETY: The mode does not change by the type invariants.
        u32::try_from(unsafe { (*self.as_raw()).clock }).unwrap_or(0)
    }

    /// The refresh rate in Hz, rounded to the nearest.
    ///
    /// C: `drm_mode_vrefresh()`.
    pub fn vrefresh(&self) -> u32 {
        // SAFETY: The mode is valid by the type invariants.
        u32::try_from(unsafe { bindings::drm_mode_vrefresh(self.as_raw()) }).unwrap_or(0)
    }

    /// The number of lines of a frame with its blanking, as they are scanned out.
    ///
    /// For an interlaced mode, that of both fields.
    pub fn frame_lines(&self) -> u64 {
        // SAFETY: The mode does not change by the type invariants.
        let (flags, vscan) = unsafe { ((*self.as_raw()).flags, (*self.as_raw()).vscan) };
        let doublescan = if flags & bindings::DRM_MODE_FLAG_DBLSCAN != 0 {
            2
        } else {
            1
        };

        // Less than 2^33.
        u64::from(self.vtotal()) * doublescan * u64::from(vscan.max(1))
    }

    /// The number of pixels of a frame with its blanking, as it is scanned out.
    ///
    /// For an interlaced mode, that of both fields.
    pub fn frame_pixels(&self) -> u64 {
        // Less than 2^50.
        u64::from(self.htotal()) * self.frame_lines()
    }

    /// The duration of a frame, or `None` if the mode has no clock or if that is too long for the
    /// type.
    ///
    /// For an interlaced mode, that of both fields.
    pub fn frame_duration(&self) -> Option<Delta> {
        let clock = i64::from(self.clock());
        let pixels = i64::try_from(self.frame_pixels()).ok()?;
        let duration = pixels.checked_mul(1_000_000)?;

        if clock == 0 {
            return None;
        }

        // The division of `Delta` is one that 32-bit machines have.
        let nanos = Delta::from_nanos(duration) / Delta::from_nanos(clock);

        Some(Delta::from_nanos(nanos))
    }

    /// The time from one vertical blank to the next: the duration of a frame, or of a field if the
    /// mode is interlaced.
    ///
    /// That of `drm_calc_timestamping_constants()` is half as long for interlaced modes: their
    /// `crtc_vtotal` is that of a field already, and it halves the time once more.
    pub fn vblank_interval(&self) -> Option<Delta> {
        let duration = self.frame_duration()?;

        // SAFETY: The mode does not change by the type invariants.
        if unsafe { (*self.as_raw()).flags } & bindings::DRM_MODE_FLAG_INTERLACE == 0 {
            return Some(duration);
        }
        Some(Delta::from_nanos(duration.as_nanos() >> 1))
    }
}

// SAFETY: The C side of a mode can be used from any thread.
unsafe impl Send for DisplayMode {}

// SAFETY: The methods only read the mode, which does not change by the type invariants.
unsafe impl Sync for DisplayMode {}

/// Whether a mode can be used, or why not.
///
/// C: `enum drm_mode_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeStatus {
    /// The mode can be used.
    Ok,
    /// The mode cannot be used for an unspecified reason.
    Bad,
    /// The mode has no pixel clock.
    NoClock,
    /// The pixel clock or the refresh rate is too high.
    ClockHigh,
    /// The pixel clock or the refresh rate is too low.
    ClockLow,
    /// The mode needs more memory than the device has.
    Mem,
    /// The lines are too long.
    VirtualX,
    /// There are too many lines.
    VirtualY,
}

impl ModeStatus {
    pub(super) fn into_raw(self) -> bindings::drm_mode_status {
        match self {
            Self::Ok => bindings::drm_mode_status::MODE_OK,
            Self::Bad => bindings::drm_mode_status::MODE_BAD,
            Self::NoClock => bindings::drm_mode_status::MODE_NOCLOCK,
            Self::ClockHigh => bindings::drm_mode_status::MODE_CLOCK_HIGH,
            Self::ClockLow => bindings::drm_mode_status::MODE_CLOCK_LOW,
            Self::Mem => bindings::drm_mode_status::MODE_MEM,
            Self::VirtualX => bindings::drm_mode_status::MODE_VIRTUAL_X,
            Self::VirtualY => bindings::drm_mode_status::MODE_VIRTUAL_Y,
        }
    }
}
