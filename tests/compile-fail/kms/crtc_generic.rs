// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: must not have generic parameters

// Several types would share the identity of a generic implementation.

include!("../common/kms.rs");

struct Generic<T>(core::marker::PhantomData<T>);

macro_rules! implement {
    ($(#[$meta:meta])* ($($params:tt)*) $type:ty) => {
        $(#[$meta])*
        impl $($params)* DriverCrtc for $type {
            type Driver = Case;
            type Args = ();
            type State = ();
            type Vblank = NoVblank;

            fn new(_drm: &drm::Device<Case>, _args: ()) -> impl PinInit<Self, Error> {
                Ok(Self(core::marker::PhantomData))
            }
        }
    };
}

#[cfg(not(wrong))]
implement!(#[vtable(unique)] () Generic<u32>);
#[cfg(wrong)]
implement!(#[vtable(unique)] (<T: Send + Sync + 'static>) Generic<T>); //~
