// SPDX-License-Identifier: GPL-2.0

//! User-space stand-ins for the few items of the `kernel` crate that the composer uses.
//!
//! Names, signatures and fallibility are those of the kernel. [`fail_allocations`] makes the
//! calling thread's allocations fail, as the kernel's fault injection does.

pub mod alloc;
pub mod crc32;
pub mod error;
pub mod sync;

pub use alloc::fail_allocations;

/// What the kernel has for displays.
#[path = "../../../../rust/kernel/drm"]
pub mod drm {
    pub mod simd;
}

/// Programs can use vector registers whenever they like.
mod bindings {
    pub(crate) unsafe fn may_use_simd() -> bool {
        true
    }

    pub(crate) unsafe fn kernel_fpu_begin() {}

    pub(crate) unsafe fn kernel_fpu_end() {}
}

/// The items that the kernel's prelude exports.
pub mod prelude {
    pub use crate::{
        alloc::{
            KVVec,
            KVec,
            GFP_KERNEL, //
        },
        error::{
            code::*,
            Error,
            Result, //
        },
    };
    pub use zerocopy::{
        FromBytes,
        IntoBytes, //
    };
}
