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
    /// Returns how much pixels may be off, of 65535: operations round at each step, and a table is
    /// interpolated.
    fn tolerance(&self) -> f64 {
        match self.layers.iter().any(|layer| !layer.ops.is_empty()) {
            true => 48.0,
            false => 16.0,
        }
    }

    /// Returns the scene as C vkms shows it, if it takes a range in it for another.
    fn stretched(&self) -> Option<Self> {
        let limited =
            |layer: &Layer| layer.range == Range::Limited && is_yuv(&layer.picture.format);

        self.layers.iter().any(limited).then(|| {
            let mut scene = self.clone();

            for layer in scene.layers.iter_mut().filter(|layer| limited(layer)) {
                layer.range = Range::Stretched;
            }
            scene
        })
    }

    /// Returns how far off a pixel is, beyond what operations round.
    fn error(&self, x: u32, y: u32, own: [f64; 3], jitters: &[Jitter]) -> f64 {
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
    }

    /// Compares pixels with what the scene shows; returns the first that differs too much.
    ///
    /// `own` has the channels of a pixel, from 0 to 65535, which have been rounded by up to
    /// `rounded`. `worst` becomes the largest error of what is written back exactly enough to tell,
    /// if it is larger. Pixels may all be as documented, or all as C vkms has them.
    pub fn first_wrong(
        &self,
        own: impl Fn(u32, u32) -> [f64; 3],
        rounded: f64,
        worst: &mut f64,
    ) -> Option<String> {
        let found = self.compare(&own, rounded).or_else(|wrong| {
            self.stretched()
                .ok_or(wrong)
                .and_then(|scene| scene.compare(&own, rounded))
        });

        match found {
            Ok(error) if rounded < 64.0 => *worst = worst.max(error),
            Ok(_) => {}
            Err(wrong) => return Some(wrong),
        }
        None
    }

    /// Returns the largest error, or the first that is too large.
    fn compare(&self, own: &impl Fn(u32, u32) -> [f64; 3], rounded: f64) -> Result<f64, String> {
        let tolerance = self.tolerance() + rounded;
        let mut worst = 0.0f64;

        for (x, y) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y))) {
            let own = own(x, y);
            let mut error = self.error(x, y, own, &[EXACT]);

            if error > tolerance {
                error = self.error(x, y, own, &JITTERS);
            }
            if error > tolerance {
                let (expected, off) = self.pixels(x, y, &[EXACT])[0];
                let expected = expected.map(|v| v * 65535.0);
                let off = off * 65535.0;

                return Err(format!(
                    "{own:?} instead of {expected:.1?} +- {off:.1} at {x}, {y}"
                ));
            }
            worst = worst.max(error);
        }
        Ok(worst)
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

    /// A scene of one pixel.
    fn scene(layers: Vec<Layer>) -> Scene {
        Scene {
            width: 1,
            height: 1,
            background: [0; 3],
            layers,
            degamma: None,
            ctm: None,
            gamma: None,
        }
    }

    /// Whether the pixel of a scene may have this value in each channel.
    fn is_right(scene: &Scene, value: f64) -> bool {
        scene
            .first_wrong(|_, _| [value; 3], 0.0, &mut 0.0)
            .is_none()
    }

    #[test]
    fn each_layer_chooses_at_a_border() {
        let scene = scene(vec![layer([0, 255], 0xffff), layer([0, 255], 0x8000)]);
        let is_right = |value| is_right(&scene, value);

        for value in [0.0, 32767.0, 32768.0, 65535.0] {
            assert!(is_right(value), "{value}");
        }
        for value in [100.0, 16384.0, 32000.0, 49152.0, 65000.0] {
            assert!(!is_right(value), "{value}");
        }
    }

    #[test]
    fn limited_ranges_are_stretched_or_not() {
        let mut yuv = layer([0, 0], 0xffff);

        // Y, U and V of a pixel of three quarters of white.
        yuv.picture.format = *b"VU24";
        yuv.picture.bytes = Arc::new(vec![180, 128, 128, 180, 128, 128]);
        yuv.range = Range::Limited;
        yuv.src.width = 1 << 16;

        let scene = scene(vec![yuv]);
        let is_right = |value| is_right(&scene, value);
        let documented = 164.0 / 219.0 * 65535.0;

        assert!(is_right(documented));
        assert!(is_right(documented * 256.0 / 255.0));
        for off in [-100.0, 100.0, 300.0, 500.0, 800.0] {
            assert!(!is_right(documented + off), "{off}");
        }
    }
}
