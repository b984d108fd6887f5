// SPDX-License-Identifier: GPL-2.0

//! Unit tests of configurations.

use super::*;

#[kunit_tests(rvkms_config)]
mod cases {
    use super::*;

    const MINIMAL: Defaults = Defaults {
        cursor: false,
        overlays: false,
        writeback: false,
        color_pipelines: false,
        vblank: true,
        cursor_hotspot: false,
    };

    fn only<T>(objects: &Objects<T>) -> Id<T> {
        assert!(objects.len() == 1);
        objects.iter().next().unwrap().0
    }

    fn plane(config: &mut Config, kind: PlaneType, crtc: Option<Id<Crtc>>) -> Result<Id<Plane>> {
        let plane = config.planes.add(Plane::new(c"new")?)?;
        config.planes.get_mut(plane)?.kind = kind;
        if let Some(crtc) = crtc {
            config.attach_plane(plane, crtc)?;
        }

        Ok(plane)
    }

    #[test]
    fn defaults_are_valid() -> Result {
        for bits in 0..8 {
            let defaults = Defaults {
                cursor: bits & 1 != 0,
                overlays: bits & 2 != 0,
                writeback: bits & 4 != 0,
                color_pipelines: false,
                vblank: true,
                cursor_hotspot: false,
            };
            let config = Config::with_defaults(defaults)?;
            let crtc = only(&config.crtcs);
            let expected = 1 + usize::from(defaults.cursor) + 8 * usize::from(defaults.overlays);

            assert!(config.validate() == Ok(()));
            assert!(config.planes.len() == expected);
            assert!(config.primary_plane(crtc).is_some());
            assert!(config.cursor_plane(crtc).is_some() == defaults.cursor);
            assert!(config.crtcs.get(crtc)?.writeback == defaults.writeback);
        }

        Ok(())
    }

    #[test]
    fn counts() -> Result {
        assert!(Config::default().validate() == Err(Invalid::Count("planes", 0)));

        let mut config = Config::with_defaults(MINIMAL)?;
        let crtc = only(&config.crtcs);
        let encoder = only(&config.encoders);

        for _ in 1..MAX_OBJECTS {
            plane(&mut config, PlaneType::Overlay, Some(crtc))?;

            let encoder = config.encoders.add(Encoder::new(c"")?)?;
            config.attach_encoder(encoder, crtc)?;

            let connector = config.connectors.add(Connector::new(c"")?)?;
            config.attach_connector(connector, encoder)?;
        }
        assert!(config.validate() == Ok(()));

        let one_more = config.connectors.add(Connector::new(c"")?)?;
        config.attach_connector(one_more, encoder)?;
        assert!(config.validate() == Err(Invalid::Count("connectors", 32)));
        config.connectors.remove(one_more);

        let one_more = config.encoders.add(Encoder::new(c"")?)?;
        config.attach_encoder(one_more, crtc)?;
        assert!(config.validate() == Err(Invalid::Count("encoders", 32)));
        config.remove_encoder(one_more);

        let one_more = plane(&mut config, PlaneType::Overlay, Some(crtc))?;
        assert!(config.validate() == Err(Invalid::Count("planes", 32)));
        config.planes.remove(one_more);
        assert!(config.validate() == Ok(()));

        let second = config.crtcs.add(Crtc::new(c"second")?)?;
        config.attach_encoder(encoder, second)?;
        plane(&mut config, PlaneType::Primary, Some(second))?;
        let overlay = config.planes.iter().nth(1).ok_or(ENOENT)?.0;
        config.planes.remove(overlay);
        config.crtcs.get_mut(crtc)?.writeback = true;
        assert!(config.validate() == Ok(()));
        config.crtcs.get_mut(second)?.writeback = true;
        assert!(config.validate() == Err(Invalid::Writebacks("encoders", 31, 2)));

        for _ in 2..=MAX_OBJECTS {
            config.crtcs.add(Crtc::new(c"")?)?;
        }
        assert!(config.validate() == Err(Invalid::Count("CRTCs", 32)));

        Ok(())
    }

    #[test]
    fn planes_of_a_crtc() -> Result {
        let mut config = Config::with_defaults(MINIMAL)?;
        let crtc = only(&config.crtcs);
        let primary = only(&config.planes);

        let new = plane(&mut config, PlaneType::Primary, None)?;
        assert!(config.validate() == Err(Invalid::PlaneWithoutCrtc(c"new")));

        config.attach_plane(new, crtc)?;
        assert!(config.validate() == Err(Invalid::PrimaryPlanes(c"crtc")));

        config.planes.get_mut(new)?.kind = PlaneType::Cursor;
        assert!(config.validate() == Ok(()));

        let second = plane(&mut config, PlaneType::Cursor, Some(crtc))?;
        assert!(config.validate() == Err(Invalid::CursorPlanes(c"crtc")));
        config.planes.remove(second);
        assert!(config.validate() == Ok(()));

        config.planes.get_mut(primary)?.kind = PlaneType::Overlay;
        assert!(config.validate() == Err(Invalid::NoPrimaryPlane(c"crtc")));

        Ok(())
    }

    #[test]
    fn planes_of_two_crtcs() -> Result {
        let mut config = Config::with_defaults(MINIMAL)?;
        let encoder = only(&config.encoders);
        let primary = only(&config.planes);
        let first = only(&config.crtcs);
        let second = config.crtcs.add(Crtc::new(c"second")?)?;
        config.attach_encoder(encoder, second)?;

        config.attach_plane(primary, second)?;
        assert!(config.validate() == Err(Invalid::SharedPlane(c"primary")));

        config.detach_plane(primary, second);
        plane(&mut config, PlaneType::Primary, Some(second))?;
        assert!(config.validate() == Ok(()));

        let overlay = plane(&mut config, PlaneType::Overlay, Some(first))?;
        config.attach_plane(overlay, second)?;
        assert!(config.validate() == Ok(()));

        config.planes.get_mut(overlay)?.kind = PlaneType::Cursor;
        assert!(config.validate() == Err(Invalid::SharedPlane(c"new")));

        Ok(())
    }

    #[test]
    fn encoders_and_connectors() -> Result {
        let mut config = Config::with_defaults(MINIMAL)?;
        let crtc = only(&config.crtcs);
        let encoder = only(&config.encoders);
        let connector = only(&config.connectors);

        config.detach_connector(connector, encoder);
        assert!(config.validate() == Err(Invalid::ConnectorWithoutEncoder(c"connector")));
        config.attach_connector(connector, encoder)?;

        config.detach_encoder(encoder, crtc);
        assert!(config.validate() == Err(Invalid::EncoderWithoutCrtc(c"encoder")));
        config.attach_encoder(encoder, crtc)?;
        assert!(config.validate() == Ok(()));

        let second = config.crtcs.add(Crtc::new(c"second")?)?;
        plane(&mut config, PlaneType::Primary, Some(second))?;
        assert!(config.validate() == Err(Invalid::CrtcWithoutEncoder(c"second")));
        config.attach_encoder(encoder, second)?;
        assert!(config.validate() == Ok(()));

        Ok(())
    }

    #[test]
    fn links() -> Result {
        let mut config = Config::with_defaults(MINIMAL)?;
        let crtc = only(&config.crtcs);
        let plane = only(&config.planes);
        let encoder = only(&config.encoders);
        let connector = only(&config.connectors);

        assert!(config.attach_plane(plane, crtc) == Err(EEXIST));
        assert!(config.attach_encoder(encoder, crtc) == Err(EEXIST));
        assert!(config.attach_connector(connector, encoder) == Err(EEXIST));

        config.remove_crtc(crtc);
        assert!(config.planes.get(plane)?.possible_crtcs().is_empty());
        assert!(config.encoders.get(encoder)?.possible_crtcs().is_empty());
        assert!(config.attach_plane(plane, crtc) == Err(ENOENT));
        assert!(config.attach_encoder(encoder, crtc) == Err(ENOENT));

        // The name of what was removed is not used again.
        assert!(config.crtcs.add(Crtc::new(c"")?)? != crtc);

        config.remove_encoder(encoder);
        assert!(config
            .connectors
            .get(connector)?
            .possible_encoders()
            .is_empty());
        assert!(config.attach_connector(connector, encoder) == Err(ENOENT));

        Ok(())
    }

    #[test]
    fn copies_share_the_status_only() -> Result {
        let mut config = Config::with_defaults(MINIMAL)?;
        let connector = only(&config.connectors);
        let copy = config.try_clone()?;

        config
            .connectors
            .get(connector)?
            .status()
            .set(ConnectorStatus::Disconnected);
        assert!(copy.connectors.get(connector)?.status().get() == ConnectorStatus::Disconnected);

        config.connectors.remove(connector);
        assert!(copy.connectors.len() == 1);
        assert!(copy.validate() == Ok(()));

        Ok(())
    }

    #[test]
    fn status_numbers() {
        for number in 1..=3 {
            let status = Status::from_number(number);
            assert!(status.map(Status::number) == Some(number));
        }
        assert!(Status::from_number(0).is_none());
        assert!(Status::from_number(4).is_none());
    }
}
