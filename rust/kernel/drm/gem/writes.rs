// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Finding out whether the memory of an object has been written to.
//!
//! User space writes to a mapped object without telling anybody. But it can only do so through page
//! table entries, and these come from the fault handler of the object. So when all entries are
//! removed then nothing is written until the next fault: see [`Writes::watch`].

use crate::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        Mutex, //
    }, //
};

/// The version that comes next, of all objects: no two have a version in common.
static NEXT: Atomic<i64> = Atomic::new(0);

/// What is known about writes to the memory of an object.
///
/// # Invariants
///
/// - If user space may have page table entries for the memory then `mapped` or `busy` is not 0.
/// - If `mapped`, `busy` and `writers` are 0 then `version` was taken from `NEXT` after whatever
///   has been written.
#[pin_data]
pub struct Writes {
    version: Atomic<i64>,
    /// Whether user space may have page table entries.
    mapped: Atomic<i32>,
    /// How many are adding or removing page table entries.
    busy: Atomic<i32>,
    /// How many may write to the memory through a mapping of the kernel.
    writers: Atomic<i32>,
    /// Whether the memory can have been given to others.
    shared: Atomic<i32>,
    /// Held by who removes page table entries.
    #[pin]
    watching: Mutex<()>,
}

impl Writes {
    /// Starts with memory that nobody has access to.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            version: Atomic::new(NEXT.fetch_add(1, Full) + 1),
            mapped: Atomic::new(0),
            busy: Atomic::new(0),
            writers: Atomic::new(0),
            shared: Atomic::new(0),
            watching <- new_mutex!(()),
        })
    }

    /// Notes that something has been written. Does not sleep.
    #[inline(never)]
    pub fn written(&self) {
        self.version.xchg(NEXT.fetch_add(1, Full) + 1, Full);
    }

    /// Notes that somebody may write to the memory until [`end`](Self::end) is called. Does not
    /// sleep.
    #[inline(never)]
    pub fn begin(&self) {
        self.writers.fetch_add(1, Full);
    }

    /// Ends what [`begin`](Self::begin) began. Does not sleep.
    #[inline(never)]
    pub fn end(&self) {
        self.written();
        self.writers.fetch_sub(1, Full);
    }

    /// Notes that others get access to the memory, of which nothing will be heard. Does not sleep.
    #[inline(never)]
    pub(in crate::drm) fn share(&self) {
        self.shared.xchg(1, Full);
    }

    /// Handles a fault of user space, in which `handler` may add page table entries.
    pub(super) fn fault<R>(&self, handler: impl FnOnce() -> R) -> R {
        self.fault_begin();
        let ret = handler();
        self.fault_end();

        ret
    }

    #[inline(never)]
    fn fault_begin(&self) {
        self.busy.fetch_add(1, Full);
    }

    #[inline(never)]
    fn fault_end(&self) {
        // INVARIANT: This comes before `busy` can be 0.
        self.mapped.xchg(1, Full);
        self.busy.fetch_sub(1, Full);
    }

    /// Returns a number that stays the same as long as nothing is written, if writes are noticed.
    ///
    /// If two calls return the same number then nothing was written from the first to the second. A
    /// write that is under way while this is called counts as one that comes later. Does not sleep.
    #[inline(never)]
    pub fn version(&self) -> Option<i64> {
        if self.shared.load(Acquire) != 0 || self.writers.load(Acquire) != 0 {
            return None;
        }

        // As long as there may be page table entries each call counts as a write.
        if self.is_mapped() {
            self.written();
        }

        Some(self.version.load(Acquire))
    }

    /// Notices writes of user space again from now on: `unmap` is to remove all page table entries,
    /// which the fault handler then adds again when they are needed. If somebody else does so then
    /// it waits for that. May sleep.
    pub(super) fn watch(&self, unmap: impl FnOnce()) {
        if !self.is_mapped() {
            return;
        }

        let _watching = self.watching.lock();

        if self.watch_begin() {
            unmap();
            self.watch_end();
        }
    }

    /// Returns whether there may be page table entries.
    fn is_mapped(&self) -> bool {
        // Who adds some is busy until `mapped` says so, and who removes them before it says so:
        // hence both looks.
        self.busy.load(Acquire) != 0
            || self.mapped.load(Acquire) != 0
            || self.busy.load(Acquire) != 0
    }

    #[inline(never)]
    fn watch_begin(&self) -> bool {
        if self.mapped.load(Acquire) == 0 {
            return false;
        }

        // INVARIANT: `busy` comes first and stays until the page table entries have been removed.
        self.busy.fetch_add(1, Full);
        self.mapped.xchg(0, Full);
        true
    }

    #[inline(never)]
    fn watch_end(&self) {
        // INVARIANT: An entry that somebody else has added may have come after the others had been
        // removed. The version comes after all writes through the entries that were removed.
        if self.busy.fetch_add(0, Full) != 1 {
            self.mapped.xchg(1, Full);
        }
        self.written();
        self.busy.fetch_sub(1, Full);
    }
}

#[cfg(CONFIG_RUST_DRM_GEM_KUNIT_TEST)]
#[macros::kunit_tests(rust_drm_gem_writes)]
mod tests {
    use super::*;
    use crate::{
        sync::{
            atomic::Relaxed,
            Arc,
            Completion, //
        },
        time::{
            delay::fsleep,
            Delta, //
        },
        workqueue, //
    };

    #[test]
    fn versions_are_unique() {
        pin_init::stack_pin_init!(let one = Writes::new());
        pin_init::stack_pin_init!(let other = Writes::new());

        assert!(one.version().is_some());
        assert_ne!(one.version(), other.version());
        assert_eq!(one.version(), one.version());
    }

    #[test]
    fn kernel_writers_are_noticed() {
        pin_init::stack_pin_init!(let writes = Writes::new());
        let before = writes.version();

        writes.begin();
        assert_eq!(writes.version(), None);
        writes.end();
        assert!(writes.version().is_some());
        assert_ne!(writes.version(), before);

        let before = writes.version();
        writes.written();
        assert_ne!(writes.version(), before);
    }

    #[test]
    fn mapped_memory_counts_as_written() {
        pin_init::stack_pin_init!(let writes = Writes::new());
        let before = writes.version();

        writes.fault(|| assert_ne!(writes.version(), before));
        let mapped = writes.version();
        assert_ne!(mapped, before);
        assert_ne!(mapped, writes.version());

        // What was written before it is watched is not missed.
        let mapped = writes.version();
        writes.watch(|| assert_ne!(writes.version(), mapped));
        let watched = writes.version();
        assert_ne!(watched, mapped);
        assert_eq!(watched, writes.version());

        // Nothing to remove.
        writes.watch(|| panic!());
        assert_eq!(watched, writes.version());

        writes.fault(|| ());
        assert_ne!(watched, writes.version());
    }

    #[test]
    fn faults_meanwhile_are_noticed() {
        pin_init::stack_pin_init!(let writes = Writes::new());

        writes.fault(|| ());
        writes.fault(|| writes.watch(|| ()));
        let before = writes.version();
        assert_ne!(before, writes.version());
    }

    #[test]
    fn who_watches_second_waits_for_the_first() -> Result {
        #[pin_data]
        struct Shared {
            #[pin]
            writes: Writes,
            #[pin]
            begun: Completion,
            #[pin]
            go_on: Completion,
            #[pin]
            ended: Completion,
            version: Atomic<i64>,
        }

        let shared = Arc::pin_init(
            pin_init!(Shared {
                writes <- Writes::new(),
                begun <- Completion::new(),
                go_on <- Completion::new(),
                ended <- Completion::new(),
                version: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        let (first, second) = (shared.clone(), shared.clone());

        shared.writes.fault(|| ());
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            first.writes.watch(|| {
                first.begun.complete_all();
                first.go_on.wait_for_completion();
            });
        })?;
        shared.begun.wait_for_completion();
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            second.writes.watch(|| ());
            second
                .version
                .store(second.writes.version().unwrap_or_default(), Relaxed);
            second.ended.complete_all();
        })?;
        // Who does not wait has ended then.
        fsleep(Delta::from_millis(20));
        shared.go_on.complete_all();
        shared.ended.wait_for_completion();

        assert_eq!(shared.writes.version(), Some(shared.version.load(Relaxed)));
        Ok(())
    }

    #[test]
    fn shared_memory_has_no_version() {
        pin_init::stack_pin_init!(let writes = Writes::new());

        writes.share();
        assert_eq!(writes.version(), None);
    }
}
