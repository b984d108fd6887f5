// SPDX-License-Identifier: GPL-2.0

//! Vectors whose allocations can fail.

use crate::error::{
    code::ENOMEM,
    Error,
    Result, //
};
use std::{
    cell::Cell,
    ops::{
        Deref,
        DerefMut, //
    },
};

/// Allocation flags.
#[derive(Clone, Copy)]
pub struct Flags(());

/// Normal allocations.
pub const GFP_KERNEL: Flags = Flags(());

thread_local! {
    static ALLOWED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Lets the calling thread's next `allowed` allocations succeed and fails all later ones; [`None`]
/// ends that.
pub fn fail_allocations(allowed: Option<usize>) {
    ALLOWED.set(allowed);
}

pub(crate) fn may_allocate() -> bool {
    match ALLOWED.get() {
        None => true,
        Some(0) => false,
        Some(n) => {
            ALLOWED.set(Some(n - 1));
            true
        }
    }
}

/// An allocation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AllocError;

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Self {
        ENOMEM
    }
}

/// A growable array whose allocations can fail.
#[derive(Debug)]
pub struct KVec<T>(Vec<T>);

/// A [`KVec`] for large arrays.
pub type KVVec<T> = KVec<T>;

impl<T> KVec<T> {
    /// Creates an empty vector without an allocation.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Creates an empty vector with room for `capacity` elements.
    pub fn with_capacity(capacity: usize, _flags: Flags) -> Result<Self, AllocError> {
        if capacity > 0 && !may_allocate() {
            return Err(AllocError);
        }
        let mut vec = Vec::new();
        vec.try_reserve_exact(capacity).map_err(|_| AllocError)?;
        Ok(Self(vec))
    }

    /// Appends `value`.
    pub fn push(&mut self, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        self.0.push(value);
        Ok(())
    }

    /// Appends `value` if there is room for it.
    pub fn push_within_capacity(&mut self, value: T) -> Result<(), T> {
        if self.0.len() == self.0.capacity() {
            return Err(value);
        }
        self.0.push(value);
        Ok(())
    }

    /// Makes room for `additional` elements.
    pub fn reserve(&mut self, additional: usize, _flags: Flags) -> Result<(), AllocError> {
        if self.0.capacity() - self.0.len() < additional {
            if !may_allocate() {
                return Err(AllocError);
            }
            self.0.try_reserve(additional).map_err(|_| AllocError)?;
        }
        Ok(())
    }

    /// Removes all elements and keeps the allocation.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Removes all elements from index `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl<T: Clone> KVec<T> {
    /// Creates a vector of `n` times `value`.
    pub fn from_elem(value: T, n: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut vec = Self::with_capacity(n, flags)?;
        vec.0.resize(n, value);
        Ok(vec)
    }
}

impl<T> Default for KVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'a, T> IntoIterator for &'a KVec<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut KVec<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
