// SPDX-License-Identifier: GPL-2.0

//! An open DRM card: its objects, their properties, and its events.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drm_sys::*;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::fs::Timespec;
use rustix::io::Errno;

use crate::error::{message, Error, What};
use crate::raw::{self, Ioctl, Plain};

/// The kinds of mode objects that have atomic state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Connector,
    Crtc,
    Plane,
    /// An operation of a plane's colour pipeline; these are not among the objects of a card.
    ColorOp,
}

impl Kind {
    /// The kernel's number of the kind.
    pub fn number(self) -> u32 {
        match self {
            Kind::Connector => DRM_MODE_OBJECT_CONNECTOR,
            Kind::Crtc => DRM_MODE_OBJECT_CRTC,
            Kind::Plane => DRM_MODE_OBJECT_PLANE,
            Kind::ColorOp => DRM_MODE_OBJECT_COLOROP,
        }
    }
}

/// A property, described once for all objects that have it.
#[derive(Clone, Debug)]
pub struct Property {
    pub id: u32,
    pub name: String,
    pub flags: u32,
    pub values: Vec<u64>,
    pub enums: Vec<(u64, String)>,
}

/// A mode object and the properties that it has.
#[derive(Clone, Debug)]
pub struct Object {
    pub id: u32,
    pub kind: Kind,
    pub properties: BTreeMap<String, u32>,
}

/// A flip or vblank event.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub kind: u32,
    pub user_data: u64,
    pub time: Duration,
    pub sequence: u32,
    pub crtc: u32,
}

/// The sizes that the device takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub width: (u32, u32),
    pub height: (u32, u32),
}

/// An open DRM card with the atomic interface on.
pub struct Card {
    file: File,
    pub path: PathBuf,
    pub driver: String,
    pub limits: Limits,
    pub encoders: Vec<u32>,
    pub objects: Vec<Object>,
    pub properties: BTreeMap<u32, Property>,
    events: RefCell<VecDeque<Event>>,
}

impl Card {
    /// Opens a card by its path (`/dev/dri/card0`) or its driver's name (`vkms`).
    pub fn open(name: &str) -> Result<Card, Error> {
        Self::open_with(name, &[])
    }

    /// Opens a card, and shows also its writeback connectors.
    pub fn open_for_writeback(name: &str) -> Result<Card, Error> {
        Self::open_with(name, &[DRM_CLIENT_CAP_WRITEBACK_CONNECTORS])
    }

    /// Opens a card, and shows the colour pipelines of its planes in place of the older properties.
    pub fn open_for_pipelines(name: &str) -> Result<Card, Error> {
        Self::open_with(name, &[DRM_CLIENT_CAP_PLANE_COLOR_PIPELINE])
    }

    /// Opens a card, and shows both of these.
    pub fn open_for_writeback_and_pipelines(name: &str) -> Result<Card, Error> {
        let capabilities = [
            DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
            DRM_CLIENT_CAP_PLANE_COLOR_PIPELINE,
        ];
        Self::open_with(name, &capabilities)
    }

    /// Opens a card, and shows also cursors that need a hotspot.
    pub fn open_for_hotspots(name: &str) -> Result<Card, Error> {
        Self::open_with(name, &[DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT])
    }

    fn open_with(name: &str, capabilities: &[u32]) -> Result<Card, Error> {
        if name.contains('/') {
            let path = Path::new(name);
            return Self::from_file(open_file(path)?, path.to_path_buf(), capabilities);
        }
        let mut seen = Vec::new();
        for path in card_paths() {
            let Ok(file) = open_file(&path) else { continue };
            let driver = driver_name(&file)?;
            if driver == name {
                return Self::from_file(file, path, capabilities);
            }
            seen.push(format!("{} is {driver}", path.display()));
        }
        message(format!(
            "no DRM card of driver {name} in /dev/dri ({})",
            if seen.is_empty() {
                "there is no card at all".to_string()
            } else {
                seen.join(", ")
            }
        ))
    }

    /// Opens the card at `path`.
    pub fn open_path(path: &Path) -> Result<Card, Error> {
        Self::from_file(open_file(path)?, path.to_path_buf(), &[])
    }

    /// Opens the same card once more.
    pub fn reopen(&self) -> Result<Card, Error> {
        Self::open_path(&self.path)
    }

    fn from_file(file: File, path: PathBuf, capabilities: &[u32]) -> Result<Card, Error> {
        let mut card = Card {
            driver: driver_name(&file)?,
            file,
            path,
            limits: Limits {
                width: (0, 0),
                height: (0, 0),
            },
            encoders: Vec::new(),
            objects: Vec::new(),
            properties: BTreeMap::new(),
            events: RefCell::default(),
        };
        let needed = [DRM_CLIENT_CAP_UNIVERSAL_PLANES, DRM_CLIENT_CAP_ATOMIC];
        for cap in needed.iter().chain(capabilities).copied() {
            let mut argument = drm_set_client_cap {
                capability: cap.into(),
                value: 1,
            };
            card.call(raw::SET_CLIENT_CAP, &mut argument).what(format!(
                "{}: no atomic mode setting (client capability {cap})",
                card.path.display()
            ))?;
        }
        card.enumerate()?;
        Ok(card)
    }

    /// The file descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Calls an ioctl whose argument holds no address.
    pub fn call<T: Plain>(&self, ioctl: Ioctl<T>, argument: &mut T) -> Result<(), Errno> {
        raw::plain(self.fd(), ioctl, argument)
    }

    fn enumerate(&mut self) -> Result<(), Error> {
        let (crtcs, connectors) = self.resources()?;
        for (kind, ids) in [
            (Kind::Connector, connectors),
            (Kind::Crtc, crtcs),
            (Kind::Plane, self.plane_ids()?),
        ] {
            for id in ids {
                let mut properties = BTreeMap::new();
                for (property, _) in self.values_of(id, kind)? {
                    let name = match self.properties.get(&property) {
                        Some(known) => known.name.clone(),
                        None => {
                            let described = self.describe(property)?;
                            let name = described.name.clone();
                            self.properties.insert(property, described);
                            name
                        }
                    };
                    properties.insert(name, property);
                }
                self.objects.push(Object {
                    id,
                    kind,
                    properties,
                });
            }
        }
        Ok(())
    }

    fn resources(&mut self) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let mut crtcs = vec![0; 64];
        let mut connectors = vec![0; 128];
        let mut encoders = vec![0; 64];
        let mut argument = drm_mode_card_res {
            crtc_id_ptr: address(&mut crtcs),
            connector_id_ptr: address(&mut connectors),
            encoder_id_ptr: address(&mut encoders),
            count_crtcs: crtcs.len() as u32,
            count_connectors: connectors.len() as u32,
            count_encoders: encoders.len() as u32,
            ..Default::default()
        };
        // SAFETY: the three arrays are as long as said, framebuffers are not asked for.
        unsafe { raw::call(self.fd(), raw::GET_RESOURCES, &mut argument) }
            .what(format!("{}: GETRESOURCES", self.path.display()))?;
        crtcs.truncate(argument.count_crtcs as usize);
        connectors.truncate(argument.count_connectors as usize);
        encoders.truncate(argument.count_encoders as usize);
        self.limits = Limits {
            width: (argument.min_width, argument.max_width),
            height: (argument.min_height, argument.max_height),
        };
        self.encoders = encoders;
        Ok((crtcs, connectors))
    }

    fn plane_ids(&self) -> Result<Vec<u32>, Error> {
        let mut planes = vec![0; 256];
        let mut argument = drm_mode_get_plane_res {
            plane_id_ptr: address(&mut planes),
            count_planes: planes.len() as u32,
        };
        // SAFETY: the array is as long as said.
        unsafe { raw::call(self.fd(), raw::GET_PLANE_RESOURCES, &mut argument) }
            .what("GETPLANERESOURCES")?;
        planes.truncate(argument.count_planes as usize);
        Ok(planes)
    }

    /// Asks for all about a property but its value.
    pub fn describe(&self, id: u32) -> Result<Property, Error> {
        let mut values = vec![0u64; 64];
        let mut enums = vec![drm_mode_property_enum::default(); 64];
        let mut argument = drm_mode_get_property {
            prop_id: id,
            values_ptr: address(&mut values),
            enum_blob_ptr: address(&mut enums),
            count_values: values.len() as u32,
            count_enum_blobs: enums.len() as u32,
            ..Default::default()
        };
        // SAFETY: both arrays are as long as said.
        unsafe { raw::call(self.fd(), raw::GET_PROPERTY, &mut argument) }
            .what(format!("GETPROPERTY {id}"))?;
        values.truncate(argument.count_values as usize);
        let is_enum = argument.flags & (DRM_MODE_PROP_ENUM | DRM_MODE_PROP_BITMASK) != 0;
        enums.truncate(if is_enum {
            argument.count_enum_blobs as usize
        } else {
            0
        });
        Ok(Property {
            id,
            name: text(&argument.name),
            flags: argument.flags,
            values,
            enums: enums.iter().map(|e| (e.value, text(&e.name))).collect(),
        })
    }

    /// Reads all properties of an object, as ids and values.
    pub fn values_of(&self, id: u32, kind: Kind) -> Result<Vec<(u32, u64)>, Error> {
        let mut ids = vec![0u32; 128];
        let mut values = vec![0u64; 128];
        let mut argument = drm_mode_obj_get_properties {
            props_ptr: address(&mut ids),
            prop_values_ptr: address(&mut values),
            count_props: ids.len() as u32,
            obj_id: id,
            obj_type: kind.number(),
        };
        // SAFETY: both arrays are as long as said.
        unsafe { raw::call(self.fd(), raw::OBJ_GET_PROPERTIES, &mut argument) }
            .what(format!("OBJ_GETPROPERTIES {kind:?} {id}"))?;
        ids.truncate(argument.count_props as usize);
        Ok(ids.into_iter().zip(values).collect())
    }

    /// All objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |o| o.kind == kind)
    }

    /// The object with that id.
    pub fn object(&self, id: u32) -> Option<&Object> {
        self.objects.iter().find(|o| o.id == id)
    }

    /// The id of the property `name` of the object `id`.
    pub fn property_id(&self, id: u32, name: &str) -> Option<u32> {
        self.object(id)?.properties.get(name).copied()
    }

    /// The present value of the property `name` of the object `id`.
    pub fn value(&self, id: u32, name: &str) -> Result<u64, Error> {
        let Some(object) = self.object(id) else {
            return message(format!("no object {id}"));
        };
        let Some(property) = object.properties.get(name) else {
            return message(format!("{:?} {id} has no property {name}", object.kind));
        };
        let values = self.values_of(id, object.kind)?;
        match values.iter().find(|(id, _)| id == property) {
            Some((_, value)) => Ok(*value),
            None => message(format!("{:?} {id} lost its property {name}", object.kind)),
        }
    }

    /// A device capability, 0 if the device does not know it.
    pub fn capability(&self, capability: u32) -> u64 {
        let mut argument = drm_get_cap {
            capability: capability.into(),
            value: 0,
        };
        match self.call(raw::GET_CAP, &mut argument) {
            Ok(()) => argument.value,
            Err(_) => 0,
        }
    }

    /// Becomes the DRM master.
    pub fn set_master(&self) -> Result<(), Error> {
        self.call(raw::SET_MASTER, &mut ())
            .what("SET_MASTER (is a compositor running?)")
    }

    /// Stops being the DRM master.
    pub fn drop_master(&self) -> Result<(), Error> {
        self.call(raw::DROP_MASTER, &mut ()).what("DROP_MASTER")
    }

    /// Waits for the next event; `None` when `timeout` is over.
    pub fn next_event(&self, timeout: Duration) -> Result<Option<Event>, Error> {
        let end = Instant::now() + timeout;
        loop {
            if let Some(event) = self.events.borrow_mut().pop_front() {
                return Ok(Some(event));
            }
            let left = end.saturating_duration_since(Instant::now());
            let wait = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut fds, Some(&wait)) {
                Ok(0) => return Ok(None),
                Ok(_) => self.read_events()?,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno).what("poll of the card"),
            }
        }
    }

    /// Waits for the event of the flip with this number, and forgets those that come before it.
    pub fn flip_done(&self, user_data: u64, patience: Duration) -> Result<Event, Error> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.next_event(left)? {
                Some(event)
                    if event.kind == DRM_EVENT_FLIP_COMPLETE && event.user_data == user_data =>
                {
                    return Ok(event);
                }
                Some(_) => {}
                None => {
                    let seconds = patience.as_secs();
                    return message(format!("no event of flip {user_data} within {seconds} s"));
                }
            }
        }
    }

    /// Forgets all events that have come.
    pub fn discard_events(&self) -> Result<(), Error> {
        while self.next_event(Duration::ZERO)?.is_some() {}
        Ok(())
    }

    fn read_events(&self) -> Result<(), Error> {
        let mut buffer = [0u8; 1024];
        let length = (&self.file).read(&mut buffer).what("read of events")?;
        let mut rest = &buffer[..length];
        while let Some((event, size)) = parse_event(rest) {
            self.events.borrow_mut().extend(event);
            rest = &rest[size..];
        }
        Ok(())
    }
}

/// The paths of all cards, in order.
pub fn card_paths() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/dev/dri") else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("card"))
        })
        .collect();
    paths.sort();
    paths
}

/// The address of an array, as the kernel's structures want it.
pub fn address<T>(array: &mut [T]) -> u64 {
    array.as_mut_ptr() as u64
}

fn open_file(path: &Path) -> Result<File, Error> {
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .what(format!("open {}", path.display()))
}

fn driver_name(file: &File) -> Result<String, Error> {
    let mut name = [0u8; 64];
    let mut argument = drm_version {
        name: name.as_mut_ptr().cast(),
        name_len: name.len() as _,
        ..Default::default()
    };
    // SAFETY: `name` is as long as said, the other two strings are not asked for.
    unsafe { raw::call(file, raw::VERSION, &mut argument) }.what("DRM_IOCTL_VERSION")?;
    let length = name.len().min(argument.name_len as usize);
    Ok(String::from_utf8_lossy(&name[..length]).into_owned())
}

fn text(bytes: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = bytes
        .iter()
        .map(|c| *c as u8)
        .take_while(|c| *c != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Cuts the first event from what was read: the event, if its kind is known, and its length.
fn parse_event(bytes: &[u8]) -> Option<(Option<Event>, usize)> {
    let word = |at: usize| -> Option<u32> {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let long = |at: usize| -> Option<u64> {
        let bytes = bytes.get(at..at + 8)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    };
    let kind = word(0)?;
    let size = word(4)? as usize;
    if size < 8 || size > bytes.len() {
        return None;
    }
    let event = match kind {
        DRM_EVENT_VBLANK | DRM_EVENT_FLIP_COMPLETE => Some(Event {
            kind,
            user_data: long(8)?,
            time: Duration::new(word(16)?.into(), word(20)?.checked_mul(1000)?),
            sequence: word(24)?,
            crtc: word(28)?,
        }),
        _ => None,
    };
    Some((event, size))
}
