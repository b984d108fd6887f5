// SPDX-License-Identifier: GPL-2.0

//! What belongs to the driver while it is bound to the device.

use crate::{
    device::{
        BochsDevice,
        BochsDriver, //
    },
    layout::Layout,
    registers::{
        self,
        Registers,
        BYTES_PER_PIXEL, //
    },
};
use kernel::{
    device::{
        Bound,
        Core, //
    },
    drm::{
        self,
        kms::{
            fourcc::XRGB8888,
            panic::ScanoutBuffer, //
        },
    },
    io::{
        Io,
        IoBase,
        Mmio,
        Region, //
    },
    pci,
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Release, //
    }, //
};

const NAME: &CStr = c"rvkms_bochs";
/// The smallest mode that is worth it, width and height in pixels.
const SMALLEST_MODE: (u16, u16) = (640, 480);

const VRAM_BAR: u32 = 0;
const REGISTER_BAR: u32 = 2;

/// The mapped BARs.
pub(crate) struct Hardware {
    registers: pci::DevresBar<{ registers::SIZE }>,
    vram: pci::DevresBar,
    vram_size: usize,
    /// Whether the screen of a panic may have been drawn into the memory.
    drawn_over: Atomic<bool>,
}

/// The registers and the memory of the device, while nobody can take it away.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) registers: Mmio<'a, Region<{ registers::SIZE }>>,
    pub(crate) vram: Mmio<'a, [u8]>,
    drawn_over: &'a Atomic<bool>,
}

impl Access<'_> {
    /// Returns whether somebody else may have drawn into the memory since this was called last.
    pub(crate) fn take_drawn_over(&self) -> bool {
        self.drawn_over.xchg(false, Full)
    }
}

impl Hardware {
    /// Takes the device over, and checks that it is one.
    pub(crate) fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        pdev.remove_conflicting_framebuffers(NAME)?;
        pdev.enable_device_managed()?;

        let registers = pdev
            .iomap_region_sized(REGISTER_BAR, NAME)
            .inspect_err(|_| dev_err!(pdev, "cannot map the registers\n"))?;
        let size = (&registers)
            .identify()
            .inspect_err(|_| dev_err!(pdev, "this is no Bochs display\n"))?;
        (&registers).set_little_endian();

        let vram = pdev
            .iomap_region_wc(VRAM_BAR, NAME)
            .inspect_err(|_| dev_err!(pdev, "cannot map the video memory\n"))?;
        if (&vram).size() != size {
            dev_warn!(
                pdev,
                "{} bytes of video memory, but the BAR has {}\n",
                size,
                (&vram).size()
            );
        }
        let vram_size = size.min((&vram).size());
        if Layout::new(SMALLEST_MODE.0, SMALLEST_MODE.1, vram_size).is_none() {
            dev_err!(pdev, "{} bytes of video memory are too few\n", vram_size);
            return Err(ENODEV);
        }

        dev_info!(pdev, "{} KiB of video memory\n", vram_size / 1024);

        Ok(Self {
            registers: registers.into_devres()?,
            vram: vram.into_devres()?,
            vram_size,
            drawn_over: Atomic::new(false),
        })
    }

    /// Returns the usable size of the video memory in bytes.
    pub(crate) fn vram_size(&self) -> usize {
        self.vram_size
    }

    /// Returns the part of the video memory that is shown.
    ///
    /// What is shown is what the registers say, since nothing else can be relied on in a panic.
    pub(crate) fn scanout_buffer<'a>(
        &'a self,
        pdev: &'a pci::Device<Bound>,
    ) -> Option<ScanoutBuffer<'a>> {
        let Access {
            registers, vram, ..
        } = self.access(pdev).ok()?;
        let shown = registers.shown()?;
        let pitch = usize::from(shown.pitch) * BYTES_PER_PIXEL;
        let start = usize::from(shown.first_line) * pitch;
        let memory = vram.try_bytes(start, vram.len().checked_sub(start)?).ok()?;

        self.drawn_over.store(true, Release);
        ScanoutBuffer::from_io(
            memory,
            XRGB8888,
            (shown.width.into(), shown.height.into()),
            pitch.try_into().ok()?,
        )
    }

    fn access<'a>(&'a self, pdev: &'a pci::Device<Bound>) -> Result<Access<'a>> {
        let vram = self.vram.access(pdev.as_ref())?;

        Ok(Access {
            registers: self.registers.access(pdev.as_ref())?.as_view(),
            vram: vram.try_bytes(0, self.vram_size)?,
            drawn_over: &self.drawn_over,
        })
    }
}

/// Calls `f` with the hardware, unless it is gone.
///
/// The device stays bound to the driver until `f` returns.
pub(crate) fn with_hardware<R>(
    drm: &BochsDevice,
    f: impl for<'a> FnOnce(Access<'a>) -> R,
) -> Option<R> {
    let guard: drm::RegistrationGuard<'_, BochsDriver> = drm.registration_guard()?;
    let pdev: &pci::Device<Bound> = (*guard).as_ref();

    guard.registration_data_with(|hardware| hardware.access(pdev).ok().map(f))
}
