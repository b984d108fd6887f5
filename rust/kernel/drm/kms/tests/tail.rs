// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Carrying out updates.

use super::*;
use crate::{
    drm::kms::commit::commit_callback,
    error::from_err_ptr, //
};
use core::ptr;

/// Turns `crtc` on, with no plane and nothing connected, and waits until the update is complete.
pub(super) fn turn_on(drm: &drm::Device<TestDriver>, crtc: &Crtc<TestCrtc>) -> Result<c_int> {
    with_check(drm, |check| {
        drop(check.get_crtc_state(crtc)?);

        // SAFETY: The update is one of `drm`, and only this thread knows of it. Its CRTC has a
        // state, in which all is set that the core wants to be there while the CRTC is on, and
        // which owns the new blob.
        unsafe {
            let commit = check.as_raw();
            let state = (*(*commit).crtcs.add(crtc.index() as usize)).new_state;
            let blob = bindings::drm_property_create_blob(drm.as_raw(), 1, ptr::null());

            (*state).mode_blob = from_err_ptr(blob)?;
            (*state).enable = true;
            (*state).active = true;
            (*state).set_mode_changed(true);
            for mode in [&mut (*state).mode, &mut (*state).adjusted_mode] {
                mode.crtc_clock = 25_175;
                mode.crtc_hdisplay = 640;
                mode.crtc_htotal = 800;
                mode.crtc_vdisplay = 480;
                mode.crtc_vtotal = 525;
            }
            Ok(commit_callback(drm.as_raw(), commit, false))
        }
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
