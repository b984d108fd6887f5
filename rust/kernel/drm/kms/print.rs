// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Printing what drivers add to the state of mode objects.
//!
//! The DRM core prints the current state of a device in the file `state` of debugfs, and, with
//! `drm.debug`, the states of each update. A driver adds lines of its own with
//! [`DriverPlane::atomic_print_state`](super::plane::DriverPlane::atomic_print_state),
//! [`DriverCrtc::atomic_print_state`](super::crtc::DriverCrtc::atomic_print_state) and
//! [`DriverConnector::atomic_print_state`](super::connector::DriverConnector::atomic_print_state).
//!
//! C header: [`include/drm/drm_print.h`](srctree/include/drm/drm_print.h)

use crate::{
    bindings,
    fmt,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::ptr;

/// Where lines about a state go. Each begins with a tab and ends with a newline.
///
/// C: `struct drm_printer`.
///
/// # Invariants
///
/// `printer` is initialized, and used by this thread only.
#[repr(transparent)]
pub struct StatePrinter {
    printer: Opaque<bindings::drm_printer>,
    _not_send: NotThreadSafe,
}

impl StatePrinter {
    /// # Safety
    ///
    /// `printer` must be valid for `'a`, and used by nobody else meanwhile.
    pub(super) unsafe fn from_raw<'a>(printer: *mut bindings::drm_printer) -> &'a mut Self {
        // SAFETY: `Self` is transparent, and the safety requirements of this function.
        unsafe { &mut *printer.cast() }
    }

    /// Prints text. May sleep.
    ///
    /// C: `drm_printf()`.
    pub fn print(&mut self, args: fmt::Arguments<'_>) {
        // SAFETY: The printer is valid by the type invariants, and `%pA` wants a pointer to
        // arguments.
        unsafe {
            bindings::drm_printf(
                self.printer.get(),
                c"%pA".as_char_ptr(),
                ptr::from_ref(&args).cast::<c_void>(),
            )
        };
    }
}
