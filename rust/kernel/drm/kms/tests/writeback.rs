// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Writeback connectors.

use super::{
    super::{
        crtc::OpaqueCrtc,
        writeback::{
            WritebackDriver,
            WritebackJob, //
        }, //
    },
    *, //
};
use crate::error::to_result;
use core::ptr;

impl WritebackDriver for TestDriver {
    fn writeback(_crtc: &OpaqueCrtc<Self>, _job: WritebackJob<Self>) {}
}

/// Notes when a fence is signalled, and with which error.
#[repr(C)]
struct Witness {
    callback: Opaque<bindings::dma_fence_cb>,
    /// How many fences were signalled before, or -1.
    place: Atomic<i32>,
    error: Atomic<i32>,
}

/// How many fences have been signalled.
static SIGNALLED: Atomic<i32> = Atomic::new(0);

impl Witness {
    fn new() -> Self {
        Self {
            callback: Opaque::zeroed(),
            place: Atomic::new(-1),
            error: Atomic::new(0),
        }
    }

    /// # Safety
    ///
    /// `callback` must be that of a [`Witness`], and `fence` be valid.
    unsafe extern "C" fn signalled(
        fence: *mut bindings::dma_fence,
        callback: *mut bindings::dma_fence_cb,
    ) {
        // SAFETY: The callback is the first field of a witness, and others use atomics only.
        unsafe {
            let witness = callback.cast::<Self>();

            (*witness).error.store((*fence).error, Relaxed);
            (*witness)
                .place
                .store(SIGNALLED.fetch_add(1, Relaxed), Relaxed);
        }
    }
}

/// Queues a job without a framebuffer. `witness` must be valid until the job is complete.
///
/// # Safety
///
/// `connector` must be valid, and `witness` until the fence of the job is signalled.
unsafe fn queue(
    connector: *mut bindings::drm_writeback_connector,
    witness: *mut Witness,
) -> Result<*mut bindings::drm_writeback_job> {
    let owned = KBox::<Opaque<bindings::drm_connector_state>>::new(Opaque::zeroed(), GFP_KERNEL)?;
    let state = owned.get();

    // SAFETY: The connector is valid. The job belongs to this function until it is queued, and
    // only then can its fence be signalled.
    unsafe {
        (*state).connector = connector.cast();
        to_result(bindings::drm_writeback_set_fb(state, ptr::null_mut()))?;

        let job = (*state).writeback_job;
        (*job).out_fence = bindings::drm_writeback_get_out_fence(connector);
        ensure(!(*job).out_fence.is_null())?;
        to_result(bindings::dma_fence_add_callback(
            (*job).out_fence,
            witness.cast(),
            Some(Witness::signalled),
        ))?;

        bindings::drm_writeback_queue_job(connector, state);
        Ok(job)
    }
}

#[kunit_tests(rust_drm_kms_writeback)]
mod tests {
    use super::*;

    #[test]
    fn fences_signal_in_order() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let kept = create_all(setup)?;
            let connector = WritebackConnector::new(setup, &kept.encoder, &FORMATS)?;

            *setup.drm_dev().tally.writeback.lock() = Some(connector.into());
            Ok(())
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        let connector = tally.writeback.lock().take().ok_or(ENODATA)?;
        let raw = connector.as_raw();

        let witnesses = KBox::new([0; 3].map(|_| Witness::new()), GFP_KERNEL)?;
        let witness = |index: usize| {
            let witness = &witnesses[index];
            (witness.place.load(Relaxed), witness.error.load(Relaxed))
        };
        let pointer = |index: usize| ptr::from_ref(&witnesses[index]).cast_mut();
        SIGNALLED.store(0, Relaxed);

        // SAFETY: The connector and the witnesses outlive the jobs, which are completed below.
        let jobs = unsafe {
            [
                queue(raw, pointer(0))?,
                queue(raw, pointer(1))?,
                queue(raw, pointer(2))?,
            ]
        };
        // SAFETY: Each job is completed once.
        let complete = |index: usize, status| unsafe {
            bindings::drm_writeback_complete_job(jobs[index], status)
        };

        complete(2, 0);
        complete(1, EIO.to_errno());
        assert_eq!([0, 1, 2].map(witness), [(-1, 0); 3]);

        complete(0, 0);
        assert_eq!(
            [0, 1, 2].map(witness),
            [(0, 0), (1, EIO.to_errno()), (2, 0)]
        );

        drop(device);
        drop(connector);
        assert!(tally.all_freed());

        Ok(())
    }
}
