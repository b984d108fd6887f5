// SPDX-License-Identifier: GPL-2.0
//@ error: E0478 E0495
//@ message: static lifetime

// A state lives on after the callback that it is changed in.

include!("../common/kms.rs");

struct Borrows<'a>(Option<&'a u32>);

#[cfg(not(wrong))]
impl DriverState for Borrows<'static> {
    fn new() -> Result<Self> {
        Ok(Self(None))
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self(self.0))
    }
}

#[cfg(wrong)]
impl<'a> DriverState for Borrows<'a> { //~
    fn new() -> Result<Self> {
        Ok(Self(None))
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self(self.0))
    }
}
