// SPDX-License-Identifier: GPL-2.0

//! A plain composer, slow on purpose, written from the documentation of KMS: one pixel at a time,
//! in floating point. It judges what C vkms cannot do.

use crate::{
    rvkms::compose::{
        BlendMode,
        Encoding,
        Filter,
        Range, //
    },
    scene::{
        name,
        Op,
        Scene,
        SceneLayer, //
    },
};

/// A colour: R, G, B and A, from 0 to 1.
type Color = [f64; 4];

/// How much a place in the framebuffer is moved before it is looked up, in pixels.
pub(crate) type Jitter = (f64, f64);

/// Returns what the scene shows at a pixel.
pub(crate) fn pixel(scene: &Scene, x: u32, y: u32, jitter: Jitter) -> [f64; 3] {
    let mut out = scene.background.map(|channel| f64::from(channel) / 65535.0);

    for layer in &scene.layers {
        let local = (
            i64::from(x) - i64::from(layer.dst.x),
            i64::from(y) - i64::from(layer.dst.y),
        );
        let inside = (0..layer.dst.width.into()).contains(&local.0)
            && (0..layer.dst.height.into()).contains(&local.1);

        if inside {
            blend(layer, sample(layer, local, jitter), &mut out);
        }
    }
    if let Some(lut) = &scene.degamma {
        look_up(lut, &mut out);
    }
    if let Some(m) = &scene.ctm {
        let m = m.map(signed);

        out = [0, 3, 6].map(|row| {
            let sum = m[row] * out[0] + m[row + 1] * out[1] + m[row + 2] * out[2];

            sum.clamp(0.0, 1.0)
        });
    }
    if let Some(lut) = &scene.gamma {
        look_up(lut, &mut out);
    }
    out
}

/// The formulas of the `pixel blend mode` property.
fn blend(layer: &SceneLayer, [r, g, b, a]: Color, out: &mut [f64; 3]) {
    let plane = f64::from(layer.alpha) / 65535.0;

    for (below, color) in out.iter_mut().zip([r, g, b]) {
        *below = match layer.blend {
            BlendMode::None => plane * color + (1.0 - plane) * *below,
            BlendMode::Premultiplied => plane * color + (1.0 - plane * a) * *below,
            BlendMode::Coverage => plane * a * color + (1.0 - plane * a) * *below,
        }
        .clamp(0.0, 1.0);
    }
}

fn look_up(lut: &[[u16; 3]], color: &mut [f64; 3]) {
    for (channel, value) in color.iter_mut().enumerate() {
        let place = *value * (lut.len() - 1) as f64;
        let (low, part) = (place.floor(), place.fract());
        let at =
            |index: f64| f64::from(lut[(index as usize).min(lut.len() - 1)][channel]) / 65535.0;

        *value = at(low) * (1.0 - part) + at(low + 1.0) * part;
    }
}

/// Takes a sign-magnitude number with 32 fractional bits.
fn signed(value: u64) -> f64 {
    let magnitude = (value & (u64::MAX >> 1)) as f64 / 2f64.powi(32);

    if value >> 63 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// Returns the colour that a layer has at a place of its destination, after its colour operations.
fn sample(layer: &SceneLayer, (x, y): (i64, i64), jitter: Jitter) -> Color {
    let fixed = |value: u32| f64::from(value) / 65536.0;
    let (left, top) = (fixed(layer.src.x), fixed(layer.src.y));
    let (width, height) = (fixed(layer.src.width), fixed(layer.src.height));
    let turned = layer.rotation & 0xa != 0;
    let whole = (width.floor(), height.floor());
    let size = if turned { (whole.1, whole.0) } else { whole };
    let scaled = size != (f64::from(layer.dst.width), f64::from(layer.dst.height));

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

        texel(layer, x as usize, y as usize)
    };
    let color = if !scaled {
        let (x, y) = ((s * whole.0).floor(), (t * whole.1).floor());

        texel(
            layer,
            (left.floor() + x) as usize,
            (top.floor() + y) as usize,
        )
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

fn operate(ops: &[Op], [r, g, b, a]: Color) -> Color {
    let mut color = [r, g, b];

    for op in ops {
        let each = |color: [f64; 3], function: fn(f64) -> f64| {
            color.map(|value| function(value.clamp(0.0, 1.0)))
        };

        color = match op {
            Op::Bypassed => color,
            Op::SrgbEotf => each(color, |v| {
                if v <= 0.04045 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            }),
            Op::SrgbInverse => each(color, |v| {
                if v <= 0.0031308 {
                    v * 12.92
                } else {
                    1.055 * v.powf(1.0 / 2.4) - 0.055
                }
            }),
            Op::Matrix(m) => {
                let m = m.map(signed);

                [0, 4, 8].map(|row| {
                    m[row] * color[0] + m[row + 1] * color[1] + m[row + 2] * color[2] + m[row + 3]
                })
            }
        };
    }

    let [r, g, b] = color.map(|value| value.clamp(0.0, 1.0));

    [r, g, b, a]
}

/// Returns a channel of `bits` bits from bit `shift` of `word` on.
fn channel(word: u64, shift: u32, bits: u32) -> f64 {
    let max = (1u64 << bits) - 1;

    (word >> shift & max) as f64 / max as f64
}

fn half(bits: u64) -> f64 {
    let exponent = (bits >> 10 & 0x1f) as i32;
    let fraction = (bits & 0x3ff) as f64 / 1024.0;

    match (bits >> 15 & 1, exponent, fraction) {
        (_, 31, fraction) if fraction != 0.0 => 0.0,
        (1, ..) => 0.0,
        (_, 31, _) => 1.0,
        (_, 0, fraction) => fraction * 2f64.powi(-14),
        (_, exponent, fraction) => ((1.0 + fraction) * 2f64.powi(exponent - 15)).min(1.0),
    }
}

/// Returns the colour of a pixel of the framebuffer.
fn texel(layer: &SceneLayer, x: usize, y: usize) -> Color {
    let word = |plane: usize, x: usize, y: usize, bytes: usize| -> u64 {
        let start = layer.offsets[plane] as usize + y * layer.pitches[plane] as usize + x * bytes;

        layer.bytes[start..start + bytes]
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte))
    };
    let name = name(layer.format);
    let letters: Vec<char> = name.chars().collect();
    // Where R, G, B and A are, for names that begin with the order of the channels.
    let fields = |color: u32, alpha: u32| {
        let order = match (letters[0], letters[1]) {
            (_, 'R') => [2 * color, color, 0, 3 * color],
            ('R', _) => [2 * color + alpha, color + alpha, alpha, 0],
            ('B', _) => [alpha, color + alpha, 2 * color + alpha, 0],
            _ => [0, color, 2 * color, 3 * color],
        };

        (order, if name.contains('X') { 0 } else { alpha })
    };
    let rgb = |word: u64, color: u32, alpha: u32| {
        let ([r, g, b, a], alpha) = fields(color, alpha);

        [
            channel(word, r, color),
            channel(word, g, color),
            channel(word, b, color),
            if alpha == 0 {
                1.0
            } else {
                channel(word, a, alpha)
            },
        ]
    };

    match &*name {
        "RG24" | "BG24" => {
            let word = word(0, x, y, 3);
            let (r, b) = if name == "RG24" { (16, 0) } else { (0, 16) };

            [
                channel(word, r, 8),
                channel(word, 8, 8),
                channel(word, b, 8),
                1.0,
            ]
        }
        "RG16" | "BG16" => {
            let word = word(0, x, y, 2);
            let (r, b) = if name == "RG16" { (11, 0) } else { (0, 11) };

            [
                channel(word, r, 5),
                channel(word, 5, 6),
                channel(word, b, 5),
                1.0,
            ]
        }
        "R1  " | "R2  " | "R4  " | "R8  " | "C8  " => {
            let bits = letters[1].to_digit(10).unwrap() as usize;
            let per_byte = 8 / bits;
            let byte = word(0, x / per_byte, y, 1);
            let gray = channel(byte, (8 - bits - x % per_byte * bits) as u32, bits as u32);

            [gray, gray, gray, 1.0]
        }
        _ if name.ends_with("24") && name.len() == 4 && "ARBX".contains(letters[0]) => {
            rgb(word(0, x, y, 4), 8, 8)
        }
        _ if name.ends_with("30") && letters[1] != 'V' => rgb(word(0, x, y, 4), 10, 2),
        _ if name.ends_with("48") && letters[1] != 'V' => rgb(word(0, x, y, 8), 16, 16),
        _ if name.ends_with("12") && "ARBX".contains(letters[0]) => rgb(word(0, x, y, 2), 4, 4),
        _ if name.ends_with("15") => rgb(word(0, x, y, 2), 5, 1),
        _ if name.ends_with("4H") => {
            let word = word(0, x, y, 8);
            let ([r, g, b, a], alpha) = fields(16, 16);
            let a = if alpha == 0 {
                1.0
            } else {
                half(word >> a & 0xffff)
            };

            [r, g, b]
                .map(|shift| half(word >> shift & 0xffff))
                .into_iter()
                .chain([a])
                .collect::<Vec<_>>()[..4]
                .try_into()
                .unwrap()
        }
        _ => yuv(layer, &name, x, y, &word),
    }
}

fn yuv(
    layer: &SceneLayer,
    name: &str,
    x: usize,
    y: usize,
    word: &dyn Fn(usize, usize, usize, usize) -> u64,
) -> Color {
    let byte = |value: u64| (value & 0xff) as f64 / 255.0;
    let wide = |value: u64| (value & 0xffff) as f64 / 65535.0;
    let layouts = crate::scene::plane_layouts(name);
    let (sub_x, sub_y) = layouts
        .get(1)
        .map_or((1, 1), |plane| (plane.sub_x, plane.sub_y));
    let (l, u, v) = match name {
        "NV12" | "NV16" | "NV24" | "NV21" | "NV61" | "NV42" => {
            let pair = word(1, x / sub_x, y / sub_y, 2);
            let (u, v) = (byte(pair), byte(pair >> 8));
            let swapped = matches!(name, "NV21" | "NV61" | "NV42");

            (
                byte(word(0, x, y, 1)),
                if swapped { v } else { u },
                if swapped { u } else { v },
            )
        }
        "P010" | "P012" | "P016" | "P210" => {
            let pair = word(1, x / sub_x, y / sub_y, 4);

            (wide(word(0, x, y, 2)), wide(pair), wide(pair >> 16))
        }
        "YUYV" | "YVYU" | "UYVY" | "VYUY" => {
            let pair = word(0, x / 2, y, 4);
            let at = |letter: char, nth: usize| {
                let mut places = name.chars().enumerate().filter(|place| place.1 == letter);
                let (place, _) = places.nth(nth).unwrap();

                byte(pair >> (8 * place))
            };

            (at('Y', x % 2), at('U', 0), at('V', 0))
        }
        "Y210" | "Y212" | "Y216" => {
            let pair = word(0, x / 2, y, 8);

            (
                wide(pair >> (32 * (x % 2))),
                wide(pair >> 16),
                wide(pair >> 48),
            )
        }
        "VU24" => {
            let word = word(0, x, y, 3);

            (byte(word), byte(word >> 8), byte(word >> 16))
        }
        "XYUV" => {
            let word = word(0, x, y, 4);

            (byte(word >> 16), byte(word >> 8), byte(word))
        }
        "XV30" => {
            let word = word(0, x, y, 4);

            (
                channel(word, 10, 10),
                channel(word, 0, 10),
                channel(word, 20, 10),
            )
        }
        "XV36" | "XV48" => {
            let word = word(0, x, y, 8);

            (wide(word >> 16), wide(word), wide(word >> 32))
        }
        _ => {
            let (first, second) = (
                byte(word(1, x / sub_x, y / sub_y, 1)),
                byte(word(2, x / sub_x, y / sub_y, 1)),
            );
            let swapped = name.starts_with("YV");

            (
                byte(word(0, x, y, 1)),
                if swapped { second } else { first },
                if swapped { first } else { second },
            )
        }
    };
    let (kr, kb) = match layer.encoding {
        Encoding::Bt601 => (0.299, 0.114),
        Encoding::Bt709 => (0.2126, 0.0722),
        Encoding::Bt2020 => (0.2627, 0.0593),
    };
    let (l, u, v) = match layer.range {
        Range::Full => (l, u - 128.0 / 255.0, v - 128.0 / 255.0),
        Range::Limited => (
            (l - 16.0 / 255.0) * 255.0 / 219.0,
            (u - 128.0 / 255.0) * 255.0 / 224.0,
            (v - 128.0 / 255.0) * 255.0 / 224.0,
        ),
    };
    let r = l + 2.0 * (1.0 - kr) * v;
    let b = l + 2.0 * (1.0 - kb) * u;
    let g = (l - kr * r - kb * b) / (1.0 - kr - kb);

    [r.clamp(0.0, 1.0), g.clamp(0.0, 1.0), b.clamp(0.0, 1.0), 1.0]
}
