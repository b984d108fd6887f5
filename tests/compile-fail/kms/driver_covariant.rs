// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: one type is more general than the other

// A driver's objects are not those of another driver that it is a subtype of.

include!("../common/kms.rs");

struct Driver<T>(core::marker::PhantomData<T>);

type Any = Driver<for<'a> fn(&'a u8)>;
type One = Driver<fn(&'static u8)>;

macro_rules! implement {
    ($driver:ident, $file:ident, $object:ident, $data:ty) => {
        drm_file!($file, $driver);
        drm_object!($object, $driver);

        #[vtable]
        impl drm::Driver for $driver {
            type Data = $data;
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
        }
    };
}

implement!(Any, AnyFile, AnyObject, u8);
implement!(One, OneFile, OneObject, KVec<u8>);

#[cfg(not(wrong))]
fn plane(plane: &OpaquePlane<Any>) -> &OpaquePlane<Any> {
    plane
}

#[cfg(wrong)]
fn plane(plane: &OpaquePlane<Any>) -> &OpaquePlane<One> {
    plane //~
}

#[cfg(not(wrong))]
fn framebuffer(fb: &Framebuffer<Any>) -> &Framebuffer<Any> {
    fb
}

#[cfg(wrong)]
fn framebuffer(fb: &Framebuffer<Any>) -> &Framebuffer<One> {
    fb //~
}
