// SPDX-License-Identifier: GPL-2.0

//! The PCI driver.

use crate::{
    device::{
        BochsData,
        BochsDevice,
        BochsDriver, //
    },
    hardware::Hardware,
};
use kernel::{
    device::Core,
    drm,
    pci,
    prelude::*,
    sync::aref::ARef, //
};

/// The PCI driver.
pub(crate) struct BochsPciDriver;

/// What belongs to a device that is bound to the driver.
pub(crate) struct BochsPciData {
    drm: ARef<BochsDevice>,
}

kernel::pci_device_table!(
    PCI_TABLE,
    <BochsPciDriver as pci::Driver>::IdInfo,
    [
        // Bochs and QEMU.
        (
            pci::DeviceId::from_id(pci::Vendor::from_raw(0x1234), 0x1111),
            ()
        ),
        // Simics.
        (
            pci::DeviceId::from_id(pci::Vendor::from_raw(0x4321), 0x1111),
            ()
        ),
    ]
);

impl pci::Driver for BochsPciDriver {
    type IdInfo = ();
    type Data<'bound> = BochsPciData;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;
    const PM_OPS: Option<pci::PmOps<Self>> = Some(pci::PmOps::new());
    const RESET_OPS: Option<pci::ResetOps<Self>> = Some(pci::ResetOps::new());

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        let hardware = Hardware::new(pdev)?;
        let data = BochsData {
            vram_size: hardware.vram_size(),
        };
        let device = drm::UnregisteredDevice::<BochsDriver>::new(pdev, Ok(data))?;
        let drm = ARef::from(&*device);

        drm::Registration::new_foreign_owned(pdev.as_ref(), device, Ok::<_, Error>(hardware), 0)?;

        Ok(BochsPciData { drm })
    }

    fn shutdown<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.drm.shutdown();
    }
}

impl pci::PmDriver for BochsPciDriver {
    fn suspend<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result {
        this.drm.suspend(pdev.as_ref())
    }

    fn resume<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result {
        this.drm.resume(pdev.as_ref())
    }
}

impl pci::ResetDriver for BochsPciDriver {
    fn reset_done<'bound>(pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        if let Err(error) = this.drm.reset() {
            dev_err!(
                pdev,
                "cannot set the display up after a reset: {:?}\n",
                error
            );
        }

        // Who has asked for the modes meanwhile was told that there is no EDID.
        this.drm.hotplug_event();
    }
}
