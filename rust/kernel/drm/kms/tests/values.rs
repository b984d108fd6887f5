// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Modes, rectangles and formats.

use super::{
    super::{
        modes::{
            DisplayMode,
            ModeStatus, //
        },
        rect::Rect,
        vblank::{
            NoVblank,
            VblankSource, //
        }, //
    },
    *, //
};
use crate::time::Delta;

#[kunit_tests(rust_drm_kms_values)]
mod tests {
    use super::*;

    /// Clock in kHz, columns, lines, flags and scans of each line.
    type Timing = (i32, u16, u16, u32, u16);

    fn with_mode<R>(timing: Timing, f: impl FnOnce(&DisplayMode) -> R) -> R {
        let mode = Opaque::<bindings::drm_display_mode>::zeroed();

        // SAFETY: `mode` is valid, and does not change once it has been filled in.
        unsafe {
            let raw = mode.get();
            ((*raw).clock, (*raw).htotal, (*raw).vtotal) = (timing.0, timing.1, timing.2);
            ((*raw).flags, (*raw).vscan) = (timing.3, timing.4);

            f(DisplayMode::from_raw(raw))
        }
    }

    const DBLSCAN: u32 = bindings::DRM_MODE_FLAG_DBLSCAN;
    const INTERLACE: u32 = bindings::DRM_MODE_FLAG_INTERLACE;
    const MAX: u16 = u16::MAX;

    #[test]
    fn durations_of_frames() {
        let duration = |timing| {
            let duration = with_mode(timing, DisplayMode::frame_duration);

            duration.map(Delta::as_nanos)
        };

        assert_eq!(duration((148_500, 2200, 1125, 0, 0)), Some(16_666_666));
        assert_eq!(
            duration((148_500, 2200, 1125, DBLSCAN, 0)),
            Some(33_333_333)
        );
        assert_eq!(duration((148_500, 2200, 1125, 0, 1)), Some(16_666_666));
        assert_eq!(
            duration((148_500, 2200, 1125, DBLSCAN, 3)),
            Some(100_000_000)
        );
        assert_eq!(duration((1, 1, 1, 0, 0)), Some(1_000_000));
        assert_eq!(duration((1000, 0, 1, 0, 0)), Some(0));

        // No clock.
        assert_eq!(duration((0, 2200, 1125, 0, 0)), None);
        assert_eq!(duration((-1, 2200, 1125, 0, 0)), None);
        assert_eq!(duration((i32::MIN, 2200, 1125, 0, 0)), None);

        // The longest ones.
        let pixels = i64::from(MAX) * i64::from(MAX);
        assert_eq!(duration((1, MAX, MAX, 0, 0)), Some(pixels * 1_000_000));
        assert_eq!(duration((1, MAX, MAX, DBLSCAN, MAX)), None);
    }

    #[test]
    fn fields_have_vertical_blanks() {
        let interval = |timing| {
            let interval = with_mode(timing, DisplayMode::vblank_interval);

            interval.map(Delta::as_nanos)
        };

        assert_eq!(interval((148_500, 2200, 1125, 0, 0)), Some(16_666_666));
        assert_eq!(
            interval((74_250, 2200, 1125, INTERLACE, 0)),
            Some(16_666_666)
        );
        assert_eq!(interval((0, 2200, 1125, INTERLACE, 0)), None);
    }

    #[test]
    fn refresh_rates() {
        let vrefresh = |timing| with_mode(timing, DisplayMode::vrefresh);

        assert_eq!(vrefresh((148_500, 2200, 1125, 0, 0)), 60);
        assert_eq!(vrefresh((148_352, 2200, 1125, 0, 0)), 60);
        assert_eq!(vrefresh((148_500, 2200, 1125, DBLSCAN, 0)), 30);
        assert_eq!(vrefresh((0, 2200, 1125, 0, 0)), 0);
        assert_eq!(vrefresh((148_500, 0, 0, 0, 0)), 0);
        assert_eq!(with_mode((-1, 2200, 1125, 0, 0), DisplayMode::clock), 0);
    }

    #[test]
    fn modes_of_the_vblank_timer() {
        let status = |timing| with_mode(timing, VblankTimer::mode_valid);

        assert_eq!(status((148_500, 2200, 1125, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((0, 2200, 1125, 0, 0)), ModeStatus::NoClock);
        assert_eq!(status((-5, 2200, 1125, 0, 0)), ModeStatus::NoClock);

        // More than 1000 frames a second, or less than one.
        assert_eq!(status((1_000_000, 1000, 1000, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((1_001_002, 1000, 1000, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((1_000_000, 0, 1000, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((i32::MAX, 1, 1, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((1000, 1000, 1000, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((999, 1000, 1000, 0, 0)), ModeStatus::ClockLow);
        assert_eq!(status((1000, 1000, 1000, DBLSCAN, 0)), ModeStatus::ClockLow);

        // The core computes the duration of a frame in 32 bits, with 16 bits for the lines.
        assert_eq!(status((1000, 2048, 2098, 0, 0)), ModeStatus::ClockLow);
        assert_eq!(status((10_000_000, 32768, MAX, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((10_000_000, 32769, MAX, 0, 0)), ModeStatus::Bad);
        assert_eq!(
            status((100_000, 100, 32768, DBLSCAN, 0)),
            ModeStatus::VirtualY
        );
        assert_eq!(status((100_000, 100, 4096, 0, 16)), ModeStatus::VirtualY);
        assert_eq!(status((1, MAX, MAX, DBLSCAN, MAX)), ModeStatus::VirtualY);

        assert_eq!(
            with_mode((0, 0, 0, 0, 0), NoVblank::mode_valid),
            ModeStatus::Ok
        );
    }

    #[test]
    fn sizes_of_rectangles() {
        let size = |x1, y1, x2, y2| {
            let rect = Rect { x1, y1, x2, y2 };
            (rect.width(), rect.height())
        };

        assert_eq!(size(0, 0, 0, 0), (0, 0));
        assert_eq!(size(-10, -20, 30, 40), (40, 60));
        assert_eq!(size(5, 6, 4, 5), (0, 0));
        assert_eq!(
            size(i32::MIN, 0, i32::MAX, i32::MAX),
            (u32::MAX, i32::MAX as u32)
        );
        assert_eq!(size(i32::MAX, i32::MAX, i32::MIN, i32::MIN), (0, 0));

        let raw = bindings::drm_rect {
            x1: 1,
            y1: 2,
            x2: 3,
            y2: 4,
        };
        assert_eq!(
            Rect::from(raw),
            Rect {
                x1: 1,
                y1: 2,
                x2: 3,
                y2: 4
            }
        );
    }

    #[test]
    fn codes_of_formats() {
        assert_eq!(fourcc::XRGB8888, 0x3432_5258);
        assert_eq!(fourcc::ARGB8888, 0x3432_5241);
        assert_eq!(fourcc::fourcc(&[1, 2, 3, 4]), 0x0403_0201);
        assert_eq!(fourcc::fourcc(&[0xff; 4]), u32::MAX);

        assert!(FORMATS.into_iter().all(fourcc::is_known));
        assert!(!fourcc::is_known(0));
        assert!(!fourcc::is_known(fourcc::fourcc(b"????")));
    }
}
