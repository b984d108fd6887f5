// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Vertical blanks at a refresh rate that varies.

use super::timer::Timer;
use crate::{
    bindings,
    container_of,
    drm::kms::modes::DisplayMode,
    prelude::*,
    sync::{
        new_spinlock_irq,
        SpinLockIrq, //
    },
    time::{
        Delta,
        Instant,
        Monotonic, //
    },
    types::Opaque, //
};
use core::ptr;

/// When frames begin. All times and durations are in nanoseconds.
///
/// # Invariants
///
/// `shortest` is greater than 0.
struct Clock {
    /// When the frame began that is shown.
    begin: i64,
    /// The number of that frame.
    count: u32,
    /// How long a frame lasts at least.
    shortest: i64,
    /// How long a frame lasts at most, if that is longer.
    longest: i64,
    /// When something else was first to be shown than what the frame shows.
    update: Option<i64>,
}

impl Clock {
    fn new() -> Self {
        // INVARIANT: The duration is greater than 0.
        Self {
            begin: 0,
            count: 0,
            shortest: super::MAX_FRAME_NS,
            longest: 0,
            update: None,
        }
    }

    /// Begins a frame of a new mode, whose frames last `duration` at least.
    fn restart(&mut self, now: i64, duration: i64) {
        self.begin = now;
        // INVARIANT: The duration is greater than 0.
        self.shortest = duration.max(1);
        self.update = None;
    }

    /// Returns how long a frame lasts that is not updated.
    fn duration(&self) -> i64 {
        self.shortest.max(self.longest)
    }

    /// Returns when the frame ends that is shown.
    fn end(&self) -> i64 {
        match self.update {
            Some(time) => time.max(self.begin.saturating_add(self.shortest)),
            None => self.begin.saturating_add(self.duration()),
        }
    }

    /// Lets the frame end as soon as it may, to show something else, if its duration varies.
    fn update(&mut self, now: i64) {
        if self.longest > self.shortest {
            self.update.get_or_insert(now);
        }
    }

    /// Changes how long a frame lasts at most.
    fn set_longest(&mut self, now: i64, longest: i64) {
        // A frame that has lasted too long ends now, not in the past.
        if longest < self.longest {
            self.update.get_or_insert(now);
        }
        self.longest = longest;
    }

    /// Begins the frames that have begun until `now`, and returns whether there are any.
    fn advance(&mut self, now: i64) -> bool {
        let end = self.end();
        if now < end {
            return false;
        }

        self.update = None;
        let duration = self.duration();
        let more = Delta::from_nanos(now.saturating_sub(end)) / Delta::from_nanos(duration);

        // Less than the time since `end`.
        self.begin = end.saturating_add(more.saturating_mul(duration));
        // Numbers start over at the end.
        self.count = self.count.wrapping_add(1).wrapping_add(more as u32);
        true
    }
}

/// The part of a [`VrrTimer`] that changes.
///
/// # Invariants
///
/// If `running` then `crtc` is the CRTC that the timer is a part of.
struct Inner {
    clock: Clock,
    crtc: *mut bindings::drm_crtc,
    /// Whether the core is to be told of vertical blanks.
    running: bool,
}

// SAFETY: The C side of a CRTC can be used from any thread.
unsafe impl Send for Inner {}

/// A timer that follows a [`Clock`].
///
/// # Invariants
///
/// `timer` is set up with [`Self::expired`], and only started while `inner` is locked and
/// `running`.
#[pin_data(PinnedDrop)]
pub struct VrrTimer {
    #[pin]
    timer: Opaque<bindings::hrtimer>,
    #[pin]
    inner: SpinLockIrq<Inner>,
}

// SAFETY: A timer can be used from any thread.
unsafe impl Send for VrrTimer {}

// SAFETY: As above. What changes is locked.
unsafe impl Sync for VrrTimer {}

impl VrrTimer {
    fn now() -> i64 {
        Instant::<Monotonic>::now().as_nanos()
    }

    /// Lets the timer expire at the end of the frame that is shown, if it is to run at all.
    fn start(&self, inner: &Inner) {
        if inner.running {
            // SAFETY: The timer is set up by the type invariants. It can be started in any context,
            // and again if it was started before or has just expired.
            //
            // INVARIANT: `inner` is a part of what is locked.
            unsafe {
                bindings::hrtimer_start_range_ns(
                    self.timer.get(),
                    inner.clock.end(),
                    0,
                    bindings::hrtimer_mode_HRTIMER_MODE_ABS,
                )
            };
        }
    }

    /// Changes the clock, and lets the timer follow it.
    fn change(&self, change: impl FnOnce(&mut Clock)) {
        let mut inner = self.inner.lock();

        change(&mut inner.clock);
        self.start(&inner);
    }

    /// From now on frames last `longest` at most if nothing else is to be shown.
    pub(in crate::drm::kms) fn set_longest(&self, longest: Option<Delta>) {
        let longest = longest
            .unwrap_or(Delta::ZERO)
            .as_nanos()
            .clamp(0, super::MAX_FRAME_NS);

        self.change(|clock| {
            if longest != clock.longest {
                clock.set_longest(Self::now(), longest);
            }
        });
    }

    /// Returns the clock's values as they are now.
    ///
    /// While the timer runs, a frame begins when that says so, even if it is late.
    fn read<R>(&self, read: impl FnOnce(&Clock) -> R) -> R {
        let mut inner = self.inner.lock();

        if !inner.running {
            inner.clock.advance(Self::now());
        }
        read(&inner.clock)
    }

    /// # Safety
    ///
    /// `timer` must be the field of a [`VrrTimer`].
    unsafe extern "C" fn expired(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        let timer = timer.cast::<Opaque<bindings::hrtimer>>();
        // SAFETY: The safety requirements of this function. The timer is cancelled before it is
        // freed, which waits for this.
        let this = unsafe { &*container_of!(timer, Self, timer) };

        if let Some(crtc) = this.begin_frame() {
            // SAFETY: By the type invariants of `Inner`, `this` is a part of `crtc`. The CRTC is
            // on: to turn it off waits for this, and a device on which something is on is not
            // freed.
            if unsafe { handle_vblank(crtc) } {
                this.start(&this.inner.lock());
            }
        }

        bindings::hrtimer_restart::HRTIMER_NORESTART
    }

    /// Returns the CRTC if a frame has begun that is to be told of.
    fn begin_frame(&self) -> Option<*mut bindings::drm_crtc> {
        let mut inner = self.inner.lock();

        if !inner.running {
            return None;
        }
        if !inner.clock.advance(Self::now()) {
            // The clock has been changed meanwhile.
            self.start(&inner);
            return None;
        }

        Some(inner.crtc)
    }
}

/// Tells the driver and the core of a vertical blank; returns whether there is somebody who waits
/// for the next one.
///
/// # Safety
///
/// `crtc` must be valid, and its vblank machinery not be freed meanwhile.
unsafe fn handle_vblank(crtc: *mut bindings::drm_crtc) -> bool {
    // SAFETY: The safety requirements of this function. The operations of a CRTC do not change.
    unsafe {
        match (*(*crtc).helper_private).handle_vblank_timeout {
            Some(handle) => handle(crtc),
            None => bindings::drm_crtc_handle_vblank(crtc),
        }
    }
}

impl Timer for VrrTimer {
    const COUNTS: bool = true;

    fn new() -> impl PinInit<Self, Error> {
        // INVARIANT: The timer is set up with `expired`, and not started.
        try_pin_init!(Self {
            timer <- Opaque::ffi_init(|timer| {
                // SAFETY: `timer` is valid memory that does not move.
                unsafe {
                    bindings::hrtimer_setup(
                        timer,
                        Some(Self::expired),
                        bindings::CLOCK_MONOTONIC as i32,
                        bindings::hrtimer_mode_HRTIMER_MODE_ABS,
                    )
                }
            }),
            // INVARIANT: It does not run.
            inner <- new_spinlock_irq!(Inner {
                clock: Clock::new(),
                crtc: ptr::null_mut(),
                running: false,
            }),
        })
    }

    unsafe fn enable(&self, crtc: *mut bindings::drm_crtc) -> c_int {
        let mut inner = self.inner.lock();

        inner.clock.advance(Self::now());
        inner.crtc = crtc;
        // INVARIANT: `crtc` has just been set, to what the safety requirements say.
        inner.running = true;
        self.start(&inner);
        0
    }

    unsafe fn disable(&self, _crtc: *mut bindings::drm_crtc) {
        // The core has locks here that a vertical blank takes, so there can be no waiting for one.
        // It is not followed by another.
        self.inner.lock().running = false;
        // SAFETY: The timer is set up by the type invariants.
        unsafe { bindings::hrtimer_try_to_cancel(self.timer.get()) };
    }

    unsafe fn timestamp(&self, _crtc: *mut bindings::drm_crtc) -> bindings::ktime_t {
        self.read(|clock| clock.begin)
    }

    fn count(&self) -> u32 {
        self.read(|clock| clock.count)
    }

    unsafe fn turn_on(&self, crtc: *mut bindings::drm_crtc, mode: &DisplayMode) {
        let duration = mode
            .vblank_interval()
            .map_or(super::MAX_FRAME_NS, Delta::as_nanos);

        self.inner.lock().clock.restart(Self::now(), duration);
        // SAFETY: The vblank machinery of the CRTC is off by the safety requirements.
        unsafe { bindings::drm_crtc_set_max_vblank_count(crtc, u32::MAX) };
    }

    unsafe fn turn_off(&self, _crtc: *mut bindings::drm_crtc) {
        // SAFETY: The timer is set up by the type invariants, and the caller can wait for it.
        unsafe { bindings::hrtimer_cancel(self.timer.get()) };
    }

    fn update(&self) {
        self.change(|clock| clock.update(Self::now()));
    }
}

#[pinned_drop]
impl PinnedDrop for VrrTimer {
    fn drop(self: Pin<&mut Self>) {
        // The CRTC is off, or was never on, so the timer was stopped before.
        //
        // SAFETY: The timer is set up by the type invariants, and nobody starts it any more.
        unsafe { bindings::hrtimer_cancel(self.timer.get()) };
    }
}

#[cfg(CONFIG_RUST_DRM_KMS_KUNIT_TEST)]
#[macros::kunit_tests(rust_drm_kms_vrr)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// A clock with frames of 10 ms, whose frame 0 began at 100 ms.
    fn clock() -> Clock {
        let mut clock = Clock::new();

        clock.restart(100 * MS, 10 * MS);
        clock
    }

    /// Looks at a clock at some time: its last frame, and when that began.
    fn at(clock: &mut Clock, ms: i64) -> (u32, i64) {
        clock.advance(ms * MS);
        (clock.count, clock.begin / MS)
    }

    #[test]
    fn frames_have_the_length_of_the_mode() {
        let mut clock = clock();

        assert_eq!(at(&mut clock, 109), (0, 100));
        assert_eq!(at(&mut clock, 110), (1, 110));
        // A timer that is late loses none, and updates change nothing.
        clock.update(127 * MS);
        assert_eq!(at(&mut clock, 139), (3, 130));
        clock.update(141 * MS);
        assert_eq!(clock.end(), 140 * MS);
        // Nor does a longest frame that is shorter.
        clock.set_longest(141 * MS, 5 * MS);
        clock.update(141 * MS);
        assert_eq!(clock.end(), 140 * MS);
    }

    #[test]
    fn frames_last_until_there_is_something_else() {
        let mut clock = clock();

        clock.set_longest(100 * MS, 25 * MS);
        assert_eq!(at(&mut clock, 124), (0, 100));
        assert_eq!(at(&mut clock, 125), (1, 125));
        // Not too early, and with no regard to a second update.
        clock.update(127 * MS);
        clock.update(137 * MS);
        assert_eq!(at(&mut clock, 134), (1, 125));
        assert_eq!(at(&mut clock, 135), (2, 135));
        // At once.
        clock.update(148 * MS);
        assert_eq!(at(&mut clock, 148), (3, 148));
        // Late, and once more after the longest time.
        clock.update(160 * MS);
        assert_eq!(at(&mut clock, 186), (5, 185));
    }

    #[test]
    fn a_frame_that_is_too_long_ends_at_once() {
        let mut clock = clock();

        clock.set_longest(100 * MS, 50 * MS);
        clock.set_longest(133 * MS, 0);
        assert_eq!(at(&mut clock, 132), (0, 100));
        assert_eq!(at(&mut clock, 133), (1, 133));
        assert_eq!(at(&mut clock, 143), (2, 143));
    }

    #[test]
    fn times_do_not_overflow() {
        let mut clock = clock();

        clock.restart(i64::MAX - 1, super::super::MAX_FRAME_NS);
        assert!(!clock.advance(i64::MAX - 1));
        assert!(clock.advance(i64::MAX));
        clock.restart(0, 0);
        assert!(clock.advance(i64::MAX));
        assert_eq!(clock.begin, i64::MAX);
    }
}
