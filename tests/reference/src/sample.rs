// SPDX-License-Identifier: GPL-2.0

//! From a place on the display to one in a framebuffer.

use crate::operations::operate;
use crate::picture::Color;
use crate::scene::{Filter, Layer};

/// How much a place in the framebuffer is moved before it is looked up, in pixels.
pub(crate) type Jitter = (f64, f64);

/// Returns the colour that a layer has at a place of its destination, after its colour operations,
/// and how much it may be off.
pub(crate) fn sample(layer: &Layer, (x, y): (i64, i64), jitter: Jitter) -> (Color, f64) {
    let fixed = |value: u32| f64::from(value) / 65536.0;
    let (left, top) = (fixed(layer.src.x), fixed(layer.src.y));
    let (width, height) = (fixed(layer.src.width), fixed(layer.src.height));
    let turned = layer.rotation & 0xa != 0;
    let whole = (width.floor(), height.floor());
    let size = if turned {
        (height, width)
    } else {
        (width, height)
    };
    // Less than 1/65536 is no scaling.
    let equal = |src: f64, dst: u32| (src / f64::from(dst) * 65536.0).floor() == 65536.0;
    let scaled = !equal(size.0, layer.dst.width) || !equal(size.1, layer.dst.height);

    // The middle of the pixel, from 0 to 1, turned back.
    let p = (x as f64 + 0.5) / f64::from(layer.dst.width);
    let q = (y as f64 + 0.5) / f64::from(layer.dst.height);
    let (s, t) = match layer.rotation & 0xf {
        1 => (p, q),
        2 => (1.0 - q, p),
        4 => (1.0 - p, 1.0 - q),
        _ => (q, 1.0 - p),
    };
    let s = if layer.rotation & 0x10 != 0 {
        1.0 - s
    } else {
        s
    };
    let t = if layer.rotation & 0x20 != 0 {
        1.0 - t
    } else {
        t
    };

    let ends = |start: f64, size: f64| (start.floor(), (start + size - 1.0 / 65536.0).floor());
    let (columns, rows) = (ends(left, width), ends(top, height));
    let at = |x: f64, y: f64| {
        let x = x.clamp(columns.0, columns.1);
        let y = y.clamp(rows.0, rows.1);

        layer.texel(x as usize, y as usize)
    };
    let color = if !scaled {
        let (x, y) = ((s * whole.0).floor(), (t * whole.1).floor());

        layer.texel((left.floor() + x) as usize, (top.floor() + y) as usize)
    } else {
        let (x, y) = (left + s * width, top + t * height);

        match layer.filter {
            Filter::Nearest => at((x + jitter.0).floor(), (y + jitter.1).floor()),
            Filter::Linear => {
                let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
                let (i, j) = (x.floor(), y.floor());
                let (f, g) = (x.fract(), y.fract());
                let corners = [
                    at(i, j),
                    at(i + 1.0, j),
                    at(i, j + 1.0),
                    at(i + 1.0, j + 1.0),
                ];
                let parts = [(1.0 - f) * (1.0 - g), f * (1.0 - g), (1.0 - f) * g, f * g];

                std::array::from_fn(|channel| {
                    corners
                        .iter()
                        .zip(parts)
                        .map(|(c, part)| c[channel] * part)
                        .sum()
                })
            }
        }
    };

    operate(&layer.ops, color)
}
