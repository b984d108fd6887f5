// SPDX-License-Identifier: GPL-2.0

// Two drivers that do mode setting, `Case` and `Alien`, with one kind of plane, CRTC and connector
// each, and `Other`, which does none.

include!("drm.rs");

use kernel::drm::kms::{
    self,
    atomic::{
        AtomicCheck,
        AtomicCommit, //
    },
    connector::{
        Connector,
        ConnectorProbe,
        ConnectorType,
        DriverConnector, //
    },
    crtc::{
        Crtc,
        CrtcState,
        CrtcStateMut,
        DriverCrtc, //
    },
    encoder::{
        Encoder,
        EncoderType, //
    },
    fourcc,
    framebuffer::{
        Framebuffer,
        FramebufferMap, //
    },
    plane::{
        AsyncUpdate,
        DriverPlane,
        OpaquePlane,
        OpaquePlaneState,
        Plane,
        PlaneState,
        PlaneStateMut,
        PlaneType, //
    },
    vblank::{
        NoVblank,
        VblankSource, //
    },
    CommitDone,
    CommitTail,
    DriverState,
    FlipDone,
    HwDone,
    KmsDriver,
    KmsOps,
    KmsRef,
    KmsSetup,
    ModeConfigInfo,
    ModesetsCommitted,
    ModesetsDisabled,
    PlanesCommitted, //
};

/// What a plane keeps in its states.
struct Count(u32);

impl DriverState for Count {
    fn new() -> Result<Self> {
        Ok(Self(0))
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self(self.0))
    }
}

/// Implements a driver that does mode setting, with its file, object, plane, CRTC and connector,
/// and with more items of `KmsDriver`.
macro_rules! kms_driver {
    (
        $driver:ident, $file:ident, $object:ident, $plane:ident, $crtc:ident, $connector:ident
        $(, $($item:tt)*)?
    ) => {
        struct $driver;

        drm_file!($file, $driver);
        drm_object!($object, $driver);

        #[vtable]
        impl drm::Driver for $driver {
            type Data = ();
            type RegistrationData<'a> = ();
            type File = $file;
            type Object = gem::Object<$object>;
            type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

            const INFO: drm::DriverInfo = INFO;
            const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
            const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());
        }

        #[vtable]
        impl KmsDriver for $driver {
            fn mode_config_info(_dev: &drm::Device<Self>) -> ModeConfigInfo {
                MODE_CONFIG_INFO
            }

            fn create_objects(
                _setup: &KmsSetup<'_, Self>,
                _data: &Self::RegistrationData<'_>,
            ) -> Result {
                Ok(())
            }

            $($($item)*)?
        }

        struct $plane {
            value: u32,
        }

        #[vtable(unique)]
        impl DriverPlane for $plane {
            type Driver = $driver;
            type Args = ();
            type State = Count;

            fn new(_drm: &drm::Device<$driver>, _args: ()) -> impl PinInit<Self, Error> {
                Ok(Self { value: 0 })
            }

            fn atomic_check(_plane: &Plane<Self>, _check: &AtomicCheck<'_, $driver>) -> Result {
                Ok(())
            }
        }

        struct $crtc;

        #[vtable(unique)]
        impl DriverCrtc for $crtc {
            type Driver = $driver;
            type Args = ();
            type State = ();
            type Vblank = NoVblank;

            fn new(_drm: &drm::Device<$driver>, _args: ()) -> impl PinInit<Self, Error> {
                Ok(Self)
            }
        }

        struct $connector;

        #[vtable(unique)]
        impl DriverConnector for $connector {
            type Driver = $driver;
            type Args = ();

            fn new(_drm: &drm::Device<$driver>, _args: ()) -> impl PinInit<Self, Error> {
                Ok(Self)
            }

            fn get_modes(_probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
                Ok(0)
            }
        }
    };
}

const MODE_CONFIG_INFO: ModeConfigInfo = ModeConfigInfo {
    min_resolution: (1, 1),
    max_resolution: (4096, 4096),
    max_cursor: (64, 64),
    preferred_depth: 0,
    normalize_zpos: false,
};

const FORMATS: [u32; 1] = [fourcc::XRGB8888];

kms_driver!(Case, CaseFile, CaseObject, CasePlane, CaseCrtc, CaseConnector);
kms_driver!(Alien, AlienFile, AlienObject, AlienPlane, AlienCrtc, AlienConnector);

fn is_send<T: Send>() {}

fn is_sync<T: Sync>() {}
