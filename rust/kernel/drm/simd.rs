// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pixels in vector registers.
//!
//! Kernel code has no vector registers, but on x86-64 it can borrow those of user space for a
//! while. Whoever uses this has code of its own for what is left over, and for all other machines.

/// Assembly that may use all vector registers, and no stack.
///
/// For code that has called `vector::begin`: the compiler has nothing in these registers.
#[cfg(target_arch = "x86_64")]
macro_rules! vector_asm {
    ($($code:tt)*) => {
        core::arch::asm!(
            $($code)*
            out("xmm0") _,
            out("xmm1") _,
            out("xmm2") _,
            out("xmm3") _,
            out("xmm4") _,
            out("xmm5") _,
            out("xmm6") _,
            out("xmm7") _,
            out("xmm8") _,
            out("xmm9") _,
            out("xmm10") _,
            out("xmm11") _,
            out("xmm12") _,
            out("xmm13") _,
            out("xmm14") _,
            out("xmm15") _,
            options(nostack),
        )
    };
}

/// Adds up in register `$sums` what `{tables}` hold for the lower bytes of R, G and B of the pixel
/// that is `$pixel` bytes after `{row}`. Entries are at 32 times the byte; `{a}` is overwritten.
#[cfg(target_arch = "x86_64")]
macro_rules! sums {
    ($sums:literal, $($pixel:literal),+) => {
        concat!(
            concat!("movzx {a:e}, byte ptr [{row} + 2", $(" + ", $pixel,)+ "]\n"),
            "shl {a:e}, 5\n",
            concat!("vmovdqa ", $sums, ", [{tables} + {a}]\n"),
            concat!("movzx {a:e}, byte ptr [{row} + 4", $(" + ", $pixel,)+ "]\n"),
            "shl {a:e}, 5\n",
            concat!("vpaddq ", $sums, ", ", $sums, ", [{tables} + {a} + {table}]\n"),
            concat!("movzx {a:e}, byte ptr [{row} + 6", $(" + ", $pixel,)+ "]\n"),
            "shl {a:e}, 5\n",
            concat!("vpaddq ", $sums, ", ", $sums, ", [{tables} + {a} + 2 * {table}]\n"),
        )
    };
}

/// Clamps R, G and B of 32 bits in registers 0, 1 and 2 to 16 bits, and puts them into the pixels
/// at `{row}`, which keep their A.
///
/// `$v` is `"xmm"`, for 4 pixels, or `"ymm"`, for 8: then each half of a register has two of the
/// first four, followed by two of the last four. `$bytes` is what one such register holds.
/// Registers 3 and 4 are overwritten.
#[cfg(target_arch = "x86_64")]
macro_rules! store_colors {
    ($v:literal, $bytes:literal) => {
        concat!(
            // B twice, R and G: the first B is in the place of A.
            concat!("vpackusdw ", $v, "0, ", $v, "0, ", $v, "1\n"),
            concat!("vpackusdw ", $v, "2, ", $v, "2, ", $v, "2\n"),
            concat!("vpunpcklwd ", $v, "3, ", $v, "2, ", $v, "0\n"),
            concat!("vpunpckhwd ", $v, "4, ", $v, "0, ", $v, "2\n"),
            concat!("vpunpckldq ", $v, "0, ", $v, "3, ", $v, "4\n"),
            concat!("vpunpckhdq ", $v, "1, ", $v, "3, ", $v, "4\n"),
            concat!("vpblendw ", $v, "0, ", $v, "0, [{row}], 0x11\n"),
            concat!(
                "vpblendw ",
                $v,
                "1, ",
                $v,
                "1, [{row} + ",
                $bytes,
                "], 0x11\n"
            ),
            concat!("vmovdqu [{row}], ", $v, "0\n"),
            concat!("vmovdqu [{row} + ", $bytes, "], ", $v, "1\n"),
        )
    };
}

mod factors;
mod fold;
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod formula;
mod linear;
mod mix;
mod widen;

pub use self::factors::Factors;
pub use self::fold::{
    Folding,
    Multiples, //
};
pub use self::linear::Linear;
pub use self::mix::{
    ByteTables,
    Input,
    Mixing,
    Sums, //
};
pub use self::widen::widen;

/// Blends pre-multiplied pixels over opaque ones, and returns how many it has blended of `out`,
/// from the first one on: none if there is no fast way here and now, else all but at most 3.
///
/// `layers` holds the pixels of one or more layers, the lowest first; each begins `stride` pixels
/// after the one before. They are B, G, R and A of 8 bits; those of `out` are A, R, G and B of 16
/// bits from the least significant one up, with an A of 65535. If all channels are numbers from 0
/// to 1 then a channel of `out` becomes, for each layer, that of the layer plus 1 minus the layer's
/// A times what was there before, rounded to the nearest number of 16 bits, and 1 at most.
///
/// Layers with less pixels than `out` are not blended.
///
/// Context: Any. Does not sleep. Preemption is off meanwhile, for about a nanosecond for each pixel
/// of a layer.
pub fn blend(layers: &[[u8; 4]], stride: usize, out: &mut [u64]) -> usize {
    let n = out.len() / vector::STEP * vector::STEP;
    let (Some(out), Some(rest)) = (out.get_mut(..n), layers.len().checked_sub(n)) else {
        return 0;
    };
    // The last layer begins at `rest` or less far.
    let depth = rest
        .checked_div(stride)
        .unwrap_or_default()
        .saturating_add(1);

    if n == 0 || !vector::begin() {
        return 0;
    }
    // SAFETY: The last layer begins `(depth - 1) * stride` pixels from the start, which is `rest`
    // at most, and `n` pixels of it are thus in `layers`. `n` is a multiple of `STEP` and not 0,
    // `depth` is at least 1, and `begin` returned true.
    unsafe { vector::blend(layers, stride, depth, out) };
    vector::end();
    n
}

#[cfg(target_arch = "x86_64")]
mod vector {
    use crate::bindings;
    use core::arch::x86_64::{
        CpuidResult,
        __cpuid_count, //
    };

    /// The number of pixels that are blended at a time.
    pub(super) const STEP: usize = 4;

    /// Borrows the vector registers if that is allowed here; if it returns true then [`end`] is to
    /// be called next, with nothing between that sleeps.
    pub(super) fn begin() -> bool {
        // SAFETY: This can be called in any context.
        if !unsafe { bindings::may_use_simd() } {
            return false;
        }
        // SAFETY: As just asked for, the registers can be used.
        unsafe { bindings::kernel_fpu_begin() };
        true
    }

    /// Returns what the CPU says of itself in a leaf: zeros, or those of another leaf, if it has
    /// less.
    #[allow(unused_unsafe, reason = "it is safe to newer compilers")]
    pub(super) fn cpuid(leaf: u32) -> CpuidResult {
        // SAFETY: All of these CPUs have the instruction.
        unsafe { __cpuid_count(leaf, 0) }
    }

    /// Gives the vector registers back.
    pub(super) fn end() {
        // SAFETY: The only caller has called `begin`, which returned true.
        unsafe { bindings::kernel_fpu_end() };
    }

    /// Blends `depth` layers over `out`.
    ///
    /// What a channel was before, `p`, becomes `color + (p * w + 0x8000 + carry) >> 16`, where `w`
    /// is 65535 less the alpha and `carry` the upper half of `p * w + 0x8000`: that is `p * w /
    /// 65535` rounded. SSE2, which all of these CPUs have, has instructions for both halves of a
    /// product.
    ///
    /// # Safety
    ///
    /// [`begin`] returned true and [`end`] was not called since. `depth` is not 0. `out` is not
    /// empty, and its length is a multiple of [`STEP`]. For each `l` below `depth`, `layers` has
    /// all elements from `l * stride` to `l * stride + out.len()`.
    pub(super) unsafe fn blend(layers: &[[u8; 4]], stride: usize, depth: usize, out: &mut [u64]) {
        // SAFETY: By the safety requirements all that is read or written is within `layers` or
        // `out`. No code that the compiler made has anything in vector registers, or they are
        // declared as overwritten.
        unsafe {
            vector_asm!(
                "pcmpeqw xmm14, xmm14", // 65535
                "movdqa xmm15, xmm14",
                "psrlw xmm15, 1", // 32767
                "2:",
                // Four pixels, with the channels in the order of the layers.
                "movdqu xmm0, [{out}]",
                "movdqu xmm1, [{out} + 16]",
                "pshuflw xmm0, xmm0, 0x1b",
                "pshufhw xmm0, xmm0, 0x1b",
                "pshuflw xmm1, xmm1, 0x1b",
                "pshufhw xmm1, xmm1, 0x1b",
                "mov {layer}, {layers}",
                "mov {left}, {depth}",
                "3:",
                // The colours are each byte twice.
                "movdqu xmm2, [{layer}]",
                "movdqa xmm3, xmm2",
                "punpcklbw xmm2, xmm2",
                "punpckhbw xmm3, xmm3",
                // w
                "pshuflw xmm4, xmm2, 0xff",
                "pshufhw xmm4, xmm4, 0xff",
                "pshuflw xmm5, xmm3, 0xff",
                "pshufhw xmm5, xmm5, 0xff",
                "pxor xmm4, xmm14",
                "pxor xmm5, xmm14",
                // The halves of p * w: the upper ones in 6 and 7, the lower ones in 0 and 1.
                "movdqa xmm6, xmm0",
                "movdqa xmm7, xmm1",
                "pmulhuw xmm6, xmm4",
                "pmulhuw xmm7, xmm5",
                "pmullw xmm0, xmm4",
                "pmullw xmm1, xmm5",
                // With 0x8000 added the upper half is one more if the lower one had its highest
                // bit.
                "movdqa xmm4, xmm0",
                "movdqa xmm5, xmm1",
                "psrlw xmm4, 15",
                "psrlw xmm5, 15",
                "paddw xmm6, xmm4",
                "paddw xmm7, xmm5",
                // And one more again if the sum of both halves is. The lower one without the 0x8000
                // is it as a signed number, so compare it with what signed number is left.
                "movdqa xmm4, xmm6",
                "movdqa xmm5, xmm7",
                "pxor xmm4, xmm15",
                "pxor xmm5, xmm15",
                "pcmpgtw xmm0, xmm4",
                "pcmpgtw xmm1, xmm5",
                "psubw xmm6, xmm0",
                "psubw xmm7, xmm1",
                "paddusw xmm6, xmm2",
                "paddusw xmm7, xmm3",
                "movdqa xmm0, xmm6",
                "movdqa xmm1, xmm7",
                "add {layer}, {bytes}",
                "sub {left}, 1",
                "jnz 3b",
                "pshuflw xmm0, xmm0, 0x1b",
                "pshufhw xmm0, xmm0, 0x1b",
                "pshuflw xmm1, xmm1, 0x1b",
                "pshufhw xmm1, xmm1, 0x1b",
                "movdqu [{out}], xmm0",
                "movdqu [{out} + 16], xmm1",
                "add {out}, 32",
                "add {layers}, 16",
                "sub {steps}, 1",
                "jnz 2b",
                out = inout(reg) out.as_mut_ptr() => _,
                layers = inout(reg) layers.as_ptr() => _,
                steps = inout(reg) out.len() / STEP => _,
                depth = in(reg) depth,
                bytes = in(reg) stride.wrapping_mul(4),
                layer = out(reg) _,
                left = out(reg) _,
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod vector {
    pub(super) const STEP: usize = 1;

    pub(super) fn begin() -> bool {
        false
    }

    pub(super) fn end() {}

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn blend(_: &[[u8; 4]], _: usize, _: usize, _: &mut [u64]) {}
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd))]
mod tests {
    use super::*;

    /// The formula for one channel of 16 bits.
    fn channel(color: u8, alpha: u8, below: u16) -> u16 {
        let kept = u64::from(below) * (65535 - u64::from(alpha) * 257);

        (u64::from(color) * 257 + (kept + 32767) / 65535).min(65535) as u16
    }

    fn plain([b, g, r, a]: [u8; 4], below: u64) -> u64 {
        let at = |shift: u32| (below >> shift) as u16;

        u64::from(channel(a, a, at(0)))
            | u64::from(channel(r, a, at(16))) << 16
            | u64::from(channel(g, a, at(32))) << 32
            | u64::from(channel(b, a, at(48))) << 48
    }

    #[test]
    fn pixels_follow_the_formula() {
        const STRIDE: usize = 9;
        let mut random = 5u64;
        let mut next = || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            random >> 16
        };

        for round in 0..4000usize {
            let mut layers = [[0; 4]; 3 * STRIDE];
            let mut out = [0; STRIDE];

            for layer in &mut layers {
                *layer = (next() as u32).to_le_bytes();
                // Opaque ones, transparent ones; colours may exceed their alpha.
                match next() % 4 {
                    0 => layer[3] = 255,
                    1 => *layer = [0; 4],
                    _ => {}
                }
            }
            for out in &mut out {
                *out = next() << 16 | 0xffff;
                if next() % 8 == 0 {
                    *out = !0;
                }
            }

            let (depth, n) = (round % 3 + 1, round % (STRIDE + 1));
            let mut expected = out;

            for layer in layers.chunks(STRIDE).take(depth) {
                for (out, &pixel) in expected.iter_mut().zip(layer) {
                    *out = plain(pixel, *out);
                }
            }

            let layers = &layers[..(depth - 1) * STRIDE + n];
            let before = out;
            let done = blend(layers, STRIDE, &mut out[..n]);

            assert!(done <= n && (done == 0 || n - done < 4));
            assert_eq!(out[..done], expected[..done]);
            assert_eq!(out[done..], before[done..]);
        }
    }

    #[test]
    fn layers_that_are_too_short_are_left_out() {
        let mut out = [!0; 8];

        assert_eq!(blend(&[[0, 0, 0, 255]; 7], 8, &mut out), 0);
        assert_eq!(blend(&[], 0, &mut out), 0);
        assert_eq!(blend(&[], 0, &mut []), 0);
        assert_eq!(out, [!0; 8]);
    }
}
