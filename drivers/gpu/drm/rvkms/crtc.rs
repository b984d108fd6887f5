// SPDX-License-Identifier: GPL-2.0

//! CRTCs.

use crate::{
    compose::{
        Frame,
        Lut,
        Matrix, //
    },
    compositor::Compositor,
    device::RvkmsDriver,
    plane::RvkmsPlane,
    scene::{
        self,
        Scene, //
    },
    worker::Worker,
};
use kernel::{
    drm::{
        self,
        kms::{
            atomic::{
                AtomicCheck,
                AtomicCommit, //
            },
            color::ColorLut,
            crtc::{
                Crtc,
                DriverCrtc, //
            },
            plane::PlaneState,
            vblank::VblankTimer,
            writeback::WritebackJob,
            DriverState,
            MAX_OBJECTS, //
        },
    },
    prelude::*,
    sync::Arc,
    workqueue::UnboundQueue, //
};

/// The largest tables for colours that a CRTC takes. Smaller ones are interpolated, so that one
/// made for `vkms`, which has 256 entries, has the same effect.
pub(crate) const LUT_SIZE: u32 = 4096;

/// The size of tables that user space sets in the legacy interface.
pub(crate) const LEGACY_LUT_SIZE: u32 = 256;

/// A CRTC.
#[pin_data]
pub(crate) struct RvkmsCrtc {
    worker: Arc<Worker>,
    queue: UnboundQueue,
}

/// What a state of a CRTC adds.
#[derive(Default)]
pub(crate) struct RvkmsCrtcState {
    /// What the CRTC shows, made anew by each check and filled by the commit.
    scene: Option<Arc<Scene>>,
    compositor: Option<Arc<Compositor>>,
    degamma: Option<Arc<Lut>>,
    ctm: Option<Arc<Matrix>>,
    gamma: Option<Arc<Lut>>,
}

impl DriverState for RvkmsCrtcState {
    fn new() -> Result<Self> {
        Ok(Self::default())
    }

    fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            scene: None,
            compositor: self.compositor.clone(),
            degamma: self.degamma.clone(),
            ctm: self.ctm.clone(),
            gamma: self.gamma.clone(),
        })
    }
}

impl RvkmsCrtc {
    /// Returns where its frames are composed.
    pub(crate) fn queue(&self) -> &UnboundQueue {
        &self.queue
    }

    /// Stores what `crtc` shows in the framebuffer of `job`.
    pub(crate) fn write_back(crtc: &Crtc<Self>, job: WritebackJob<RvkmsDriver>) {
        let data = crtc.data();

        data.worker.write_back(&data.queue, crtc, job);
    }
}

/// Prepares a table that user space has set.
fn prepare_lut(lut: Option<&[ColorLut]>) -> Result<Option<Arc<Lut>>> {
    let Some(lut) = lut else {
        return Ok(None);
    };

    if lut.is_empty() || lut.len() > LUT_SIZE as usize {
        return Err(EINVAL);
    }

    let lut = Lut::new(lut.len(), |index| {
        lut.get(index).map_or([0; 3], ColorLut::rgb)
    })?;

    Ok(Some(Arc::new(lut, GFP_KERNEL)?))
}

#[vtable(unique)]
impl DriverCrtc for RvkmsCrtc {
    type Driver = RvkmsDriver;
    type Args = ();
    type State = RvkmsCrtcState;
    type Vblank = VblankTimer;

    fn new(_drm: &drm::Device<RvkmsDriver>, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            worker: Worker::new()?,
            queue: UnboundQueue::new(c"rvkms")?,
        })
    }

    fn atomic_check(crtc: &Crtc<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
        // The scene is made of all planes, whether or not the update changes them.
        check.add_affected_planes(crtc)?;

        let mut state = check.get_new_crtc_state(crtc).ok_or(EINVAL)?;

        if state.color_mgmt_changed() {
            let gamma = prepare_lut(state.gamma_lut())?;
            let degamma = prepare_lut(state.degamma_lut())?;
            let ctm = match state.ctm() {
                Some(ctm) => Some(Arc::new(Matrix::from_3x3(ctm)?, GFP_KERNEL)?),
                None => None,
            };

            let data = state.data_mut();
            data.gamma = gamma;
            data.degamma = degamma;
            data.ctm = ctm;
        }

        if !state.active() {
            return Ok(());
        }

        let (width, height) = {
            let mode = state.adjusted_mode();

            (u32::from(mode.hdisplay()), u32::from(mode.vdisplay()))
        };

        let compositor = match &state.data().compositor {
            Some(compositor) if !state.needs_modeset() => compositor.clone(),
            _ => Compositor::new(width, height, MAX_OBJECTS as usize)?,
        };

        let background = state.background_color();
        let data = state.data().duplicate()?;
        let layers = state.plane_mask().count_ones() as usize;
        let scene = Scene::new(
            compositor.clone(),
            Frame {
                width,
                height,
                background: [background.red, background.green, background.blue],
                layers: KVec::with_capacity(layers, GFP_KERNEL)?,
                degamma: data.degamma,
                ctm: data.ctm,
                gamma: data.gamma,
            },
        )?;

        let data = state.data_mut();
        data.compositor = Some(compositor);
        data.scene = Some(scene);

        Ok(())
    }

    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, RvkmsDriver>) {
        let Some(state) = commit.get_new_crtc_state(crtc) else {
            return;
        };
        let Some(scene) = &state.data().scene else {
            return;
        };

        scene.fill(|frame| {
            // At most 32 planes: going over them once for each place is quick enough.
            for zpos in 0..MAX_OBJECTS {
                let layers = commit
                    .new_plane_states()
                    .filter(|plane| plane.visible() && plane.normalized_zpos() == zpos)
                    .filter(|plane| plane.crtc().is_some_and(|of| of.index() == crtc.index()))
                    .filter_map(|plane| {
                        let state = PlaneState::<RvkmsPlane>::try_from_opaque(plane)?;

                        scene::layer(plane, state.data())
                    });

                for layer in layers {
                    // The check made room for all planes.
                    let _ = frame.layers.push_within_capacity(layer);
                }
            }
        });

        crtc.data().worker.set_scene(Some(scene.clone()));
    }

    fn atomic_disable(crtc: &Crtc<Self>, _commit: &AtomicCommit<'_, RvkmsDriver>) {
        let crtc = crtc.data();

        crtc.worker.set_scene(None);

        // No vertical blank can come any more. What waits for the worker keeps the device alive,
        // and must be gone when the driver is unloaded.
        crtc.queue.flush();
    }

    fn handle_vblank(crtc: &Crtc<Self>, frame: u64) {
        let data = crtc.data();

        data.worker.vblank(&data.queue, crtc, frame);
    }

    fn set_crc_enabled(crtc: &Crtc<Self>, enabled: bool) -> Result {
        crtc.data().worker.set_crc(enabled);

        Ok(())
    }
}
