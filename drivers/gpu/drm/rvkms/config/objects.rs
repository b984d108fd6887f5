// SPDX-License-Identifier: GPL-2.0

//! Lists of objects that can be named even while others come and go.

use core::marker::PhantomData;
use kernel::prelude::*;

/// Names an object in an [`Objects`]. No two objects ever have the same in the same list.
pub(crate) struct Id<T>(u64, PhantomData<fn() -> T>);

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

/// A list of objects, in the order in which they were added.
pub(crate) struct Objects<T> {
    next: u64,
    list: KVec<(Id<T>, T)>,
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self {
            next: 0,
            list: KVec::new(),
        }
    }
}

impl<T> Objects<T> {
    /// Adds an object to the end of the list.
    pub(crate) fn add(&mut self, object: T) -> Result<Id<T>> {
        let id = Id(self.next, PhantomData);

        self.list.push((id, object), GFP_KERNEL)?;
        self.next += 1;

        Ok(id)
    }

    /// Removes an object, if it is in the list.
    pub(crate) fn remove(&mut self, id: Id<T>) {
        self.list.retain(|(other, _)| *other != id);
    }

    /// Returns an object, or `ENOENT`.
    pub(crate) fn get(&self, id: Id<T>) -> Result<&T> {
        self.iter()
            .find_map(|(other, object)| (other == id).then_some(object))
            .ok_or(ENOENT)
    }

    /// Returns an object, or `ENOENT`.
    pub(crate) fn get_mut(&mut self, id: Id<T>) -> Result<&mut T> {
        self.iter_mut()
            .find_map(|(other, object)| (other == id).then_some(object))
            .ok_or(ENOENT)
    }

    /// Returns how many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the objects.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.list.iter().map(|(id, object)| (*id, object))
    }

    /// Returns the objects.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Id<T>, &mut T)> {
        self.list.iter_mut().map(|(id, object)| (*id, object))
    }

    /// Makes a list of copies of the objects, with the same names.
    pub(crate) fn try_clone(&self, copy: impl Fn(&T) -> Result<T>) -> Result<Self> {
        let mut list = KVec::with_capacity(self.list.len(), GFP_KERNEL)?;
        for (id, object) in self.iter() {
            list.push((id, copy(object)?), GFP_KERNEL)?;
        }

        Ok(Self {
            next: self.next,
            list,
        })
    }
}
