// SPDX-License-Identifier: GPL-2.0

//! Whether pixels are right.

use crate::sample::Jitter;
use crate::scene::{Layer, Range, Scene};

/// A place at the border of two pixels may fall to either.
const JITTERS: [Jitter; 5] = [
    (0.0, 0.0),
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
        let limited = |layer: &Layer| layer.range == Range::Limited && layer.picture.is_yuv();

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
            let error = |jitter| {
                let (expected, off) = self.pixel(x, y, jitter);
                let errors = own
                    .iter()
                    .zip(expected)
                    .map(|(own, e)| (own - e * 65535.0).abs());

                (errors.fold(0.0, f64::max) - off * 65535.0).max(0.0)
            };
            let mut least = f64::MAX;

            for jitter in JITTERS {
                least = least.min(error(jitter));
                if least <= tolerance {
                    break;
                }
            }
            if tolerance < 100.0 && least <= tolerance {
                *worst = worst.max(least);
            }
            if least > tolerance {
                let (expected, off) = self.pixel(x, y, (0.0, 0.0));
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
