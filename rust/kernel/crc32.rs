// SPDX-License-Identifier: GPL-2.0

//! CRC-32 checksums.
//!
//! C header: [`include/linux/crc32.h`](srctree/include/linux/crc32.h)

use crate::bindings;

/// Continues the least-significant-bit-first IEEE CRC-32 `crc` with `data`.
///
/// Neither the initial value nor the result is inverted. Does not sleep.
///
/// C: `crc32_le()`.
///
/// # Examples
///
/// ```
/// use kernel::crc32::crc32_le;
///
/// assert_eq!(!crc32_le(!0, b"123456789"), 0xcbf4_3926);
/// assert_eq!(crc32_le(crc32_le(!0, b"1234"), b"56789"), crc32_le(!0, b"123456789"));
/// ```
#[inline]
pub fn crc32_le(crc: u32, data: &[u8]) -> u32 {
    // SAFETY: `data` is valid for reads of its length.
    unsafe { bindings::crc32_le(crc, data.as_ptr().cast(), data.len()) }
}

/// Whether [`crc32_le`] uses instructions made for it, rather than tables.
///
/// C: `crc32_optimizations()`, `CRC32_LE_OPTIMIZATION`.
#[inline]
pub fn crc32_le_is_optimized() -> bool {
    // Bit 0 is `CRC32_LE_OPTIMIZATION`.
    //
    // SAFETY: The function has no requirements.
    unsafe { bindings::crc32_optimizations() & 1 != 0 }
}
