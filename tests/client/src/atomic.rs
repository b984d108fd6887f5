// SPDX-License-Identifier: GPL-2.0

//! Atomic requests, property blobs, and snapshots of the whole state.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::fd::{FromRawFd, OwnedFd};

use drm_sys::*;
use rustix::io::Errno;

use crate::card::{address, Card};
use crate::error::{message, Error, What};
use crate::raw;

pub const TEST_ONLY: u32 = DRM_MODE_ATOMIC_TEST_ONLY;
pub const NONBLOCK: u32 = DRM_MODE_ATOMIC_NONBLOCK;
pub const ALLOW_MODESET: u32 = DRM_MODE_ATOMIC_ALLOW_MODESET;
pub const EVENT: u32 = DRM_MODE_PAGE_FLIP_EVENT;

/// An atomic request: a list of objects, properties and values, valid or not.
#[derive(Clone, Debug, Default)]
pub struct Request {
    values: Vec<(u32, u32, u64)>,
}

impl Request {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the property `name` of `object`; it is an error if the object does not have it.
    pub fn set(mut self, card: &Card, object: u32, name: &str, value: u64) -> Result<Self, Error> {
        match card.property_id(object, name) {
            Some(property) => self.values.push((object, property, value)),
            None => return message(format!("object {object} has no property {name}")),
        }
        Ok(self)
    }

    /// Sets the property `name` of `object` if the object has it.
    pub fn set_if_any(mut self, card: &Card, object: u32, name: &str, value: u64) -> Self {
        if let Some(property) = card.property_id(object, name) {
            self.values.push((object, property, value));
        }
        self
    }

    /// Sets any number as property of any number, valid or not.
    pub fn set_raw(mut self, object: u32, property: u32, value: u64) -> Self {
        self.values.push((object, property, value));
        self
    }

    /// Appends all of another request.
    pub fn and(mut self, other: Request) -> Self {
        self.values.extend(other.values);
        self
    }

    /// Makes the ready-to-send form, so that a commit is a single system call.
    pub fn prepare(&self, flags: u32, user_data: u64) -> Prepared {
        let mut objects: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        for (object, property, value) in &self.values {
            objects
                .entry(*object)
                .or_default()
                .push((*property, *value));
        }
        let flat: Vec<(u32, u64)> = objects.values().flatten().copied().collect();
        Prepared {
            objects: objects.keys().copied().collect(),
            counts: objects.values().map(|list| list.len() as u32).collect(),
            properties: flat.iter().map(|(property, _)| *property).collect(),
            values: flat.iter().map(|(_, value)| *value).collect(),
            flags,
            user_data,
        }
    }

    /// Commits the request.
    pub fn commit(&self, card: &Card, flags: u32) -> Result<(), Errno> {
        self.prepare(flags, 0).commit(card)
    }

    /// Commits the request, and returns the fence that tells when the CRTC `object` shows it, or when
    /// the writeback connector `object` has written its picture.
    pub fn commit_with_fence(self, card: &Card, object: u32, flags: u32) -> Result<OwnedFd, Errno> {
        let property = ["OUT_FENCE_PTR", "WRITEBACK_OUT_FENCE_PTR"]
            .iter()
            .find_map(|name| card.property_id(object, name));
        let Some(property) = property else {
            return Err(Errno::INVAL);
        };
        // The kernel writes a descriptor of 32 bits.
        let mut fence = -1i32;
        let place = (&raw mut fence) as u64;
        self.set_raw(object, property, place).commit(card, flags)?;
        if fence < 0 {
            return Err(Errno::BADF);
        }
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(unsafe { OwnedFd::from_raw_fd(fence) })
    }
}

/// A request in the form that the ioctl takes.
pub struct Prepared {
    objects: Vec<u32>,
    counts: Vec<u32>,
    properties: Vec<u32>,
    values: Vec<u64>,
    flags: u32,
    user_data: u64,
}

impl Prepared {
    /// The ioctl's argument. It points into `self`.
    pub fn argument(&mut self) -> drm_mode_atomic {
        drm_mode_atomic {
            flags: self.flags,
            count_objs: self.objects.len() as u32,
            objs_ptr: address(&mut self.objects),
            count_props_ptr: address(&mut self.counts),
            props_ptr: address(&mut self.properties),
            prop_values_ptr: address(&mut self.values),
            reserved: 0,
            user_data: self.user_data,
        }
    }

    /// Commits the request.
    pub fn commit(&mut self, card: &Card) -> Result<(), Errno> {
        let mut argument = self.argument();
        // SAFETY: the kernel only reads the arrays. It writes to an `OUT_FENCE_PTR` among the values, which the tests
        // leave 0, set to an unmapped address, or to a place for it that outlives this call.
        unsafe { raw::call(card.fd(), raw::ATOMIC, &mut argument) }
    }
}

/// A property blob, destroyed when dropped.
pub struct Blob<'c> {
    card: &'c Card,
    pub id: u32,
}

impl<'c> Blob<'c> {
    /// Makes a blob of bytes.
    pub fn new(card: &'c Card, bytes: &[u8]) -> Result<Self, Error> {
        let mut bytes = bytes.to_vec();
        let mut argument = drm_mode_create_blob {
            data: address(&mut bytes),
            length: bytes.len() as u32,
            blob_id: 0,
        };
        // SAFETY: the kernel only reads `bytes`.
        unsafe { raw::call(card.fd(), raw::CREATE_BLOB, &mut argument) }.what("CREATEPROPBLOB")?;
        Ok(Blob {
            card,
            id: argument.blob_id,
        })
    }

    /// Makes a blob of a mode.
    pub fn of_mode(card: &'c Card, mode: &drm_mode_modeinfo) -> Result<Self, Error> {
        Self::new(card, mode_bytes(mode))
    }
}

impl Drop for Blob<'_> {
    fn drop(&mut self) {
        let mut argument = drm_mode_destroy_blob { blob_id: self.id };
        let _ = self.card.call(raw::DESTROY_BLOB, &mut argument);
    }
}

/// The bytes of any blob.
pub fn read_blob(card: &Card, id: u32) -> Result<Vec<u8>, Error> {
    let mut argument = drm_mode_get_blob {
        blob_id: id,
        length: 0,
        data: 0,
    };
    // SAFETY: with length 0 nothing is written.
    unsafe { raw::call(card.fd(), raw::GET_BLOB, &mut argument) }.what("GETPROPBLOB")?;
    let mut bytes = vec![0u8; argument.length as usize];
    argument.data = address(&mut bytes);
    // SAFETY: the array is as long as said.
    unsafe { raw::call(card.fd(), raw::GET_BLOB, &mut argument) }.what("GETPROPBLOB")?;
    Ok(bytes)
}

/// The bytes of a mode, as the kernel wants them in a blob.
pub fn mode_bytes(mode: &drm_mode_modeinfo) -> &[u8] {
    // SAFETY: the structure consists of integers without padding between them.
    unsafe {
        std::slice::from_raw_parts(
            (mode as *const drm_mode_modeinfo).cast(),
            size_of::<drm_mode_modeinfo>(),
        )
    }
}

/// All properties of all objects at one moment.
#[derive(PartialEq, Eq)]
pub struct Snapshot {
    values: BTreeMap<(u32, u32), u64>,
}

impl Snapshot {
    /// Reads the present state.
    pub fn take(card: &Card) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        for object in &card.objects {
            for (property, value) in card.values_of(object.id, object.kind)? {
                values.insert((object.id, property), value);
            }
        }
        Ok(Snapshot { values })
    }

    /// What differs from an older snapshot; `None` if nothing does.
    pub fn difference(&self, old: &Snapshot, card: &Card) -> Option<String> {
        let mut text = String::new();
        for (key, value) in &self.values {
            let before = old.values.get(key);
            if before != Some(value) {
                let name = card.properties.get(&key.1).map_or("?", |p| &p.name);
                let before = before.map_or("nothing".to_string(), u64::to_string);
                let _ = write!(text, " {name} of {} was {before}, is {value};", key.0);
            }
        }
        if self.values.len() != old.values.len() {
            text.push_str(" the number of properties changed;");
        }
        (!text.is_empty()).then(|| text.trim().trim_end_matches(';').to_string())
    }
}
