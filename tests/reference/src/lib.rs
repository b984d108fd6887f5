// SPDX-License-Identifier: GPL-2.0

//! A plain composer, slow on purpose, written from the documentation of KMS: one pixel at a time,
//! in floating point. It judges what C vkms cannot do.

mod judge;
mod layout;
mod operations;
mod picture;
mod sample;
mod scene;
mod tables;
mod transfer;
mod yuv;

pub use layout::{is_yuv, plane_layouts, PlaneLayout};
pub use operations::Op;
pub use picture::{Color, Picture};
pub use scene::{Area, BlendMode, Encoding, Filter, Format, Layer, Range, Scene, SourceArea};
