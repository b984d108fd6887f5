// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// What the setup lends ends with it, and is no part of the registration data, which lives longer.

include!("../common/kms.rs");

use kernel::sync::Mutex;

#[pin_data]
struct Data<'a> {
    #[pin]
    plane: Mutex<Option<&'a OpaquePlane<Keeping>>>,
}

struct Keeping;

drm_file!(KeepingFile, Keeping);
drm_object!(KeepingObject, Keeping);

#[vtable]
impl drm::Driver for Keeping {
    type Data = ();
    type RegistrationData<'a> = Data<'a>;
    type File = KeepingFile;
    type Object = gem::Object<KeepingObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
    const KMS: Option<KmsOps<Self>> = Some(KmsOps::new());
}

struct KeptPlane;

#[vtable(unique)]
impl DriverPlane for KeptPlane {
    type Driver = Keeping;
    type Args = ();
    type State = ();

    fn new(_drm: &drm::Device<Keeping>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    fn atomic_check(_plane: &Plane<Self>, _check: &AtomicCheck<'_, Keeping>) -> Result {
        Ok(())
    }
}

#[vtable]
impl KmsDriver for Keeping {
    fn mode_config_info(_dev: &drm::Device<Self>) -> ModeConfigInfo {
        MODE_CONFIG_INFO
    }

    fn create_objects(setup: &KmsSetup<'_, Self>, data: &Data<'_>) -> Result {
        let plane = Plane::<KeptPlane>::new(setup, PlaneType::Primary, &FORMATS, None, ())?;

        #[cfg(not(wrong))]
        pr_plane(plane, data);

        #[cfg(wrong)]
        {
            *data.plane.lock() = Some(plane); //~
        }

        Ok(())
    }
}

fn pr_plane(_plane: &Plane<KeptPlane>, _data: &Data<'_>) {}
