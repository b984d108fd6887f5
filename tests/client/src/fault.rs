// SPDX-License-Identifier: GPL-2.0

//! The kernel's fault injection: make the n-th allocation of one call fail.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::{message, Error, What};

const DEBUGFS: &str = "/sys/kernel/debug";

/// The switch of the calling thread.
pub struct FailNth {
    file: File,
}

impl FailNth {
    /// Prepares fault injection; says what the kernel lacks if that is not possible.
    pub fn new() -> Result<FailNth, Error> {
        if !Path::new(DEBUGFS).join("failslab").is_dir() {
            return message(format!(
                "the kernel has no failslab (CONFIG_FAILSLAB, CONFIG_FAULT_INJECTION_DEBUG_FS), or {DEBUGFS} is not mounted"
            ));
        }
        for (name, value) in [
            // Allocations that may sleep are what drivers make; they are spared otherwise.
            ("failslab/ignore-gfp-wait", "0"),
            ("failslab/cache-filter", "0"),
            // No stack trace for each of thousands of faults.
            ("failslab/verbose", "0"),
            ("failslab/probability", "0"),
        ] {
            write(name, value)?;
        }
        // Page allocations fail too where the kernel can do that.
        for (name, value) in [
            ("fail_page_alloc/ignore-gfp-wait", "0"),
            ("fail_page_alloc/ignore-gfp-highmem", "0"),
            ("fail_page_alloc/min-order", "0"),
            ("fail_page_alloc/verbose", "0"),
            ("fail_page_alloc/probability", "0"),
        ] {
            let _ = write(name, value);
        }
        let path = "/proc/thread-self/fail-nth";
        let file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .what(format!("open {path}"))?;
        Ok(FailNth { file })
    }

    /// Runs `call` with its n-th allocation failing. The flag says whether that allocation was reached.
    pub fn during<T>(&self, n: u32, call: impl FnOnce() -> T) -> Result<(T, bool), Error> {
        let text = n.to_string();
        self.write(&text)?;
        let result = call();
        let mut left = [0; 16];
        let read = self.file.read_at(&mut left, 0);
        self.write("0")?;
        let length = read.what("read of fail-nth")?;
        Ok((result, left[..length].trim_ascii() == b"0"))
    }

    fn write(&self, text: &str) -> Result<(), Error> {
        self.file
            .write_all_at(text.as_bytes(), 0)
            .what("write of fail-nth")
    }
}

/// While this lives no allocation of the workers of unbound queues succeeds.
pub struct WorkersWithoutMemory {
    workers: Vec<PathBuf>,
    _thread: FailNth,
}

/// More allocations than may fail.
const MANY: u32 = 1_000_000;

impl WorkersWithoutMemory {
    /// Lets allocations fail from now on; says what the kernel lacks if that is not possible.
    pub fn new() -> Result<Self, Error> {
        let thread = FailNth::new()?;
        let mut this = Self {
            workers: Vec::new(),
            _thread: thread,
        };
        this.find()?;
        for (name, value) in [
            ("failslab/task-filter", "Y"),
            ("failslab/times", &MANY.to_string()),
            ("failslab/probability", "100"),
        ] {
            write(name, value)?;
        }
        Ok(this)
    }

    /// Looks for workers, which come and go.
    pub fn find(&mut self) -> Result<(), Error> {
        self.workers.clear();
        for entry in fs::read_dir("/proc").what("/proc")?.flatten() {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            let switch = entry.path().join("make-it-fail");
            if name.starts_with("kworker/u") && fs::write(&switch, "1").is_ok() {
                self.workers.push(switch);
            }
        }
        if self.workers.is_empty() {
            return message("no worker was found");
        }
        Ok(())
    }

    /// How many allocations have failed.
    pub fn failures(&self) -> Result<u32, Error> {
        let path = Path::new(DEBUGFS).join("failslab/times");
        let text = fs::read_to_string(path).what("read of failslab/times")?;
        match text.trim().parse::<u32>() {
            Ok(left) => Ok(MANY - left.min(MANY)),
            Err(_) => message(format!("failslab/times is {text:?}")),
        }
    }
}

impl Drop for WorkersWithoutMemory {
    fn drop(&mut self) {
        let _ = write("failslab/probability", "0");
        let _ = write("failslab/task-filter", "N");
        for worker in &self.workers {
            let _ = fs::write(worker, "0");
        }
    }
}

/// Sets an attribute of a kind of faults.
fn write(name: &str, value: &str) -> Result<(), Error> {
    fs::write(Path::new(DEBUGFS).join(name), value).what(format!("write {name}"))
}
