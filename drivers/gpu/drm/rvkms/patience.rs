// SPDX-License-Identifier: GPL-2.0

//! When it is worth to watch memory that user space has mapped.

/// The most frames between two attempts.
const MAX_PAUSE: u32 = 63;

/// Decides when to watch the memory of framebuffers that user space has mapped.
///
/// To watch memory costs page faults when it is written to next, and to compose a frame that has
/// not changed costs more than that. Most memory is not written to while it is shown, but if it
/// turns out to be written to all the time then the attempts become rare.
#[derive(Default)]
pub(crate) struct Patience {
    wait: u32,
    pause: u32,
}

impl Patience {
    /// Returns whether this frame is one to watch memory in.
    pub(crate) fn is_due(&self) -> bool {
        self.wait == 0
    }

    /// Ends a frame in which memory that is shown could have been written to, or not.
    pub(crate) fn next(&mut self, written: bool) {
        if !written {
            *self = Self::default();
        } else if self.wait > 0 {
            self.wait -= 1;
        } else {
            self.wait = self.pause;
            self.pause = (2 * self.pause + 1).min(MAX_PAUSE);
        }
    }
}
