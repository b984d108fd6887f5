// SPDX-License-Identifier: GPL-2.0
//@ error: E0046
//@ message: missing: `UNIQUE_ID`

// Each kind of object has an identity.

include!("../common/kms.rs");

struct Nameless;

#[cfg_attr(not(wrong), vtable(unique))]
#[cfg_attr(wrong, vtable)]
impl DriverPlane for Nameless { //~
    type Driver = Case;
    type Args = ();
    type State = ();

    fn new(_drm: &drm::Device<Case>, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Self)
    }

    fn atomic_check(_plane: &Plane<Self>, _check: &AtomicCheck<'_, Case>) -> Result {
        Ok(())
    }
}
