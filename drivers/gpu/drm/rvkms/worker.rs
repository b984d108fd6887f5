// SPDX-License-Identifier: GPL-2.0

//! The worker that composes the frames of a CRTC.
//!
//! Each vertical blank notes which scene the frame shows; the worker composes it later. If it falls
//! behind then frames of the same scene share one composition, and frames for which there is no
//! room any more have no checksum. Updates do not wait for it. So user space may draw where a scene
//! was that is still to be composed; what comes of that is not taken for the scene.

use crate::{
    compose::Target,
    crtc::RvkmsCrtc,
    device::RvkmsDriver,
    scene::Scene, //
};
use core::ops::RangeInclusive;
use kernel::{
    drm::kms::{
        crtc::Crtc,
        framebuffer::FramebufferMap,
        vblank::Vblank,
        writeback::WritebackJob,
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
        UnboundQueue,
        Work,
        WorkItem, //
    }, //
};

/// How many scenes can wait to be composed.
const MAX_PENDING: usize = 8;

/// How many vertical blanks can be made up for: a second at 60 Hz, half of what the core keeps.
const MAX_SKIPPED: u64 = 64;

/// Frames of one scene that wait to be composed.
struct Pending {
    crtc: KmsRef<Crtc<RvkmsCrtc>>,
    scene: Arc<Scene>,
    wanted: Wanted,
}

/// What frames are composed for.
enum Wanted {
    /// The checksum of the frames with the numbers `first` to `last`.
    Checksum {
        /// The number of the first frame.
        first: u64,
        /// The number of the last frame.
        last: u64,
    },
    /// The pixels of the frame.
    Pixels(WritebackJob<RvkmsDriver>),
}

impl Target for FramebufferMap<RvkmsDriver> {
    fn write(&self, offset: usize, src: &[u8]) -> Result {
        FramebufferMap::write(self, 0, offset, src)
    }
}

/// What is to be done.
struct Job {
    /// What the CRTC shows, if it is on.
    scene: Option<Arc<Scene>>,
    /// Whether user space wants the checksum of each frame.
    crc: bool,
    /// The last frame that was noted since checksums are wanted.
    last_frame: Option<u64>,
    /// What is being composed.
    composing: Option<Arc<Scene>>,
    /// The frames that wait, the oldest first. Never more than [`MAX_PENDING`].
    pending: KVec<Pending>,
    /// The frames that are to be written back, by updates that are not shown yet, with the numbers
    /// of the writebacks. Never more than [`MAX_PENDING`].
    due: KVec<(u64, Pending)>,
}

impl Job {
    /// Adds frames whose checksum is wanted to those that wait, unless there are too many.
    ///
    /// Does not drop the last reference to anything.
    fn push(&mut self, pending: Pending) {
        // The last place is for writeback.
        if self.pending.len() + 1 < MAX_PENDING {
            // There is room, so this cannot fail.
            let _ = self.pending.push_within_capacity(pending);
        }
    }
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
            composing: None,
            pending: KVec::with_capacity(MAX_PENDING, GFP_KERNEL)?,
            due: KVec::with_capacity(MAX_PENDING, GFP_KERNEL)?,
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
    ///
    /// This comes before the event of the update, so that whoever has that can draw where the
    /// scenes before this one are.
    pub(crate) fn set_scene(&self, scene: Option<Arc<Scene>>) {
        let old = {
            let mut job = self.job.lock();

            if scene.is_none() {
                // While the CRTC is off the numbers go on without frames.
                job.last_frame = None;
            }
            core::mem::replace(&mut job.scene, scene)
        };

        // Without the lock, since this may sleep.
        drop(old);
        self.leave_old_scenes();
    }

    /// Returns what the CRTC shows.
    pub(crate) fn scene(&self) -> Option<Arc<Scene>> {
        self.job.lock().scene.clone()
    }

    /// Notes that user space gets back what the scenes before the current one show. May sleep.
    fn leave_old_scenes(&self) {
        const MAX: usize = 1 + 2 * MAX_PENDING;
        let mut old: [Option<Arc<Scene>>; MAX] = [const { None }; MAX];

        {
            let job = self.job.lock();
            let due = job.due.iter().map(|(_, pending)| &pending.scene);
            let waiting = job.pending.iter().map(|pending| &pending.scene);
            let late = Iterator::chain(job.composing.iter(), Iterator::chain(waiting, due));
            let scenes = late.filter(|scene| {
                let current = job.scene.as_ref();

                !current.is_some_and(|current| Arc::ptr_eq(current, scene)) && !scene.is_left()
            });

            for (old, scene) in old.iter_mut().zip(scenes) {
                *old = Some(scene.clone());
            }
        }

        for scene in old.iter().flatten() {
            scene.leave();
        }
    }

    /// Starts or stops to compute checksums.
    pub(crate) fn set_crc(&self, enabled: bool) {
        let mut job = self.job.lock();

        job.crc = enabled;
        job.last_frame = None;
    }

    /// Returns whether checksums are computed.
    pub(crate) fn is_crc_enabled(&self) -> bool {
        self.job.lock().crc
    }

    /// Waits until everything that was noted before is composed. May sleep.
    pub(crate) fn finish(&self, queue: &UnboundQueue) {
        // One may be composed already. What comes meanwhile is not waited for.
        for _ in 0..=MAX_PENDING {
            // The last frame may still be composed when none waits any more.
            let is_last = self.job.lock().pending.is_empty();

            queue.flush();
            if is_last {
                return;
            }
        }
    }

    /// Notes what the frame shows that begins with `vblank`. Does not sleep.
    pub(crate) fn vblank(
        self: &Arc<Self>,
        queue: &UnboundQueue,
        crtc: &Crtc<RvkmsCrtc>,
        vblank: &mut Vblank<'_>,
    ) {
        let mut job = self.job.lock();

        // With the lock held: who gets an event can set the scene of the next frame.
        let Some(frame) = vblank.send_events() else {
            return;
        };
        if !job.crc {
            return;
        }
        let Some(scene) = job.scene.clone() else {
            return;
        };

        // The timer can skip vertical blanks if the machine is busy. The frames between show what
        // the last one does.
        let first = match job.last_frame.replace(frame) {
            Some(last) if last < frame && frame - last <= MAX_SKIPPED => last + 1,
            _ => frame,
        };

        match job.pending.last_mut() {
            Some(Pending {
                scene: waiting,
                wanted: Wanted::Checksum { last, .. },
                ..
            }) if Arc::ptr_eq(waiting, &scene) => *last = frame,
            _ => job.push(Pending {
                crtc: crtc.into(),
                scene,
                wanted: Wanted::Checksum { first, last: frame },
            }),
        }

        // With the lock held, so that who stops checksums finds work to wait for. If the work is
        // enqueued already then it will see what was noted.
        let _ = queue.enqueue(self.clone());
    }

    /// Lets what the CRTC shows now be stored in the framebuffer of `writeback`, which has the
    /// number `number`, once [`write_due`](Self::write_due) is called.
    pub(crate) fn write_back(
        &self,
        crtc: &Crtc<RvkmsCrtc>,
        number: u64,
        writeback: WritebackJob<RvkmsDriver>,
    ) {
        let rejected = {
            let mut job = self.job.lock();

            match job.scene.clone() {
                Some(scene) if job.due.len() < MAX_PENDING => {
                    // There is room, so this cannot fail.
                    let pending = Pending {
                        crtc: crtc.into(),
                        scene,
                        wanted: Wanted::Pixels(writeback),
                    };
                    let _ = job.due.push_within_capacity((number, pending));
                    None
                }
                _ => Some(writeback),
            }
        };

        if let Some(writeback) = rejected {
            writeback.complete(Err(EBUSY));
        }
    }

    /// Stores what is to be written back by writebacks with numbers less than `end`: whoever waits
    /// for that can carry out another update then.
    ///
    /// May sleep: if too many frames wait then until one of those is composed.
    pub(crate) fn write_due(self: &Arc<Self>, queue: &UnboundQueue, end: u64) {
        let is_due = |job: &Job| job.due.first().is_some_and(|(number, _)| *number < end);

        loop {
            let is_full = {
                let mut job = self.job.lock();

                while is_due(&job) && job.pending.len() < MAX_PENDING {
                    let Ok((_, due)) = job.due.remove(0) else {
                        break;
                    };

                    // There is room, so this cannot fail.
                    let _ = job.pending.push_within_capacity(due);
                    let _ = queue.enqueue(self.clone());
                }
                is_due(&job)
            };

            if !is_full {
                return;
            }
            queue.flush();
        }
    }
}

/// Returns which of the frames from `first` to `last` get a checksum: the last ones, so that what
/// was not read yet has room. The core complains if there is none, however fast user space reads.
fn numbers(first: u64, last: u64) -> RangeInclusive<u64> {
    first.max(last.saturating_sub(MAX_SKIPPED - 1))..=last
}

impl Pending {
    fn compose(self) -> Result {
        let queue = self.crtc.data().queue();
        let compositor = &self.scene.compositor;

        match self.wanted {
            Wanted::Checksum { first, last } => {
                let checksum = || compositor.checksum(queue, &self.scene);
                let crc = self.scene.compose(checksum)?;

                for number in numbers(first, last) {
                    // User space that does not read fast enough, or has stopped to, misses frames.
                    let _ = self.crtc.add_crc_entry(number as u32, crc);
                }
                Ok(())
            }
            Wanted::Pixels(job) => {
                let write = || compositor.write(queue, &self.scene, job.map());
                let result = self.scene.compose(write);

                job.complete(result);
                result
            }
        }
    }
}

impl WorkItem for Worker {
    type Pointer = Arc<Self>;

    /// Composes the frame that has waited longest. If there are more then it is called again, so
    /// that who waits for the queue waits for one frame, and not for those that come meanwhile.
    fn run(this: Arc<Self>) {
        let pending = {
            let mut job = this.job.lock();
            let Ok(pending) = job.pending.remove(0) else {
                return;
            };

            job.composing = Some(pending.scene.clone());
            pending
        };
        let crtc = pending.crtc.clone();

        match pending.compose() {
            // Frames of which nothing is left have no checksum.
            Ok(()) | Err(ESTALE) => (),
            Err(_) => pr_err_once!("a frame could not be composed\n"),
        }

        let (composed, is_last) = {
            let mut job = this.job.lock();

            (job.composing.take(), job.pending.is_empty())
        };

        // Without the lock, since it may be the last reference.
        drop(composed);
        if !is_last {
            let _ = crtc.data().queue().enqueue(this);
        }
    }
}

#[kunit_tests(rvkms_worker)]
mod tests {
    use super::*;

    #[test]
    fn no_more_checksums_are_made_up_for_than_there_is_room() {
        assert_eq!(numbers(7, 7), 7..=7);
        assert_eq!(numbers(0, MAX_SKIPPED - 1), 0..=MAX_SKIPPED - 1);
        assert_eq!(numbers(0, MAX_SKIPPED), 1..=MAX_SKIPPED);
        assert_eq!(
            numbers(1, u64::MAX),
            u64::MAX - (MAX_SKIPPED - 1)..=u64::MAX
        );
    }
}
