// SPDX-License-Identifier: GPL-2.0
//@ error: E0271
//@ message: expected `Case`, found `Other`

// So do those of a file.

include!("../common/drm.rs");

struct Case;

drm_file!(CaseFile, Case);
drm_object!(CaseObject, Case);

#[vtable]
impl drm::Driver for Case {
    type Data = ();
    type RegistrationData<'a> = ();
    #[cfg(not(wrong))]
    type File = CaseFile;
    #[cfg(wrong)]
    type File = OtherFile; //~
    type Object = gem::Object<CaseObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
}
