// SPDX-License-Identifier: GPL-2.0

//! The kernel's fault injection: make the n-th allocation of one call fail.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;

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
            fs::write(Path::new(DEBUGFS).join(name), value).what(format!("write {name}"))?;
        }
        // Page allocations fail too where the kernel can do that.
        for (name, value) in [
            ("fail_page_alloc/ignore-gfp-wait", "0"),
            ("fail_page_alloc/ignore-gfp-highmem", "0"),
            ("fail_page_alloc/min-order", "0"),
            ("fail_page_alloc/verbose", "0"),
            ("fail_page_alloc/probability", "0"),
        ] {
            let _ = fs::write(Path::new(DEBUGFS).join(name), value);
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
    pub fn during<T>(&mut self, n: u32, call: impl FnOnce() -> T) -> Result<(T, bool), Error> {
        let text = n.to_string();
        self.write(&text)?;
        let result = call();
        let mut left = String::new();
        // Reading may allocate as well, but by then the number has been consumed or is reported as it is.
        let rewound = self.file.rewind();
        let read = self.file.read_to_string(&mut left);
        self.write("0")?;
        rewound.and(read).what("read of fail-nth")?;
        Ok((result, left.trim() == "0"))
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.file.rewind().what("rewind of fail-nth")?;
        self.file
            .write_all(text.as_bytes())
            .what("write of fail-nth")
    }
}
