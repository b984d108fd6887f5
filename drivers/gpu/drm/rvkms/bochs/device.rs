// SPDX-License-Identifier: GPL-2.0

//! The DRM device.

use crate::{
    connector::BochsConnector,
    convert::GAMMA_SIZE,
    crtc::BochsCrtc,
    hardware::Hardware,
    plane::BochsPlane,
    registers::MAX_RESOLUTION, //
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
            CommitDone,
            CommitTail,
            KmsDriver,
            KmsOps,
            KmsSetup,
            ModeConfigInfo, //
        },
    },
    pci,
    prelude::*, //
};

/// The DRM driver.
pub(crate) struct BochsDriver;

/// The DRM device.
pub(crate) type BochsDevice = drm::Device<BochsDriver>;

/// What outlives the binding of the device to the driver.
pub(crate) struct BochsData {
    /// The usable size of the video memory in bytes.
    pub(crate) vram_size: usize,
}

/// A file that user space has opened. There is nothing to remember.
#[pin_data]
pub(crate) struct BochsFile {}

impl drm::file::DriverFile for BochsFile {
    type Driver = BochsDriver;

    fn open(_dev: &BochsDevice) -> Result<Pin<KBox<Self>>> {
        KBox::try_pin_init(try_pin_init!(Self {}), GFP_KERNEL)
    }
}

/// A buffer in the memory of the host. There is nothing but that.
#[pin_data]
pub(crate) struct BochsObject {}

impl gem::DriverObject for BochsObject {
    type Driver = BochsDriver;
    type Args = ();

    const GENERIC_CREATE: Option<gem::GenericCreate<Self>> = Some(gem::GenericCreate {
        args: || (),
        import: gem::PrimeImport::Unmapped,
    });

    fn new(_dev: &BochsDevice, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }
}

#[vtable]
impl drm::Driver for BochsDriver {
    type Data = BochsData;
    type RegistrationData<'a> = Hardware;
    type Object = gem::shmem::Object<BochsObject>;
    type File = BochsFile;
    type ParentDevice<Ctx: DeviceContext> = pci::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: c"rvkms_bochs",
        desc: c"Bochs display",
    };

    const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());

    kernel::declare_drm_ioctls! {}
}

#[vtable]
impl KmsDriver for BochsDriver {
    fn mode_config_info(_dev: &BochsDevice) -> ModeConfigInfo {
        ModeConfigInfo {
            min_resolution: (1, 1),
            max_resolution: (MAX_RESOLUTION, MAX_RESOLUTION),
            max_cursor: (64, 64),
            preferred_depth: 24,
            normalize_zpos: false,
        }
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, _hardware: &Hardware) -> Result {
        let primary = BochsPlane::create_primary(setup)?;
        let cursor = BochsPlane::create_cursor(setup)?;
        let crtc = Crtc::<BochsCrtc>::new(setup, primary, Some(cursor), None, ())?;
        let encoder = Encoder::new(setup, EncoderType::Virtual, None)?;
        let connector = Connector::<BochsConnector>::new(setup, ConnectorType::Virtual, ())?;

        setup.enable_async_page_flip();
        setup.attach_edid_property(connector)?;
        setup.enable_color_mgmt(crtc, 0, false, GAMMA_SIZE as u32)?;
        setup.set_gamma_size(crtc, GAMMA_SIZE as u32)?;
        setup.attach_encoder(encoder, crtc)?;
        setup.attach_connector(connector, encoder)
    }

    /// Sets the mode before the planes are copied, since that clears the memory.
    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        tail.commit_modeset_disables()
            .commit_modeset_enables()
            .commit_planes()
            .commit_hw_done()
            .wait_for_flip_done()
            .cleanup_planes()
    }
}
