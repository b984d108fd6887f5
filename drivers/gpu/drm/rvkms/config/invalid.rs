// SPDX-License-Identifier: GPL-2.0

//! Why a configuration is none of a device.

use super::MAX_OBJECTS;
use kernel::{
    fmt,
    prelude::*, //
};

/// Why no device can be made of a configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid<'a> {
    /// There are none or too many objects of a kind.
    Count(&'static str, usize),
    /// There is no room for the writeback connectors besides the objects of a kind.
    Writebacks(&'static str, usize, usize),
    PlaneWithoutCrtc(&'a CStr),
    PlaneWithoutFormat(&'a CStr),
    Rotations(&'a CStr),
    DefaultRotation(&'a CStr),
    Colors(&'a CStr),
    Zpos(&'a CStr),
    NoPrimaryPlane(&'a CStr),
    PrimaryPlanes(&'a CStr),
    CursorPlanes(&'a CStr),
    WritebackWithoutFormat(&'a CStr),
    SharedPlane(&'a CStr),
    EncoderWithoutCrtc(&'a CStr),
    CrtcWithoutEncoder(&'a CStr),
    ConnectorWithoutEncoder(&'a CStr),
}

impl fmt::Display for Invalid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(what, count) => {
                f.write_fmt(fmt!("there must be 1 to {MAX_OBJECTS} {what}, not {count}"))
            }
            Self::Writebacks(what, count, writebacks) => f.write_fmt(fmt!(
                "there is no room for {writebacks} writeback connectors besides {count} {what}"
            )),
            Self::PlaneWithoutCrtc(name) => f.write_fmt(fmt!("plane {name} has no possible CRTC")),
            Self::PlaneWithoutFormat(name) => f.write_fmt(fmt!("plane {name} has no format")),
            Self::Rotations(name) => {
                f.write_fmt(fmt!("plane {name} can be shown only if it is rotated"))
            }
            Self::DefaultRotation(name) => f.write_fmt(fmt!(
                "the default rotation of plane {name} is not one that it supports"
            )),
            Self::Colors(name) => f.write_fmt(fmt!(
                "plane {name} does not support its default colour encoding and range"
            )),
            Self::Zpos(name) => {
                f.write_fmt(fmt!("the initial zpos of plane {name} is not in its range"))
            }
            Self::NoPrimaryPlane(name) => f.write_fmt(fmt!("CRTC {name} has no primary plane")),
            Self::PrimaryPlanes(name) => {
                f.write_fmt(fmt!("CRTC {name} has several primary planes"))
            }
            Self::CursorPlanes(name) => f.write_fmt(fmt!("CRTC {name} has several cursor planes")),
            Self::WritebackWithoutFormat(name) => f.write_fmt(fmt!(
                "CRTC {name} has writeback, but no plane has a format that can be written"
            )),
            Self::SharedPlane(name) => f.write_fmt(fmt!(
                "plane {name} is the primary or cursor plane of several CRTCs"
            )),
            Self::EncoderWithoutCrtc(name) => {
                f.write_fmt(fmt!("encoder {name} has no possible CRTC"))
            }
            Self::CrtcWithoutEncoder(name) => {
                f.write_fmt(fmt!("CRTC {name} has no possible encoder"))
            }
            Self::ConnectorWithoutEncoder(name) => {
                f.write_fmt(fmt!("connector {name} has no possible encoder"))
            }
        }
    }
}
