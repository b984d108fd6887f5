// SPDX-License-Identifier: GPL-2.0

//! `picture`: what the primary plane scans out now, as a PNG file.

use std::fs::File;
use std::io::BufWriter;
use std::os::fd::AsFd;
use std::path::Path;

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;
use rustix::ioctl::{self, opcode, Setter};

use crate::buffer::{export, get_fb2, map_handle, Borrowed, Mapping};
use crate::card::{Card, Kind};
use crate::error::{message, name, Error, What};
use crate::output::plane_crtcs;
use crate::pixels::Layout;

/// A compositor may take the framebuffer away between two calls; then look again.
const ATTEMPTS: u32 = 20;

/// Runs the subcommand.
pub fn run(card: &Card, crtc: Option<usize>, output: &Path) -> Result<(), Error> {
    let mut attempt = 0;
    let (picture, format) = loop {
        attempt += 1;
        match take(card, crtc) {
            Err(error) if error.errno() == Some(Errno::NOENT) && attempt < ATTEMPTS => continue,
            result => break result?,
        }
    };
    write_png(&picture, output)?;
    println!(
        "{}: {}x{}, {format}, from {} ({})",
        output.display(),
        picture.width,
        picture.height,
        card.path.display(),
        card.driver
    );
    Ok(())
}

/// An RGB picture.
struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// The part of a framebuffer that is shown.
struct Source {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

fn take(card: &Card, wanted: Option<usize>) -> Result<(Picture, String), Error> {
    let plane = shown_plane(card, wanted)?;
    let fb = card.value(plane, "FB_ID")? as u32;
    if fb == 0 {
        return message("the primary plane shows no framebuffer");
    }
    let whole = |name| card.value(plane, name).map(|value| (value >> 16) as usize);
    let source = Source {
        x: whole("SRC_X")?,
        y: whole("SRC_Y")?,
        width: whole("SRC_W")?,
        height: whole("SRC_H")?,
    };
    let borrowed = get_fb2(card, fb)?;
    let fb = borrowed.argument;
    let format = DrmFourcc::try_from(fb.pixel_format)
        .map_or(format!("format {:#x}", fb.pixel_format), |f| f.to_string());
    let Some(layout) = Layout::of(fb.pixel_format) else {
        return message(format!(
            "{format} is none of the formats that this can convert"
        ));
    };
    if fb.flags & DRM_MODE_FB_MODIFIERS != 0 && fb.modifier[0] != 0 {
        return message(format!(
            "the framebuffer has modifier {:#x}; only linear ones can be read",
            fb.modifier[0]
        ));
    }
    let length = fb.offsets[0] as usize + fb.pitches[0] as usize * fb.height as usize;
    let pixels = map(card, &borrowed, length)?;
    let rgb = convert(&pixels.bytes()[..length], &fb, &source, &layout)?;
    let picture = Picture {
        width: source.width as u32,
        height: source.height as u32,
        rgb,
    };
    Ok((picture, format))
}

/// The primary plane of the wanted CRTC, or of the first one that is active.
fn shown_plane(card: &Card, wanted: Option<usize>) -> Result<u32, Error> {
    for (index, crtc) in card.of_kind(Kind::Crtc).enumerate() {
        if wanted.is_some_and(|wanted| wanted != index) || card.value(crtc.id, "ACTIVE")? == 0 {
            continue;
        }
        for plane in card.of_kind(Kind::Plane) {
            let primary = card.value(plane.id, "type")? as u32 == DRM_PLANE_TYPE_PRIMARY;
            let here = card.value(plane.id, "CRTC_ID")? == u64::from(crtc.id);
            if primary && here && plane_crtcs(card, plane.id)? & (1 << index) != 0 {
                return Ok(plane.id);
            }
        }
    }
    match wanted {
        Some(index) => message(format!("CRTC {index} shows nothing")),
        None => message(format!("{} shows nothing on any CRTC", card.path.display())),
    }
}

fn map(card: &Card, fb: &Borrowed<'_>, length: usize) -> Result<Mapping, Error> {
    let handle = fb.argument.handles[0];
    let direct = match map_handle(card, handle, length, false) {
        Ok(mapping) => return Ok(mapping),
        Err(error) => error,
    };
    // A buffer that came from another device can be mapped only through its dma-buf.
    let mapped = export(card, handle).and_then(|fd| {
        let mapping = Mapping::new(fd.as_fd(), 0, length, false)?;
        begin_reading(fd.as_fd())?;
        Ok(mapping)
    });
    match mapped {
        Ok(mapping) => Ok(mapping),
        Err(errno) => message(format!(
            "the framebuffer can be mapped neither directly ({direct}) nor as a dma-buf ({})",
            name(errno)
        )),
    }
}

/// Tells the exporter of a dma-buf that the CPU is about to read it.
fn begin_reading(fd: std::os::fd::BorrowedFd<'_>) -> Result<(), Errno> {
    const DMA_BUF_SYNC_READ: u64 = 1;
    const OPCODE: ioctl::Opcode = opcode::write::<u64>(b'b', 0);
    // SAFETY: the argument of DMA_BUF_IOCTL_SYNC is one `u64` of flags.
    unsafe { ioctl::ioctl(fd, Setter::<OPCODE, u64>::new(DMA_BUF_SYNC_READ)) }
}

fn convert(
    bytes: &[u8],
    fb: &drm_mode_fb_cmd2,
    source: &Source,
    layout: &Layout,
) -> Result<Vec<u8>, Error> {
    let pitch = fb.pitches[0] as usize;
    let mut rgb = Vec::with_capacity(source.width * source.height * 3);
    for y in source.y..source.y + source.height {
        let start = fb.offsets[0] as usize + y * pitch + source.x * layout.bytes;
        match bytes.get(start..start + source.width * layout.bytes) {
            Some(line) => layout.line(line, &mut rgb),
            None => return message("the plane shows more than its framebuffer has"),
        }
    }
    Ok(rgb)
}

fn write_png(picture: &Picture, path: &Path) -> Result<(), Error> {
    let file = File::create(path).what(format!("create {}", path.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(&picture.rgb)?;
            writer.finish()
        })
        .map_err(|error| Error::Message(format!("write {}: {error}", path.display())))
}
