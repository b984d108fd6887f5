// SPDX-License-Identifier: GPL-2.0
//@ error: E0271
//@ message: expected `Case`, found `Other`

// The callbacks of an object cast devices to devices of the object's driver.

include!("../common/drm.rs");

struct Case;

drm_file!(CaseFile, Case);
drm_object!(CaseObject, Case);

#[vtable]
impl drm::Driver for Case {
    type Data = ();
    type RegistrationData<'a> = ();
    type File = CaseFile;
    #[cfg(not(wrong))]
    type Object = gem::Object<CaseObject>;
    #[cfg(wrong)]
    type Object = gem::Object<OtherObject>; //~
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
}
