// SPDX-License-Identifier: GPL-2.0

//! Blending pixels over pixels that are already composed, which are always opaque.

use super::{
    format::Order,
    frame::BlendMode,
    pixel::{
        self,
        Pixel,
        MAX, //
    },
};

/// `TERMS[c]` is what a colour of 8 bits adds to a channel: `c * 257` and what rounds, 32 bits up.
static TERMS: [u64; 256] = {
    let mut terms = [0; 256];
    let mut c = 0;

    while c < 256 {
        // A bit more than a half makes up for what is lost by not dividing: see `over`.
        terms[c] = ((c as u64 * 257) << 32) + (1 << 31) + (1 << 15);
        c += 1;
    }
    terms
};

/// Returns the channels R, G and B, to be handed to [`over`].
#[inline(always)]
pub(super) const fn lower(pixel: Pixel) -> [u64; 3] {
    [pixel >> 16 & 0xffff, pixel >> 32 & 0xffff, pixel >> 48]
}

/// Blends a pre-multiplied pixel, the bytes B, G, R and A, over the channels R, G and B.
#[inline(always)]
pub(super) fn over([b, g, r, a]: [u8; 4], below: [u64; 3]) -> [u64; 3] {
    // `1 - alpha` in units of 1/65535 is a multiple of 257; 65535 times 65537 is 2^32 but for 1.
    let rest = u64::from(!a).wrapping_mul(257 * 65537);
    let [below_r, below_g, below_b] = below;
    let channel = |color: u8, below: u64| {
        below
            .wrapping_mul(rest)
            .wrapping_add(TERMS[usize::from(color)])
            >> 32
    };
    let sums = [
        channel(r, below_r),
        channel(g, below_g),
        channel(b, below_b),
    ];

    // A colour may exceed its alpha.
    sums.map(|sum| sum.min(MAX.into()))
}

/// Blends pre-multiplied pixels of a 32-bit format, as they are in the framebuffer, over `out`.
pub(super) fn premultiplied_rgb32(order: Order, bytes: &[u8], out: &mut [Pixel]) {
    match order {
        Order::Argb => each(bytes, out, |bytes| bytes),
        Order::Abgr => each(bytes, out, |[r, g, b, a]| [b, g, r, a]),
        Order::Rgba => each(bytes, out, |[a, b, g, r]| [b, g, r, a]),
        Order::Bgra => each(bytes, out, |[a, r, g, b]| [b, g, r, a]),
    }
}

#[inline(always)]
fn each(bytes: &[u8], out: &mut [Pixel], convert: impl Fn([u8; 4]) -> [u8; 4]) {
    for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(4)) {
        if let &[p, q, r, s] = bytes {
            let [r, g, b] = over(convert([p, q, r, s]), lower(*out));

            *out = u64::from(MAX) | r << 16 | g << 32 | b << 48;
        }
    }
}

/// Blends `pixels` over `out`; `alpha` is the opacity of the whole plane.
pub(super) fn pixels(mode: BlendMode, alpha: u16, pixels: &[Pixel], out: &mut [Pixel]) {
    let pairs = out.iter_mut().zip(pixels);

    match (mode, alpha) {
        (BlendMode::None, _) => {
            for (out, &color) in pairs {
                *out = weighted(color, alpha, alpha, *out);
            }
        }
        (BlendMode::Premultiplied, MAX) => {
            for (out, &color) in pairs {
                *out = weighted(color, MAX, pixel::alpha(color), *out);
            }
        }
        (BlendMode::Premultiplied, _) => {
            for (out, &color) in pairs {
                let covered = pixel::scale(pixel::alpha(color), alpha);

                *out = weighted(color, alpha, covered, *out);
            }
        }
        (BlendMode::Coverage, _) => {
            for (out, &color) in pairs {
                let covered = pixel::scale(pixel::alpha(color), alpha);

                *out = weighted(color, covered, covered, *out);
            }
        }
    }
}

/// Returns `color` times `weight` plus `below` times `1 - covered`, rounded once.
#[inline(always)]
fn weighted(color: Pixel, weight: u16, covered: u16, below: Pixel) -> Pixel {
    let (weight, rest) = (u64::from(weight), u64::from(MAX - covered));
    let channel = |color: u16, below: u16| {
        let sum = u64::from(color) * weight + u64::from(below) * rest + 0x7fff;

        (sum / 0xffff).min(0xffff) as u16
    };
    let [r, g, b] = pixel::colors(color);
    let [below_r, below_g, below_b] = pixel::colors(below);

    pixel::opaque(
        channel(r, below_r),
        channel(g, below_g),
        channel(b, below_b),
    )
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_blend))]
mod tests {
    use super::*;

    /// The formula of the KMS documentation for one channel.
    fn plain(color: u16, alpha: u16, below: u16) -> u16 {
        let sum = u64::from(color) * 65535 + u64::from(below) * u64::from(65535 - alpha);

        ((sum + 32767) / 65535).min(65535) as u16
    }

    #[test]
    fn channels_follow_the_formula() {
        let mut random = 3u64;

        for step in 0..20000u32 {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(step.into());
            let a = match step % 4 {
                0 => 0,
                1 => MAX,
                _ => random as u16,
            };
            // Every third colour may exceed its alpha.
            let top = if step % 3 == 0 { MAX } else { a };
            let color = |shift: u32| pixel::scale((random >> shift) as u16, top);
            let (r, g, b) = (color(16), color(32), color(48));
            let below = pixel::opaque(b, (random >> 20) as u16, (random >> 9) as u16);
            let [below_r, below_g, below_b] = pixel::colors(below);
            let expected = pixel::opaque(
                plain(r, a, below_r),
                plain(g, a, below_g),
                plain(b, a, below_b),
            );
            let color = pixel::pack(a, r, g, b);
            let mut out = [below];

            assert_eq!(weighted(color, MAX, a, below), expected);
            pixels(BlendMode::Premultiplied, MAX, &[color], &mut out);
            assert_eq!(out[0], expected);
        }
    }

    #[test]
    fn bytes_follow_the_formula() {
        for alpha in 0..=255u8 {
            for below in (0..=65535u16).step_by(7) {
                let color = (u32::from(alpha) * 3 / 4) as u8;
                let a = u16::from(alpha) * 257;
                let expected = [
                    plain(0, a, below),
                    plain(u16::from(color) * 257, a, below),
                    plain(u16::from(alpha) * 257, a, below),
                ];
                let own = over([alpha, color, 0, alpha], [below.into(); 3]);

                assert_eq!(own, expected.map(u64::from));
            }
            // Brighter than it is opaque.
            assert_eq!(over([255, 255, 255, alpha], [65535; 3]), [65535; 3]);
        }
    }

    #[test]
    fn formats_blend_alike() {
        let orders = [
            (Order::Argb, [3, 2, 1, 9]),
            (Order::Abgr, [1, 2, 3, 9]),
            (Order::Rgba, [9, 3, 2, 1]),
            (Order::Bgra, [9, 1, 2, 3]),
        ];

        for (order, bytes) in orders {
            let mut out = [0];

            premultiplied_rgb32(order, &bytes, &mut out);
            assert_eq!(out[0], pixel::opaque(257, 2 * 257, 3 * 257));
        }
    }

    #[test]
    fn modes_differ() {
        let below = pixel::opaque(0, 0, MAX);
        let color = pixel::pack(0x8000, MAX, 0, 0);
        let one = |mode, alpha| {
            let mut out = [below];

            pixels(mode, alpha, &[color], &mut out);
            out[0]
        };

        assert_eq!(one(BlendMode::None, MAX), pixel::opaque(MAX, 0, 0));
        assert_eq!(one(BlendMode::None, 0), below);
        assert_eq!(
            one(BlendMode::Premultiplied, MAX),
            pixel::opaque(MAX, 0, 0x7fff)
        );
        assert_eq!(one(BlendMode::Premultiplied, 0), below);
        assert_eq!(
            one(BlendMode::Coverage, MAX),
            pixel::opaque(0x8000, 0, 0x7fff)
        );
        assert_eq!(one(BlendMode::Coverage, 0), below);
    }
}
