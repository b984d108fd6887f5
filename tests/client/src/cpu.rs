// SPDX-License-Identifier: GPL-2.0

//! The CPUs of the kernel's workers, and the time that these take on them.

use std::thread::available_parallelism;
use std::time::Duration;
use std::{fs, io};

use crate::error::{Error, What};

/// This thread runs before the workers, as soon as it has something to do.
pub struct Urgent;

impl Urgent {
    pub fn new() -> Result<Self, Error> {
        schedule(libc::SCHED_FIFO, 1)?;
        Ok(Self)
    }
}

impl Drop for Urgent {
    fn drop(&mut self) {
        if let Err(error) = schedule(libc::SCHED_OTHER, 0) {
            println!("  {error}");
        }
    }
}

fn schedule(policy: libc::c_int, sched_priority: libc::c_int) -> Result<(), Error> {
    let param = libc::sched_param { sched_priority };
    // SAFETY: `param` is valid for reads.
    match unsafe { libc::sched_setscheduler(0, policy, &param) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()).what("sched_setscheduler"),
    }
}

/// On which CPUs workers run that are bound to none. All of them again when this is dropped.
pub struct WorkerCpus(u32);

impl WorkerCpus {
    const MASK: &str = "/sys/devices/virtual/workqueue/cpumask";

    pub fn new() -> Result<Self, Error> {
        let count = available_parallelism().what("number of CPUs")?.get() as u32;
        let cpus = Self(count.min(u32::BITS));
        cpus.all()?;
        Ok(cpus)
    }

    pub fn count(&self) -> u32 {
        self.0
    }

    /// What is queued from now on runs on one of the CPUs.
    pub fn only(&self, cpu: u32) -> Result<(), Error> {
        self.set(1 << cpu)
    }

    /// What is queued from now on runs on all CPUs.
    pub fn all(&self) -> Result<(), Error> {
        self.set(u32::MAX >> (u32::BITS - self.0))
    }

    fn set(&self, mask: u32) -> Result<(), Error> {
        fs::write(Self::MASK, format!("{mask:x}")).what(Self::MASK)
    }
}

impl Drop for WorkerCpus {
    fn drop(&mut self) {
        if let Err(error) = self.all() {
            println!("  {error}");
        }
    }
}

/// The CPU time that all workers of the kernel have used so far.
pub fn of_workers() -> Duration {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Duration::ZERO;
    };
    let workers = entries.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        name.starts_with("kworker").then(|| of(pid))
    });
    workers.sum()
}

/// The CPU time of a process; none if it has ended.
fn of(pid: libc::pid_t) -> Duration {
    // As clock_getcpuclockid() makes it, but without looking whether the process is there.
    let clock = (!pid << 3) | 2;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writes.
    match unsafe { libc::clock_gettime(clock, &mut time) } {
        0 => Duration::new(time.tv_sec as u64, time.tv_nsec as u32),
        _ => Duration::ZERO,
    }
}
