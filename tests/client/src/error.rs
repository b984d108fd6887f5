// SPDX-License-Identifier: GPL-2.0

//! What can go wrong, said in a way that helps.

use std::fmt;

use rustix::io::Errno;

/// A failure of something that was expected to work.
#[derive(Debug)]
pub enum Error {
    /// A system call failed.
    System { what: String, errno: Errno },
    /// Anything else.
    Message(String),
}

impl Error {
    /// The errno, if a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::System { errno, .. } => Some(*errno),
            Error::Message(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System { what, errno } => write!(f, "{what}: {}", name(*errno)),
            Error::Message(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<lexopt::Error> for Error {
    fn from(error: lexopt::Error) -> Self {
        Error::Message(error.to_string())
    }
}

/// Makes an [`Error`] from a message.
pub fn message<T>(text: impl Into<String>) -> Result<T, Error> {
    Err(Error::Message(text.into()))
}

/// Says what was being done when a system call failed.
pub trait What<T> {
    fn what(self, what: impl Into<String>) -> Result<T, Error>;
}

impl<T> What<T> for Result<T, Errno> {
    fn what(self, what: impl Into<String>) -> Result<T, Error> {
        self.map_err(|errno| Error::System {
            what: what.into(),
            errno,
        })
    }
}

impl<T> What<T> for std::io::Result<T> {
    fn what(self, what: impl Into<String>) -> Result<T, Error> {
        self.map_err(|error| match Errno::from_io_error(&error) {
            Some(errno) => Error::System {
                what: what.into(),
                errno,
            },
            None => Error::Message(format!("{}: {error}", what.into())),
        })
    }
}

/// The symbol of an errno, as the kernel's documentation writes it.
pub fn name(errno: Errno) -> String {
    let symbol = match errno {
        Errno::ACCESS => "EACCES",
        Errno::AGAIN => "EAGAIN",
        Errno::BADF => "EBADF",
        Errno::BUSY => "EBUSY",
        Errno::EXIST => "EEXIST",
        Errno::FAULT => "EFAULT",
        Errno::INTR => "EINTR",
        Errno::INVAL => "EINVAL",
        Errno::IO => "EIO",
        Errno::MFILE => "EMFILE",
        Errno::NFILE => "ENFILE",
        Errno::NODEV => "ENODEV",
        Errno::NOENT => "ENOENT",
        Errno::NOEXEC => "ENOEXEC",
        Errno::NOMEM => "ENOMEM",
        Errno::NOSPC => "ENOSPC",
        Errno::NOSYS => "ENOSYS",
        Errno::NOTTY => "ENOTTY",
        Errno::NXIO => "ENXIO",
        Errno::OPNOTSUPP => "EOPNOTSUPP",
        Errno::OVERFLOW => "EOVERFLOW",
        Errno::PERM => "EPERM",
        Errno::RANGE => "ERANGE",
        Errno::TIMEDOUT => "ETIMEDOUT",
        _ => return format!("errno {}", errno.raw_os_error()),
    };
    symbol.to_string()
}

/// Several errnos, as "EINVAL or ERANGE".
pub fn names(errnos: &[Errno]) -> String {
    let names: Vec<String> = errnos.iter().map(|errno| name(*errno)).collect();
    names.join(" or ")
}
