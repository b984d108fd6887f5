// SPDX-License-Identifier: GPL-2.0

//! Whether pixels are right.

use crate::layout::is_yuv;
use crate::sample::Jitter;
use crate::scene::{Layer, Range, Scene};

const EXACT: Jitter = (0.0, 0.0);

/// A place at the border of two pixels may fall to either.
const JITTERS: [Jitter; 5] = [
    EXACT,
    (1e-4, 1e-4),
    (-1e-4, -1e-4),
    (1e-4, -1e-4),
    (-1e-4, 1e-4),
];

impl Scene {
    /// Returns how much pixels may be off, of 65535.
    ///
    /// C vkms stretches limited range by 256/255, which is compatible but not exact; operations
    /// round at each step and a table is interpolated.
    fn tolerance(&self) -> f64 {
        let limited =
            |layer: &Layer| layer.range == Range::Limited && is_yuv(&layer.picture.format);

        match (
            self.layers.iter().any(limited),
            self.layers.iter().any(|layer| !layer.ops.is_empty()),
        ) {
            (true, _) => 900.0,
            (false, true) => 48.0,
            (false, false) => 16.0,
        }
    }

    /// Compares pixels with what the scene shows; returns the first that differs too much.
    ///
    /// `own` has the channels of a pixel, from 0 to 65535, which have been rounded by up to
    /// `rounded`. `worst` becomes the largest error of where all is exact, if it is larger.
    pub fn first_wrong(
        &self,
        own: impl Fn(u32, u32) -> [f64; 3],
        rounded: f64,
        worst: &mut f64,
    ) -> Option<String> {
        let tolerance = self.tolerance() + rounded;

        for (x, y) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y))) {
            let own = own(x, y);
            let least = |jitters: &[Jitter]| {
                let errors = self
                    .pixels(x, y, jitters)
                    .into_iter()
                    .map(|(expected, off)| {
                        let errors = own
                            .iter()
                            .zip(expected)
                            .map(|(own, e)| (own - e * 65535.0).abs());

                        (errors.fold(0.0, f64::max) - off * 65535.0).max(0.0)
                    });

                errors.fold(f64::MAX, f64::min)
            };
            let mut error = least(&[EXACT]);

            if error > tolerance {
                error = least(&JITTERS);
            }
            if tolerance < 100.0 && error <= tolerance {
                *worst = worst.max(error);
            }
            if error > tolerance {
                let (expected, off) = self.pixels(x, y, &[EXACT])[0];
                let expected = expected.map(|v| v * 65535.0);
                let off = off * 65535.0;

                return Some(format!(
                    "{own:?} instead of {expected:.1?} +- {off:.1} at {x}, {y}"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Area, BlendMode, Encoding, Filter, Picture, SourceArea};
    use std::sync::Arc;

    /// A layer whose only pixel is at the border of two, one with each of these values.
    fn layer(values: [u8; 2], alpha: u16) -> Layer {
        Layer {
            picture: Picture {
                format: *b"R8  ",
                pitches: [2, 0, 0, 0],
                offsets: [0; 4],
                bytes: Arc::new(values.to_vec()),
            },
            src: SourceArea {
                x: 0,
                y: 0,
                width: 2 << 16,
                height: 1 << 16,
            },
            dst: Area {
                x: 0,
                y: 0,
                width: 1,
                height: 1,
            },
            rotation: 1,
            encoding: Encoding::Bt601,
            range: Range::Full,
            alpha,
            blend: BlendMode::Premultiplied,
            filter: Filter::Nearest,
            ops: Vec::new(),
        }
    }

    #[test]
    fn each_layer_chooses_at_a_border() {
        let scene = Scene {
            width: 1,
            height: 1,
            background: [0; 3],
            layers: vec![layer([0, 255], 0xffff), layer([0, 255], 0x8000)],
            degamma: None,
            ctm: None,
            gamma: None,
        };
        let is_right = |value: f64| {
            scene
                .first_wrong(|_, _| [value; 3], 0.0, &mut 0.0)
                .is_none()
        };

        for value in [0.0, 32767.0, 32768.0, 65535.0] {
            assert!(is_right(value), "{value}");
        }
        for value in [100.0, 16384.0, 32000.0, 49152.0, 65000.0] {
            assert!(!is_right(value), "{value}");
        }
    }
}
