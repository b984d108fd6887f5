// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The hotspot of cursors.

use super::*;

#[kunit_tests(rust_drm_kms_hotspot)]
mod tests {
    use super::*;

    /// Registers a device that has hotspots or not.
    fn device(hotspots: bool) -> Result<(TestDevice, Kept)> {
        let tally = Tally::new()?;
        tally.hotspots.store(hotspots, Relaxed);

        let device = TestDevice::register(&tally, create_kept, None)?;
        let kept = tally.kept.lock().take().ok_or(ENODATA)?;

        Ok((device, kept))
    }

    #[test]
    fn cursors_of_some_devices_have_hotspots() -> Result {
        let (with, with_objects) = device(true)?;
        let (without, without_objects) = device(false)?;

        with_check(&with.drm, |check| {
            let state = check.get_plane_state(&with_objects.cursor)?;
            ensure(state.hotspot() == Some((0, 0)))?;
            let state = check.get_plane_state(&with_objects.primary)?;
            ensure(state.hotspot().is_none())?;
            let state = check.get_plane_state(&with_objects.overlay)?;
            ensure(state.hotspot().is_none())
        })??;
        with_check(&without.drm, |check| {
            let state = check.get_plane_state(&without_objects.cursor)?;
            ensure(state.hotspot().is_none())
        })?
    }

    #[test]
    fn updates_copy_hotspots() -> Result {
        let (device, kept) = device(true)?;
        let set = |hotspot: (i32, i32)| {
            // SAFETY: Nobody else uses the plane.
            unsafe {
                let state = (*kept.cursor.as_raw()).state;
                ((*state).hotspot_x, (*state).hotspot_y) = hotspot;
            }
        };

        for hotspot in [(3, -4), (i32::MIN, i32::MAX)] {
            // As the ioctl for legacy cursors does it.
            set(hotspot);
            with_check(&device.drm, |check| {
                let state = check.get_plane_state(&kept.cursor)?;
                let old = check.get_old_plane_state(&kept.cursor).ok_or(EPROTO)?;

                ensure(state.hotspot() == Some(hotspot) && old.hotspot() == Some(hotspot))
            })??;
        }

        Ok(())
    }

    #[test]
    fn cursors_are_complete() -> Result {
        let tally = Tally::new()?;
        tally.hotspots.store(true, Relaxed);

        let error = setup_error(&tally, |setup| {
            let cursor = new_plane(setup, PlaneType::Cursor, 0)?;
            let overlay = new_plane(setup, PlaneType::Overlay, 1)?;
            ensure(cursor.check_hotspot() == Ok(()))?;

            // What the core makes of a cursor if there is no memory for the properties.
            overlay.check_hotspot()
        });

        assert_eq!(error, Some(ENOMEM));
        assert!(tally.all_freed());

        Ok(())
    }
}
