// SPDX-License-Identifier: GPL-2.0

//! Rust mode setting (KMS) driver sample.
//!
//! The display of this driver is a lamp. It has the average colour of the first line of the
//! picture, and is dark while the display is off.
//!
//! `Documentation/gpu/rust-kms.rst` walks through this file.

use kernel::{
    device::DeviceContext,
    drm::{
        self,
        gem,
        kms::{
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
                DriverCrtc, //
            },
            encoder::{
                Encoder,
                EncoderType, //
            },
            fourcc,
            framebuffer::FramebufferMap,
            plane::{
                DriverPlane,
                Plane,
                PlaneState,
                PlaneStateMut,
                PlaneType,
                Scaling, //
            },
            vblank::{
                Vblank,
                VblankTimer, //
            },
            CommitDone,
            CommitTail,
            DriverState,
            KmsDriver,
            KmsOps,
            KmsSetup,
            ModeConfigInfo, //
        }, //
    },
    faux,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

module! {
    type: SampleModule,
    name: "rust_drm_kms",
    authors: ["The rvkms developers"],
    description: "Rust mode setting driver sample",
    license: "GPL",
    imports_ns: ["DMA_BUF"],
}

struct SampleModule {
    /// Removes the device when it is dropped.
    _faux: faux::Registration,
}

impl kernel::Module for SampleModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let faux = faux::Registration::new(c"rust_drm_kms", None)?;
        let drm = drm::UnregisteredDevice::<SampleDriver>::new(faux.as_ref(), Ok(()))?;
        let lamp = Ok::<_, Error>(Lamp::new());

        drm::Registration::new_foreign_owned(faux.as_ref().as_ref(), drm, lamp, 0)?;

        Ok(Self { _faux: faux })
    }
}

/// The hardware. A real driver has its registers here.
struct Lamp {
    colour: Atomic<u32>,
}

impl Lamp {
    fn new() -> Self {
        Self {
            colour: Atomic::new(0),
        }
    }

    fn light(&self, colour: u32) {
        self.colour.store(colour, Relaxed);
    }
}

struct SampleDriver;

struct SampleFile;

impl drm::file::DriverFile for SampleFile {
    type Driver = SampleDriver;

    fn open(_drm: &drm::Device<SampleDriver>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

struct SampleObject;

impl gem::DriverObject for SampleObject {
    type Driver = SampleDriver;
    type Args = ();

    const GENERIC_CREATE: Option<gem::GenericCreate<Self>> = Some(gem::GenericCreate {
        args: || (),
        import: gem::PrimeImport::Unmapped,
    });

    fn new(_drm: &drm::Device<SampleDriver>, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }
}

#[vtable]
impl drm::Driver for SampleDriver {
    type Data = ();
    type RegistrationData<'a> = Lamp;
    type Object = gem::shmem::Object<SampleObject>;
    type File = SampleFile;
    type ParentDevice<Ctx: DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 1,
        minor: 0,
        patchlevel: 0,
        name: c"rust_drm_kms",
        desc: c"Rust mode setting sample",
    };

    const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());

    kernel::declare_drm_ioctls! {}
}

#[vtable]
impl KmsDriver for SampleDriver {
    fn mode_config_info(_drm: &drm::Device<Self>) -> ModeConfigInfo {
        ModeConfigInfo {
            min_resolution: (1, 1),
            max_resolution: (4096, 4096),
            max_cursor: (64, 64),
            preferred_depth: 0,
            normalize_zpos: false,
        }
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, _lamp: &Lamp) -> Result {
        let formats = [fourcc::XRGB8888];
        let plane = Plane::<SamplePlane>::new(setup, PlaneType::Primary, &formats, None, ())?;
        setup.enable_fb_damage_clips(plane)?;
        let crtc = Crtc::<SampleCrtc>::new(setup, plane, None, None, ())?;

        let encoder = Encoder::new(setup, EncoderType::Virtual, None)?;
        setup.attach_encoder(encoder, crtc)?;

        let connector = Connector::<SampleConnector>::new(setup, ConnectorType::Virtual, ())?;
        setup.attach_connector(connector, encoder)
    }

    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        // The lamp takes a colour only while it is on.
        tail.commit_modeset_disables()
            .commit_modeset_enables()
            .commit_planes()
            .commit_hw_done()
            .wait_for_flip_done()
            .cleanup_planes()
    }
}

struct SamplePlane;

/// What the plane has in each of its states: the mapped framebuffer, if there is one.
struct SamplePlaneState {
    map: Option<FramebufferMap<SampleDriver>>,
}

impl DriverState for SamplePlaneState {
    fn new() -> Result<Self> {
        Ok(Self { map: None })
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            map: self.map.clone(),
        })
    }
}

#[vtable(unique)]
impl DriverPlane for SamplePlane {
    type Driver = SampleDriver;
    type Args = ();
    type State = SamplePlaneState;

    fn new(_drm: &drm::Device<SampleDriver>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    fn atomic_check(plane: &Plane<Self>, check: &AtomicCheck<'_, SampleDriver>) -> Result {
        check.check_plane_state(plane, Scaling::NONE, false)?;

        Ok(())
    }

    fn prepare_fb(_plane: &Plane<Self>, state: &mut PlaneStateMut<'_, Self>) -> Result {
        let map = match state.framebuffer() {
            Some(fb) => Some(fb.map()?),
            None => None,
        };

        state.data_mut().map = map;

        Ok(())
    }

    fn atomic_update(plane: &Plane<Self>, commit: &AtomicCommit<'_, SampleDriver>) {
        let Some(state) = commit.get_new_plane_state(plane) else {
            return;
        };
        let line = state.src().y1 >> 16;

        // All other lines can change as they like.
        if commit
            .plane_damage(plane)
            .any(|area| (area.y1..area.y2).contains(&line))
        {
            SampleCrtc::set_colour(state, first_line_colour(state).unwrap_or(0));
        }
    }

    fn atomic_disable(plane: &Plane<Self>, commit: &AtomicCommit<'_, SampleDriver>) {
        if let Some(state) = commit.get_old_plane_state(plane) {
            SampleCrtc::set_colour(state, 0);
        }
    }
}

/// Returns the average colour of the first line that `state` shows, as 0xrrggbb.
fn first_line_colour(state: &PlaneState<SamplePlane>) -> Result<u32> {
    let map = state.data().map.as_ref().ok_or(EINVAL)?;
    let pitch = map.framebuffer().pitch(0) as usize;

    // The unit of the source is 1/65536 pixels.
    let src = state.src();
    let x = usize::try_from(src.x1 >> 16)?;
    let y = usize::try_from(src.y1 >> 16)?;
    let width = src.width() >> 16;

    let line = y.checked_mul(pitch).ok_or(EINVAL)?;
    let mut offset = line.checked_add(x * 4).ok_or(EINVAL)?;
    let mut sums = [0u32; 3];

    for _ in 0..width {
        let mut pixel = [0; 4];
        map.read(0, offset, &mut pixel)?;
        offset += pixel.len();

        // Blue, green and red; the fourth byte is not used.
        for (sum, channel) in sums.iter_mut().zip(pixel) {
            *sum += u32::from(channel);
        }
    }

    let [blue, green, red] = sums.map(|sum| sum.checked_div(width).unwrap_or(0));

    Ok(red << 16 | green << 8 | blue)
}

struct SampleCrtc {
    /// What the lamp is to show from the next frame on.
    colour: Atomic<u32>,
    /// The last colour that was not black.
    last_colour: Atomic<u32>,
    /// How many updates there were.
    updates: Atomic<u64>,
    /// How many vertical blanks somebody waited for.
    vblanks: Atomic<u64>,
}

impl SampleCrtc {
    /// Sets the colour of the lamp for the CRTC that a plane is shown on.
    fn set_colour(state: &PlaneState<SamplePlane>, colour: u32) {
        if let Some(crtc) = state.crtc().and_then(Crtc::<Self>::try_from_opaque) {
            crtc.data().colour.store(colour, Relaxed);
        }
    }

    /// Lights the lamp, unless it is gone.
    fn light(crtc: &Crtc<Self>, colour: u32) {
        if let Some(drm) = crtc.drm_dev().registration_guard() {
            drm.registration_data_with(|lamp| lamp.light(colour));
        }
    }
}

#[vtable(unique)]
impl DriverCrtc for SampleCrtc {
    type Driver = SampleDriver;
    type Args = ();
    type State = ();
    type Vblank = VblankTimer;

    fn new(_drm: &drm::Device<SampleDriver>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self {
            colour: Atomic::new(0),
            last_colour: Atomic::new(0),
            updates: Atomic::new(0),
            vblanks: Atomic::new(0),
        })
    }

    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, SampleDriver>) {
        let Some(state) = commit.get_new_crtc_state(crtc) else {
            return;
        };

        // The update may be one that turns the CRTC off.
        if state.active() {
            let colour = crtc.data().colour.load(Relaxed);
            let update = crtc.data().updates.fetch_add(1, Relaxed);

            Self::light(crtc, colour);
            if colour != 0 {
                crtc.data().last_colour.store(colour, Relaxed);
            }
            dev_dbg!(crtc.drm_dev().as_ref(), "update {update}: #{colour:06x}\n");
        }
    }

    fn atomic_enable(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, SampleDriver>) {
        if let Some(state) = commit.get_new_crtc_state(crtc) {
            let mode = state.adjusted_mode();

            dev_info!(
                crtc.drm_dev().as_ref(),
                "on: {}x{}, {} Hz\n",
                mode.hdisplay(),
                mode.vdisplay(),
                mode.vrefresh()
            );
        }
    }

    fn atomic_disable(crtc: &Crtc<Self>, _commit: &AtomicCommit<'_, SampleDriver>) {
        Self::light(crtc, 0);

        dev_info!(
            crtc.drm_dev().as_ref(),
            "off: {} updates, {} vertical blanks, the last colour was #{:06x}\n",
            crtc.data().updates.load(Relaxed),
            crtc.data().vblanks.load(Relaxed),
            crtc.data().last_colour.load(Relaxed)
        );
    }

    fn handle_vblank(crtc: &Crtc<Self>, _vblank: &mut Vblank<'_>) {
        crtc.data().vblanks.fetch_add(1, Relaxed);
    }
}

struct SampleConnector;

#[vtable(unique)]
impl DriverConnector for SampleConnector {
    type Driver = SampleDriver;
    type Args = ();

    fn new(_drm: &drm::Device<SampleDriver>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        let count = probe.add_modes_noedid(1920, 1080);
        probe.set_preferred_mode(1024, 768);

        Ok(count)
    }
}
