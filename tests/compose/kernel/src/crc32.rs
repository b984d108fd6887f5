// SPDX-License-Identifier: GPL-2.0

//! The IEEE CRC-32.

/// Returns the CRC of `bytes` after `crc`, least significant bit first, without inversions.
///
/// `crc32fast` uses PCLMULQDQ on x86-64, as the kernel does there.
pub fn crc32_le(crc: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!crc);
    hasher.update(bytes);
    !hasher.finalize()
}
