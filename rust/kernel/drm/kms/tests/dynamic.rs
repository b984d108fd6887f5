// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Connectors that come and go.

use super::{
    super::connector::DynamicConnector,
    tail::set_on,
    *, //
};
use crate::error::{
    from_err_ptr,
    to_result, //
};

fn add(drm: &drm::Device<TestDriver>, encoders: u32) -> Result<DynamicConnector<TestConnector>> {
    DynamicConnector::new(drm, ConnectorType::DisplayPort, encoders, Ok(()))
}

/// Creates a device with three encoders, which can be used together.
fn create_encoders(setup: &KmsSetup<'_, TestDriver>) -> Result {
    let kept = create_all(setup)?;
    let second = Encoder::new(setup, EncoderType::Virtual, None)?;
    let third = Encoder::new(setup, EncoderType::Virtual, None)?;

    setup.attach_encoder(second, &kept.crtc)?;
    setup.attach_encoder(third, &kept.crtc)?;
    setup.allow_cloning(&kept.encoder, second)?;
    setup.allow_cloning(&kept.encoder, third)?;
    setup.allow_cloning(second, third)?;
    *setup.drm_dev().tally.kept.lock() = Some(kept);

    Ok(())
}

/// Lets `crtc` drive `connector`, which is off, too.
fn connect(crtc: &Crtc<TestCrtc>, connector: &Connector<TestConnector>) -> Result {
    with_check(crtc.drm_dev(), |check| {
        set_on(check, crtc)?;

        // SAFETY: Only this thread knows of the update, whose CRTC has a state. The state of a
        // connector owns a reference to it while there is a CRTC.
        unsafe {
            let commit = check.as_raw();
            let crtc_state = (*(*commit).crtcs.add(crtc.index() as usize)).new_state;
            let state = from_err_ptr(bindings::drm_atomic_get_connector_state(
                commit,
                connector.as_raw(),
            ))?;

            bindings::drm_mode_object_get(&raw mut (*connector.as_raw()).base);
            (*state).crtc = crtc.as_raw();
            (*crtc_state).connector_mask |= 1 << connector.index();
            (*commit).set_allow_modeset(true);
            to_result(bindings::drm_atomic_commit(commit))
        }
    })?
}

/// Returns the index of the encoder of a connector that is on.
fn encoder(connector: &Connector<TestConnector>) -> Option<u32> {
    // SAFETY: The connector has a state, which no other thread changes. So does its encoder, if
    // there is one, not change its index.
    unsafe {
        let encoder = (*(*connector.as_raw()).state).best_encoder;
        (!encoder.is_null()).then(|| (*encoder).index)
    }
}

fn num_connectors(drm: &drm::Device<TestDriver>) -> i32 {
    // SAFETY: The device has a mode configuration, and only this thread adds connectors.
    unsafe { (*drm.as_raw()).mode_config.num_connector }
}

#[kunit_tests(rust_drm_kms_dynamic)]
mod tests {
    use super::*;

    #[test]
    fn connectors_come_and_go() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let alive = || tally.alive.load(Relaxed) - NUM_OBJECTS;

        let first = add(&device.drm, 1)?;
        let second = add(&device.drm, 1)?;
        assert_eq!((alive(), num_connectors(&device.drm)), (2, 3));
        assert!(first.index() != second.index());

        drop(first);
        assert_eq!((alive(), num_connectors(&device.drm)), (1, 2));

        drop(second);
        drop(device);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn references_keep_connectors() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let connector = add(&device.drm, 1)?;
        let reference: KmsRef<Connector<TestConnector>> = (&*connector).into();
        let again = reference.clone();

        drop(connector);
        drop(reference);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS + 1);
        assert_eq!(again.index(), 1);

        drop(device);
        assert_eq!(tally.data_freed.load(Relaxed), 0);
        drop(again);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn connectors_can_outlive_the_registration() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let connector = add(&device.drm, 1)?;
        let drm = device.unplug();

        assert_eq!(add(&drm, 1).err(), Some(ENODEV));
        drop(connector);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        drop(drm);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn failures_leave_nothing_behind() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;

        for encoders in [0, 2, 3, 1 << 31, u32::MAX] {
            assert_eq!(add(&device.drm, encoders).err(), Some(EINVAL));
        }
        let error = DynamicConnector::<TestConnector>::new(
            &device.drm,
            ConnectorType::Virtual,
            1,
            Err(EXDEV),
        );
        assert_eq!(error.err(), Some(EXDEV));

        let mut many = KVec::new();
        for _ in 1..MAX_OBJECTS {
            many.push(add(&device.drm, 1)?, GFP_KERNEL)?;
        }
        assert_eq!(add(&device.drm, 1).err(), Some(ENOSPC));
        assert_eq!(num_connectors(&device.drm), MAX_OBJECTS as i32);

        drop(many);
        assert_eq!(num_connectors(&device.drm), 1);
        drop(device);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn encoders_that_were_taken_are_not_given_back() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_encoders, None)?;
        let crtc = tally.kept.lock().take().ok_or(ENODATA)?.crtc;

        {
            // SAFETY: The device is bound, and only this thread knows of it.
            let parent: &device::Device<device::Core<'_>> =
                unsafe { device::Device::from_raw(device.faux.as_ref().as_ref().as_raw()) };
            let first = add(&device.drm, 0b111)?;
            let second = add(&device.drm, 0b111)?;

            connect(&crtc, &second)?;
            connect(&crtc, &first)?;
            assert_eq!([&first, &second].map(|on| encoder(on)), [Some(1), Some(0)]);

            // Others have the same encoders again, though they would get other ones otherwise.
            device.drm.suspend(parent)?;
            assert_eq!([&first, &second].map(|on| encoder(on)), [None, None]);
            assert_eq!(device.drm.resume(parent), Ok(()));
            assert_eq!([&first, &second].map(|on| encoder(on)), [Some(1), Some(0)]);

            device.drm.suspend(parent)?;
            let third = add(&device.drm, 0b001)?;
            connect(&crtc, &third)?;
            assert_eq!(device.drm.resume(parent), Err(EINVAL));
            assert_eq!(encoder(&third), Some(0));
        }

        drop(crtc);
        drop(device);
        assert!(tally.all_freed());

        Ok(())
    }
}
