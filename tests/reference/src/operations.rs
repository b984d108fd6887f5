// SPDX-License-Identifier: GPL-2.0

//! Colour operations of planes.

use crate::picture::Color;
use crate::tables::{look_up, look_up_3d};
use crate::transfer::{bt2020, pq};

/// A colour operation. Numbers are sign and magnitude, with 32 fractional bits.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    SrgbEotf,
    SrgbInverse,
    Bt2020Oetf,
    Bt2020Inverse,
    Gamma22,
    Gamma22Inverse,
    PqEotf,
    PqInverse,
    Matrix([u64; 12]),
    Multiplier(u64),
    /// Does not fall.
    Lut(Vec<[u16; 3]>),
    /// With the number of entries in each direction.
    Lut3d(usize, Vec<[u16; 3]>),
    Bypassed,
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

/// Takes a sign-magnitude number with 32 fractional bits.
pub(crate) fn signed(value: u64) -> f64 {
    let magnitude = (value & (u64::MAX >> 1)) as f64 / 2f64.powi(32);

    if value >> 63 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// Returns how far a straight line between two of 256 places may be from the inverse EOTF of sRGB,
/// around what this returns: as far as from a parabola that is as curved as this is at the lower
/// place.
fn srgb_chord(signal: f64) -> f64 {
    const STEP: f64 = 1.0 / 255.0;

    let place = ((signal.max(0.0) + 0.055) / 1.055).powf(2.4) - STEP;
    let curvature = 1.055 / 2.4 * (1.0 - 1.0 / 2.4) * place.max(1e-6).powf(1.0 / 2.4 - 2.0);

    curvature * STEP * STEP / 8.0
}

/// Returns the colour after the operations, and how much it may be off.
pub(crate) fn operate(ops: &[Op], [r, g, b, a]: Color) -> (Color, f64) {
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
                .widened(|v| (5.0 * UNIT + srgb_chord(v)).min(116.0 * UNIT)),
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
