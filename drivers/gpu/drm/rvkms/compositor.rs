// SPDX-License-Identifier: GPL-2.0

//! Composing the frames of a CRTC, by several CPUs.
//!
//! A frame is cut into chunks of rows. The worker of the CRTC and its helpers take one after the
//! other until none is left, so that nobody waits for a helper that has not got a CPU.

use crate::{
    compose::{
        Composer,
        Format,
        Method,
        RowCache,
        Shown,
        Writeback, //
    },
    patience::Patience,
    scene::{
        Buffer,
        Content,
        Scene, //
    }, //
};
use core::ops::Range;
use kernel::{
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    crc32::crc32_le_is_optimized,
    drm::{
        kms::framebuffer::MemoryVersion,
        simd::Folding, //
    },
    impl_has_work,
    new_condvar,
    new_mutex,
    new_work,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        Mutex, //
    },
    workqueue::{
        UnboundQueue,
        Work,
        WorkItem, //
    }, //
};

/// The most CPUs that compose one frame.
const MAX_CPUS: u32 = 4;

/// The most rows of a chunk.
const CHUNK: u32 = 32;

/// Composes the frames of a CRTC while its mode stays the same.
#[pin_data]
pub(crate) struct Compositor {
    height: u32,
    #[pin]
    own: Mutex<Own>,
    round: Arc<Round>,
    helpers: KVec<Arc<Helper>>,
}

/// What only the worker of the CRTC uses.
struct Own {
    composer: Composer,
    /// The last frame of which `sum` is the checksum.
    shown: Shown<MemoryVersion>,
    sum: u32,
    patience: Patience,
}

impl Compositor {
    /// Allocates all memory for frames of `width` by `height` pixels. May sleep.
    pub(crate) fn new(width: u32, height: u32, max_layers: usize) -> Result<Arc<Self>> {
        let method = if crc32_le_is_optimized() {
            Method::Kernel
        } else {
            Folding::new().map_or(Method::Tables, Method::Folding)
        };
        let composer = || Composer::new(width, max_layers, method);
        let own = Own {
            composer: composer()?,
            shown: Shown::new(max_layers)?,
            sum: 0,
            patience: Patience::default(),
        };
        let round = Round::new(RowCache::new(width, height)?, max_layers)?;
        let mut helpers = KVec::new();

        for _ in 1..nr_cpu_ids().min(MAX_CPUS) {
            helpers.push(Helper::new(composer()?, round.clone())?, GFP_KERNEL)?;
        }

        Arc::pin_init(
            pin_init!(Self {
                height,
                own <- new_mutex!(own),
                round,
                helpers,
            }),
            GFP_KERNEL,
        )
    }

    /// Returns the checksum of `scene`. Composes only rows that may have changed since this was
    /// called last. May sleep; `queue` is where helpers run.
    pub(crate) fn checksum(&self, queue: &UnboundQueue, scene: &Arc<Scene>) -> Result<u32> {
        let mut own = self.own.lock();
        let Own {
            composer,
            shown,
            sum,
            patience,
        } = &mut *own;

        let due = patience.is_due();
        let mut written = false;
        let version = |content: &Content, before: Option<&MemoryVersion>| {
            let buffer = &content.buffer;
            let version = buffer.version()?;

            match before {
                Some(before) if *before != version && before.is_same_memory(&version) => {
                    written = true;
                    if due {
                        buffer.watch();
                        return buffer.version();
                    }
                }
                _ => {}
            }
            Some(version)
        };
        let dirty = shown.update(&scene.frame, version, Content::changed_rows);

        patience.next(written);
        let result = dirty.and_then(|dirty| {
            if dirty.is_empty() {
                return Ok(*sum);
            }

            self.compose(queue, composer, Task::new(scene, None), dirty)?;
            Ok(self.round.chunks.lock().cache.sum())
        });

        match result {
            Ok(new) => *sum = new,
            Err(_) => shown.forget(),
        }
        result
    }

    /// Stores the pixels of `scene` in `target`. May sleep; `queue` is where helpers run.
    pub(crate) fn write(
        &self,
        queue: &UnboundQueue,
        scene: &Arc<Scene>,
        target: &Buffer,
    ) -> Result {
        let mut own = self.own.lock();
        let task = Task::new(scene, Some(target.clone()));
        let rows = 0..self.height;

        self.compose(queue, &mut own.composer, task, core::slice::from_ref(&rows))
    }

    fn compose(
        &self,
        queue: &UnboundQueue,
        composer: &mut Composer,
        task: Task,
        rows: &[Range<u32>],
    ) -> Result {
        self.round.begin(task, rows)?;

        // A helper for each chunk beyond the first is more than enough. Each has a CPU of its own
        // from the start: to be moved to one takes longer than to compose a frame.
        let rows: usize = rows.iter().map(ExactSizeIterator::len).sum();
        let others = CpuId::current().as_u32().saturating_add(1)..;
        for (helper, cpu) in self.helpers.iter().take(rows / CHUNK as usize).zip(others) {
            let _ = match CpuId::from_u32(cpu % nr_cpu_ids().max(1)) {
                Some(cpu) => queue.enqueue_on(cpu, helper.clone()),
                None => queue.enqueue(helper.clone()),
            };
        }

        self.round.work(composer);
        self.round.end()
    }
}

/// What is to be done with the rows of a scene.
#[derive(Clone)]
struct Task {
    scene: Arc<Scene>,
    /// Where the pixels go; if nowhere then the checksums are computed.
    target: Option<Buffer>,
}

impl Task {
    fn new(scene: &Arc<Scene>, target: Option<Buffer>) -> Self {
        Self {
            scene: scene.clone(),
            target,
        }
    }

    /// Composes `rows`; `crcs` has room for as many checksums.
    fn compose(&self, composer: &mut Composer, rows: Range<u32>, crcs: &mut [u32]) -> Result {
        let frame = &self.scene.frame;
        let Some(target) = &self.target else {
            return composer.sum_rows(frame, rows, None, crcs);
        };

        let fb = target.framebuffer();
        let format = Format::from_fourcc(fb.format()).ok_or(EINVAL)?;

        composer.write(frame, rows, Writeback::new(target, format, fb.pitch(0))?)
    }
}

/// The chunks of the frame that is being composed.
#[pin_data]
struct Round {
    #[pin]
    chunks: Mutex<Chunks>,
    #[pin]
    done: CondVar,
}

struct Chunks {
    task: Option<Task>,
    /// The rows that nobody has taken yet, the last range first.
    rows: KVec<Range<u32>>,
    /// How many chunks have been taken and not given back.
    busy: usize,
    result: Result,
    cache: RowCache,
}

impl Round {
    fn new(cache: RowCache, max_layers: usize) -> Result<Arc<Self>> {
        let chunks = Chunks {
            task: None,
            // `Shown` returns as many at most.
            rows: KVec::with_capacity(2 * max_layers + 1, GFP_KERNEL)?,
            busy: 0,
            result: Ok(()),
            cache,
        };

        Arc::pin_init(
            pin_init!(Self {
                chunks <- new_mutex!(chunks),
                done <- new_condvar!(),
            }),
            GFP_KERNEL,
        )
    }

    /// Offers the chunks of `rows`.
    fn begin(&self, task: Task, rows: &[Range<u32>]) -> Result {
        let mut chunks = self.chunks.lock();

        chunks.rows.clear();
        for range in rows.iter().rev() {
            chunks
                .rows
                .push_within_capacity(range.clone())
                .map_err(|_| E2BIG)?;
        }
        chunks.task = Some(task);
        chunks.result = Ok(());

        Ok(())
    }

    /// Composes chunks until there are none left.
    fn work(&self, composer: &mut Composer) {
        let mut crcs = [0; CHUNK as usize];

        while let Some((task, rows)) = self.take() {
            let first = rows.start;
            let result = match crcs.get_mut(..rows.len()) {
                Some(crcs) => task.compose(composer, rows, crcs).map(|()| &*crcs),
                None => Err(EINVAL),
            };

            self.give_back(task, first, result);
        }
    }

    fn take(&self) -> Option<(Task, Range<u32>)> {
        let mut chunks = self.chunks.lock();
        let task = chunks.task.clone()?;
        let range = chunks.rows.last_mut()?;
        let end = range.end.min(range.start.saturating_add(CHUNK));
        let rows = range.start..end;

        range.start = end;
        if range.start >= range.end {
            let _ = chunks.rows.pop();
        }
        chunks.busy += 1;

        Some((task, rows))
    }

    fn give_back(&self, task: Task, first: u32, result: Result<&[u32]>) {
        let has_target = task.target.is_some();

        // Who waits for the end may be the last who needs the device, and must not find it kept by
        // a reference of the queue that belongs to the device.
        drop(task);

        let mut chunks = self.chunks.lock();
        let result = if has_target {
            result.map(|_| ())
        } else {
            result.and_then(|crcs| chunks.cache.set(first, crcs))
        };

        if result.is_err() {
            chunks.result = result;
            // The others are not worth it.
            chunks.rows.clear();
        }
        chunks.busy -= 1;
        if chunks.busy == 0 {
            self.done.notify_all();
        }
    }

    /// Waits for the chunks that others have taken; there are none left to take.
    fn end(&self) -> Result {
        let mut chunks = self.chunks.lock();

        while chunks.busy > 0 {
            self.done.wait(&mut chunks);
        }

        let (task, result) = (chunks.task.take(), chunks.result);

        drop(chunks);
        drop(task);
        result
    }
}

/// Composes chunks on another CPU.
#[pin_data]
struct Helper {
    #[pin]
    work: Work<Self>,
    #[pin]
    composer: Mutex<Composer>,
    round: Arc<Round>,
}

impl_has_work! {
    impl HasWork<Self> for Helper { self.work }
}

impl Helper {
    fn new(composer: Composer, round: Arc<Round>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                work <- new_work!("rvkms::Helper::work"),
                composer <- new_mutex!(composer),
                round,
            }),
            GFP_KERNEL,
        )
    }
}

impl WorkItem for Helper {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.round.work(&mut this.composer.lock());
    }
}
