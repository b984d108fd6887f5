// SPDX-License-Identifier: GPL-2.0

//! Test pictures.

/// A test picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Seven colour bars over a strip of their complements and a grey ramp, like SMPTE's.
    Bars,
    /// Red across, green down, blue both.
    Gradient,
}

const BARS: [u32; 7] = [
    0xc0c0c0, 0xc0c000, 0x00c0c0, 0x00c000, 0xc000c0, 0xc00000, 0x0000c0,
];
const STRIP: [u32; 7] = [
    0x0000c0, 0x131313, 0xc000c0, 0x131313, 0x00c0c0, 0x131313, 0xc0c0c0,
];

impl Pattern {
    /// The pattern of that name.
    pub fn named(name: &str) -> Option<Pattern> {
        match name {
            "smpte" => Some(Pattern::Bars),
            "gradient" => Some(Pattern::Gradient),
            _ => None,
        }
    }

    /// The XRGB8888 pixel at a place of a picture of that size.
    pub fn pixel(self, x: u32, y: u32, width: u32, height: u32) -> u32 {
        let (width, height) = (width.max(1), height.max(1));
        let scaled = |value: u32, end: u32| (u64::from(value) * 255 / u64::from(end)) as u32;
        let rgb = match self {
            Pattern::Bars => {
                let bar = ((u64::from(x) * 7 / u64::from(width)) as usize).min(6);
                match u64::from(y) * 12 / u64::from(height) {
                    0..8 => BARS[bar],
                    8 => STRIP[bar],
                    _ => scaled(x, width) * 0x010101,
                }
            }
            Pattern::Gradient => {
                let (red, green) = (scaled(x, width), scaled(y, height));
                (red << 16) | (green << 8) | ((red + green) / 2)
            }
        };
        0xff00_0000 | rgb
    }
}
