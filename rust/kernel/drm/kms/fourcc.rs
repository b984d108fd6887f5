// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pixel formats.
//!
//! C header: [`include/uapi/drm/drm_fourcc.h`](srctree/include/uapi/drm/drm_fourcc.h)

use crate::{
    bindings,
    prelude::*, //
};

/// Returns the code of a pixel format.
///
/// C: `fourcc_code()`.
pub const fn fourcc(code: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*code)
}

/// 32 bits a pixel, 8 bits each of red, green and blue; the highest byte is not used.
pub const XRGB8888: u32 = fourcc(b"XR24");

/// 32 bits a pixel, 8 bits each of alpha, red, green and blue.
pub const ARGB8888: u32 = fourcc(b"AR24");

/// The modifier of formats whose pixels lie in memory line by line.
///
/// C: `DRM_FORMAT_MOD_LINEAR`.
pub const MOD_LINEAR: u64 = 0;

/// Whether the core knows the pixel format `code`.
pub(super) fn is_known(code: u32) -> bool {
    info(code).is_some()
}

/// Returns what the core knows of the pixel format `code`.
//
// Not inlined into drivers, since the C function is not exported to modules.
#[inline(never)]
pub(super) fn info(code: u32) -> Option<&'static bindings::drm_format_info> {
    // SAFETY: The function has no requirements, and returns an entry of a constant table.
    unsafe { bindings::__drm_format_info(code).as_ref() }
}

/// The most pixel formats that a plane or a writeback connector can have.
pub const MAX_FORMATS: usize = 64;

/// Checks that `codes` can be the formats of a plane or a writeback connector.
pub(super) fn check_list(codes: &[u32]) -> Result {
    if codes.is_empty() || codes.len() > MAX_FORMATS || !codes.iter().copied().all(is_known) {
        return Err(EINVAL);
    }

    Ok(())
}
