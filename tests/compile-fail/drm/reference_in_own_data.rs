// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// Registration data cannot refer to itself: a part of it may be dropped before the one that refers
// to it.

include!("../common/drm.rs");

use kernel::sync::Mutex;

#[pin_data]
struct Data<'a> {
    value: KBox<u32>,
    #[pin]
    slot: Mutex<Option<&'a KBox<u32>>>,
}

struct Case;

drm_file!(CaseFile, Case);
drm_object!(CaseObject, Case);

#[vtable]
impl drm::Driver for Case {
    type Data = ();
    type RegistrationData<'a> = Data<'a>;
    type File = CaseFile;
    type Object = gem::Object<CaseObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
}

fn read(dev: &drm::Device<Case, drm::Registered>) -> u32 {
    dev.registration_data_with(|data| {
        #[cfg(wrong)]
        {
            *data.slot.lock() = Some(&data.value); //~
        }

        *data.value
    })
}
