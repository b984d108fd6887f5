// SPDX-License-Identifier: GPL-2.0

//! What a device is made of, as plain data.
//!
//! A [`Config`] lists planes, CRTCs, encoders and connectors, and which of them can be used
//! together. It can be incomplete while somebody puts it together; [`Config::validate`] tells
//! whether a device can be made of it.

mod colors;
mod edid;
mod formats;
mod invalid;
mod objects;
#[cfg(CONFIG_KUNIT = "y")]
mod tests;

pub(crate) use self::{
    colors::Colors,
    edid::Edid,
    formats::Formats,
    invalid::Invalid,
    objects::{
        Id,
        Objects, //
    }, //
};

use crate::compose::{
    Format,
    Writeback, //
};
use kernel::{
    drm::kms::{
        self,
        blend::rotation,
        connector::{
            ConnectorStatus,
            ConnectorType, //
        },
        plane::PlaneType, //
    },
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

/// The most objects that a device can have of each kind.
///
/// This is one less than the DRM core allows, as in vkms.
const MAX_OBJECTS: usize = 31;

/// The number of overlay planes that a module parameter adds.
const NUM_OVERLAYS: usize = 8;

/// A plane.
pub(crate) struct Plane {
    name: CString,
    pub(crate) kind: PlaneType,
    /// Whether there is a colour pipeline.
    pub(crate) color_pipeline: bool,
    /// The name that user space sees, if it is not up to the core.
    pub(crate) drm_name: Option<CString>,
    /// The formats of framebuffers that it shows.
    pub(crate) formats: Formats,
    /// The bits of [`rotation`] that it can do; 0 if it has no such property.
    pub(crate) rotations: u32,
    /// How it is rotated and reflected at first.
    pub(crate) default_rotation: u32,
    pub(crate) colors: Colors,
    pub(crate) zpos: Zpos,
    possible_crtcs: KVec<Id<Crtc>>,
}

/// The place of a plane among the others of its CRTC.
#[derive(Clone, Copy)]
pub(crate) struct Zpos {
    /// Whether there is a property for it.
    pub(crate) enabled: bool,
    /// Whether user space can change it.
    pub(crate) mutable: bool,
    /// The place, or `None` for that in the order in which the planes were made.
    pub(crate) range: Option<ZposRange>,
}

/// Where a plane is at first, and where it can be.
#[derive(Clone, Copy, Default)]
pub(crate) struct ZposRange {
    pub(crate) initial: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Plane {
    /// Creates an overlay plane that no CRTC can show yet.
    ///
    /// The names of objects appear in messages only.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self {
            name: name.try_into()?,
            kind: PlaneType::Overlay,
            color_pipeline: false,
            drm_name: None,
            formats: Formats::DEFAULT,
            rotations: rotation::ALL,
            default_rotation: rotation::ROTATE_0,
            colors: Colors::ALL,
            zpos: Zpos {
                enabled: true,
                mutable: true,
                range: None,
            },
            possible_crtcs: KVec::new(),
        })
    }

    fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            name: (&*self.name).try_into()?,
            kind: self.kind,
            color_pipeline: self.color_pipeline,
            drm_name: match &self.drm_name {
                Some(name) => Some((&**name).try_into()?),
                None => None,
            },
            formats: self.formats,
            rotations: self.rotations,
            default_rotation: self.default_rotation,
            colors: self.colors,
            zpos: self.zpos,
            possible_crtcs: try_clone_ids(&self.possible_crtcs)?,
        })
    }

    /// Returns the CRTCs that can show the plane.
    pub(crate) fn possible_crtcs(&self) -> &[Id<Crtc>] {
        &self.possible_crtcs
    }

    fn is(&self, kind: PlaneType, crtc: Id<Crtc>) -> bool {
        self.kind == kind && self.possible_crtcs.contains(&crtc)
    }
}

/// A CRTC.
pub(crate) struct Crtc {
    name: CString,
    /// Whether there is a writeback connector for it.
    pub(crate) writeback: bool,
}

impl Crtc {
    /// Creates a CRTC without a writeback connector.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self {
            name: name.try_into()?,
            writeback: false,
        })
    }
}

/// An encoder.
pub(crate) struct Encoder {
    name: CString,
    possible_crtcs: KVec<Id<Crtc>>,
}

impl Encoder {
    /// Creates an encoder that no CRTC can drive yet.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self {
            name: name.try_into()?,
            possible_crtcs: KVec::new(),
        })
    }

    /// Returns the CRTCs that can drive the encoder.
    pub(crate) fn possible_crtcs(&self) -> &[Id<Crtc>] {
        &self.possible_crtcs
    }
}

/// A connector.
pub(crate) struct Connector {
    name: CString,
    pub(crate) kind: ConnectorType,
    /// Whether the display has an EDID.
    pub(crate) has_edid: bool,
    status: Arc<Status>,
    edid: Arc<Edid>,
    /// Whether it can come and go while the device is enabled.
    pub(crate) dynamic: bool,
    /// Whether it is there. Only one that is dynamic may not be.
    pub(crate) present: bool,
    possible_encoders: KVec<Id<Encoder>>,
}

impl Connector {
    /// Creates a connector with a display that no encoder can feed yet.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self {
            name: name.try_into()?,
            kind: ConnectorType::Virtual,
            has_edid: false,
            status: Arc::new(Status::new(ConnectorStatus::Connected), GFP_KERNEL)?,
            edid: Edid::new()?,
            dynamic: false,
            present: true,
            possible_encoders: KVec::new(),
        })
    }

    /// Returns whether there is a display, now and in the future.
    pub(crate) fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Returns the EDID of the display, now and in the future.
    pub(crate) fn edid(&self) -> &Arc<Edid> {
        &self.edid
    }

    /// Returns the encoders that can feed the connector.
    pub(crate) fn possible_encoders(&self) -> &[Id<Encoder>] {
        &self.possible_encoders
    }
}

/// Whether there is a display on a connector.
///
/// This can change at any time. It is shared by all that want to know, so that nobody needs a lock
/// or the configuration for it.
pub(crate) struct Status(Atomic<u32>);

impl Status {
    const ALL: [ConnectorStatus; 3] = [
        ConnectorStatus::Connected,
        ConnectorStatus::Disconnected,
        ConnectorStatus::Unknown,
    ];

    fn new(status: ConnectorStatus) -> Self {
        Self(Atomic::new(Self::number(status)))
    }

    /// Returns the number that stands for `status` in the interfaces of the kernel.
    pub(crate) fn number(status: ConnectorStatus) -> u32 {
        match status {
            ConnectorStatus::Connected => 1,
            ConnectorStatus::Disconnected => 2,
            ConnectorStatus::Unknown => 3,
        }
    }

    /// Returns the status that `number` stands for.
    pub(crate) fn from_number(number: u32) -> Option<ConnectorStatus> {
        Self::ALL
            .into_iter()
            .find(|status| Self::number(*status) == number)
    }

    /// Changes the status. User space asks for it again when it is told to.
    pub(crate) fn set(&self, status: ConnectorStatus) {
        self.0.store(Self::number(status), Relaxed);
    }

    /// Returns the current status.
    pub(crate) fn get(&self) -> ConnectorStatus {
        Self::from_number(self.0.load(Relaxed)).unwrap_or(ConnectorStatus::Unknown)
    }
}

/// Which objects the default device has besides the necessary ones.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    pub(crate) cursor: bool,
    pub(crate) overlays: bool,
    pub(crate) writeback: bool,
    pub(crate) color_pipelines: bool,
    pub(crate) vblank: bool,
    pub(crate) cursor_hotspot: bool,
}

/// What a device is made of.
pub(crate) struct Config {
    pub(crate) planes: Objects<Plane>,
    pub(crate) crtcs: Objects<Crtc>,
    pub(crate) encoders: Objects<Encoder>,
    pub(crate) connectors: Objects<Connector>,
    /// Whether there are vertical blanks. Without them page flips complete at once.
    pub(crate) vblank: bool,
    /// Whether cursors have a hotspot, and are hidden from clients that do not know about it.
    pub(crate) cursor_hotspot: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            planes: Objects::default(),
            crtcs: Objects::default(),
            encoders: Objects::default(),
            connectors: Objects::default(),
            vblank: true,
            cursor_hotspot: false,
        }
    }
}

impl Config {
    /// Creates the configuration of the default device.
    ///
    /// It has one CRTC, and one of each of the other objects but for the overlay planes.
    pub(crate) fn with_defaults(defaults: Defaults) -> Result<Self> {
        let mut config = Self {
            vblank: defaults.vblank,
            cursor_hotspot: defaults.cursor_hotspot,
            ..Self::default()
        };

        let mut crtc = Crtc::new(c"crtc")?;
        crtc.writeback = defaults.writeback;
        let crtc = config.crtcs.add(crtc)?;

        config.add_plane(c"primary", PlaneType::Primary, crtc)?;
        if defaults.overlays {
            for _ in 0..NUM_OVERLAYS {
                config.add_plane(c"overlay", PlaneType::Overlay, crtc)?;
            }
        }
        if defaults.cursor {
            config.add_plane(c"cursor", PlaneType::Cursor, crtc)?;
        }

        for (_, plane) in config.planes.iter_mut() {
            plane.color_pipeline = defaults.color_pipelines;
        }

        let encoder = config.encoders.add(Encoder::new(c"encoder")?)?;
        config.attach_encoder(encoder, crtc)?;

        let connector = config.connectors.add(Connector::new(c"connector")?)?;
        config.attach_connector(connector, encoder)?;

        Ok(config)
    }

    fn add_plane(&mut self, name: &CStr, kind: PlaneType, crtc: Id<Crtc>) -> Result {
        let plane = self.planes.add(Plane::new(name)?)?;

        self.planes.get_mut(plane)?.kind = kind;
        self.attach_plane(plane, crtc)
    }

    /// Makes a copy, but for the status and the EDID of the connectors, which are shared.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            planes: self.planes.try_clone(Plane::try_clone)?,
            crtcs: self.crtcs.try_clone(|crtc| {
                Ok(Crtc {
                    name: (&*crtc.name).try_into()?,
                    writeback: crtc.writeback,
                })
            })?,
            encoders: self.encoders.try_clone(|encoder| {
                Ok(Encoder {
                    name: (&*encoder.name).try_into()?,
                    possible_crtcs: try_clone_ids(&encoder.possible_crtcs)?,
                })
            })?,
            connectors: self.connectors.try_clone(|connector| {
                Ok(Connector {
                    name: (&*connector.name).try_into()?,
                    kind: connector.kind,
                    has_edid: connector.has_edid,
                    status: connector.status.clone(),
                    edid: connector.edid.clone(),
                    dynamic: connector.dynamic,
                    present: connector.present,
                    possible_encoders: try_clone_ids(&connector.possible_encoders)?,
                })
            })?,
            vblank: self.vblank,
            cursor_hotspot: self.cursor_hotspot,
        })
    }

    /// Lets `crtc` show `plane`.
    ///
    /// Fails with `EEXIST` if it can already, and with `ENOENT` if one of them is gone.
    pub(crate) fn attach_plane(&mut self, plane: Id<Plane>, crtc: Id<Crtc>) -> Result {
        self.crtcs.get(crtc)?;
        attach(&mut self.planes.get_mut(plane)?.possible_crtcs, crtc)
    }

    /// Undoes [`attach_plane`](Self::attach_plane).
    pub(crate) fn detach_plane(&mut self, plane: Id<Plane>, crtc: Id<Crtc>) {
        if let Ok(plane) = self.planes.get_mut(plane) {
            plane.possible_crtcs.retain(|possible| *possible != crtc);
        }
    }

    /// Lets `crtc` drive `encoder`.
    ///
    /// Fails with `EEXIST` if it can already, and with `ENOENT` if one of them is gone.
    pub(crate) fn attach_encoder(&mut self, encoder: Id<Encoder>, crtc: Id<Crtc>) -> Result {
        self.crtcs.get(crtc)?;
        attach(&mut self.encoders.get_mut(encoder)?.possible_crtcs, crtc)
    }

    /// Undoes [`attach_encoder`](Self::attach_encoder).
    pub(crate) fn detach_encoder(&mut self, encoder: Id<Encoder>, crtc: Id<Crtc>) {
        if let Ok(encoder) = self.encoders.get_mut(encoder) {
            encoder.possible_crtcs.retain(|possible| *possible != crtc);
        }
    }

    /// Lets `encoder` feed `connector`.
    ///
    /// Fails with `EEXIST` if it can already, and with `ENOENT` if one of them is gone.
    pub(crate) fn attach_connector(
        &mut self,
        connector: Id<Connector>,
        encoder: Id<Encoder>,
    ) -> Result {
        self.encoders.get(encoder)?;
        attach(
            &mut self.connectors.get_mut(connector)?.possible_encoders,
            encoder,
        )
    }

    /// Undoes [`attach_connector`](Self::attach_connector).
    pub(crate) fn detach_connector(&mut self, connector: Id<Connector>, encoder: Id<Encoder>) {
        if let Ok(connector) = self.connectors.get_mut(connector) {
            connector
                .possible_encoders
                .retain(|possible| *possible != encoder);
        }
    }

    /// Removes a CRTC from the configuration, and from all that could be used with it.
    pub(crate) fn remove_crtc(&mut self, crtc: Id<Crtc>) {
        for (_, plane) in self.planes.iter_mut() {
            plane.possible_crtcs.retain(|possible| *possible != crtc);
        }
        for (_, encoder) in self.encoders.iter_mut() {
            encoder.possible_crtcs.retain(|possible| *possible != crtc);
        }

        self.crtcs.remove(crtc);
    }

    /// Removes an encoder from the configuration, and from all connectors.
    pub(crate) fn remove_encoder(&mut self, encoder: Id<Encoder>) {
        for (_, connector) in self.connectors.iter_mut() {
            connector
                .possible_encoders
                .retain(|possible| *possible != encoder);
        }

        self.encoders.remove(encoder);
    }

    /// Returns the primary plane of `crtc`.
    pub(crate) fn primary_plane(&self, crtc: Id<Crtc>) -> Option<Id<Plane>> {
        self.planes_of(PlaneType::Primary, crtc).next()
    }

    /// Returns the cursor plane of `crtc`.
    pub(crate) fn cursor_plane(&self, crtc: Id<Crtc>) -> Option<Id<Plane>> {
        self.planes_of(PlaneType::Cursor, crtc).next()
    }

    fn planes_of(&self, kind: PlaneType, crtc: Id<Crtc>) -> impl Iterator<Item = Id<Plane>> + '_ {
        self.planes
            .iter()
            .filter(move |(_, plane)| plane.is(kind, crtc))
            .map(|(id, _)| id)
    }

    /// Returns the formats that can be written back. The core makes framebuffers only of formats
    /// that a plane has.
    pub(crate) fn writeback_formats(&self) -> impl Iterator<Item = Format> + '_ {
        Format::ALL.iter().copied().filter(|format| {
            Writeback::supports(*format)
                && self
                    .planes
                    .iter()
                    .any(|(_, plane)| plane.formats.contains(*format))
        })
    }

    /// Tells why no device can be made of this, if so.
    pub(crate) fn validate(&self) -> Result<(), Invalid<'_>> {
        for (what, count) in [
            ("planes", self.planes.len()),
            ("CRTCs", self.crtcs.len()),
            ("encoders", self.encoders.len()),
            ("connectors", self.connectors.len()),
        ] {
            if count == 0 || count > MAX_OBJECTS {
                return Err(Invalid::Count(what, count));
            }
        }

        // Each writeback connector is a connector with an encoder of its own.
        let writebacks = self.crtcs.iter().filter(|(_, crtc)| crtc.writeback).count();
        for (what, count) in [
            ("encoders", self.encoders.len()),
            ("connectors", self.connectors.len()),
        ] {
            if count + writebacks > kms::MAX_OBJECTS as usize {
                return Err(Invalid::Writebacks(what, count, writebacks));
            }
        }

        for (_, plane) in self.planes.iter() {
            if plane.possible_crtcs.is_empty() {
                return Err(Invalid::PlaneWithoutCrtc(&plane.name));
            }
            if plane.formats.is_empty() {
                return Err(Invalid::PlaneWithoutFormat(&plane.name));
            }
            if plane.rotations != 0 && plane.rotations & rotation::ROTATE_0 == 0 {
                return Err(Invalid::Rotations(&plane.name));
            }
            if plane.rotations != 0 && !rotation::is_value(plane.default_rotation, plane.rotations)
            {
                return Err(Invalid::DefaultRotation(&plane.name));
            }
            if plane.colors.are_offered() && plane.colors.defaults().is_none() {
                return Err(Invalid::Colors(&plane.name));
            }
            if let Some(range) = plane.zpos.range {
                if !(range.min..=range.max).contains(&range.initial) {
                    return Err(Invalid::Zpos(&plane.name));
                }
            }
        }

        for (id, crtc) in self.crtcs.iter() {
            match self.planes_of(PlaneType::Primary, id).count() {
                0 => return Err(Invalid::NoPrimaryPlane(&crtc.name)),
                1 => (),
                _ => return Err(Invalid::PrimaryPlanes(&crtc.name)),
            }
            if self.planes_of(PlaneType::Cursor, id).count() > 1 {
                return Err(Invalid::CursorPlanes(&crtc.name));
            }
            if crtc.writeback && self.writeback_formats().next().is_none() {
                return Err(Invalid::WritebackWithoutFormat(&crtc.name));
            }
        }

        // The DRM core wants one primary plane for each CRTC.
        for (_, plane) in self.planes.iter() {
            if plane.kind != PlaneType::Overlay && plane.possible_crtcs.len() > 1 {
                return Err(Invalid::SharedPlane(&plane.name));
            }
        }

        for (_, encoder) in self.encoders.iter() {
            if encoder.possible_crtcs.is_empty() {
                return Err(Invalid::EncoderWithoutCrtc(&encoder.name));
            }
        }

        for (id, crtc) in self.crtcs.iter() {
            if !self
                .encoders
                .iter()
                .any(|(_, encoder)| encoder.possible_crtcs.contains(&id))
            {
                return Err(Invalid::CrtcWithoutEncoder(&crtc.name));
            }
        }

        for (_, connector) in self.connectors.iter() {
            if connector.present && connector.possible_encoders.is_empty() {
                return Err(Invalid::ConnectorWithoutEncoder(&connector.name));
            }
        }

        Ok(())
    }
}

fn attach<T>(possible: &mut KVec<Id<T>>, id: Id<T>) -> Result {
    if possible.contains(&id) {
        return Err(EEXIST);
    }

    Ok(possible.push(id, GFP_KERNEL)?)
}

fn try_clone_ids<T>(ids: &[Id<T>]) -> Result<KVec<Id<T>>> {
    let mut clone = KVec::with_capacity(ids.len(), GFP_KERNEL)?;
    clone.extend_from_slice(ids, GFP_KERNEL)?;

    Ok(clone)
}
