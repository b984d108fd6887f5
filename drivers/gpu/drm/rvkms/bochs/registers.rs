// SPDX-License-Identifier: GPL-2.0

//! The registers of the device.

use kernel::{
    drm::kms::connector::EDID_BLOCK_SIZE,
    io::{
        register,
        Io,
        IoCapable,
        IoCopyable,
        Region, //
    },
    prelude::*, //
};

/// The size of the registers in bytes.
pub(crate) const SIZE: usize = 0x608;

/// The size of the EDID at the start of the registers, in bytes.
const EDID_SIZE: usize = 0x400;

/// What an EDID begins with.
const EDID_HEADER: [u8; 8] = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];

/// The size of a pixel in bytes, in the only mode that is used.
pub(crate) const BYTES_PER_PIXEL: usize = 4;

/// The largest width and height of a mode in pixels.
pub(crate) const MAX_RESOLUTION: u32 = 8192;

/// Only multiples of this are widths that all devices can show.
pub(crate) const WIDTH_STEP: u16 = 8;

register! {
    /// Index and data of the VGA attributes, in turn.
    VGA_ATTRIBUTE(u8) @ 0x400 {
        /// Whether the palette belongs to the display, without which it stays dark.
        5:5 show => bool;
    }

    /// VGA miscellaneous output.
    VGA_MISC(u8) @ 0x402 {
        /// Whether the registers are where a colour display has them.
        0:0 color => bool;
    }

    /// VGA input status 1. Reading it makes [`VGA_ATTRIBUTE`] the index.
    VGA_STATUS(u8) @ 0x41a {
        7:0 value;
    }

    /// What the device is.
    ID(u16) @ 0x500 {
        15:4 magic;
        3:0 version;
    }

    /// Pixels per line.
    XRES(u16) @ 0x502 {
        15:0 value;
    }

    /// Lines per frame.
    YRES(u16) @ 0x504 {
        15:0 value;
    }

    /// Bits per pixel.
    BPP(u16) @ 0x506 {
        15:0 value;
    }

    /// What the device shows.
    ENABLE(u16) @ 0x508 {
        /// Whether the memory is left as it is when the mode changes.
        7:7 no_clear => bool;
        /// Whether the memory is one range, and not shown through a window.
        6:6 linear => bool;
        /// Whether a mode is set.
        0:0 enabled => bool;
    }

    /// The window into the memory, which is not used.
    BANK(u16) @ 0x50a {
        15:0 value;
    }

    /// Pixels from one line to the next.
    VIRT_WIDTH(u16) @ 0x50c {
        15:0 value;
    }

    /// The first pixel of each line that is shown.
    X_OFFSET(u16) @ 0x510 {
        15:0 value;
    }

    /// The first line that is shown.
    Y_OFFSET(u16) @ 0x512 {
        15:0 value;
    }

    /// The size of the memory in units of 64 KiB.
    MEMORY(u16) @ 0x514 {
        15:0 count;
    }

    /// The size of the registers that QEMU adds, from this one on.
    EXTENSION_SIZE(u32) @ 0x600 {
        31:0 value;
    }

    /// The byte order of pixels.
    BYTE_ORDER(u32) @ 0x604 {
        31:0 value;
    }
}

/// The part of the memory that a device shows, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// From one line to the next.
    pub(crate) pitch: u16,
    pub(crate) first_line: u16,
}

const MAGIC: u16 = 0xb0c;
const LITTLE_ENDIAN: u32 = 0x1e1e_1e1e;

/// Something that has the registers: the device, or memory in tests.
pub(crate) trait Registers<'a>: Io<'a, Target = Region<SIZE>>
where
    Self::Backend: IoCapable<u8> + IoCapable<u16> + IoCapable<u32> + IoCopyable,
{
    /// Checks that the device is one that the driver knows, and returns the size of its memory in
    /// bytes.
    fn identify(self) -> Result<usize> {
        if self.read(ID).magic() != MAGIC {
            return Err(ENODEV);
        }

        // At most 2^32, less than the type holds where there are so large BARs.
        usize::from(self.read(MEMORY).into_raw())
            .checked_mul(0x1_0000)
            .ok_or(ENODEV)
    }

    /// Makes the device read pixels as little-endian numbers, if it leaves the choice.
    fn set_little_endian(self) {
        let size = self.read(EXTENSION_SIZE).into_raw() as usize;

        if (8..=SIZE).contains(&size) {
            self.write_reg(BYTE_ORDER::zeroed().with_value(LITTLE_ENDIAN));
        }
    }

    /// Sets a mode. The memory is cleared, and shown from its start on.
    fn set_mode(self, width: u16, height: u16) {
        self.write_reg(ENABLE::zeroed());
        self.write_reg(BPP::zeroed().with_value(8 * BYTES_PER_PIXEL as u16));
        self.write_reg(XRES::zeroed().with_value(width));
        self.write_reg(YRES::zeroed().with_value(height));
        self.write_reg(BANK::zeroed());
        self.write_reg(VIRT_WIDTH::zeroed().with_value(width));
        self.write_reg(X_OFFSET::zeroed());
        self.write_reg(Y_OFFSET::zeroed());
        self.write_reg(ENABLE::zeroed().with_enabled(true).with_linear(true));
    }

    /// Shows the memory from the line `first` on.
    fn set_first_line(self, first: u16) {
        self.write_reg(Y_OFFSET::zeroed().with_value(first));
    }

    /// Returns what is shown, if that is a mode of 32 bits per pixel.
    fn shown(self) -> Option<Shown> {
        if !self.read(ENABLE).enabled() || self.read(BPP).into_raw() != 8 * BYTES_PER_PIXEL as u16 {
            return None;
        }

        Some(Shown {
            width: self.read(XRES).into_raw(),
            height: self.read(YRES).into_raw(),
            pitch: self.read(VIRT_WIDTH).into_raw(),
            first_line: self.read(Y_OFFSET).into_raw(),
        })
    }

    /// Turns the display dark or bright, if the device is compatible with VGA.
    fn blank(self, dark: bool) {
        self.write_reg(VGA_MISC::zeroed().with_color(true));
        let _ = self.read(VGA_STATUS);
        self.write_reg(VGA_ATTRIBUTE::zeroed().with_show(!dark));
    }

    /// Reads a block of the EDID. Fails if there is something else in its place.
    fn read_edid_block(self, number: usize, block: &mut [u8; EDID_BLOCK_SIZE]) -> Result {
        if number >= EDID_SIZE / EDID_BLOCK_SIZE {
            return Err(EINVAL);
        }

        self.try_bytes(number * EDID_BLOCK_SIZE, EDID_BLOCK_SIZE)?
            .copy_to_slice(block);

        if number == 0 && !block.starts_with(&EDID_HEADER) {
            return Err(ENODEV);
        }

        Ok(())
    }
}

impl<'a, T> Registers<'a> for T
where
    T: Io<'a, Target = Region<SIZE>>,
    T::Backend: IoCapable<u8> + IoCapable<u16> + IoCapable<u32> + IoCopyable,
{
}

#[kunit_tests(rvkms_bochs_registers)]
mod tests {
    use super::*;
    use kernel::io::fake::FakeRegion;

    fn device(byte: u8) -> Result<FakeRegion<SIZE>> {
        FakeRegion::new(byte)
    }

    #[test]
    fn a_device_says_how_much_memory_it_has() -> Result {
        let device = &device(0)?;

        device.write_reg(ID::zeroed().with_const_magic::<MAGIC>());
        device.write_reg(MEMORY::zeroed().with_count(256u16));
        assert_eq!(device.identify(), Ok(0x100_0000));

        device.write_reg(MEMORY::zeroed().with_count(u16::MAX));
        assert_eq!(device.identify(), Ok(0xffff_0000));

        Ok(())
    }

    #[test]
    fn what_is_gone_or_something_else_is_no_device() -> Result {
        assert_eq!((&device(0xff)?).identify(), Err(ENODEV));
        assert_eq!((&device(0)?).identify(), Err(ENODEV));

        let device = &device(0)?;
        device.write_reg(ID::zeroed().with_const_magic::<{ MAGIC + 1 }>());
        assert_eq!(device.identify(), Err(ENODEV));

        Ok(())
    }

    #[test]
    fn the_byte_order_is_set_if_there_is_a_choice() -> Result {
        // The size of the registers is not one in the first two.
        for (byte, size, order) in [(0xff, u32::MAX, u32::MAX), (0, 0, 0), (0, 8, LITTLE_ENDIAN)] {
            let device = &device(byte)?;

            device.write_reg(EXTENSION_SIZE::zeroed().with_value(size));
            device.set_little_endian();
            assert_eq!(device.read(BYTE_ORDER).into_raw(), order);
        }

        Ok(())
    }

    #[test]
    fn a_mode_is_set() -> Result {
        let device = &device(0xff)?;

        // Not in a mode of 32 bits per pixel.
        assert_eq!(device.shown(), None);

        device.set_mode(1280, 800);
        device.set_first_line(800);
        assert_eq!(
            device.shown(),
            Some(Shown {
                width: 1280,
                height: 800,
                pitch: 1280,
                first_line: 800,
            })
        );
        assert_eq!(device.read(XRES).into_raw(), 1280);
        assert_eq!(device.read(YRES).into_raw(), 800);
        assert_eq!(device.read(BPP).into_raw(), 32);
        assert_eq!(device.read(VIRT_WIDTH).into_raw(), 1280);
        assert_eq!(device.read(X_OFFSET).into_raw(), 0);
        assert_eq!(device.read(Y_OFFSET).into_raw(), 800);
        assert_eq!(device.read(ENABLE).into_raw(), 0x41);

        Ok(())
    }

    #[test]
    fn an_edid_has_its_blocks() -> Result {
        let device = &device(0)?;
        let mut block = [0; EDID_BLOCK_SIZE];

        device.try_bytes(0, 8)?.copy_from_slice(&EDID_HEADER);
        device.try_bytes(EDID_SIZE - 1, 1)?.copy_from_slice(&[7]);

        device.read_edid_block(0, &mut block)?;
        assert!(block.starts_with(&EDID_HEADER));
        device.read_edid_block(7, &mut block)?;
        assert_eq!(block[EDID_BLOCK_SIZE - 1], 7);
        for number in [8, usize::MAX] {
            assert_eq!(device.read_edid_block(number, &mut block), Err(EINVAL));
        }

        Ok(())
    }

    #[test]
    fn garbage_is_no_edid() -> Result {
        let mut block = [0; EDID_BLOCK_SIZE];

        for byte in [0, 0xff] {
            assert_eq!((&device(byte)?).read_edid_block(0, &mut block), Err(ENODEV));
        }

        Ok(())
    }
}
