// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Connectors that come and go.

use super::{
    super::connector::DynamicConnector,
    *, //
};

fn add(drm: &drm::Device<TestDriver>, encoders: u32) -> Result<DynamicConnector<TestConnector>> {
    DynamicConnector::new(drm, ConnectorType::DisplayPort, encoders, Ok(()))
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
}
