// SPDX-License-Identifier: GPL-2.0 OR MIT

//! States of updates in the check phase.

use super::{
    tail::turn_on,
    *, //
};

#[kunit_tests(rust_drm_kms_check)]
mod tests {
    use super::*;

    /// Calls `f` with a registered device's objects, and an update of it.
    fn with_device(f: fn(&AtomicCheck<'_, TestDriver>, &Kept) -> Result) -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let kept = tally.kept.lock().take().ok_or(ENODATA)?;

        with_check(&device.drm, |check| f(check, &kept))?
    }

    #[test]
    fn a_state_is_borrowed_once() -> Result {
        with_device(|check, kept| {
            let plane = &kept.primary;
            ensure(check.get_new_plane_state(plane).is_none())?;
            ensure(check.get_old_plane_state(plane).is_none())?;

            let state = check.get_plane_state(plane)?;
            ensure(check.get_plane_state(plane).err() == Some(EBUSY))?;
            ensure(check.get_new_plane_state(plane).is_none())?;
            // Others are not borrowed.
            check.get_crtc_state(&kept.crtc)?;
            check.get_plane_state(&kept.overlay)?;

            drop(state);
            ensure(check.get_new_plane_state(plane).is_some())?;

            let state = check.get_crtc_state(&kept.crtc)?;
            ensure(check.get_crtc_state(&kept.crtc).err() == Some(EBUSY))?;
            ensure(check.get_new_crtc_state(&kept.crtc).is_none())?;
            drop(state);
            ensure(check.get_new_crtc_state(&kept.crtc).is_some())
        })
    }

    #[test]
    fn a_new_state_is_a_copy() -> Result {
        with_device(|check, kept| {
            let mut state = check.get_plane_state(&kept.primary)?;
            ensure(state.data().value == 1)?;
            state.data_mut().value = 2;
            drop(state);

            let state = check.get_plane_state(&kept.primary)?;
            let old = check.get_old_plane_state(&kept.primary).ok_or(EPROTO)?;
            ensure(state.data().value == 2 && old.data().value == 1)?;
            ensure(core::ptr::eq(state.plane(), &**kept.primary))?;
            ensure(state.crtc().is_none() && state.framebuffer().is_none())
        })
    }

    #[test]
    fn borrows_can_be_exchanged() -> Result {
        with_device(|check, kept| {
            let mut first = check.get_plane_state(&kept.primary)?;
            let mut second = check.get_plane_state(&kept.cursor)?;

            core::mem::swap(&mut first, &mut second);
            drop(first);
            ensure(check.get_new_plane_state(&kept.primary).is_none())?;
            ensure(check.get_new_plane_state(&kept.cursor).is_some())?;
            drop(second);
            ensure(check.get_new_plane_state(&kept.primary).is_some())
        })
    }

    #[test]
    fn a_plane_without_a_crtc_is_not_visible() -> Result {
        with_device(|check, kept| {
            let check_plane = || check.check_plane_state(&kept.primary, Scaling::NONE, true);
            ensure(check_plane() == Err(EINVAL))?;

            check.get_plane_state(&kept.primary)?;
            ensure(check_plane() == Ok(false))
        })
    }

    #[test]
    fn objects_of_another_device_have_no_state() -> Result {
        let tally = Tally::new()?;
        let _device = TestDevice::register(&tally, create_kept, None)?;
        let foreign = tally.kept.lock().take().ok_or(ENODATA)?;

        let own_tally = Tally::new()?;
        let own = TestDevice::register(&own_tally, create_device, None)?;

        with_check(&own.drm, |check| {
            ensure(check.get_plane_state(&foreign.primary).err() == Some(EINVAL))?;
            ensure(check.get_new_plane_state(&foreign.primary).is_none())?;
            ensure(check.get_old_plane_state(&foreign.primary).is_none())?;
            ensure(check.get_crtc_state(&foreign.crtc).err() == Some(EINVAL))?;
            ensure(check.get_new_crtc_state(&foreign.crtc).is_none())?;
            ensure(check.get_old_crtc_state(&foreign.crtc).is_none())
        })?
    }

    #[test]
    fn crtcs_that_are_on_are_added_to_modesets_only() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;
        let add = |allow_modeset| {
            with_check(&device.drm, |check| {
                // SAFETY: Only this thread knows of the update.
                unsafe { (*check.as_raw()).set_allow_modeset(allow_modeset) };

                let ret = check.get_crtc_state(&crtc).map(drop);
                ensure(check.result(Ok(())) == ret)?;
                ret
            })?
        };

        assert_eq!(add(false), Ok(()));
        assert_eq!(turn_on(&device.drm, &crtc), Ok(0));
        assert_eq!(add(true), Ok(()));
        assert_eq!(add(false), Err(EINVAL));
        Ok(())
    }

    #[test]
    fn a_failure_is_not_forgotten() -> Result {
        let ret = with_device(|check, kept| {
            ensure(check.result(Ok(())) == Ok(()))?;
            ensure(check.result(Err(ERANGE)) == Err(ERANGE))?;
            // The core would try again, with no lock to wait for.
            ensure(check.result(Err(EDEADLK)) == Err(EINVAL))?;

            NO_STATES.store(true, Relaxed);
            ensure(check.get_plane_state(&kept.primary).err() == Some(ENOMEM))?;
            NO_STATES.store(false, Relaxed);

            ensure(check.get_new_plane_state(&kept.primary).is_none())?;
            ensure(check.get_plane_state(&kept.primary).err() == Some(ENOMEM))?;
            ensure(check.get_crtc_state(&kept.crtc).err() == Some(ENOMEM))?;
            ensure(check.result(Ok(())) == Err(ENOMEM))?;
            ensure(check.result(Err(ERANGE)) == Err(ENOMEM))
        });
        NO_STATES.store(false, Relaxed);

        ret
    }
}
