// SPDX-License-Identifier: GPL-2.0

//! What a display tells about itself.

use kernel::{
    drm::kms::connector::EDID_BLOCK_SIZE,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The EDID of a display.
///
/// It can change at any time, since another display can be plugged in.
#[pin_data]
pub(crate) struct Edid {
    #[pin]
    bytes: Mutex<KVec<u8>>,
}

impl Edid {
    /// Creates the EDID of a display for which nobody has set one.
    pub(super) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                bytes <- new_mutex!(KVec::new()),
            }),
            GFP_KERNEL,
        )
    }

    /// Changes the EDID. User space asks for it again when it is told to.
    ///
    /// Fails with `EINVAL` if it is not made of whole blocks. What is in them is not looked at: it
    /// is up to user space to test what comes of an EDID with errors.
    pub(crate) fn set(&self, edid: &[u8]) -> Result {
        if edid.is_empty() || edid.len() % EDID_BLOCK_SIZE != 0 {
            return Err(EINVAL);
        }

        let mut bytes = KVec::with_capacity(edid.len(), GFP_KERNEL)?;
        bytes.extend_from_slice(edid, GFP_KERNEL)?;
        *self.bytes.lock() = bytes;

        Ok(())
    }

    /// Calls `read` with the EDID.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        let bytes = self.bytes.lock();

        if bytes.is_empty() {
            read(&BUILT_IN)
        } else {
            read(&bytes)
        }
    }
}

/// Puts `bytes` into `block` at `offset`.
const fn put<const N: usize>(
    mut block: [u8; EDID_BLOCK_SIZE],
    offset: usize,
    bytes: &[u8; N],
) -> [u8; EDID_BLOCK_SIZE] {
    let mut i = 0;

    while i < N {
        block[offset + i] = bytes[i];
        i += 1;
    }

    block
}

/// The EDID of a display that prefers 1024x768 at 60 Hz.
const BUILT_IN: [u8; EDID_BLOCK_SIZE] = {
    let mut block = [0; EDID_BLOCK_SIZE];

    block = put(block, 0, &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]);
    // Vendor LNX, made in the first week of 2026; EDID 1.4.
    block = put(block, 8, &[0x31, 0xd8, 0, 0, 0, 0, 0, 0, 1, 36, 1, 4]);
    // Digital with 8 bits a colour, of unknown size, gamma 2.2, sRGB.
    block = put(block, 20, &[0xa0, 0, 0, 120, 0x06]);
    block = put(
        block,
        25,
        &[0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54],
    );
    // 640x480, 800x600 and 1024x768 at 60 Hz.
    block = put(block, 35, &[0x21, 0x08, 0]);
    // No other standard timings.
    block = put(block, 38, &[1; 16]);
    // 65 MHz, 1024+320 pixels and 768+38 lines; sync pulses are negative.
    block = put(
        block,
        54,
        &[
            0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 24, 136, 0x36, 0, 0, 0, 0, 0, 0, 0x18,
        ],
    );
    block = put(block, 72, b"\0\0\0\xfc\0rvkms\n       ");
    block = put(block, 90, &[0, 0, 0, 0x10]);
    block = put(block, 108, &[0, 0, 0, 0x10]);

    // All bytes add up to zero.
    let mut sum = 0u8;
    let mut i = 0;
    while i < EDID_BLOCK_SIZE {
        sum = sum.wrapping_add(block[i]);
        i += 1;
    }
    block[EDID_BLOCK_SIZE - 1] = sum.wrapping_neg();

    block
};
