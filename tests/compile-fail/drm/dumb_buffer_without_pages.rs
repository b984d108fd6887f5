// SPDX-License-Identifier: GPL-2.0
//@ error: E0080
//@ message: the generic interfaces of DRM cannot create base GEM objects
//@ emit: obj
//@ in: rust/kernel/drm/gem/mod.rs

// A base GEM object has no pages that a dumb buffer could be mapped to.

include!("../common/drm.rs");

struct Case;

drm_file!(CaseFile, Case);

#[cfg(not(wrong))]
drm_object!(CaseObject, Case);

#[cfg(wrong)]
drm_object!(
    CaseObject,
    Case,
    const GENERIC_CREATE: Option<gem::GenericCreate<Self>> = Some(gem::GenericCreate {
        args: || (),
        import: gem::PrimeImport::Unmapped,
    });
);

#[vtable]
impl drm::Driver for Case {
    type Data = ();
    type RegistrationData<'a> = ();
    type File = CaseFile;
    type Object = gem::Object<CaseObject>;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = INFO;
    const IOCTLS: &'static [ioctl::DrmIoctlDescriptor] = &[];
}

#[no_mangle]
fn create(dev: &faux::Device<device::Bound>) -> Result {
    drm::UnregisteredDevice::<Case>::new(dev, Ok(()))?;
    Ok(())
}
