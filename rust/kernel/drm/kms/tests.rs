// SPDX-License-Identifier: GPL-2.0 OR MIT

//! KUnit tests of the mode setting layer.
//!
//! They use a driver that counts what it makes and frees. What it creates is up to each test.

use super::{
    atomic::AtomicCheck,
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
        Scaling,
        MAX_FORMATS, //
    },
    vblank::VblankTimer,
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
        Mutex, //
    },
    types::Opaque, //
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
    /// References to objects, which keep their device alive until they are taken out.
    #[pin]
    kept: Mutex<Option<Kept>>,
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
                kept <- new_mutex!(None),
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

    fn create_objects(setup: &KmsSetup<'_, Self>, _data: &Self::RegistrationData<'_>) -> Result {
        (setup.drm_dev().create)(setup)
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

/// A device that is registered until it is dropped.
struct TestDevice {
    drm: ARef<drm::Device<TestDriver>>,
    faux: faux::Registration,
}

impl TestDevice {
    fn register(tally: &Arc<Tally>, create: Create, foreign: Option<Kept>) -> Result<Self> {
        let faux = faux::Registration::new(c"kunit-kms", None)?;
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

#[kunit_tests(rust_drm_kms_device)]
mod device_tests {
    use super::*;

    #[test]
    fn all_is_freed_in_order() -> Result {
        let tally = Tally::new()?;
        let states = STATES.load(Relaxed);
        let device = TestDevice::register(&tally, create_device, None)?;

        assert_eq!(tally.made.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert!(STATES.load(Relaxed) > states);
        assert_eq!(tally.registration_data_freed.load(Relaxed), 0);

        drop(device);
        assert!(tally.all_freed());
        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        assert_eq!(STATES.load(Relaxed), states);

        Ok(())
    }

    #[test]
    fn objects_live_as_long_as_the_device() -> Result {
        let tally = Tally::new()?;
        let drm = TestDevice::register(&tally, create_device, None)?.unplug();

        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.data_freed.load(Relaxed), 0);

        drop(drm);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn reference_to_an_object_keeps_the_device() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let plane = tally.kept.lock().take().ok_or(ENODATA)?.primary;
        let again = plane.clone();

        drop(device);
        drop(plane);
        assert_eq!(tally.alive.load(Relaxed), NUM_OBJECTS);
        assert_eq!(tally.data_freed.load(Relaxed), 0);
        assert_eq!(again.data().number, 7);

        drop(again);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn limits_are_told_to_the_core() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;

        // SAFETY: The device has a mode configuration, and these fields of it do not change.
        let config = unsafe { &(*device.drm.as_raw()).mode_config };

        assert_eq!((config.min_width, config.min_height), (1, 2));
        assert_eq!((config.max_width, config.max_height), (4096, 2048));
        assert_eq!((config.cursor_width, config.cursor_height), (64, 32));
        assert_eq!(config.preferred_depth, 24);
        assert!(config.normalize_zpos);

        Ok(())
    }

    #[test]
    fn guard_exists_while_registered() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            ensure(setup.drm_dev().registration_guard().is_none())?;
            create_device(setup)
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        assert!(device.drm.registration_guard().is_some());

        let drm = device.unplug();
        assert!(drm.registration_guard().is_none());

        Ok(())
    }

    #[test]
    fn no_guard_if_registration_fails() -> Result {
        let tally = Tally::new()?;
        let faux = faux::Registration::new(c"kunit-kms", None)?;
        let data = TestData {
            tally: tally.clone(),
            create: |_setup| Err(EXDEV),
            foreign: None,
        };
        let unregistered = drm::UnregisteredDevice::<TestDriver>::new(faux.as_ref(), Ok(data))?;
        let drm: ARef<drm::Device<TestDriver>> = (&*unregistered).into();
        assert!(drm.registration_guard().is_none());

        let ret = drm::Registration::new_foreign_owned(
            faux.as_ref().as_ref(),
            unregistered,
            Ok::<_, Error>(TestRegistrationData(tally.clone())),
            0,
        );
        assert_eq!(ret.err(), Some(EXDEV));
        assert!(drm.registration_guard().is_none());
        assert_eq!(tally.registration_data_freed.load(Relaxed), 1);
        drm.hotplug_event();

        drop(drm);
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn hotplug_at_any_time() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            setup.drm_dev().hotplug_event();
            create_device(setup)
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        device.drm.hotplug_event();

        let drm = device.unplug();
        drm.hotplug_event();

        Ok(())
    }

    #[test]
    fn parent_must_be_the_device_s_own() -> Result {
        let tally = Tally::new()?;
        let parent = faux::Registration::new(c"kunit-kms", None)?;
        let stranger = faux::Registration::new(c"kunit-kms-other", None)?;
        let data = TestData {
            tally: tally.clone(),
            create: create_device,
            foreign: None,
        };
        let drm = drm::UnregisteredDevice::<TestDriver>::new(parent.as_ref(), Ok(data))?;

        let ret = drm::Registration::new_foreign_owned(
            stranger.as_ref().as_ref(),
            drm,
            Ok::<_, Error>(TestRegistrationData(tally.clone())),
            0,
        );
        assert_eq!(ret.err(), Some(EINVAL));
        assert_eq!(tally.made.load(Relaxed), 0);
        assert!(tally.all_freed());

        Ok(())
    }
}

#[kunit_tests(rust_drm_kms_setup)]
mod setup_tests {
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
            ensure(new(&[fourcc::XRGB8888; MAX_FORMATS + 1]) == Err(EINVAL))?;
            ensure(setup.drm_dev().tally.made.load(Relaxed) == 0)?;
            ensure(new(&[fourcc::XRGB8888; MAX_FORMATS]) == Ok(()))?;
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

#[kunit_tests(rust_drm_kms_check)]
mod check_tests {
    use super::*;

    /// Calls `f` with a registered device's objects, and an update of it.
    fn with_device(f: fn(&AtomicCheck<'_, TestDriver>, &Kept) -> Result) -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let kept = tally.kept.lock().take().ok_or(ENODATA)?;

        with_check(&device.drm, |check| f(check, &kept))?
    }

    #[test]
    fn a_state_is_borrowed_once() -> Result {
        with_device(|check, kept| {
            let plane = &kept.primary;
            ensure(check.get_new_plane_state(plane).is_none())?;
            ensure(check.get_old_plane_state(plane).is_none())?;

            let state = check.get_plane_state(plane)?;
            ensure(check.get_plane_state(plane).err() == Some(EBUSY))?;
            ensure(check.get_new_plane_state(plane).is_none())?;
            // Others are not borrowed.
            check.get_crtc_state(&kept.crtc)?;
            check.get_plane_state(&kept.overlay)?;

            drop(state);
            ensure(check.get_new_plane_state(plane).is_some())?;

            let state = check.get_crtc_state(&kept.crtc)?;
            ensure(check.get_crtc_state(&kept.crtc).err() == Some(EBUSY))?;
            ensure(check.get_new_crtc_state(&kept.crtc).is_none())?;
            drop(state);
            ensure(check.get_new_crtc_state(&kept.crtc).is_some())
        })
    }

    #[test]
    fn a_new_state_is_a_copy() -> Result {
        with_device(|check, kept| {
            let mut state = check.get_plane_state(&kept.primary)?;
            ensure(state.data().value == 1)?;
            state.data_mut().value = 2;
            drop(state);

            let state = check.get_plane_state(&kept.primary)?;
            let old = check.get_old_plane_state(&kept.primary).ok_or(EPROTO)?;
            ensure(state.data().value == 2 && old.data().value == 1)?;
            ensure(core::ptr::eq(state.plane(), &**kept.primary))?;
            ensure(state.crtc().is_none() && state.framebuffer().is_none())
        })
    }

    #[test]
    fn borrows_can_be_exchanged() -> Result {
        with_device(|check, kept| {
            let mut first = check.get_plane_state(&kept.primary)?;
            let mut second = check.get_plane_state(&kept.cursor)?;

            core::mem::swap(&mut first, &mut second);
            drop(first);
            ensure(check.get_new_plane_state(&kept.primary).is_none())?;
            ensure(check.get_new_plane_state(&kept.cursor).is_some())?;
            drop(second);
            ensure(check.get_new_plane_state(&kept.primary).is_some())
        })
    }

    #[test]
    fn a_plane_without_a_crtc_is_not_visible() -> Result {
        with_device(|check, kept| {
            let check_plane = || check.check_plane_state(&kept.primary, Scaling::NONE, true);
            ensure(check_plane() == Err(EINVAL))?;

            check.get_plane_state(&kept.primary)?;
            ensure(check_plane() == Ok(false))
        })
    }

    #[test]
    fn objects_of_another_device_have_no_state() -> Result {
        let tally = Tally::new()?;
        let _device = TestDevice::register(&tally, create_kept, None)?;
        let foreign = tally.kept.lock().take().ok_or(ENODATA)?;

        let own_tally = Tally::new()?;
        let own = TestDevice::register(&own_tally, create_device, None)?;

        with_check(&own.drm, |check| {
            ensure(check.get_plane_state(&foreign.primary).err() == Some(EINVAL))?;
            ensure(check.get_new_plane_state(&foreign.primary).is_none())?;
            ensure(check.get_old_plane_state(&foreign.primary).is_none())?;
            ensure(check.get_crtc_state(&foreign.crtc).err() == Some(EINVAL))?;
            ensure(check.get_new_crtc_state(&foreign.crtc).is_none())?;
            ensure(check.get_old_crtc_state(&foreign.crtc).is_none())?;
            ensure(check.add_affected_planes(&foreign.crtc) == Err(EINVAL))
        })?
    }

    #[test]
    fn planes_of_a_crtc_that_is_not_part_of_it() -> Result {
        with_device(|check, kept| {
            ensure(check.add_affected_planes(&kept.crtc) == Err(EINVAL))?;
            check.get_crtc_state(&kept.crtc)?;
            check.add_affected_planes(&kept.crtc)
        })
    }

    #[test]
    fn a_failure_is_not_forgotten() -> Result {
        let ret = with_device(|check, kept| {
            ensure(check.result(Ok(())) == Ok(()))?;
            ensure(check.result(Err(ERANGE)) == Err(ERANGE))?;

            NO_STATES.store(true, Relaxed);
            ensure(check.get_plane_state(&kept.primary).err() == Some(ENOMEM))?;
            NO_STATES.store(false, Relaxed);

            ensure(check.get_new_plane_state(&kept.primary).is_none())?;
            ensure(check.get_plane_state(&kept.primary).err() == Some(ENOMEM))?;
            ensure(check.get_crtc_state(&kept.crtc).err() == Some(ENOMEM))?;
            ensure(check.result(Ok(())) == Err(ENOMEM))?;
            ensure(check.result(Err(ERANGE)) == Err(ENOMEM))
        });
        NO_STATES.store(false, Relaxed);

        ret
    }
}

#[kunit_tests(rust_drm_kms_values)]
mod value_tests {
    use super::{
        super::{
            modes::{
                DisplayMode,
                ModeStatus, //
            },
            rect::Rect,
            vblank::{
                NoVblank,
                VblankSource, //
            },
        },
        *,
    };

    /// Clock in kHz, columns, lines, flags and scans of each line.
    type Timing = (i32, u16, u16, u32, u16);

    fn with_mode<R>(timing: Timing, f: impl FnOnce(&DisplayMode) -> R) -> R {
        let mode = Opaque::<bindings::drm_display_mode>::zeroed();

        // SAFETY: `mode` is valid, and does not change once it has been filled in.
        unsafe {
            let raw = mode.get();
            ((*raw).clock, (*raw).htotal, (*raw).vtotal) = (timing.0, timing.1, timing.2);
            ((*raw).flags, (*raw).vscan) = (timing.3, timing.4);

            f(DisplayMode::from_raw(raw))
        }
    }

    const DBLSCAN: u32 = bindings::DRM_MODE_FLAG_DBLSCAN;
    const MAX: u16 = u16::MAX;

    #[test]
    fn durations_of_frames() {
        let duration = |timing| with_mode(timing, DisplayMode::frame_duration_ns);

        assert_eq!(duration((148_500, 2200, 1125, 0, 0)), Some(16_666_666));
        assert_eq!(
            duration((148_500, 2200, 1125, DBLSCAN, 0)),
            Some(33_333_333)
        );
        assert_eq!(duration((148_500, 2200, 1125, 0, 1)), Some(16_666_666));
        assert_eq!(
            duration((148_500, 2200, 1125, DBLSCAN, 3)),
            Some(100_000_000)
        );
        assert_eq!(duration((1, 1, 1, 0, 0)), Some(1_000_000));
        assert_eq!(duration((1000, 0, 1, 0, 0)), Some(0));

        // No clock.
        assert_eq!(duration((0, 2200, 1125, 0, 0)), None);
        assert_eq!(duration((-1, 2200, 1125, 0, 0)), None);
        assert_eq!(duration((i32::MIN, 2200, 1125, 0, 0)), None);

        // The longest ones.
        let pixels = u64::from(MAX) * u64::from(MAX);
        assert_eq!(duration((1, MAX, MAX, 0, 0)), Some(pixels * 1_000_000));
        assert_eq!(duration((1, MAX, MAX, DBLSCAN, MAX)), None);
    }

    #[test]
    fn refresh_rates() {
        let vrefresh = |timing| with_mode(timing, DisplayMode::vrefresh);

        assert_eq!(vrefresh((148_500, 2200, 1125, 0, 0)), 60);
        assert_eq!(vrefresh((148_352, 2200, 1125, 0, 0)), 60);
        assert_eq!(vrefresh((148_500, 2200, 1125, DBLSCAN, 0)), 30);
        assert_eq!(vrefresh((0, 2200, 1125, 0, 0)), 0);
        assert_eq!(vrefresh((148_500, 0, 0, 0, 0)), 0);
        assert_eq!(with_mode((-1, 2200, 1125, 0, 0), DisplayMode::clock), 0);
    }

    #[test]
    fn modes_of_the_vblank_timer() {
        let status = |timing| with_mode(timing, VblankTimer::mode_valid);

        assert_eq!(status((148_500, 2200, 1125, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((0, 2200, 1125, 0, 0)), ModeStatus::NoClock);
        assert_eq!(status((-5, 2200, 1125, 0, 0)), ModeStatus::NoClock);

        // More than 1000 frames a second, or less than one.
        assert_eq!(status((1_000_000, 1000, 1000, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((1_001_002, 1000, 1000, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((1_000_000, 0, 1000, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((i32::MAX, 1, 1, 0, 0)), ModeStatus::ClockHigh);
        assert_eq!(status((1000, 1000, 1000, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((999, 1000, 1000, 0, 0)), ModeStatus::ClockLow);
        assert_eq!(status((1000, 1000, 1000, DBLSCAN, 0)), ModeStatus::ClockLow);

        // The core computes the duration of a frame in 32 bits, with 16 bits for the lines.
        assert_eq!(status((1000, 2048, 2098, 0, 0)), ModeStatus::ClockLow);
        assert_eq!(status((i32::MAX, 32768, MAX, 0, 0)), ModeStatus::Ok);
        assert_eq!(status((i32::MAX, 32769, MAX, 0, 0)), ModeStatus::Bad);
        assert_eq!(
            status((100_000, 100, 32768, DBLSCAN, 0)),
            ModeStatus::VirtualY
        );
        assert_eq!(status((100_000, 100, 4096, 0, 16)), ModeStatus::VirtualY);
        assert_eq!(status((1, MAX, MAX, DBLSCAN, MAX)), ModeStatus::VirtualY);

        assert_eq!(
            with_mode((0, 0, 0, 0, 0), NoVblank::mode_valid),
            ModeStatus::Ok
        );
    }

    #[test]
    fn sizes_of_rectangles() {
        let size = |x1, y1, x2, y2| {
            let rect = Rect { x1, y1, x2, y2 };
            (rect.width(), rect.height())
        };

        assert_eq!(size(0, 0, 0, 0), (0, 0));
        assert_eq!(size(-10, -20, 30, 40), (40, 60));
        assert_eq!(size(5, 6, 4, 5), (0, 0));
        assert_eq!(
            size(i32::MIN, 0, i32::MAX, i32::MAX),
            (u32::MAX, i32::MAX as u32)
        );
        assert_eq!(size(i32::MAX, i32::MAX, i32::MIN, i32::MIN), (0, 0));

        let raw = bindings::drm_rect {
            x1: 1,
            y1: 2,
            x2: 3,
            y2: 4,
        };
        assert_eq!(
            Rect::from(raw),
            Rect {
                x1: 1,
                y1: 2,
                x2: 3,
                y2: 4
            }
        );
    }

    #[test]
    fn codes_of_formats() {
        assert_eq!(fourcc::XRGB8888, 0x3432_5258);
        assert_eq!(fourcc::ARGB8888, 0x3432_5241);
        assert_eq!(fourcc::fourcc(&[1, 2, 3, 4]), 0x0403_0201);
        assert_eq!(fourcc::fourcc(&[0xff; 4]), u32::MAX);

        assert!(FORMATS.into_iter().all(fourcc::is_known));
        assert!(!fourcc::is_known(0));
        assert!(!fourcc::is_known(fourcc::fourcc(b"????")));
    }
}
