// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Making mode objects.

use super::*;

#[kunit_tests(rust_drm_kms_setup)]
mod tests {
    use super::*;

    #[test]
    fn failing_constructors_leave_nothing() -> Result {
        // The errors, and how many objects were made before.
        const FAILURES: [(Create, Error, i32); 6] = [
            (|_setup| Err(ENXIO), ENXIO, 0),
            (
                |setup| {
                    let kind = PlaneType::Primary;
                    Plane::<TestPlane>::new(setup, kind, &FORMATS, None, Err(ENOMEM)).map(|_| ())
                },
                ENOMEM,
                0,
            ),
            (
                |setup| {
                    let kind = PlaneType::Overlay;
                    new_plane(setup, PlaneType::Primary, 0)?;
                    Plane::<TestPlane>::new(setup, kind, &FORMATS, None, Err(EINVAL)).map(|_| ())
                },
                EINVAL,
                1,
            ),
            (
                |setup| {
                    let primary = new_plane(setup, PlaneType::Primary, 0)?;
                    Crtc::<TestCrtc>::new(setup, primary, None, None, Err(ENOMEM)).map(|_| ())
                },
                ENOMEM,
                1,
            ),
            (
                |setup| {
                    let primary = new_plane(setup, PlaneType::Primary, 0)?;
                    new_crtc(setup, primary, None)?;
                    Encoder::new(setup, EncoderType::Virtual, None)?;
                    let kind = ConnectorType::Virtual;
                    Connector::<TestConnector>::new(setup, kind, Err(EINVAL)).map(|_| ())
                },
                EINVAL,
                2,
            ),
            (
                |setup| {
                    create_device(setup)?;
                    Err(EOVERFLOW)
                },
                EOVERFLOW,
                NUM_OBJECTS,
            ),
        ];

        for (create, error, made) in FAILURES {
            let tally = Tally::new()?;

            assert_eq!(setup_error(&tally, create), Some(error));
            assert_eq!(tally.made.load(Relaxed), made);
            assert!(tally.all_freed());
            assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        }

        Ok(())
    }

    #[test]
    fn failing_initial_states_leave_nothing() -> Result {
        let tally = Tally::new()?;
        let states = STATES.load(Relaxed);

        NO_STATES.store(true, Relaxed);
        let error = setup_error(&tally, create_device);
        NO_STATES.store(false, Relaxed);

        assert_eq!(error, Some(ENOMEM));
        assert_eq!(tally.made.load(Relaxed), NUM_OBJECTS);
        assert_eq!(STATES.load(Relaxed), states);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn formats_must_be_known() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let new = |formats: &[u32]| {
                Plane::<TestPlane>::new(setup, PlaneType::Overlay, formats, None, Ok(0)).map(|_| ())
            };

            ensure(new(&[]) == Err(EINVAL))?;
            ensure(new(&[fourcc::XRGB8888, fourcc::fourcc(b"????")]) == Err(EINVAL))?;
            ensure(new(&[fourcc::XRGB8888; fourcc::MAX_FORMATS + 1]) == Err(EINVAL))?;
            ensure(setup.drm_dev().tally.made.load(Relaxed) == 0)?;
            ensure(new(&[fourcc::XRGB8888; fourcc::MAX_FORMATS]) == Ok(()))?;
            Err(ECANCELED)
        }

        let tally = Tally::new()?;
        assert_eq!(setup_error(&tally, create), Some(ECANCELED));

        Ok(())
    }

    #[test]
    fn unusable_devices_are_not_registered() -> Result {
        const FAILURES: [Create; 3] = [
            // A primary plane too many.
            |setup| {
                create_device(setup)?;
                new_plane(setup, PlaneType::Primary, 0).map(|_| ())
            },
            // An encoder that no CRTC can drive.
            |setup| {
                create_device(setup)?;
                Encoder::new(setup, EncoderType::Virtual, None).map(|_| ())
            },
            // The same, although another one was attached twice.
            |setup| {
                let primary = new_plane(setup, PlaneType::Primary, 0)?;
                let crtc = new_crtc(setup, primary, None)?;
                let encoder = Encoder::new(setup, EncoderType::Virtual, None)?;
                setup.attach_encoder(encoder, crtc)?;
                setup.attach_encoder(encoder, crtc)?;
                Encoder::new(setup, EncoderType::Virtual, None).map(|_| ())
            },
        ];

        for create in FAILURES {
            let tally = Tally::new()?;

            assert_eq!(setup_error(&tally, create), Some(EINVAL));
            assert!(tally.all_freed());
        }

        Ok(())
    }

    #[test]
    fn properties_are_created_once() -> Result {
        type Creator = fn(&KmsSetup<'_, TestDriver>, &OpaquePlane<TestDriver>) -> Result;

        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let plane = new_plane(setup, PlaneType::Overlay, 0)?;
            let creators: [Creator; 6] = [
                |setup, plane| {
                    let all = rotation::ALL;
                    let both = rotation::ROTATE_0 | rotation::ROTATE_90;

                    for (default, supported) in [(0, all), (both, all), (2, 1), (64, all)] {
                        let ret = setup.create_rotation_property(plane, default, supported);
                        ensure(ret == Err(EINVAL) || ret == Err(EEXIST))?;
                    }
                    setup.create_rotation_property(plane, rotation::ROTATE_90, all)
                },
                |setup, plane| setup.create_alpha_property(plane),
                |setup, plane| setup.create_blend_mode_property(plane),
                |setup, plane| {
                    for (zpos, min, max) in [(2, 0, 1), (0, 1, 2), (0, 0, 1 << 31)] {
                        let ret = setup.create_zpos_property(plane, zpos, min, max);
                        ensure(ret == Err(EINVAL) || ret == Err(EEXIST))?;
                    }
                    setup.create_zpos_property(plane, 0, 0, 1)
                },
                |setup, plane| setup.create_scaling_filter_property(plane),
                |setup, plane| setup.enable_fb_damage_clips(plane),
            ];

            for create in creators {
                create(setup, plane)?;
                ensure(create(setup, plane) == Err(EEXIST))?;
            }
            Err(ECANCELED)
        }

        let tally = Tally::new()?;
        assert_eq!(setup_error(&tally, create), Some(ECANCELED));

        Ok(())
    }

    #[test]
    fn empty_devices_are_registered() -> Result {
        let tally = Tally::new()?;

        assert_eq!(setup_error(&tally, |_setup| Ok(())), None);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn too_many_planes() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            for number in 0..MAX_OBJECTS {
                let plane = new_plane(setup, PlaneType::Overlay, number)?;
                ensure(plane.index() == number && plane.mask() == 1 << number)?;
            }
            new_plane(setup, PlaneType::Overlay, 0).map(|_| ())
        });

        assert_eq!(error, Some(ENOSPC));
        assert_eq!(tally.made.load(Relaxed), MAX_OBJECTS as i32);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn too_many_crtcs() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let mut primary = None;

            for number in 0..MAX_OBJECTS {
                let plane = new_plane(setup, PlaneType::Primary, number)?;
                let crtc = new_crtc(setup, plane, None)?;
                ensure(crtc.index() == number && crtc.mask() == 1 << number)?;
                primary = Some(plane);
            }
            new_crtc(setup, primary.ok_or(EPROTO)?, None).map(|_| ())
        });

        assert_eq!(error, Some(ENOSPC));
        assert_eq!(tally.made.load(Relaxed), 2 * MAX_OBJECTS as i32);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn too_many_encoders() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            for _ in 0..MAX_OBJECTS {
                Encoder::new(setup, EncoderType::Virtual, None)?;
            }
            Encoder::new(setup, EncoderType::Virtual, None).map(|_| ())
        });

        assert_eq!(error, Some(ENOSPC));
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn too_many_connectors() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let kind = ConnectorType::Virtual;

            for number in 0..MAX_OBJECTS {
                let connector = Connector::<TestConnector>::new(setup, kind, Ok(()))?;
                ensure(connector.index() == number)?;
            }
            Connector::<TestConnector>::new(setup, kind, Ok(())).map(|_| ())
        });

        assert_eq!(error, Some(ENOSPC));
        assert_eq!(tally.made.load(Relaxed), MAX_OBJECTS as i32);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn planes_of_a_crtc_must_fit() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let primary = new_plane(setup, PlaneType::Primary, 0)?;
            let cursor = new_plane(setup, PlaneType::Cursor, 1)?;
            let overlay = new_plane(setup, PlaneType::Overlay, 2)?;

            // The wrong kinds.
            ensure(new_crtc(setup, overlay, None).err() == Some(EINVAL))?;
            ensure(new_crtc(setup, cursor, None).err() == Some(EINVAL))?;
            ensure(new_crtc(setup, primary, Some(overlay)).err() == Some(EINVAL))?;
            ensure(new_crtc(setup, primary, Some(primary)).err() == Some(EINVAL))?;
            ensure(setup.drm_dev().tally.made.load(Relaxed) == 3)?;

            new_crtc(setup, primary, Some(cursor))?;

            // Both are in use now.
            let second = new_plane(setup, PlaneType::Primary, 3)?;
            ensure(new_crtc(setup, primary, None).err() == Some(EINVAL))?;
            ensure(new_crtc(setup, second, Some(cursor)).err() == Some(EINVAL))?;

            let crtc = new_crtc(setup, second, None)?;
            setup.attach_plane(overlay, crtc)?;

            // SAFETY: The planes are valid, and only used by this thread.
            unsafe {
                ensure((*primary.as_raw()).possible_crtcs == 0b01)?;
                ensure((*cursor.as_raw()).possible_crtcs == 0b01)?;
                ensure((*second.as_raw()).possible_crtcs == 0b10)?;
                ensure((*overlay.as_raw()).possible_crtcs == 0b10)?;
            }

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn objects_of_another_device_are_refused() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let foreign = setup.drm_dev().foreign.as_ref().ok_or(ENODATA)?;
            let own = create_all(setup)?;

            for (plane, crtc) in [(&foreign.primary, &own.crtc), (&own.primary, &foreign.crtc)] {
                ensure(setup.attach_plane(plane, crtc) == Err(EINVAL))?;
            }
            for (encoder, crtc) in [(&foreign.encoder, &own.crtc), (&own.encoder, &foreign.crtc)] {
                ensure(setup.attach_encoder(encoder, crtc) == Err(EINVAL))?;
            }
            for (connector, encoder) in [
                (&foreign.connector, &own.encoder),
                (&own.connector, &foreign.encoder),
            ] {
                ensure(setup.attach_connector(connector, encoder) == Err(EINVAL))?;
            }

            ensure(new_crtc(setup, &foreign.primary, None).err() == Some(EINVAL))
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let foreign = tally.kept.lock().take();

        let other_tally = Tally::new()?;
        let other = TestDevice::register(&other_tally, create, foreign)?;
        assert_eq!(other_tally.made.load(Relaxed), NUM_OBJECTS);

        // It owns references to objects of the first one.
        drop(device);
        assert_eq!(tally.data_freed.load(Relaxed), 0);

        drop(other);
        assert!(other_tally.all_freed());
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn names_are_no_formats() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let name = c"100%s %n %d%%";
            let kind = PlaneType::Primary;
            let plane = Plane::<TestPlane>::new(setup, kind, &FORMATS, Some(name), Ok(0))?;
            let crtc = Crtc::<TestCrtc>::new(setup, plane, None, Some(name), Ok(()))?;
            let encoder = Encoder::new(setup, EncoderType::Virtual, Some(name))?;

            // SAFETY: The objects are valid and have names.
            unsafe {
                ensure(CStr::from_char_ptr((*plane.as_raw()).name) == name)?;
                ensure(CStr::from_char_ptr((*crtc.as_raw()).name) == name)?;
                ensure(CStr::from_char_ptr((*encoder.as_raw()).name) == name)?;
            }

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));

        Ok(())
    }

    #[test]
    fn kinds_are_told_apart() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let kept = create_all(setup)?;
            let one: &OpaquePlane<TestDriver> = &kept.primary;
            let other: &OpaquePlane<TestDriver> = &kept.overlay;

            let found = Plane::<TestPlane>::try_from_opaque(one).ok_or(EPROTO)?;
            ensure(found.data().number == 7)?;
            ensure(Plane::<OtherPlane>::try_from_opaque(one).is_none())?;
            ensure(Plane::<TestPlane>::try_from_opaque(other).is_none())?;
            ensure(Plane::<OtherPlane>::try_from_opaque(other).is_some())?;

            ensure(Crtc::<TestCrtc>::try_from_opaque(&kept.crtc).is_some())?;
            ensure(Connector::<TestConnector>::try_from_opaque(&kept.connector).is_some())?;

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));

        Ok(())
    }
}
