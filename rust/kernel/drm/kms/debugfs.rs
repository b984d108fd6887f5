// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Files of a device in debugfs.
//!
//! A driver implements [`DebugfsFile`] for each file, and names it in
//! [`KmsDriver::create_objects`]. Without `CONFIG_DEBUG_FS` there
//! are no files.
//!
//! C header: [`include/drm/drm_debugfs.h`](srctree/include/drm/drm_debugfs.h)

use super::{
    KmsDriver,
    KmsSetup, //
};
use crate::{
    bindings,
    drm,
    error::from_result,
    prelude::*,
    seq_file::SeqFile, //
};

/// A file that everybody can read who may look at debugfs.
///
/// C: `struct drm_debugfs_info`.
pub trait DebugfsFile {
    /// The driver of the devices that have the file.
    type Driver: KmsDriver;

    /// The name of the file.
    const NAME: &'static CStr;

    /// Prints what the file contains.
    ///
    /// Called each time that user space reads the file from its beginning, and again if the text
    /// was too long for the buffer. An error is that of the read.
    ///
    /// May sleep, but not wait for others, such as fences: until it has returned, no DRM device can
    /// be unplugged. Once this one is, the file is gone, and who still has it open cannot read it.
    fn show(dev: &drm::Device<Self::Driver, drm::Registered>, file: &SeqFile) -> Result;
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Adds a file to the folder of the device in debugfs.
    ///
    /// It can be read while the device is registered. There is none if memory runs out, or if the
    /// folder has a file of that name: nothing depends on debugfs. May sleep.
    ///
    /// C: `drm_debugfs_add_file()`.
    pub fn add_debugfs_file<F: DebugfsFile<Driver = D>>(&self) {
        let show: unsafe extern "C" fn(*mut bindings::seq_file, *mut c_void) -> c_int =
            show_callback::<F>;

        // The core takes the file away before it frees what the file refers to: when the device is
        // unregistered, or else with the last reference to it, before anything managed.
        //
        // SAFETY: The device is valid and has a folder, the name is never freed, and the callback
        // is one for files of devices of `D`. It is there for as long as the callbacks of the
        // device are, which are in the module of the driver, too.
        #[cfg(CONFIG_DEBUG_FS)]
        unsafe {
            bindings::drm_debugfs_add_file(
                self.as_raw(),
                F::NAME.as_char_ptr(),
                Some(show),
                core::ptr::null_mut(),
            )
        };

        #[cfg(not(CONFIG_DEBUG_FS))]
        let _ = show;
    }
}

/// # Safety
///
/// `file` must be that of an open file that was added by [`KmsSetup::add_debugfs_file`] for `F`.
/// Only the caller may use it, and the file must not be taken away until this has returned.
unsafe extern "C" fn show_callback<F: DebugfsFile>(
    file: *mut bindings::seq_file,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: The core has set `private` to the entry of the file, which it frees with the device,
    // and both exist until the file has been taken away.
    let raw = unsafe { (*(*file).private.cast::<bindings::drm_debugfs_entry>()).dev };
    let mut index = 0;

    // A file can be opened only once the registration of the device has begun. If that fails then
    // the file stays, and may be read while the last reference to the device is dropped.
    //
    // SAFETY: `raw` is a valid device, see above.
    if !unsafe { bindings::drm_dev_enter(raw, &mut index) } {
        return ENODEV.to_errno();
    }

    let ret = from_result(|| {
        // SAFETY: The device is one of the driver, since only such can have the file. Whoever
        // registers it has a reference until it was unplugged, by the end of the registration or
        // because it failed, which waits for `drm_dev_exit()`.
        let dev = unsafe { drm::Device::<F::Driver>::from_raw(raw) };
        let guard = dev.registration_guard().ok_or(ENODEV)?;

        // SAFETY: `file` is valid, and used by nobody else until this returns.
        F::show(&guard, unsafe { SeqFile::from_raw(file) })?;

        Ok(0)
    });

    // SAFETY: This ends what `drm_dev_enter()` began.
    unsafe { bindings::drm_dev_exit(index) };

    ret
}
