// SPDX-License-Identifier: GPL-2.0

//! The connector.

use crate::{
    device::{
        BochsDevice,
        BochsDriver, //
    },
    hardware::with_hardware,
    registers::{
        Registers,
        EDID_SIZE,
        MAX_RESOLUTION, //
    },
};
use kernel::{
    drm::kms::connector::{
        ConnectorProbe,
        DriverConnector, //
    },
    prelude::*, //
};

/// What an EDID begins with.
const EDID_HEADER: [u8; 8] = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];

/// The size of a block of an EDID in bytes.
const EDID_BLOCK_SIZE: usize = 128;

/// Where the first block of an EDID says how many follow it.
const EDID_EXTENSIONS: usize = 126;

/// The preferred mode of a display without an EDID, width and height in pixels.
const PREFERRED_SIZE: (u32, u32) = (1024, 768);

/// The connector.
#[pin_data]
pub(crate) struct BochsConnector {}

/// Returns what of `memory` is an EDID, if there is one. It ends before the first broken block.
fn find_edid(memory: &[u8]) -> Option<&[u8]> {
    if !memory.starts_with(&EDID_HEADER) {
        return None;
    }

    let blocks = memory
        .chunks_exact(EDID_BLOCK_SIZE)
        .take(1 + usize::from(*memory.get(EDID_EXTENSIONS)?))
        .take_while(|block| checksum(block) == 0)
        .count();

    memory
        .get(..blocks * EDID_BLOCK_SIZE)
        .filter(|edid| !edid.is_empty())
}

/// Returns the sum of all bytes, which is 0 for a block of an EDID.
fn checksum(block: &[u8]) -> u8 {
    block.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[vtable(unique)]
impl DriverConnector for BochsConnector {
    type Driver = BochsDriver;
    type Args = ();

    fn new(_drm: &BochsDevice, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {})
    }

    fn get_modes(probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        let mut memory = KBox::new([0; EDID_SIZE], GFP_KERNEL)?;

        with_hardware(probe.drm_dev(), |hardware| {
            hardware.registers.read_edid(&mut memory)
        })
        .ok_or(ENODEV)??;

        let edid = find_edid(&memory[..]);
        let count = probe.update_edid(edid)?;
        if edid.is_some() {
            return Ok(count);
        }

        let count = probe.add_modes_noedid(MAX_RESOLUTION, MAX_RESOLUTION);
        probe.set_preferred_mode(PREFERRED_SIZE.0, PREFERRED_SIZE.1);

        Ok(count)
    }
}

#[kunit_tests(rvkms_bochs_connector)]
mod tests {
    use super::*;

    /// Calls `test` with what a device has that says it has so many more blocks.
    fn with_edid(extensions: u8, test: impl FnOnce(&mut [u8; EDID_SIZE])) -> Result {
        let mut memory = KBox::new([0; EDID_SIZE], GFP_KERNEL)?;

        memory[..8].copy_from_slice(&EDID_HEADER);
        memory[EDID_EXTENSIONS] = extensions;
        memory[127] = 0u8.wrapping_sub(checksum(&memory[..128]));
        test(&mut memory);

        Ok(())
    }

    #[test]
    fn an_edid_has_its_blocks() -> Result {
        with_edid(0, |memory| {
            assert_eq!(find_edid(memory).map(|edid| edid.len()), Some(128))
        })?;
        with_edid(1, |memory| {
            assert_eq!(find_edid(memory).map(|edid| edid.len()), Some(256))
        })
    }

    #[test]
    fn an_edid_ends_with_the_memory() -> Result {
        with_edid(255, |memory| {
            assert_eq!(find_edid(memory).map(|edid| edid.len()), Some(EDID_SIZE))
        })
    }

    #[test]
    fn garbage_is_no_edid() -> Result {
        assert!(find_edid(&[0; EDID_SIZE]).is_none());
        assert!(find_edid(&[0xff; EDID_SIZE]).is_none());
        assert!(find_edid(&[]).is_none());
        with_edid(0, |memory| {
            memory[7] = 1;
            assert!(find_edid(memory).is_none());
        })?;
        with_edid(0, |memory| {
            memory[20] = 1;
            assert!(find_edid(memory).is_none());
        })
    }

    #[test]
    fn an_edid_ends_where_it_is_broken() -> Result {
        with_edid(2, |memory| {
            memory[256] = 1;
            assert_eq!(find_edid(memory).map(|edid| edid.len()), Some(256))
        })?;
        with_edid(1, |memory| {
            memory[128..].fill(0xff);
            assert_eq!(find_edid(memory).map(|edid| edid.len()), Some(128))
        })
    }
}
