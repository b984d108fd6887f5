// SPDX-License-Identifier: GPL-2.0

//! The DRM device.

use crate::{
    config::{
        self,
        Config,
        Id,
        Status, //
    },
    connector::RvkmsConnector,
    crtc::RvkmsCrtc,
    debugfs::ConfigFile,
    output,
    vrr::SlowestRates, //
};
use core::ops::Deref;
use kernel::{
    device::DeviceContext,
    drm::{
        self, gem,
        kms::{
            connector::DynamicConnector,
            crtc::Crtc,
            CommitDone,
            CommitTail,
            KmsDriver,
            KmsOps,
            KmsSetup,
            ModeConfigInfo, //
        },
    },
    faux,
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    }, //
};

/// The name of the driver, of its default device and in configfs.
pub(crate) const NAME: &CStr = if cfg!(CONFIG_DRM_RVKMS_AS_VKMS) {
    c"vkms"
} else {
    c"rvkms"
};

/// The largest framebuffers and modes: width and height in pixels.
pub(crate) const MAX_SIZE: (u32, u32) = (8192, 8192);

/// A virtual device. It is removed when this is dropped.
pub(crate) struct RvkmsDevice {
    /// The connectors that were added since it was registered.
    added: KVec<(Id<config::Connector>, DynamicConnector<RvkmsConnector>)>,
    _faux: faux::Registration,
    drm: ARef<drm::Device<RvkmsDriver>>,
}

impl RvkmsDevice {
    /// Creates a device as `config` says, and makes it known to user space.
    ///
    /// Fails with `EINVAL`, and a message, if the configuration is not valid.
    pub(crate) fn new(name: &CStr, config: Config) -> Result<Self> {
        if let Err(problem) = config.validate() {
            pr_info!("{name}: {problem}\n");
            return Err(EINVAL);
        }

        let faux = faux::Registration::new(name, None)?;
        let data = try_pin_init!(DeviceData {
            config,
            slowest: SlowestRates::new(),
            writebacks: Atomic::new(0),
            added <- new_mutex!(KVec::new()),
        });
        let device = drm::UnregisteredDevice::<RvkmsDriver>::new(faux.as_ref(), data)?;
        let drm = ARef::from(&*device);

        drm::Registration::new_foreign_owned(
            faux.as_ref().as_ref(),
            device,
            Ok::<_, Error>(()),
            0,
        )?;

        let mut this = Self {
            added: KVec::new(),
            _faux: faux,
            drm: drm.clone(),
        };

        for (id, connector) in drm.connectors.iter() {
            if connector.dynamic && connector.present {
                this.add_connector(id, connector)?;
            }
        }

        Ok(this)
    }

    /// Adds a connector. Does nothing if it is there already.
    pub(crate) fn add_connector(
        &mut self,
        id: Id<config::Connector>,
        connector: &config::Connector,
    ) -> Result {
        if self.has_connector(id) {
            return Ok(());
        }

        // They were made in the order of the configuration.
        let encoders = (0..)
            .zip(self.drm.encoders.iter())
            .filter(|(_, (id, _))| connector.possible_encoders().contains(id))
            .fold(0, |encoders, (index, _)| {
                encoders | 1u32.wrapping_shl(index)
            });

        // Room comes first: a connector that is there is also listed.
        self.added.reserve(1, GFP_KERNEL)?;
        self.drm.added.lock().reserve(1, GFP_KERNEL)?;
        let added = RvkmsConnector::add(&self.drm, connector, encoders)?;

        self.added.push((id, added), GFP_KERNEL)?;
        let status = connector.status().clone();

        Ok(self.drm.added.lock().push((id, status), GFP_KERNEL)?)
    }

    /// Removes a connector that was added.
    pub(crate) fn remove_connector(&mut self, id: Id<config::Connector>) {
        self.drm.added.lock().retain(|(other, _)| *other != id);
        self.added.retain(|(other, _)| *other != id);
    }

    /// Whether a connector was added.
    pub(crate) fn has_connector(&self, id: Id<config::Connector>) -> bool {
        self.added.iter().any(|(other, _)| *other == id)
    }

    /// Returns the DRM device.
    pub(crate) fn drm_dev(&self) -> &drm::Device<RvkmsDriver> {
        &self.drm
    }
}

/// What belongs to a device.
#[pin_data]
pub(crate) struct DeviceData {
    config: Config,
    /// Which displays can wait for updates.
    pub(crate) slowest: SlowestRates,
    /// How many writebacks there were.
    pub(crate) writebacks: Atomic<u64>,
    /// The connectors that were added since it was registered, and are there.
    #[pin]
    pub(crate) added: Mutex<KVec<(Id<config::Connector>, Arc<Status>)>>,
}

impl Deref for DeviceData {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
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
    type Data = DeviceData;
    type RegistrationData<'a> = ();
    type Object = gem::shmem::Object<RvkmsObject>;
    type File = RvkmsFile;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: NAME,
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
            max_resolution: MAX_SIZE,
            max_cursor: (512, 512),
            preferred_depth: 0,
            normalize_zpos: true,
        }
    }

    fn cursor_hotspot(dev: &drm::Device<Self>) -> bool {
        dev.cursor_hotspot
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, _data: &()) -> Result {
        output::create_objects(setup, setup.drm_dev())?;
        setup.add_debugfs_file::<ConfigFile>();

        Ok(())
    }

    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        let told = tail
            .commit_modeset_disables()
            .commit_planes()
            .commit_modeset_enables();
        // The next update of these CRTCs begins with `commit_hw_done()`, and may be on its way
        // when this one finds out that it is shown.
        let end = told.commit().drm_dev().writebacks.load(Relaxed);
        let done = told.commit_hw_done().wait_for_flip_done();

        for crtc in done.crtcs().filter_map(Crtc::<RvkmsCrtc>::try_from_opaque) {
            crtc.data().flip_done(end);
        }
        done.cleanup_planes()
    }
}
