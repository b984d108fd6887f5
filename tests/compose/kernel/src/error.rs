// SPDX-License-Identifier: GPL-2.0

//! Error codes.

/// A kernel error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error(i32);

impl Error {
    /// Returns the negative error code, as the kernel does.
    pub fn to_errno(self) -> i32 {
        self.0
    }
}

/// A [`Result`](core::result::Result) with a kernel error code.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

/// The error codes that the composer returns.
pub mod code {
    use super::Error;

    /// Argument list too long.
    pub const E2BIG: Error = Error(-7);
    /// Out of memory.
    pub const ENOMEM: Error = Error(-12);
    /// Bad address.
    pub const EFAULT: Error = Error(-14);
    /// Invalid argument.
    pub const EINVAL: Error = Error(-22);
    /// Value too large for its type.
    pub const EOVERFLOW: Error = Error(-75);
}
