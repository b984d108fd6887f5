// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: in the trait associated type is declared without lifetime parameters

// What a mode object is made from borrows nothing, since the object outlives the setup.

include!("../common/kms.rs");

struct Lined;

#[vtable(unique)]
impl DriverConnector for Lined {
    type Driver = Case;
    #[cfg(not(wrong))]
    type Args = u32;
    #[cfg(wrong)]
    type Args = &u32; //~

    fn new(_drm: &drm::Device<Case>, _args: Self::Args) -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    fn get_modes(_probe: &ConnectorProbe<'_, Self>) -> Result<u32> {
        Ok(0)
    }
}
