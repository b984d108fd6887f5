// SPDX-License-Identifier: GPL-2.0

//! The CRTC.

use crate::{
    convert::Gamma,
    device::{
        BochsDevice,
        BochsDriver, //
    },
    draw::Layer,
    hardware::with_hardware,
    layout::Layout,
    registers::{
        Registers,
        WIDTH_STEP, //
    },
    scanout::Scanout, //
};
use kernel::{
    drm::kms::{
        atomic::{
            AtomicCheck,
            AtomicCommit, //
        },
        crtc::{
            Crtc,
            DriverCrtc, //
        },
        modes::{
            DisplayMode,
            ModeStatus, //
        },
        rect::Rect,
        vblank::VblankTimer,
        DriverState, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The CRTC.
#[pin_data]
pub(crate) struct BochsCrtc {
    #[pin]
    scanout: Mutex<Scanout>,
}

/// What a state of the CRTC adds.
#[derive(Default)]
pub(crate) struct BochsCrtcState {
    gamma: Option<Arc<Gamma>>,
}

impl DriverState for BochsCrtcState {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            gamma: self.gamma.clone(),
        })
    }
}

impl BochsCrtc {
    /// Changes what a plane shows, until the next [`show`](Self::show). `changed` are the parts of
    /// its framebuffer that have changed.
    pub(crate) fn set_layer(
        crtc: &Crtc<Self>,
        plane: usize,
        layer: Option<Layer>,
        changed: impl Iterator<Item = Rect>,
    ) {
        crtc.data().scanout.lock().set_layer(plane, layer, changed);
    }

    /// Brings all changes to the display.
    pub(crate) fn show(crtc: &Crtc<Self>) {
        let mut scanout = crtc.data().scanout.lock();

        with_hardware(crtc.drm_dev(), |hardware| scanout.show(hardware));
    }
}

#[vtable(unique)]
impl DriverCrtc for BochsCrtc {
    type Driver = BochsDriver;
    type Args = ();
    type State = BochsCrtcState;
    type Vblank = VblankTimer;

    fn new(_drm: &BochsDevice, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            scanout <- new_mutex!(Scanout::default()),
        })
    }

    fn mode_valid(crtc: &Crtc<Self>, mode: &DisplayMode) -> ModeStatus {
        if mode.hdisplay() % WIDTH_STEP != 0 {
            return ModeStatus::VirtualX;
        }

        match Layout::new(mode.hdisplay(), mode.vdisplay(), crtc.drm_dev().vram_size) {
            Some(_) => ModeStatus::Ok,
            None => ModeStatus::Mem,
        }
    }

    fn atomic_check(crtc: &Crtc<Self>, check: &AtomicCheck<'_, BochsDriver>) -> Result {
        let mut state = check.get_new_crtc_state(crtc).ok_or(EINVAL)?;

        if state.color_mgmt_changed() {
            let gamma = match state.gamma_lut() {
                Some(lut) => Some(Arc::new(Gamma::new(lut)?, GFP_KERNEL)?),
                None => None,
            };
            state.data_mut().gamma = gamma;
        }

        Ok(())
    }

    fn atomic_enable(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, BochsDriver>) {
        let Some(state) = commit.get_new_crtc_state(crtc) else {
            return;
        };
        let mode = state.adjusted_mode();
        let (width, height) = (mode.hdisplay(), mode.vdisplay());

        crtc.data()
            .scanout
            .lock()
            .set_layout(Layout::new(width, height, crtc.drm_dev().vram_size));
        with_hardware(crtc.drm_dev(), |hardware| {
            // The device may have forgotten it in its sleep.
            hardware.registers.set_little_endian();
            hardware.registers.set_mode(width, height);
            hardware.registers.blank(false);
        });
    }

    fn atomic_disable(crtc: &Crtc<Self>, _commit: &AtomicCommit<'_, BochsDriver>) {
        let mut scanout = crtc.data().scanout.lock();

        scanout.set_layout(None);
        with_hardware(crtc.drm_dev(), |hardware| {
            hardware.registers.blank(true);
            scanout.clear(hardware);
        });
    }

    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, BochsDriver>) {
        if let Some(state) = commit.get_new_crtc_state(crtc) {
            if state.color_mgmt_changed() {
                let gamma = state.data().gamma.clone();

                crtc.data().scanout.lock().set_gamma(gamma);
            }
        }

        Self::show(crtc);
    }
}
