// SPDX-License-Identifier: GPL-2.0

// Most of a DRM driver; what is left to a case is `Case`, its file and its object.

use kernel::{
    device,
    drm::{
        self,
        gem,
        ioctl, //
    },
    faux,
    prelude::*, //
};

/// Stands for the module type that `module!` makes.
struct LocalModule;

impl kernel::ModuleMetadata for LocalModule {
    const NAME: &'static kernel::str::CStr = c"compile_fail";
    const THIS_MODULE: kernel::ThisModule = {
        // SAFETY: Null stands for code that is no module.
        unsafe { kernel::ThisModule::from_ptr(core::ptr::null_mut()) }
    };
}

const INFO: drm::DriverInfo = drm::DriverInfo {
    major: 0,
    minor: 0,
    patchlevel: 0,
    name: c"compile_fail",
    desc: c"A driver that is never run",
};

/// Implements a file type for a driver.
macro_rules! drm_file {
    ($file:ident, $driver:ty) => {
        struct $file;

        impl drm::file::DriverFile for $file {
            type Driver = $driver;

            fn open(_dev: &drm::Device<$driver>) -> Result<Pin<KBox<Self>>> {
                Ok(KBox::new(Self, GFP_KERNEL)?.into())
            }
        }
    };
}

/// Implements an object type for a driver, with more items of `DriverObject`.
macro_rules! drm_object {
    ($object:ident, $driver:ty $(, $($item:tt)*)?) => {
        #[pin_data]
        struct $object {}

        impl gem::DriverObject for $object {
            type Driver = $driver;
            type Args = ();

            $($($item)*)?

            fn new(
                _dev: &drm::Device<$driver>,
                _size: usize,
                _args: (),
            ) -> impl PinInit<Self, Error> {
                try_pin_init!(Self {})
            }
        }
    };
}

/// A complete driver.
struct Other;

drm_file!(OtherFile, Other);
drm_object!(OtherObject, Other);

#[vtable]
impl drm::Driver for Other {
    type Data = ();
    type RegistrationData<'a> = ();
    type File = OtherFile;
    type Object = gem::Object<OtherObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
}
