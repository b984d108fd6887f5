// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Writeback connectors.
//!
//! A writeback connector stores the picture of a CRTC in a framebuffer, instead of showing it. User
//! space hands a framebuffer over with an update, and gets a fence that tells when it was written.
//!
//! C header: [`include/drm/drm_writeback.h`](srctree/include/drm/drm_writeback.h)

use super::{
    connector::{
        ConnectorOps,
        OpaqueConnector, //
    },
    crtc::OpaqueCrtc,
    encoder::Encoder,
    fourcc,
    framebuffer::{
        Framebuffer,
        FramebufferMap, //
    },
    KmsDriver,
    KmsRef,
    KmsSetup,
    ModeObject,
    OfDriver, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    drm,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    types::{
        ForeignOwnable,
        Opaque, //
    },
    vtable::Identity, //
};
use core::{
    ops::Deref,
    ptr, //
};

/// A driver that can write pictures back.
pub trait WritebackDriver: KmsDriver {
    /// Stores the picture that `crtc` makes after the update in the framebuffer of `job`.
    ///
    /// Called when the update is carried out, with
    /// [`commit_modeset_enables`](super::PlanesCommitted::commit_modeset_enables). The picture can
    /// be stored later, e.g. by a worker, and jobs be completed in any order. User space hears of
    /// them in the order in which they came: a job that is never completed holds up all later ones
    /// of its connector. May sleep.
    ///
    /// C: `struct drm_connector_helper_funcs`, `atomic_commit`.
    fn writeback(crtc: &OpaqueCrtc<Self>, job: WritebackJob<Self>);
}

/// The identity of all writeback connectors.
// SAFETY: This is a static, and the only identity of writeback connectors.
static IDENTITY: Identity = unsafe { Identity::new() };

/// A writeback connector of a device of the driver `D`.
///
/// C: `struct drm_writeback_connector`.
///
/// # Invariants
///
/// `connector` is initialized and valid until the device is freed.
#[repr(transparent)]
pub struct WritebackConnector<D: WritebackDriver> {
    connector: Opaque<bindings::drm_writeback_connector>,
    _driver: OfDriver<D>,
}

impl<D: WritebackDriver> WritebackConnector<D> {
    const OPS: ConnectorOps = ConnectorOps {
        funcs: bindings::drm_connector_funcs {
            fill_modes: Some(bindings::drm_helper_probe_single_connector_modes),
            destroy: Some(Self::destroy_callback),
            atomic_create_state: Some(bindings::drm_atomic_helper_connector_create_state),
            atomic_duplicate_state: Some(bindings::drm_atomic_helper_connector_duplicate_state),
            atomic_destroy_state: Some(bindings::drm_atomic_helper_connector_destroy_state),
            ..pin_init::zeroed()
        },
        helper_funcs: bindings::drm_connector_helper_funcs {
            get_modes: Some(Self::get_modes_callback),
            atomic_check: Some(Self::atomic_check_callback),
            atomic_commit: Some(Self::atomic_commit_callback),
            prepare_writeback_job: Some(Self::prepare_job_callback),
            cleanup_writeback_job: Some(Self::cleanup_job_callback),
            ..pin_init::zeroed()
        },
        id: &IDENTITY,
    };

    /// Creates a connector that `encoder` feeds, and that stores pictures in the given `formats`.
    ///
    /// Fails with `EINVAL` if there is no format, more than [`fourcc::MAX_FORMATS`], or one that
    /// the core does not know, or if `encoder` belongs to another device, and with `ENOSPC` if the
    /// device already has [`super::MAX_OBJECTS`] connectors. May sleep.
    ///
    /// C: `drm_writeback_connector_init_with_encoder()`.
    pub fn new<'a>(
        setup: &'a KmsSetup<'_, D>,
        encoder: &Encoder<D>,
        formats: &[u32],
    ) -> Result<&'a Self> {
        let ops = const { &Self::OPS };

        KmsSetup::<D>::check_room(setup.num_connectors())?;
        setup.check_own(encoder.drm_dev())?;
        fourcc::check_list(formats)?;

        let connector = KBox::into_raw(KBox::new(
            Self {
                connector: Opaque::zeroed(),
                _driver: OfDriver::default(),
            },
            GFP_KERNEL,
        )?);

        // SAFETY: `connector` is zeroed memory that does not move, the device of `setup` has a mode
        // configuration and is not registered yet, the core copies the formats, and the operations
        // are never freed. The pointer to `funcs` is made from one to all of the operations.
        let ret = to_result(unsafe {
            bindings::drm_writeback_connector_init_with_encoder(
                setup.as_raw(),
                connector.cast(),
                encoder.as_raw(),
                ptr::from_ref(ops).cast(),
                formats.as_ptr(),
                formats.len() as i32,
            )
        });

        if let Err(err) = ret {
            // SAFETY: The initialization failed and was undone, so nobody knows the memory that was
            // taken from a `KBox` above.
            drop(unsafe { KBox::from_raw(connector) });

            // The core has removed the properties of all writeback connectors.
            setup.failed.set(Some(err));
            return Err(err);
        }

        // SAFETY: `connector` was initialized, and only this thread knows it.
        unsafe {
            (*connector.cast::<bindings::drm_writeback_connector>())
                .base
                .helper_private = &ops.helper_funcs
        };

        // INVARIANT: The connector was initialized above.
        //
        // SAFETY: The core frees the connector with the device, which outlives the borrow of
        // `setup`.
        Ok(unsafe { &*connector })
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_writeback_connector {
        self.connector.get()
    }

    /// # Safety
    ///
    /// `connector` must be valid for `'a`, and have been created by [`Self::new`].
    unsafe fn from_raw<'a>(connector: *mut bindings::drm_connector) -> &'a Self {
        // SAFETY: `connector` is the first field of a `struct drm_writeback_connector`, and `Self`
        // is transparent.
        unsafe { &*connector.cast() }
    }

    /// Returns the new state of the connector in `commit`.
    ///
    /// # Safety
    ///
    /// `commit` must be valid, and the connector be part of it.
    unsafe fn new_state(
        &self,
        commit: *mut bindings::drm_atomic_commit,
    ) -> *mut bindings::drm_connector_state {
        // SAFETY: A connector that is part of a commit has an entry in its array.
        unsafe { (*(*commit).connectors.add(self.index() as usize)).new_state }
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and be used by nobody any more.
    unsafe extern "C" fn destroy_callback(connector: *mut bindings::drm_connector) {
        // SAFETY: The core calls this once, when the device is freed.
        unsafe { bindings::drm_connector_cleanup(connector) };

        // SAFETY: The memory was taken from a `KBox` in `new()`.
        drop(unsafe { KBox::from_raw(connector.cast::<Self>()) });
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`], and the lock of the mode configuration
    /// of its device must be held.
    unsafe extern "C" fn get_modes_callback(connector: *mut bindings::drm_connector) -> c_int {
        // SAFETY: The safety requirements of this function.
        unsafe {
            let config = &raw const (*(*connector).dev).mode_config;
            let (width, height) = ((*config).max_width, (*config).max_height);

            bindings::drm_add_modes_noedid(connector, width, height)
        }
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`] and be part of `commit`, which must be
    /// in the check phase.
    unsafe extern "C" fn atomic_check_callback(
        connector: *mut bindings::drm_connector,
        commit: *mut bindings::drm_atomic_commit,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The safety requirements of this function.
            let state = unsafe { Self::from_raw(connector).new_state(commit) };

            // SAFETY: The commit belongs to this thread.
            let (job, crtc) = unsafe { ((*state).writeback_job, (*state).crtc) };

            // SAFETY: If not NULL then the job belongs to the state.
            if job.is_null() || unsafe { (*job).fb }.is_null() {
                return Ok(0);
            }
            if crtc.is_null() {
                return Err(EINVAL);
            }

            // SAFETY: The connector is part of the commit. The function checks the format.
            to_result(unsafe {
                bindings::drm_atomic_helper_check_wb_connector_state(connector, commit)
            })?;

            // SAFETY: The job has a framebuffer, and the CRTC of a connector is part of the commit.
            let (fb, mode) = unsafe {
                let entry = (*commit).crtcs.add((*crtc).index as usize);

                if (*entry).ptr.is_null() {
                    return Err(EINVAL);
                }
                (
                    Framebuffer::<D>::from_raw((*job).fb),
                    &raw const (*(*entry).new_state).mode,
                )
            };

            // SAFETY: As above.
            let size = unsafe { (u32::from((*mode).hdisplay), u32::from((*mode).vdisplay)) };

            if (fb.width(), fb.height()) == size {
                Ok(0)
            } else {
                Err(EINVAL)
            }
        })
    }

    /// # Safety
    ///
    /// `job` must be a job of a connector that was created by [`Self::new`], which is not committed
    /// yet.
    unsafe extern "C" fn prepare_job_callback(
        _connector: *mut bindings::drm_writeback_connector,
        job: *mut bindings::drm_writeback_job,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The job belongs to this thread.
            let fb = unsafe { (*job).fb };

            if fb.is_null() {
                return Ok(0);
            }

            // SAFETY: The job holds a reference to the framebuffer.
            let map = KBox::new(unsafe { Framebuffer::<D>::from_raw(fb) }.map()?, GFP_KERNEL)?;

            // SAFETY: The job belongs to this thread.
            unsafe { (*job).priv_ = map.into_foreign() };

            Ok(0)
        })
    }

    /// # Safety
    ///
    /// `job` must have been prepared by [`Self::prepare_job_callback`], and be used by nobody.
    unsafe extern "C" fn cleanup_job_callback(
        _connector: *mut bindings::drm_writeback_connector,
        job: *mut bindings::drm_writeback_job,
    ) {
        // SAFETY: The job belongs to this thread.
        let map = unsafe { (*job).priv_ };

        if map.is_null() {
            return;
        }

        // The mapping can be what keeps the device alive, so it has to go last. The core does not
        // drop a reference that is not there.
        //
        // SAFETY: The job holds a reference to the framebuffer, and `map` was made by
        // `into_foreign()`.
        unsafe {
            bindings::drm_framebuffer_put((*job).fb);
            (*job).fb = ptr::null_mut();
            drop(KBox::<FramebufferMap<D>>::from_foreign(map));
        }
    }

    /// # Safety
    ///
    /// `connector` must have been created by [`Self::new`] and be part of `commit`, which must be
    /// in the commit phase. The new state must have a prepared job with a framebuffer.
    unsafe extern "C" fn atomic_commit_callback(
        connector: *mut bindings::drm_connector,
        commit: *mut bindings::drm_atomic_commit,
    ) {
        // SAFETY: The safety requirements of this function.
        let (connector, state) = unsafe {
            let connector = Self::from_raw(connector);

            (connector, connector.new_state(commit))
        };

        // SAFETY: The job was prepared, so that it has a mapping. The state's job and CRTC do not
        // change meanwhile; the CRTC is one of the device.
        let (job, map, crtc) = unsafe {
            let job = (*state).writeback_job;
            let map = KBox::<FramebufferMap<D>>::borrow((*job).priv_);

            (job, map.clone(), OpaqueCrtc::<D>::from_raw((*state).crtc))
        };

        // SAFETY: The state has a job, which is queued once.
        unsafe { bindings::drm_writeback_queue_job(connector.as_raw(), state) };

        // INVARIANT: The job was queued above, and nobody else completes it.
        D::writeback(
            crtc,
            WritebackJob {
                job,
                _connector: connector.into(),
                map,
                result: Err(EIO),
            },
        );
    }
}

impl<D: WritebackDriver> Deref for WritebackConnector<D> {
    type Target = OpaqueConnector<D>;

    fn deref(&self) -> &Self::Target {
        // SAFETY: The first field of a `struct drm_writeback_connector` is a connector, with
        // operations that fulfil the invariants of `OpaqueConnector`.
        unsafe { &*self.as_raw().cast() }
    }
}

// SAFETY: The connector is valid until the device is freed.
unsafe impl<D: WritebackDriver> ModeObject for WritebackConnector<D> {
    type Driver = D;

    fn drm_dev(&self) -> &drm::Device<D> {
        (**self).drm_dev()
    }
}

// SAFETY: The C side of a connector can be used from any thread.
unsafe impl<D: WritebackDriver> Send for WritebackConnector<D> {}

// SAFETY: Nothing of the connector but its queue of jobs changes, and that has a lock.
unsafe impl<D: WritebackDriver> Sync for WritebackConnector<D> {}

/// A framebuffer that a picture is to be stored in.
///
/// The job is complete when this is dropped: with an error, `EIO`, unless
/// [`complete`](Self::complete) was called. Either may sleep.
///
/// # Invariants
///
/// `job` is queued by `_connector`, and nothing but this value completes it.
pub struct WritebackJob<D: WritebackDriver> {
    job: *mut bindings::drm_writeback_job,
    _connector: KmsRef<WritebackConnector<D>>,
    map: FramebufferMap<D>,
    result: Result,
}

impl<D: WritebackDriver> WritebackJob<D> {
    /// Returns the mapped framebuffer. It has the size of the mode.
    pub fn map(&self) -> &FramebufferMap<D> {
        &self.map
    }

    /// Tells user space the result.
    pub fn complete(mut self, result: Result) {
        self.result = result;
    }
}

impl<D: WritebackDriver> Drop for WritebackJob<D> {
    /// C: `drm_writeback_complete_job()`.
    fn drop(&mut self) {
        let status = self.result.err().map_or(0, |err| err.to_errno());

        // SAFETY: By the type invariants the job is queued, and completed only here. Its connector
        // is valid as long as there is a reference to it. A job that has to wait for earlier ones
        // has a mapping that keeps the device alive.
        unsafe { bindings::drm_writeback_complete_job(self.job, status) };
    }
}

// SAFETY: The job belongs to this value alone, and can be completed by any thread.
unsafe impl<D: WritebackDriver> Send for WritebackJob<D> {}

// SAFETY: A shared reference gives access to the mapping only, which can be used by any thread.
unsafe impl<D: WritebackDriver> Sync for WritebackJob<D> {}
