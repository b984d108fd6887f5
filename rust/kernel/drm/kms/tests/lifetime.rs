// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Devices as a whole: what lives how long.

use super::{
    tail::turn_on,
    *, //
};
use crate::devres::Devres;
use core::ptr::NonNull;

fn is_active(crtc: &Crtc<TestCrtc>) -> bool {
    // SAFETY: The CRTC has a state, which no other thread changes.
    unsafe { (*(*crtc.as_raw()).state).active }
}

#[kunit_tests(rust_drm_kms_lifetime)]
mod tests {
    use super::*;

    #[test]
    fn all_is_freed_in_order() -> Result {
        let tally = Tally::new()?;
        let states = STATES.load(Relaxed);
        let device = TestDevice::register(&tally, create_device, None)?;

        assert_eq!(tally.made.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert!(STATES.load(Relaxed) > states);
        assert_eq!(tally.registration_data_freed.load(Relaxed), 0);

        drop(device);
        assert!(tally.all_freed());
        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        assert_eq!(STATES.load(Relaxed), states);

        Ok(())
    }

    #[test]
    fn objects_live_as_long_as_the_device() -> Result {
        let tally = Tally::new()?;
        let drm = TestDevice::register(&tally, create_device, None)?.unplug();

        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.data_freed.load(Relaxed), 0);

        drop(drm);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn reference_to_an_object_keeps_the_device() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let plane = tally.kept.lock().take().ok_or(ENODATA)?.primary;
        let again = plane.clone();

        drop(device);
        drop(plane);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.data_freed.load(Relaxed), 0);
        assert_eq!(again.data().number, 7);

        drop(again);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn limits_are_told_to_the_core() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;

        // SAFETY: The device has a mode configuration, and these fields of it do not change.
        let config = unsafe { &(*device.drm.as_raw()).mode_config };

        assert_eq!((config.min_width, config.min_height), (1, 2));
        assert_eq!((config.max_width, config.max_height), (4096, 2048));
        assert_eq!((config.cursor_width, config.cursor_height), (64, 32));
        assert_eq!(config.preferred_depth, 24);
        assert!(config.normalize_zpos);

        Ok(())
    }

    #[test]
    fn guard_exists_while_registered() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            ensure(setup.drm_dev().registration_guard().is_none())?;
            create_device(setup)
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        assert!(device.drm.registration_guard().is_some());

        let drm = device.unplug();
        assert!(drm.registration_guard().is_none());

        Ok(())
    }

    #[test]
    fn no_guard_when_resources_are_released() -> Result {
        /// A resource of the parent device, for which a guard is looked for when it is released.
        struct Resource {
            drm: ARef<drm::Device<TestDriver>>,
            guarded: Arc<Atomic<bool>>,
        }

        impl Drop for Resource {
            fn drop(&mut self) {
                let guarded = self.drm.registration_guard().is_some();

                self.guarded.store(guarded, Relaxed);
            }
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let guarded = Arc::new(Atomic::new(true), GFP_KERNEL)?;
        let resource = Resource {
            drm: device.drm.clone(),
            guarded: guarded.clone(),
        };

        // Added last, it would be released first.
        let parent = device.faux.as_ref().as_ref();
        let resource = Devres::<Resource>::new(parent, Ok::<_, Error>(resource))?;
        drop(device);
        assert!(!guarded.load(Relaxed));
        assert!(resource.try_access().is_none());

        Ok(())
    }

    #[test]
    fn no_guard_if_registration_fails() -> Result {
        let tally = Tally::new()?;
        let faux = faux::Registration::new(c"kunit-kms", None)?;
        let data = TestData {
            tally: tally.clone(),
            create: |_setup| Err(EXDEV),
            foreign: None,
        };
        let unregistered = drm::UnregisteredDevice::<TestDriver>::new(faux.as_ref(), Ok(data))?;
        let drm: ARef<drm::Device<TestDriver>> = (&*unregistered).into();
        assert!(drm.registration_guard().is_none());

        let ret = drm::Registration::new_foreign_owned(
            faux.as_ref().as_ref(),
            unregistered,
            Ok::<_, Error>(TestRegistrationData(tally.clone())),
            0,
        );
        assert_eq!(ret.err(), Some(EXDEV));
        assert!(drm.registration_guard().is_none());
        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        drm.hotplug_event();

        drop(drm);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn hotplug_at_any_time() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            setup.drm_dev().hotplug_event();
            create_device(setup)
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        device.drm.hotplug_event();

        let drm = device.unplug();
        drm.hotplug_event();

        Ok(())
    }

    #[test]
    fn suspended_devices_can_go() -> Result {
        let tally = Tally::new()?;
        let states = STATES.load(Relaxed);
        let device = TestDevice::register(&tally, create_device, None)?;

        {
            // SAFETY: The device is bound, and only this thread knows of it.
            let parent: &device::Device<device::Core<'_>> =
                unsafe { device::Device::from_raw(device.faux.as_ref().as_ref().as_raw()) };

            device.drm.suspend(parent)?;
            assert_eq!(device.drm.suspend(parent), Err(EBUSY));
            // The states are still there, and no new ones are needed.
            NO_STATES.store(true, Relaxed);
            let resumed = device.drm.resume(parent);
            NO_STATES.store(false, Relaxed);
            assert_eq!(resumed, Ok(()));
            assert_eq!(device.drm.resume(parent), Err(EINVAL));
            device.drm.suspend(parent)?;
        }

        drop(device);
        assert!(tally.all_freed());
        assert_eq!(STATES.load(Relaxed), states);

        Ok(())
    }

    #[test]
    fn devices_are_reset_while_they_are_there() -> Result {
        let tally = Tally::new()?;
        let states = STATES.load(Relaxed);
        let device = TestDevice::register(&tally, create_kept, None)?;

        // Each time the CRTC gets a new state, in the place of the old one.
        NO_STATES.store(true, Relaxed);
        let out_of_memory = device.drm.reset();
        NO_STATES.store(false, Relaxed);
        assert_eq!(out_of_memory, Err(ENOMEM));
        assert_eq!(device.drm.reset(), Ok(()));
        assert_eq!(device.drm.reset(), Ok(()));

        drop(tally.kept.lock().take());
        let drm = device.unplug();
        assert_eq!(drm.reset(), Ok(()));

        drop(drm);
        assert!(tally.all_freed());
        assert_eq!(STATES.load(Relaxed), states);

        Ok(())
    }

    #[test]
    fn all_is_turned_off_when_there_is_memory_again() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;

        assert_eq!(turn_on(&device.drm, &crtc), Ok(0));
        assert!(is_active(&crtc));

        NO_STATES.store(true, Relaxed);
        let ret = workqueue::system_unbound().try_spawn(GFP_KERNEL, || {
            // SAFETY: A worker can sleep.
            unsafe { bindings::msleep(100) };
            NO_STATES.store(false, Relaxed);
        });
        if ret.is_err() {
            NO_STATES.store(false, Relaxed);
        }
        drop(device);
        assert!(!is_active(&crtc));

        drop(crtc);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn what_cannot_be_turned_off_is_kept() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;

        assert_eq!(turn_on(&device.drm, &crtc), Ok(0));
        tally.refuses.store(true, Relaxed);
        let drm = device.unplug();
        assert!(is_active(&crtc));

        let raw = NonNull::from(&*drm);
        drop(crtc);
        drop(drm);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.data_freed.load(Relaxed), 0);

        tally.refuses.store(false, Relaxed);

        // SAFETY: The device was kept, with one reference, and has been unplugged.
        unsafe {
            <TestDriver as drm::Driver>::KMS
                .ok_or(ENODEV)?
                .shutdown(raw.as_ref());
            drop(ARef::from_raw(raw));
        }
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn nothing_is_turned_on_once_the_device_is_gone() -> Result {
        use crate::drm::kms::commit::{
            commit_callback,
            turns_on, //
        };

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let Kept {
            crtc,
            primary: plane,
            ..
        } = tally.kept.lock().take().ok_or(ENODATA)?;
        let drm = device.unplug();

        with_check(&drm, |check| {
            // SAFETY: The update is one of `drm`, and only this thread knows of it. It is not
            // carried out, so that it is still there afterwards.
            let turn_on = |active| unsafe {
                let commit = check.as_raw();
                let entry = (*commit).crtcs.add(crtc.index() as usize);

                (*(*entry).new_state).active = active;
                (
                    turns_on(commit),
                    active.then(|| commit_callback(drm.as_raw(), commit, false)),
                )
            };

            drop(check.get_crtc_state(&crtc)?);
            ensure(turn_on(false) == (false, None))?;
            ensure(turn_on(true) == (true, Some(ENODEV.to_errno())))?;
            ensure(turn_on(false) == (false, None))?;

            drop(check.get_plane_state(&plane)?);

            // SAFETY: As above. Nothing but the address of the framebuffer is looked at, and it is
            // gone when the update is freed.
            unsafe {
                let commit = check.as_raw();
                let state = (*(*commit).planes.add(plane.index() as usize)).new_state;

                ensure(!turns_on(commit))?;
                (*state).fb = core::ptr::dangling_mut();
                let ret = (
                    turns_on(commit),
                    commit_callback(drm.as_raw(), commit, false),
                );
                (*state).fb = core::ptr::null_mut();

                ensure(ret == (true, ENODEV.to_errno()))
            }
        })?
    }

    #[test]
    fn parent_must_be_the_device_s_own() -> Result {
        let tally = Tally::new()?;
        let parent = faux::Registration::new(c"kunit-kms", None)?;
        let stranger = faux::Registration::new(c"kunit-kms-other", None)?;
        let data = TestData {
            tally: tally.clone(),
            create: create_device,
            foreign: None,
        };
        let drm = drm::UnregisteredDevice::<TestDriver>::new(parent.as_ref(), Ok(data))?;

        let ret = drm::Registration::new_foreign_owned(
            stranger.as_ref().as_ref(),
            drm,
            Ok::<_, Error>(TestRegistrationData(tally.clone())),
            0,
        );
        assert_eq!(ret.err(), Some(EINVAL));
        assert_eq!(tally.made.load(Relaxed), 0);
        assert!(tally.all_freed());

        Ok(())
    }
}
