// SPDX-License-Identifier: GPL-2.0

//! Blending pixels over pixels that are already composed, which are always opaque.

use super::{
    decode::{
        from_abgr,
        from_argb,
        from_rgba,
        u32_from, //
    },
    format::Order,
    frame::BlendMode,
    pixel::{
        self,
        Pixel,
        EVEN,
        MAX, //
    },
};

/// Half of a divisor of 65535 in each of two lanes of 32 bits.
const ROUNDING: u64 = 0x0000_8000_0000_8000;

/// The uppermost bit of each channel.
const TOPS: u64 = 0x8000_8000_8000_8000;

/// Returns `below`, of which `1 - alpha` is left, plus `color`, in each channel.
///
/// If `color` is a pixel of which the alpha channel is `alpha`, the result is opaque.
#[inline(always)]
fn over(color: Pixel, alpha: u16, below: Pixel) -> Pixel {
    let rest = u64::from(MAX - alpha);
    // Two channels in each of two numbers, each times `rest` and divided by 65535, rounded.
    let even = (below & EVEN).wrapping_mul(rest).wrapping_add(ROUNDING);
    let odd = (below >> 16 & EVEN)
        .wrapping_mul(rest)
        .wrapping_add(ROUNDING);
    let even = even.wrapping_add(even >> 16 & EVEN) >> 16 & EVEN;
    let odd = odd.wrapping_add(odd >> 16 & EVEN) & !EVEN;
    let left = even | odd;
    let sum = color.wrapping_add(left);

    // A colour that exceeds its alpha may carry out of its channel.
    if (color & left | (color | left) & !sum) & TOPS != 0 {
        return saturating_sum(color, left);
    }
    sum
}

#[cold]
fn saturating_sum(color: Pixel, left: Pixel) -> Pixel {
    let [r, g, b] = pixel::colors(color);
    let [left_r, left_g, left_b] = pixel::colors(left);

    pixel::opaque(
        r.saturating_add(left_r),
        g.saturating_add(left_g),
        b.saturating_add(left_b),
    )
}

/// Blends pre-multiplied pixels of a 32-bit format, as they are in the framebuffer, over `out`.
pub(super) fn premultiplied_rgb32(order: Order, bytes: &[u8], out: &mut [Pixel]) {
    match order {
        Order::Argb => each(bytes, out, from_argb),
        Order::Abgr => each(bytes, out, from_abgr),
        Order::Rgba => each(bytes, out, from_rgba),
        Order::Bgra => each(bytes, out, |v| v),
    }
}

#[inline(always)]
fn each(bytes: &[u8], out: &mut [Pixel], convert: impl Fn(u32) -> u32) {
    for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(4)) {
        let color = pixel::widen(convert(u32_from(bytes)));

        *out = over(color, pixel::alpha(color), *out);
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
                *out = over(color, pixel::alpha(color), *out);
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

            assert_eq!(over(color, a, below), expected);
            assert_eq!(weighted(color, MAX, a, below), expected);
            pixels(BlendMode::Premultiplied, MAX, &[color], &mut out);
            assert_eq!(out[0], expected);
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
