// SPDX-License-Identifier: GPL-2.0

//! CRTCs.

use crate::{
    compose::{
        Lut,
        Matrix, //
    },
    compositor::Compositor,
    device::{
        RvkmsDriver,
        MAX_SIZE, //
    },
    picture::Picture,
    plane::RvkmsPlane,
    scene::{
        self,
        Canvas,
        Draft, //
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
                CrtcState,
                DriverCrtc, //
            },
            modes::{
                DisplayMode,
                ModeStatus, //
            },
            plane::{
                AsyncUpdate,
                PlaneState, //
            },
            print::StatePrinter,
            vblank::{
                Vblank,
                VrrVblankTimer, //
            },
            writeback::WritebackJob,
            DriverState,
            MAX_OBJECTS, //
        },
    },
    new_mutex,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc,
        Mutex, //
    },
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
    #[pin]
    picture: Mutex<Picture>,
}

/// What a state of a CRTC adds.
#[derive(Default)]
pub(crate) struct RvkmsCrtcState {
    /// What the CRTC is to show, made anew by each check and filled by the commit.
    draft: Option<Arc<Draft>>,
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
            draft: None,
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

    /// Stores what `crtc` shows in the framebuffer of `job`, once the update is shown.
    pub(crate) fn write_back(crtc: &Crtc<Self>, job: WritebackJob<RvkmsDriver>) {
        let number = crtc.drm_dev().writebacks.fetch_add(1, Relaxed);

        crtc.data().worker.write_back(crtc, number, job);
    }

    /// Notes that an update is shown, which has no writebacks with numbers of `end` or more. May
    /// sleep.
    pub(crate) fn flip_done(&self, end: u64) {
        self.worker.write_due(&self.queue, end);
    }

    /// Shows what has changed of a plane that stays on `crtc`, at once.
    pub(crate) fn update_plane(crtc: &Crtc<Self>, update: &AsyncUpdate<'_, RvkmsPlane>) {
        let data = crtc.data();
        let mut picture = data.picture.lock();

        set_plane(&mut picture, crtc, update.state(), None);

        // While the CRTC is off there is neither a scene nor a picture. It is turned on with all of
        // its planes.
        if let Some(state) = update.get_new_crtc_state(crtc) {
            data.show(&picture, state);
        }
    }

    /// Shows `picture` from the next vertical blank on, with the memory that `state` was given.
    ///
    /// The picture is locked meanwhile, so that it is the last one that stays.
    fn show(&self, picture: &Picture, state: &CrtcState<Self>) {
        let draft = state.data().draft.as_ref();

        if let Some(scene) = draft.and_then(|draft| picture.scene(draft)) {
            self.worker.set_scene(Some(scene));
        }
    }
}

/// Sets what a plane shows on `crtc` in the picture of that. If it shows something else than before
/// in part then `commit` tells, which matters to who reads checksums.
fn set_plane(
    picture: &mut Picture,
    crtc: &Crtc<RvkmsCrtc>,
    state: &PlaneState<RvkmsPlane>,
    commit: Option<&AtomicCommit<'_, RvkmsDriver>>,
) {
    let here = state.crtc().is_some_and(|of| of.index() == crtc.index());
    let mut layer = if here && state.visible() {
        scene::layer(state, state.data())
    } else {
        None
    };

    // To find out costs user space its page table entries.
    let commit = commit.filter(|_| crtc.data().worker.is_crc_enabled());

    if let (Some(layer), Some(commit)) = (&mut layer, commit) {
        RvkmsPlane::set_change(&mut layer.source, state, commit);
    }

    picture.set_layer(state.plane().index(), state.normalized_zpos(), layer);
}

/// Returns what all pictures of a CRTC have in common that has the state `state`.
fn canvas(state: &CrtcState<RvkmsCrtc>) -> Option<Canvas> {
    let data = state.data();
    let mode = state.adjusted_mode();
    let background = state.background_color();

    Some(Canvas {
        compositor: data.compositor.clone()?,
        width: mode.hdisplay().into(),
        height: mode.vdisplay().into(),
        background: [background.red, background.green, background.blue],
        degamma: data.degamma.clone(),
        ctm: data.ctm.clone(),
        gamma: data.gamma.clone(),
    })
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
    type Vblank = VrrVblankTimer;

    fn new(_drm: &drm::Device<RvkmsDriver>, _args: ()) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            worker: Worker::new()?,
            queue: UnboundQueue::new(c"rvkms")?,
            picture <- new_mutex!(Picture::new()?),
        })
    }

    fn mode_valid(_crtc: &Crtc<Self>, mode: &DisplayMode) -> ModeStatus {
        // The core asks this of framebuffers only.
        if u32::from(mode.hdisplay()) > MAX_SIZE.0 {
            ModeStatus::VirtualX
        } else if u32::from(mode.vdisplay()) > MAX_SIZE.1 {
            ModeStatus::VirtualY
        } else {
            ModeStatus::Ok
        }
    }

    fn atomic_check(crtc: &Crtc<Self>, check: &AtomicCheck<'_, RvkmsDriver>) -> Result {
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

        let compositor = match &state.data().compositor {
            Some(compositor) if !state.needs_modeset() => compositor.clone(),
            _ => {
                let mode = state.adjusted_mode();

                Compositor::new(
                    mode.hdisplay().into(),
                    mode.vdisplay().into(),
                    MAX_OBJECTS as usize,
                )?
            }
        };

        // An update of the cursor can come before any number of updates that are waiting, each of
        // which shows more planes or fewer.
        let draft = Draft::new(crtc.drm_dev().planes.len())?;

        let data = state.data_mut();
        data.compositor = Some(compositor);
        data.draft = Some(draft);

        Ok(())
    }

    fn atomic_flush(crtc: &Crtc<Self>, commit: &AtomicCommit<'_, RvkmsDriver>) {
        let Some(state) = commit.get_new_crtc_state(crtc) else {
            return;
        };
        let data = crtc.data();
        let mut picture = data.picture.lock();

        // A CRTC is turned on with all of its planes.
        if !state.active() {
            picture.clear();
            return;
        }
        if let Some(canvas) = canvas(state) {
            picture.set_canvas(canvas);
        }

        let longest = if state.vrr_enabled() {
            let slowest = &crtc.drm_dev().slowest;

            slowest.longest_frame(state.connector_mask())
        } else {
            None
        };
        crtc.set_longest_frame(longest);

        for plane in commit.new_plane_states() {
            if let Some(state) = PlaneState::<RvkmsPlane>::try_from_opaque(plane) {
                set_plane(&mut picture, crtc, state, Some(commit));
            }
        }

        data.show(&picture, state);
    }

    fn atomic_disable(crtc: &Crtc<Self>, _commit: &AtomicCommit<'_, RvkmsDriver>) {
        let crtc = crtc.data();

        crtc.picture.lock().clear();
        crtc.worker.set_scene(None);
        crtc.worker.write_due(&crtc.queue, u64::MAX);

        // No vertical blank can come any more. What waits for the worker keeps the device alive,
        // and must be gone when the driver is unloaded.
        crtc.worker.finish(&crtc.queue);
    }

    fn atomic_print_state(crtc: &Crtc<Self>, state: &CrtcState<Self>, printer: &mut StatePrinter) {
        let data = state.data();

        if let Some(scene) = crtc.data().worker.scene() {
            let frame = &scene.frame;

            printer.print(fmt!(
                "\tshown={}x{}\n\tlayers={}\n",
                frame.width,
                frame.height,
                frame.layers.len(),
            ));
        }
        printer.print(fmt!(
            "\tdegamma={}\n\tctm={}\n\tgamma={}\n",
            u8::from(data.degamma.is_some()),
            u8::from(data.ctm.is_some()),
            u8::from(data.gamma.is_some()),
        ));
    }

    fn handle_vblank(crtc: &Crtc<Self>, vblank: &mut Vblank<'_>) {
        let data = crtc.data();

        data.worker.vblank(&data.queue, crtc, vblank);
    }

    fn set_crc_enabled(crtc: &Crtc<Self>, enabled: bool) -> Result {
        let data = crtc.data();

        data.worker.set_crc(enabled);
        if !enabled {
            // What is late must not be taken for frames of who asks next.
            data.worker.finish(&data.queue);
        }

        Ok(())
    }
}
