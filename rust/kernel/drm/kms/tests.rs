// SPDX-License-Identifier: GPL-2.0 OR MIT

//! KUnit tests of the mode setting layer.
//!
//! They use a driver that counts what it makes and frees. What it creates is up to each test.

mod check;
mod color;
mod dynamic;
mod framebuffer;
mod hotspot;
mod lifetime;
mod setup;
mod tail;
mod values;
mod writeback;

use super::{
    atomic::{
        AtomicCheck,
        AtomicCommit, //
    },
    blend::rotation,
    connector::{
        Connector,
        ConnectorProbe,
        ConnectorStatus,
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
    plane::{
        DriverPlane,
        OpaquePlane,
        Plane,
        PlaneType,
        Scaling, //
    },
    vblank::VblankTimer,
    writeback::WritebackConnector,
    CommitDone,
    CommitTail,
    DriverState,
    KmsDriver,
    KmsOps,
    KmsRef,
    KmsSetup,
    ModeConfigInfo,
    MAX_OBJECTS, //
};
use crate::{
    bindings,
    device,
    drm::{
        self,
        gem, //
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
        Completion,
        Mutex, //
    },
    types::Opaque,
    workqueue, //
};

/// What a device and its objects did.
#[pin_data]
struct Tally {
    /// How many objects were made.
    made: Atomic<i32>,
    /// How many of them are not freed yet.
    alive: Atomic<i32>,
    /// How many of them were freed after the device's data.
    orphans: Atomic<i32>,
    /// How often the device's data was freed.
    data_freed: Atomic<i32>,
    /// How often the registration data was freed.
    registration_data_freed: Atomic<i32>,
    /// Whether cursors have hotspots.
    hotspots: Atomic<bool>,
    /// Whether updates turn on what they turn on before they update the planes.
    enables_first: Atomic<bool>,
    /// Whether all updates of CRTCs are refused.
    refuses: Atomic<bool>,
    /// How many updates of planes ended with the event of the update still to be sent.
    pending_events: Atomic<i32>,
    /// References to objects, which keep their device alive until they are taken out.
    #[pin]
    kept: Mutex<Option<Kept>>,
    /// Another device, which is unplugged in the middle of an update.
    #[pin]
    leaving: Mutex<Option<TestDevice>>,
    /// As `kept`.
    #[pin]
    writeback: Mutex<Option<KmsRef<WritebackConnector<TestDriver>>>>,
}

impl Tally {
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                made: Atomic::new(0),
                alive: Atomic::new(0),
                orphans: Atomic::new(0),
                data_freed: Atomic::new(0),
                registration_data_freed: Atomic::new(0),
                hotspots: Atomic::new(false),
                enables_first: Atomic::new(false),
                refuses: Atomic::new(false),
                pending_events: Atomic::new(0),
                kept <- new_mutex!(None),
                leaving <- new_mutex!(None),
                writeback <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )
    }

    /// Whether the device and all of it is freed, each once, and in the right order.
    fn all_freed(&self) -> bool {
        self.alive.load(Relaxed) == 0
            && self.orphans.load(Relaxed) == 0
            && self.data_freed.load(Relaxed) == 1
            && self.registration_data_freed.load(Relaxed) <= 1
    }
}

/// References to all objects of a device.
struct Kept {
    primary: KmsRef<Plane<TestPlane>>,
    cursor: KmsRef<Plane<TestPlane>>,
    overlay: KmsRef<Plane<OtherPlane>>,
    crtc: KmsRef<Crtc<TestCrtc>>,
    encoder: KmsRef<Encoder<TestDriver>>,
    connector: KmsRef<Connector<TestConnector>>,
}

/// A part of each object.
struct Token(Arc<Tally>);

impl Token {
    fn new(drm: &drm::Device<TestDriver>) -> Self {
        drm.tally.made.add(1, Relaxed);
        drm.tally.alive.add(1, Relaxed);

        Self(drm.tally.clone())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Relaxed);
        if self.0.data_freed.load(Relaxed) != 0 {
            self.0.orphans.add(1, Relaxed);
        }
    }
}

/// How many states are not freed yet.
static STATES: Atomic<i32> = Atomic::new(0);

/// Whether no more states can be made.
static NO_STATES: Atomic<bool> = Atomic::new(false);

struct TestState {
    value: u32,
}

impl TestState {
    fn with(value: u32) -> Result<Self> {
        if NO_STATES.load(Relaxed) {
            return Err(ENOMEM);
        }
        STATES.add(1, Relaxed);

        Ok(Self { value })
    }
}

impl Drop for TestState {
    fn drop(&mut self) {
        STATES.fetch_sub(1, Relaxed);
    }
}

impl DriverState for TestState {
    fn new() -> Result<Self> {
        Self::with(1)
    }

    fn duplicate(&self) -> Result<Self> {
        Self::with(self.value)
    }
}

/// Creates the objects of a device.
type Create = fn(&KmsSetup<'_, TestDriver>) -> Result;

struct TestData {
    tally: Arc<Tally>,
    create: Create,
    /// Objects of another device.
    foreign: Option<Kept>,
}

impl Drop for TestData {
    fn drop(&mut self) {
        self.tally.data_freed.add(1, Relaxed);
    }
}

struct TestRegistrationData(Arc<Tally>);

impl Drop for TestRegistrationData {
    fn drop(&mut self) {
        self.0.registration_data_freed.add(1, Relaxed);
    }
}

struct TestDriver;

struct TestFile;

impl drm::file::DriverFile for TestFile {
    type Driver = TestDriver;

    fn open(_dev: &drm::Device<TestDriver>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

#[pin_data]
struct TestObject {}

impl gem::DriverObject for TestObject {
    type Driver = TestDriver;
    type Args = ();

    const GENERIC_CREATE: Option<gem::GenericCreate<Self>> = Some(gem::GenericCreate {
        args: || (),
        import: gem::PrimeImport::Unmapped,
    });

    fn new(_dev: &drm::Device<TestDriver>, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }
}

#[vtable]
impl drm::Driver for TestDriver {
    type Data = TestData;
    type RegistrationData<'a> = TestRegistrationData;
    type File = TestFile;
    type Object = gem::shmem::Object<TestObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"kunit-kms",
        desc: c"KUnit",
    };
    const IOCTLS: &'static [drm::ioctl::DrmIoctlDescriptor] = &[];
    const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());
}

const INFO: ModeConfigInfo = ModeConfigInfo {
    min_resolution: (1, 2),
    max_resolution: (4096, 2048),
    max_cursor: (64, 32),
    preferred_depth: 24,
    normalize_zpos: true,
};

#[vtable]
impl KmsDriver for TestDriver {
    fn mode_config_info(_dev: &drm::Device<Self>) -> ModeConfigInfo {
        INFO
    }

    fn cursor_hotspot(dev: &drm::Device<Self>) -> bool {
        dev.tally.hotspots.load(Relaxed)
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, _data: &Self::RegistrationData<'_>) -> Result {
        (setup.drm_dev().create)(setup)
    }

    fn atomic_commit_tail<'a>(tail: CommitTail<'a, Self>) -> CommitDone<'a> {
        let tally = &tail.commit().drm_dev().tally;
        let enables_first = tally.enables_first.load(Relaxed);

        let leaving = tally.leaving.lock().take();
        if let Some(Err(err)) = leaving.map(TestDevice::unplug_elsewhere) {
            pr_err!("Cannot unplug the other device: {err:?}\n");
        }

        let disabled = tail.commit_modeset_disables();

        let committed = if enables_first {
            disabled.commit_modeset_enables().commit_planes()
        } else {
            disabled.commit_planes().commit_modeset_enables()
        };
        committed
            .commit_hw_done()
            .wait_for_flip_done()
            .cleanup_planes()
    }
}

struct TestPlane {
    number: u32,
    _token: Token,
}

#[vtable(unique)]
impl DriverPlane for TestPlane {
    type Driver = TestDriver;
    type Args = Result<u32>;
    type State = TestState;

    fn new(drm: &drm::Device<TestDriver>, args: Result<u32>) -> impl PinInit<Self, Error> {
        args.map(|number| Self {
            number,
            _token: Token::new(drm),
        })
    }

    fn atomic_check(_plane: &Plane<Self>, _check: &AtomicCheck<'_, TestDriver>) -> Result {
        Ok(())
    }
}

/// Another kind of plane, with the same callbacks.
struct OtherPlane {
    _token: Token,
}

#[vtable(unique)]
impl DriverPlane for OtherPlane {
    type Driver = TestDriver;
    type Args = ();
    type State = ();

    fn new(drm: &drm::Device<TestDriver>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self {
            _token: Token::new(drm),
        })
    }

    fn atomic_check(_plane: &Plane<Self>, _check: &AtomicCheck<'_, TestDriver>) -> Result {
        Ok(())
    }
}

struct TestCrtc {
    _token: Token,
}

#[vtable(unique)]
impl DriverCrtc for TestCrtc {
    type Driver = TestDriver;
    type Args = Result;
    type State = TestState;
    type Vblank = VblankTimer;

    fn new(drm: &drm::Device<TestDriver>, args: Result) -> impl PinInit<Self, Error> {
        args.map(|()| Self {
            _token: Token::new(drm),
        })
    }

    fn atomic_check(crtc: &Crtc<Self>, _check: &AtomicCheck<'_, TestDriver>) -> Result {
        if crtc.drm_dev().tally.refuses.load(Relaxed) {
            return Err(EXDEV);
        }
        Ok(())
    }

    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, TestDriver>) {
        // SAFETY: The CRTC is part of the update, the only one there is, which is being carried
        // out by this thread.
        let event = unsafe {
            let entry = (*commit.as_raw()).crtcs.add(crtc.index() as usize);
            (*(*entry).new_state).event
        };

        if !event.is_null() {
            crtc.drm_dev().tally.pending_events.add(1, Relaxed);
        }
    }
}

struct TestConnector {
    _token: Token,
}

#[vtable(unique)]
impl DriverConnector for TestConnector {
    type Driver = TestDriver;
    type Args = Result;

    fn new(drm: &drm::Device<TestDriver>, args: Result) -> impl PinInit<Self, Error> {
        args.map(|()| Self {
            _token: Token::new(drm),
        })
    }

    fn get_modes(_probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        Ok(0)
    }

    // Nothing is connected, so that the console stays where it is.
    fn detect(_connector: &Connector<Self>, _force: bool) -> ConnectorStatus {
        ConnectorStatus::Disconnected
    }
}

const FORMATS: [u32; 2] = [fourcc::XRGB8888, fourcc::ARGB8888];

/// The number of objects with a [`Token`] that [`create_kept`] makes.
const NUM_OBJECTS: i32 = 5;

fn new_plane<'a>(
    setup: &'a KmsSetup<'_, TestDriver>,
    kind: PlaneType,
    number: u32,
) -> Result<&'a Plane<TestPlane>> {
    Plane::new(setup, kind, &FORMATS, None, Ok(number))
}

fn new_crtc<'a>(
    setup: &'a KmsSetup<'_, TestDriver>,
    primary: &OpaquePlane<TestDriver>,
    cursor: Option<&OpaquePlane<TestDriver>>,
) -> Result<&'a Crtc<TestCrtc>> {
    Crtc::new(setup, primary, cursor, None, Ok(()))
}

fn create_all(setup: &KmsSetup<'_, TestDriver>) -> Result<Kept> {
    let primary = new_plane(setup, PlaneType::Primary, 7)?;
    let cursor = new_plane(setup, PlaneType::Cursor, 8)?;
    let overlay = Plane::<OtherPlane>::new(setup, PlaneType::Overlay, &FORMATS, None, ())?;
    let crtc = new_crtc(setup, primary, Some(cursor))?;
    let encoder = Encoder::new(setup, EncoderType::Virtual, None)?;
    let connector = Connector::<TestConnector>::new(setup, ConnectorType::Virtual, Ok(()))?;

    setup.attach_plane(overlay, crtc)?;
    setup.attach_encoder(encoder, crtc)?;
    setup.attach_connector(connector, encoder)?;

    Ok(Kept {
        primary: primary.into(),
        cursor: cursor.into(),
        overlay: overlay.into(),
        crtc: crtc.into(),
        encoder: encoder.into(),
        connector: connector.into(),
    })
}

/// Creates a usable device.
fn create_device(setup: &KmsSetup<'_, TestDriver>) -> Result {
    create_all(setup).map(drop)
}

/// Creates a usable device, and leaves references to its objects in the [`Tally`].
fn create_kept(setup: &KmsSetup<'_, TestDriver>) -> Result {
    let kept = create_all(setup)?;
    *setup.drm_dev().tally.kept.lock() = Some(kept);

    Ok(())
}

/// How many devices there have been.
static NUM_DEVICES: Atomic<u32> = Atomic::new(0);

/// A device that is registered until it is dropped.
struct TestDevice {
    drm: ARef<drm::Device<TestDriver>>,
    faux: faux::Registration,
}

impl TestDevice {
    fn register(tally: &Arc<Tally>, create: Create, foreign: Option<Kept>) -> Result<Self> {
        // A test has two devices at most.
        let name = match NUM_DEVICES.fetch_add(1, Relaxed) % 2 {
            0 => c"kunit-kms",
            _ => c"kunit-kms-other",
        };
        let faux = faux::Registration::new(name, None)?;
        let data = TestData {
            tally: tally.clone(),
            create,
            foreign,
        };
        let drm = drm::UnregisteredDevice::<TestDriver>::new(faux.as_ref(), Ok(data))?;
        let this = Self {
            drm: (&*drm).into(),
            faux,
        };

        drm::Registration::new_foreign_owned(
            this.faux.as_ref().as_ref(),
            drm,
            Ok::<_, Error>(TestRegistrationData(tally.clone())),
            0,
        )?;

        Ok(this)
    }

    /// Unregisters the device on another thread, whose locks are its own, and waits for that.
    fn unplug_elsewhere(self) -> Result {
        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let unplugged = done.clone();

        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            drop(self);
            unplugged.complete_all();
        })?;
        done.wait_for_completion();

        Ok(())
    }

    /// Unregisters the device.
    fn unplug(self) -> ARef<drm::Device<TestDriver>> {
        self.drm
    }
}

/// Returns the error of setting up a device that is not to be registered.
fn setup_error(tally: &Arc<Tally>, create: Create) -> Option<Error> {
    TestDevice::register(tally, create, None).err()
}

/// Calls `f` with an update in the check phase, which is not carried out.
fn with_check<R>(
    drm: &drm::Device<TestDriver>,
    f: impl FnOnce(&AtomicCheck<'_, TestDriver>) -> R,
) -> Result<R> {
    let ctx = Opaque::<bindings::drm_modeset_acquire_ctx>::zeroed();

    // SAFETY: `drm` has a mode configuration. The locks are dropped, and the commit freed, before
    // `ctx` is.
    unsafe {
        let commit = bindings::drm_atomic_commit_alloc(drm.as_raw());
        if commit.is_null() {
            return Err(ENOMEM);
        }

        bindings::drm_modeset_acquire_init(ctx.get(), 0);
        (*commit).acquire_ctx = ctx.get();

        let result = f(&AtomicCheck::new(commit));

        bindings::__drm_atomic_commit_free(&raw mut (*commit).ref_);
        bindings::drm_modeset_drop_locks(ctx.get());
        bindings::drm_modeset_acquire_fini(ctx.get());

        Ok(result)
    }
}

fn ensure(condition: bool) -> Result {
    if condition {
        Ok(())
    } else {
        Err(EPROTO)
    }
}
