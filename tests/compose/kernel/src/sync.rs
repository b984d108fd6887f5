// SPDX-License-Identifier: GPL-2.0

//! Reference counting.

use crate::{
    alloc::{
        may_allocate,
        Flags, //
    },
    error::{
        code::ENOMEM,
        Result, //
    },
};
use std::ops::Deref;

/// A reference-counted value, created fallibly.
pub struct Arc<T>(std::sync::Arc<T>);

impl<T> Arc<T> {
    /// Moves `value` into a new allocation.
    pub fn new(value: T, _flags: Flags) -> Result<Self> {
        if !may_allocate() {
            return Err(ENOMEM);
        }
        Ok(Self(std::sync::Arc::new(value)))
    }

    /// Returns whether both are the same allocation.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.0, &other.0)
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
