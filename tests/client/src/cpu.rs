// SPDX-License-Identifier: GPL-2.0

//! The CPUs of the kernel's workers, and the time that these take on them.

use std::thread::available_parallelism;
use std::time::Duration;
use std::{fs, io};

use crate::error::{message, Error, What};

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

/// On which CPUs workers run that are bound to none. As before again when this is dropped.
pub struct WorkerCpus {
    /// The mask that was there, as the kernel prints it.
    before: String,
    /// The CPUs in it.
    cpus: Vec<u32>,
}

impl WorkerCpus {
    const MASK: &str = "/sys/devices/virtual/workqueue/cpumask";

    pub fn new() -> Result<Self, Error> {
        let before = fs::read_to_string(Self::MASK).what(Self::MASK)?;
        let Ok(mask) = u32::from_str_radix(before.trim(), 16) else {
            return message(format!("{}: more than 32 CPUs", Self::MASK));
        };
        let online = available_parallelism().what("number of CPUs")?.get() as u32;
        let cpus = (0..online.min(u32::BITS)).filter(|cpu| mask & (1 << cpu) != 0);
        Ok(Self {
            cpus: cpus.collect(),
            before,
        })
    }

    pub fn list(&self) -> &[u32] {
        &self.cpus
    }

    /// What is queued from now on runs on one of [`WorkerCpus::list`].
    pub fn only(&self, cpu: u32) -> Result<(), Error> {
        let mask = 1u32.checked_shl(cpu).unwrap_or_default();
        fs::write(Self::MASK, format!("{mask:x}")).what(Self::MASK)
    }

    /// What is queued from now on runs on all of them.
    pub fn all(&self) -> Result<(), Error> {
        fs::write(Self::MASK, &self.before).what(Self::MASK)
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
