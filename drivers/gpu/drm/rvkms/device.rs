// SPDX-License-Identifier: GPL-2.0

//! The DRM device.

use crate::{
    connector::RvkmsConnector,
    crtc::{
        RvkmsCrtc,
        LUT_SIZE, //
    },
    plane::RvkmsPlane,
};
use kernel::{
    device::DeviceContext,
    drm::{
        self, gem,
        kms::{
            connector::{
                Connector,
                ConnectorType, //
            },
            crtc::Crtc,
            encoder::{
                Encoder,
                EncoderType, //
            },
            plane::PlaneType,
            CommitDone,
            CommitTail,
            KmsDriver,
            KmsOps,
            KmsSetup,
            ModeConfigInfo, //
        },
    },
    faux,
    prelude::*, //
};

/// The number of overlay planes that a module parameter adds.
const NUM_OVERLAYS: u32 = 8;

/// What a device is made of.
pub(crate) struct Config {
    /// Whether there is a cursor plane.
    pub(crate) cursor: bool,
    /// Whether there are overlay planes.
    pub(crate) overlays: bool,
}

/// A virtual device. It is removed when this is dropped.
pub(crate) struct RvkmsDevice {
    _faux: faux::Registration,
}

impl RvkmsDevice {
    /// Creates a device, and makes it known to user space.
    pub(crate) fn new(name: &CStr, config: Config) -> Result<Self> {
        let faux = faux::Registration::new(name, None)?;
        let drm = drm::UnregisteredDevice::<RvkmsDriver>::new(faux.as_ref(), Ok(config))?;

        drm::Registration::new_foreign_owned(faux.as_ref().as_ref(), drm, Ok::<_, Error>(()), 0)?;

        Ok(Self { _faux: faux })
    }
}

/// The DRM driver.
pub(crate) struct RvkmsDriver;

/// A file that user space has opened. There is nothing to remember.
#[pin_data]
pub(crate) struct RvkmsFile {}

impl drm::file::DriverFile for RvkmsFile {
    type Driver = RvkmsDriver;

    fn open(_dev: &drm::Device<RvkmsDriver>) -> Result<Pin<KBox<Self>>> {
        KBox::try_pin_init(try_pin_init!(Self {}), GFP_KERNEL)
    }
}

/// A buffer. There is nothing but its memory.
#[pin_data]
pub(crate) struct RvkmsObject {}

impl gem::DriverObject for RvkmsObject {
    type Driver = RvkmsDriver;
    type Args = ();

    const GENERIC_CREATE: Option<gem::GenericCreate<Self>> = Some(gem::GenericCreate {
        args: || (),
        import: gem::PrimeImport::Unmapped,
    });

    fn new(
        _dev: &drm::Device<RvkmsDriver>,
        _size: usize,
        _args: Self::Args,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }
}

#[vtable]
impl drm::Driver for RvkmsDriver {
    type Data = Config;
    type RegistrationData<'a> = ();
    type Object = gem::shmem::Object<RvkmsObject>;
    type File = RvkmsFile;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: c"rvkms",
        desc: c"Virtual Kernel Mode Setting",
    };

    const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());

    kernel::declare_drm_ioctls! {}
}

#[vtable]
impl KmsDriver for RvkmsDriver {
    fn mode_config_info(_dev: &drm::Device<Self>) -> ModeConfigInfo {
        ModeConfigInfo {
            min_resolution: (10, 10),
            max_resolution: (8192, 8192),
            max_cursor: (512, 512),
            preferred_depth: 0,
            normalize_zpos: true,
        }
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, _data: &()) -> Result {
        let config = setup.drm_dev();

        let num_overlays = if config.overlays { NUM_OVERLAYS } else { 0 };
        let count = 1 + num_overlays + u32::from(config.cursor);

        let primary = RvkmsPlane::create(setup, PlaneType::Primary, 0, count)?;

        let mut overlays = KVec::new();
        for zpos in 1..=num_overlays {
            let plane = RvkmsPlane::create(setup, PlaneType::Overlay, zpos, count)?;
            overlays.push(plane, GFP_KERNEL)?;
        }

        let cursor = if config.cursor {
            Some(RvkmsPlane::create(
                setup,
                PlaneType::Cursor,
                count - 1,
                count,
            )?)
        } else {
            None
        };

        let crtc =
            Crtc::<RvkmsCrtc>::new(setup, primary, cursor.map(|cursor| &**cursor), None, ())?;
        setup.enable_color_mgmt(crtc, LUT_SIZE, false, LUT_SIZE)?;
        setup.attach_background_color_property(crtc)?;

        for plane in overlays {
            setup.attach_plane(plane, crtc)?;
        }

        let encoder = Encoder::new(setup, EncoderType::Virtual, None)?;
        setup.attach_encoder(encoder, crtc)?;

        let connector = Connector::<RvkmsConnector>::new(setup, ConnectorType::Virtual, ())?;
        setup.attach_connector(connector, encoder)
    }

    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        let done = tail
            .commit_modeset_disables()
            .commit_planes()
            .commit_modeset_enables()
            .commit_hw_done();

        done.wait_for_flip_done();
        done.cleanup_planes()
    }
}
