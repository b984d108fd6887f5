// SPDX-License-Identifier: GPL-2.0

//! The worker that composes the frames of a CRTC.
//!
//! Each vertical blank notes which scene the frame shows; the worker composes it later. If it falls
//! behind then frames of the same scene share one composition, and frames for which there is no
//! room any more have no checksum.

use crate::{
    crtc::RvkmsCrtc,
    scene::Scene, //
};
use kernel::{
    drm::kms::{
        crtc::Crtc,
        KmsRef, //
    },
    impl_has_work,
    new_spinlock_irq,
    new_work,
    pr_err_once,
    prelude::*,
    sync::{
        Arc,
        SpinLockIrq, //
    },
    workqueue::{
        OrderedQueue,
        Work,
        WorkItem, //
    }, //
};

/// How many scenes can wait to be composed.
const MAX_PENDING: usize = 8;

/// How many vertical blanks can be made up for.
const MAX_SKIPPED: u64 = 16;

/// Frames of one scene that wait to be composed.
struct Pending {
    crtc: KmsRef<Crtc<RvkmsCrtc>>,
    scene: Arc<Scene>,
    first: u64,
    last: u64,
}

/// What is to be done.
struct Job {
    /// What the CRTC shows, if it is on.
    scene: Option<Arc<Scene>>,
    /// Whether user space wants the checksum of each frame.
    crc: bool,
    /// The last frame that was noted since checksums are wanted.
    last_frame: Option<u64>,
    /// The frames that wait, the oldest first. Never more than [`MAX_PENDING`].
    pending: KVec<Pending>,
}

/// Composes the frames of a CRTC.
#[pin_data]
pub(crate) struct Worker {
    #[pin]
    work: Work<Self>,
    #[pin]
    job: SpinLockIrq<Job>,
}

impl_has_work! {
    impl HasWork<Self> for Worker { self.work }
}

impl Worker {
    /// Creates a worker that has nothing to do.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let job = Job {
            scene: None,
            crc: false,
            last_frame: None,
            pending: KVec::with_capacity(MAX_PENDING, GFP_KERNEL)?,
        };

        Arc::pin_init(
            pin_init!(Self {
                work <- new_work!("rvkms::Worker::work"),
                job <- new_spinlock_irq!(job),
            }),
            GFP_KERNEL,
        )
    }

    /// Sets what the CRTC shows from the next vertical blank on. May sleep.
    pub(crate) fn set_scene(&self, scene: Option<Arc<Scene>>) {
        // What was there before is dropped without the lock, since that may sleep.
        let old = core::mem::replace(&mut self.job.lock().scene, scene);
        drop(old);
    }

    /// Starts or stops to compute checksums.
    pub(crate) fn set_crc(&self, enabled: bool) {
        let mut job = self.job.lock();

        job.crc = enabled;
        job.last_frame = None;
    }

    /// Notes that the frame with the number `frame` has begun. Does not sleep.
    pub(crate) fn vblank(
        self: &Arc<Self>,
        queue: &OrderedQueue,
        crtc: &Crtc<RvkmsCrtc>,
        frame: u64,
    ) {
        {
            let mut job = self.job.lock();

            if !job.crc {
                return;
            }
            let Some(scene) = job.scene.clone() else {
                return;
            };

            // The timer can skip vertical blanks if the machine is busy. The frames between show
            // what the last one does.
            let first = match job.last_frame.replace(frame) {
                Some(last) if last < frame && frame - last <= MAX_SKIPPED => last + 1,
                _ => frame,
            };

            match job.pending.last_mut() {
                Some(last) if Arc::ptr_eq(&last.scene, &scene) => last.last = frame,
                _ => {
                    if job.pending.len() < MAX_PENDING {
                        // There is room, so this cannot fail.
                        let _ = job.pending.push_within_capacity(Pending {
                            crtc: crtc.into(),
                            scene,
                            first,
                            last: frame,
                        });
                    }
                }
            }
        }

        // If the work is enqueued already then it will see what was noted.
        let _ = queue.enqueue(self.clone());
    }

    fn compose(&self, pending: &Pending) -> Result {
        let frame = pending.scene.frame.lock();
        let sum = pending
            .scene
            .composer
            .composer
            .lock()
            .compose(&frame, 0..frame.height, None)?;

        for number in pending.first..=pending.last {
            // User space that does not read fast enough, or has stopped to, misses frames.
            let _ = pending.crtc.add_crc_entry(number as u32, sum.crc());
        }

        Ok(())
    }
}

impl WorkItem for Worker {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        loop {
            let Ok(pending) = this.job.lock().pending.remove(0) else {
                return;
            };

            if this.compose(&pending).is_err() {
                pr_err_once!("a frame could not be composed\n");
            }
        }
    }
}
