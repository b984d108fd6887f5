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

/// Returns what the scene shows at a pixel, and how much it may be off because colour operations
/// round.
pub(crate) fn pixel(scene: &Scene, x: u32, y: u32, jitter: Jitter) -> ([f64; 3], f64) {
    let mut out = scene.background.map(|channel| f64::from(channel) / 65535.0);
    let mut off = 0.0;

    for layer in &scene.layers {
        let local = (
            i64::from(x) - i64::from(layer.dst.x),
            i64::from(y) - i64::from(layer.dst.y),
        );
        let inside = (0..layer.dst.width.into()).contains(&local.0)
            && (0..layer.dst.height.into()).contains(&local.1);

        if inside {
            let (color, more) = sample(layer, local, jitter);

            blend(layer, color, &mut out);
            off += more;
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
    (out, off)
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

/// Returns the colour that a layer has at a place of its destination, after its colour operations,
/// and how much it may be off.
fn sample(layer: &SceneLayer, (x, y): (i64, i64), jitter: Jitter) -> (Color, f64) {
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

/// The colours that a pixel may have where each step has rounded, from the lowest to the highest.
#[derive(Clone, Copy)]
struct Bounds {
    low: [f64; 3],
    high: [f64; 3],
}

impl Bounds {
    /// Lets each channel be off by `error`.
    fn widened(self, error: impl Fn(f64) -> f64) -> Self {
        Self {
            low: self.low.map(|value| value - error(value)),
            high: self.high.map(|value| value + error(value)),
        }
    }

    /// Applies a function that does not fall to each channel.
    fn each(self, function: impl Fn(f64) -> f64) -> Self {
        Self {
            low: self.low.map(&function),
            high: self.high.map(&function),
        }
    }

    /// Applies `rows` of four numbers.
    fn mixed(self, rows: &[f64; 12]) -> Self {
        let row = |row: usize, [from, to]: [&[f64; 3]; 2]| {
            (0..3).fold(rows[4 * row + 3], |sum, column| {
                let factor = rows[4 * row + column];
                let value = if factor < 0.0 { to } else { from };

                sum + factor * value[column]
            })
        };

        Self {
            low: [0, 1, 2].map(|index| row(index, [&self.low, &self.high])),
            high: [0, 1, 2].map(|index| row(index, [&self.high, &self.low])),
        }
    }
}

/// SMPTE ST 2084: 1.0 is 10,000 nits.
mod pq {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;

    pub(super) fn light(signal: f64) -> f64 {
        let root = signal.powf(1.0 / M2);

        ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
    }

    pub(super) fn signal(light: f64) -> f64 {
        let root = light.powf(M1);

        ((C1 + C2 * root) / (1.0 + C3 * root)).powf(M2)
    }
}

/// The opto-electronic transfer function of ITU-R BT.2020, and its inverse.
mod bt2020 {
    const ALPHA: f64 = 1.099_296_826_809_44;
    const BETA: f64 = 0.018_053_968_510_807;

    pub(super) fn signal(light: f64) -> f64 {
        if light < BETA {
            4.5 * light
        } else {
            ALPHA * light.powf(0.45) - (ALPHA - 1.0)
        }
    }

    pub(super) fn light(signal: f64) -> f64 {
        if signal < 4.5 * BETA {
            signal / 4.5
        } else {
            ((signal + ALPHA - 1.0) / ALPHA).powf(1.0 / 0.45)
        }
    }
}

/// Looks up a colour in a cube of `size` entries in each direction: the corners of the tetrahedron
/// around it are passed on the way along the channels, the one that is furthest along first.
fn look_up_3d(size: usize, lut: &[[u16; 3]], color: [f64; 3]) -> [f64; 3] {
    let places = color.map(|value| value * (size - 1) as f64);
    let bases = places.map(|place| place.floor().min((size - 2) as f64));
    let parts: [f64; 3] = std::array::from_fn(|channel| places[channel] - bases[channel]);
    let at = |corner: [usize; 3]| {
        let [r, g, b]: [usize; 3] =
            std::array::from_fn(|channel| bases[channel] as usize + corner[channel]);

        lut[r + size * (g + size * b)].map(|value| f64::from(value) / 65535.0)
    };
    let mut order = [0, 1, 2];
    let mut corner = [0; 3];
    let mut out = at(corner);

    order.sort_by(|&a, &b| parts[b].total_cmp(&parts[a]));
    for channel in order {
        let before = at(corner);

        corner[channel] = 1;

        let after = at(corner);

        for (out, (before, after)) in out.iter_mut().zip(before.into_iter().zip(after)) {
            *out += (after - before) * parts[channel];
        }
    }
    out
}

/// Returns the colour after the operations, and how much it may be off.
fn operate(ops: &[Op], [r, g, b, a]: Color) -> (Color, f64) {
    const UNIT: f64 = 1.0 / 65535.0;

    // Half a unit, which is finer where a range of 0 to 1 is not all there is.
    let is_plain = |op: &Op| {
        matches!(
            op,
            Op::Bypassed
                | Op::SrgbEotf
                | Op::SrgbInverse
                | Op::Matrix(_)
                | Op::Multiplier(_)
                | Op::Lut(_)
        )
    };
    let fine = if ops.iter().all(is_plain) {
        UNIT
    } else {
        UNIT / 256.0
    };
    let is_table = |op: &Op| {
        matches!(
            op,
            Op::SrgbEotf | Op::SrgbInverse | Op::Lut(_) | Op::Lut3d(..)
        )
    };
    // As much as 32 bits hold.
    let most = 2f64.powi(31) * fine;
    let half = |_: f64| fine * 0.51;
    let one = |_: f64| UNIT;
    let mut color = Bounds {
        low: [r, g, b],
        high: [r, g, b],
    }
    .widened(|_| 1.5 * UNIT);

    for op in ops {
        // Tables have an entry for each unit.
        let clamped = match is_table(op) && fine < UNIT {
            true => color.widened(|_| 0.51 * UNIT),
            false => color,
        }
        .each(|value| value.clamp(0.0, 1.0));

        color = match op {
            Op::Bypassed => color,
            // Tables of C vkms, which are cut off and have few entries.
            Op::SrgbEotf => clamped
                .each(|v| {
                    if v <= 0.04045 {
                        v / 12.92
                    } else {
                        ((v + 0.055) / 1.055).powf(2.4)
                    }
                })
                .widened(|_| 3.0 * UNIT),
            Op::SrgbInverse => clamped
                .each(|v| {
                    if v <= 0.0031308 {
                        v * 12.92
                    } else {
                        1.055 * v.powf(1.0 / 2.4) - 0.055
                    }
                })
                .widened(|v| if v < 0.1 { 110.0 * UNIT } else { 5.0 * UNIT }),
            Op::Bt2020Oetf => clamped.each(bt2020::signal).widened(one),
            Op::Bt2020Inverse => clamped.each(bt2020::light).widened(|v| fine + v * 2e-5),
            Op::Gamma22 => clamped.each(|v| v.powf(2.2)).widened(|v| fine + v * 2e-5),
            Op::Gamma22Inverse => clamped.each(|v| v.powf(1.0 / 2.2)).widened(one),
            Op::PqEotf => clamped
                .each(|v| 125.0 * pq::light(v))
                .widened(|v| fine + v * 1e-4),
            Op::PqInverse => color
                .each(|v| pq::signal(v.clamp(0.0, 125.0) / 125.0))
                .widened(|_| UNIT),
            Op::Matrix(m) => color.mixed(&m.map(signed)).widened(half),
            Op::Multiplier(factor) => {
                let f = signed(*factor);
                let rows = [f, 0.0, 0.0, 0.0, 0.0, f, 0.0, 0.0, 0.0, 0.0, f, 0.0];

                color.mixed(&rows).widened(half)
            }
            Op::Lut(lut) => {
                let at = |mut color: [f64; 3]| {
                    look_up(lut, &mut color);
                    color
                };

                // The tables of the scenes rise.
                Bounds {
                    low: at(clamped.low),
                    high: at(clamped.high),
                }
                .widened(one)
            }
            Op::Lut3d(size, lut) => {
                let middle: [f64; 3] =
                    std::array::from_fn(|c| (clamped.low[c] + clamped.high[c]) / 2.0);
                let off: f64 = (0..3).map(|c| clamped.high[c] - clamped.low[c]).sum();
                let out = look_up_3d(*size, lut, middle);

                // As steep as from one entry to the next, at most.
                Bounds {
                    low: out,
                    high: out,
                }
                .widened(|_| UNIT + (off / 2.0 + 3.0 * UNIT) * (*size - 1) as f64)
            }
        };
        color = color.each(|value| value.clamp(-most, most));
    }

    let color = color.each(|value| value.clamp(0.0, 1.0));
    let [r, g, b] = std::array::from_fn(|c| (color.low[c] + color.high[c]) / 2.0);
    let off = (0..3).map(|c| (color.high[c] - color.low[c]) / 2.0);

    ([r, g, b, a], off.fold(0.0, f64::max))
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

/// Returns the alpha channel of a YUV format.
fn yuv_alpha(
    name: &str,
    x: usize,
    y: usize,
    word: &dyn Fn(usize, usize, usize, usize) -> u64,
) -> f64 {
    match name {
        "Y410" => channel(word(0, x, y, 4), 30, 2),
        "Y412" | "Y416" => channel(word(0, x, y, 8), 48, 16),
        _ => 1.0,
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
        "XV30" | "Y410" => {
            let word = word(0, x, y, 4);

            (
                channel(word, 10, 10),
                channel(word, 0, 10),
                channel(word, 20, 10),
            )
        }
        "XV36" | "XV48" | "Y412" | "Y416" => {
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

    let [r, g, b] = [r, g, b].map(|channel| channel.clamp(0.0, 1.0));

    [r, g, b, yuv_alpha(name, x, y, word)]
}
