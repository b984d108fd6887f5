// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pixels in vector registers.
//!
//! Kernel code has no vector registers, but on x86-64 it can borrow those of user space for a
//! while. Whoever uses this has code of its own for what is left over, and for all other machines.

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

/// The multiples that [`Folding::fold`] multiplies with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Multiples {
    /// For the first and the second half of what is folded over the 64 bytes that follow.
    pub by_64: [u64; 2],
    /// For the first and the second half of what is folded over the 16 bytes that follow.
    pub by_16: [u64; 2],
}

/// Shows that the CPUs can multiply without carry, which CRCs are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Folding(());

impl Folding {
    /// Asks the CPU, which may take some microseconds in a virtual machine.
    pub fn new() -> Option<Self> {
        vector::can_fold().then_some(Self(()))
    }

    /// Folds 16 bytes after the other over those that follow until only 16 are left, and returns
    /// these, as two numbers in little-endian order; [`None`] if that is not possible here and now.
    ///
    /// `bytes` is to consist of 16 bytes or more, and of a multiple of 16.
    ///
    /// To fold 16 bytes is to take each half of them for a polynomial, the highest power in the
    /// least significant bit, to multiply it by one of `multiples` without carry, and to add both
    /// products to the 16 bytes that come next, or next but three as long as there are as many.
    ///
    /// Context: Any. Does not sleep. Preemption is off meanwhile, for about a nanosecond for each
    /// 20 bytes.
    pub fn fold(self, multiples: &Multiples, bytes: &[u8]) -> Option<[u64; 2]> {
        if bytes.is_empty() || bytes.len() % 16 != 0 || !vector::begin() {
            return None;
        }
        // SAFETY: The length is not 0 and a multiple of 16, and `begin` returned true. There is a
        // `Folding`, so `can_fold` returned true.
        let left = unsafe { vector::fold(multiples, bytes) };
        vector::end();
        Some(left)
    }
}

#[cfg(target_arch = "x86_64")]
mod vector {
    use super::Multiples;
    use crate::bindings;
    use core::arch::asm;

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

    /// Gives the vector registers back.
    pub(super) fn end() {
        // SAFETY: The only caller has called `begin`, which returned true.
        unsafe { bindings::kernel_fpu_end() };
    }

    /// Returns whether there is PCLMULQDQ.
    pub(super) fn can_fold() -> bool {
        // SAFETY: All of these CPUs have the instruction and its leaf 1.
        #[allow(unused_unsafe, reason = "it is safe to newer compilers")]
        let features = unsafe { core::arch::x86_64::__cpuid(1) };

        features.ecx & 1 << 1 != 0
    }

    /// See [`Folding::fold`](super::Folding::fold).
    ///
    /// # Safety
    ///
    /// [`begin`] returned true and [`end`] was not called since. [`can_fold`] returns true. The
    /// number of bytes is not 0 and a multiple of 16.
    pub(super) unsafe fn fold(multiples: &Multiples, bytes: &[u8]) -> [u64; 2] {
        let mut left = [0u64; 2];
        let blocks = bytes.len() / 16;
        // Folded four by four: all but the first four blocks. Then one by one.
        let (fours, ones) = match blocks {
            0..4 => (0, blocks - 1),
            _ => (blocks / 4, blocks % 4),
        };

        // SAFETY: `fours` times 64 bytes and `ones` times 16 are all of `bytes`, or `ones` and one
        // more if `fours` is 0; this is what is read, in order, and `left` is what is written. The
        // CPU has the instructions. No code that the compiler made has anything in vector
        // registers, or they are declared as overwritten.
        unsafe {
            asm!(
                "movdqu xmm8, [{by_64}]",
                "movdqu xmm9, [{by_16}]",
                "test {fours}, {fours}",
                "jnz 2f",
                "movdqu xmm3, [{at}]",
                "add {at}, 16",
                "jmp 5f",
                "2:",
                "movdqu xmm0, [{at}]",
                "movdqu xmm1, [{at} + 16]",
                "movdqu xmm2, [{at} + 32]",
                "movdqu xmm3, [{at} + 48]",
                "jmp 4f",
                "3:",
                "movdqa xmm4, xmm0",
                "movdqa xmm5, xmm1",
                "movdqa xmm6, xmm2",
                "movdqa xmm7, xmm3",
                "pclmulqdq xmm0, xmm8, 0x00",
                "pclmulqdq xmm1, xmm8, 0x00",
                "pclmulqdq xmm2, xmm8, 0x00",
                "pclmulqdq xmm3, xmm8, 0x00",
                "pclmulqdq xmm4, xmm8, 0x11",
                "pclmulqdq xmm5, xmm8, 0x11",
                "pclmulqdq xmm6, xmm8, 0x11",
                "pclmulqdq xmm7, xmm8, 0x11",
                "pxor xmm0, xmm4",
                "pxor xmm1, xmm5",
                "pxor xmm2, xmm6",
                "pxor xmm3, xmm7",
                "movdqu xmm4, [{at}]",
                "movdqu xmm5, [{at} + 16]",
                "movdqu xmm6, [{at} + 32]",
                "movdqu xmm7, [{at} + 48]",
                "pxor xmm0, xmm4",
                "pxor xmm1, xmm5",
                "pxor xmm2, xmm6",
                "pxor xmm3, xmm7",
                "4:",
                "add {at}, 64",
                "sub {fours}, 1",
                "jnz 3b",
                // The first over the second, and so on.
                "movdqa xmm4, xmm0",
                "pclmulqdq xmm0, xmm9, 0x00",
                "pclmulqdq xmm4, xmm9, 0x11",
                "pxor xmm1, xmm0",
                "pxor xmm1, xmm4",
                "movdqa xmm4, xmm1",
                "pclmulqdq xmm1, xmm9, 0x00",
                "pclmulqdq xmm4, xmm9, 0x11",
                "pxor xmm2, xmm1",
                "pxor xmm2, xmm4",
                "movdqa xmm4, xmm2",
                "pclmulqdq xmm2, xmm9, 0x00",
                "pclmulqdq xmm4, xmm9, 0x11",
                "pxor xmm3, xmm2",
                "pxor xmm3, xmm4",
                "5:",
                "test {ones}, {ones}",
                "jz 7f",
                "6:",
                "movdqa xmm4, xmm3",
                "pclmulqdq xmm3, xmm9, 0x00",
                "pclmulqdq xmm4, xmm9, 0x11",
                "movdqu xmm5, [{at}]",
                "pxor xmm3, xmm4",
                "pxor xmm3, xmm5",
                "add {at}, 16",
                "sub {ones}, 1",
                "jnz 6b",
                "7:",
                "movdqu [{left}], xmm3",
                by_64 = in(reg) multiples.by_64.as_ptr(),
                by_16 = in(reg) multiples.by_16.as_ptr(),
                at = inout(reg) bytes.as_ptr() => _,
                fours = inout(reg) fours => _,
                ones = inout(reg) ones => _,
                left = in(reg) left.as_mut_ptr(),
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
                options(nostack),
            );
        }
        left
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
            asm!(
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
                out("xmm0") _,
                out("xmm1") _,
                out("xmm2") _,
                out("xmm3") _,
                out("xmm4") _,
                out("xmm5") _,
                out("xmm6") _,
                out("xmm7") _,
                out("xmm14") _,
                out("xmm15") _,
                options(nostack),
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

    pub(super) fn can_fold() -> bool {
        false
    }

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn fold(_: &super::Multiples, _: &[u8]) -> [u64; 2] {
        [0; 2]
    }

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

    /// Multiplies without carry.
    fn product(a: u64, b: u64) -> u128 {
        (0..64)
            .filter(|bit| a >> bit & 1 != 0)
            .fold(0, |sum, bit| sum ^ u128::from(b) << bit)
    }

    #[test]
    fn folding_follows_the_definition() {
        let Some(folding) = Folding::new() else {
            return;
        };
        let multiples = Multiples {
            by_64: [0x1_2345_6789, 0x1_dead_beef],
            by_16: [0x1_0bad_cafe, 0x0_fedc_ba98],
        };
        let mut bytes = [0u8; 16 * 19];
        let mut random = 9u64;

        for byte in &mut bytes {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            *byte = (random >> 56) as u8;
        }
        for blocks in 0..=19usize {
            let bytes = &bytes[..16 * blocks];
            let mut left = [0u128; 19];

            for (left, block) in left.iter_mut().zip(bytes.chunks_exact(16)) {
                *left = block.iter().rev().fold(0, |n, &b| n << 8 | u128::from(b));
            }
            for at in 0..blocks.saturating_sub(1) {
                let whole = blocks / 4 * 4;
                let (ahead, [low, high]) = match at + 4 < whole.max(1) {
                    true => (4, multiples.by_64),
                    false => (1, multiples.by_16),
                };

                left[at + ahead] ^=
                    product(left[at] as u64, low) ^ product((left[at] >> 64) as u64, high);
            }

            let expected = blocks.checked_sub(1).map(|last| left[last]);
            let found = folding.fold(&multiples, bytes);

            // Nothing if this is not the time for it.
            if let Some([low, high]) = found {
                assert!(expected == Some(u128::from(high) << 64 | u128::from(low)));
            }
            assert!(folding.fold(&multiples, &bytes[blocks.min(1)..]).is_none());
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
