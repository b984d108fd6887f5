// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Encoders.
//!
//! An encoder takes the pixels of a CRTC to one or more connectors. User space sees it, but cannot
//! configure it; most drivers need it only to say which CRTC can drive which connector.
//!
//! C header: [`include/drm/drm_encoder.h`](srctree/include/drm/drm_encoder.h)

use super::{
    crtc::OpaqueCrtc,
    name_arg,
    name_format,
    KmsDriver,
    KmsSetup,
    ModeObject,
    OfDriver, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// The kind of signal that an encoder makes.
///
/// C: `DRM_MODE_ENCODER_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EncoderType {
    /// No particular kind.
    None = bindings::DRM_MODE_ENCODER_NONE,
    /// A digital-to-analog converter, for VGA.
    Dac = bindings::DRM_MODE_ENCODER_DAC,
    /// TMDS, for DVI and HDMI, and DisplayPort.
    Tmds = bindings::DRM_MODE_ENCODER_TMDS,
    /// A virtual display.
    Virtual = bindings::DRM_MODE_ENCODER_VIRTUAL,
}

/// An encoder of a device of the driver `D`.
///
/// C: `struct drm_encoder`.
///
/// # Invariants
///
/// `encoder` is initialized and valid until the device is freed.
#[repr(transparent)]
pub struct Encoder<D: KmsDriver> {
    encoder: Opaque<bindings::drm_encoder>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> Encoder<D> {
    const FUNCS: bindings::drm_encoder_funcs = bindings::drm_encoder_funcs {
        destroy: Some(Self::destroy_callback),
        ..pin_init::zeroed()
    };

    /// Creates an encoder.
    ///
    /// Fails with `ENOSPC` if the device already has [`super::MAX_OBJECTS`] encoders. May sleep.
    ///
    /// C: `drm_encoder_init()`.
    pub fn new<'a>(
        setup: &'a KmsSetup<'_, D>,
        kind: EncoderType,
        name: Option<&CStr>,
    ) -> Result<&'a Self> {
        KmsSetup::<D>::check_room(setup.num_encoders())?;

        let encoder = KBox::into_raw(KBox::new(
            Self {
                encoder: Opaque::zeroed(),
                _driver: OfDriver::default(),
            },
            GFP_KERNEL,
        )?);

        // SAFETY: `encoder` is zeroed memory that does not move from now on, the device of `setup`
        // has a mode configuration and is not registered yet, and `FUNCS` is never freed.
        let ret = to_result(unsafe {
            bindings::drm_encoder_init(
                setup.as_raw(),
                encoder.cast(),
                const { &Self::FUNCS },
                kind as i32,
                name_format(name),
                name_arg(name),
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed, so nobody knows the memory that was taken from a
            // `KBox` above.
            drop(unsafe { KBox::from_raw(encoder) });
            return Err(err);
        }

        setup
            .num_idle_encoders
            .set(setup.num_idle_encoders.get() + 1);

        // INVARIANT: The encoder was initialized above.
        //
        // SAFETY: The core frees the encoder with the device, which outlives the borrow of `setup`.
        Ok(unsafe { &*encoder })
    }

    /// # Safety
    ///
    /// `encoder` must be an encoder that was created by [`Self::new`].
    unsafe extern "C" fn destroy_callback(encoder: *mut bindings::drm_encoder) {
        // SAFETY: The core calls this once, when the device is freed and nobody uses the encoder.
        unsafe { bindings::drm_encoder_cleanup(encoder) };

        // SAFETY: `Self` is transparent and the memory was taken from a `KBox` in `new()`.
        drop(unsafe { KBox::from_raw(encoder.cast::<Self>()) });
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_encoder {
        self.encoder.get()
    }

    /// Returns the bit that stands for the encoder in a mask of encoders.
    fn mask(&self) -> u32 {
        // The core makes no encoder whose index is too large.
        //
        // SAFETY: The encoder is initialized by the type invariants; its index never changes.
        1u32.wrapping_shl(unsafe { (*self.as_raw()).index })
    }

    /// Returns the device of the encoder.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The encoder is initialized by the type invariants, and its device is one of `D`.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Lets `one` and `other` be fed by the same CRTC at the same time.
    ///
    /// Fails with `EINVAL` if one of them belongs to another device.
    pub fn allow_cloning(&self, one: &Encoder<D>, other: &Encoder<D>) -> Result {
        self.check_own(one.drm_dev())?;
        self.check_own(other.drm_dev())?;

        let mask = one.mask() | other.mask();

        // SAFETY: The device is not registered yet, so that only this thread uses its encoders.
        unsafe {
            (*one.as_raw()).possible_clones |= mask;
            (*other.as_raw()).possible_clones |= mask;
        }

        Ok(())
    }

    /// Makes `crtc` one of the CRTCs that can drive `encoder`.
    ///
    /// Fails with `EINVAL` if one of them belongs to another device.
    pub fn attach_encoder(&self, encoder: &Encoder<D>, crtc: &OpaqueCrtc<D>) -> Result {
        self.check_own(encoder.drm_dev())?;
        self.check_own(crtc.drm_dev())?;

        // SAFETY: The device is not registered yet, so that only this thread uses its encoders.
        unsafe {
            let possible_crtcs = &raw mut (*encoder.as_raw()).possible_crtcs;

            if *possible_crtcs == 0 {
                self.num_idle_encoders
                    .set(self.num_idle_encoders.get().saturating_sub(1));
            }
            *possible_crtcs |= crtc.mask();
        }

        Ok(())
    }
}

// SAFETY: An encoder is valid until the device is freed.
unsafe impl<D: KmsDriver> ModeObject for Encoder<D> {
    type Driver = D;

    fn drm_dev(&self) -> &drm::Device<D> {
        self.drm_dev()
    }
}

// SAFETY: The C side of an encoder can be used from any thread.
unsafe impl<D: KmsDriver> Send for Encoder<D> {}

// SAFETY: Once the device is registered nothing in an encoder changes.
unsafe impl<D: KmsDriver> Sync for Encoder<D> {}
