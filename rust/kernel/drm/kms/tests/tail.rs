// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Carrying out updates.

use super::*;
use crate::{
    drm::kms::commit::commit_callback,
    error::from_err_ptr, //
};
use core::ptr;

/// Lets `crtc` be on after the update, with all set that the core wants to be there then.
pub(super) fn set_on(check: &AtomicCheck<'_, TestDriver>, crtc: &Crtc<TestCrtc>) -> Result {
    drop(check.get_crtc_state(crtc)?);

    // SAFETY: The CRTC has a new state, which belongs to the update, and only this thread knows of
    // that. The state owns its blob.
    unsafe {
        let state = (*(*check.as_raw()).crtcs.add(crtc.index() as usize)).new_state;

        if (*state).mode_blob.is_null() {
            let blob = bindings::drm_property_create_blob(crtc.drm_dev().as_raw(), 1, ptr::null());
            (*state).mode_blob = from_err_ptr(blob)?;
        }
        (*state).enable = true;
        (*state).active = true;
        (*state).set_mode_changed(true);
        for mode in [&mut (*state).mode, &mut (*state).adjusted_mode] {
            mode.clock = 25_175;
            (mode.hdisplay, mode.hsync_start, mode.hsync_end, mode.htotal) = (640, 656, 752, 800);
            (mode.vdisplay, mode.vsync_start, mode.vsync_end, mode.vtotal) = (480, 490, 492, 525);
            bindings::drm_mode_set_crtcinfo(mode, 0);
        }
    }

    Ok(())
}

/// Turns `crtc` on, with no plane and nothing connected, and waits until the update is complete.
pub(super) fn turn_on(drm: &drm::Device<TestDriver>, crtc: &Crtc<TestCrtc>) -> Result<c_int> {
    with_check(drm, |check| {
        set_on(check, crtc)?;

        // SAFETY: The update is one of `drm`, and only this thread knows of it.
        Ok(unsafe { commit_callback(drm.as_raw(), check.as_raw(), false) })
    })?
}

#[kunit_tests(rust_drm_kms_tail)]
mod tests {
    use super::*;

    #[test]
    fn other_devices_can_go_during_updates() -> Result {
        let tally = Tally::new()?;
        let others_tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let other = TestDevice::register(&others_tally, create_device, None)?;
        let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;

        *tally.leaving.lock() = Some(other);
        assert_eq!(turn_on(&device.drm, &crtc), Ok(0));
        assert!(others_tally.all_freed());

        Ok(())
    }

    #[test]
    fn what_is_turned_on_completes_when_all_is_up_to_date() -> Result {
        for enables_first in [false, true] {
            let tally = Tally::new()?;
            let device = TestDevice::register(&tally, create_kept, None)?;
            let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;

            tally.enables_first.store(enables_first, Relaxed);
            assert_eq!(turn_on(&device.drm, &crtc), Ok(0));
            assert_eq!(tally.pending_events.load(Relaxed), 1);
        }

        Ok(())
    }
}
