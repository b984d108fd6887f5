// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Multiplications without carry.

use super::{
    vector,
    Mixing, //
};

/// The multiples that [`Folding::fold`] multiplies with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Multiples {
    /// For the first and the second half of what is folded over the 128 bytes that follow.
    pub by_128: [u64; 2],
    /// For the first and the second half of what is folded over the 64 bytes that follow.
    pub by_64: [u64; 2],
    /// For the first and the second half of what is folded over the 16 bytes that follow.
    pub by_16: [u64; 2],
}

/// Shows that the CPUs can multiply without carry, which CRCs are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Folding {
    /// In registers of 256 bits.
    wide: bool,
}

impl Folding {
    /// Asks the CPU, which may take some microseconds in a virtual machine.
    pub fn new() -> Option<Self> {
        code::can_fold().then(|| Self {
            wide: Mixing::new().is_some() && code::can_fold_wide(),
        })
    }

    /// Folds 16 bytes after the other over those that follow until only 16 are left, and returns
    /// these, as two numbers in little-endian order; [`None`] if that is not possible here and now.
    ///
    /// `bytes` is to consist of 16 bytes or more, and of a multiple of 16.
    ///
    /// To fold 16 bytes is to take each half of them for a polynomial, the highest power in the
    /// least significant bit, to multiply it by one of `multiples` without carry, and to add both
    /// products to the 16 bytes that come next, or next but three or seven as long as there are as
    /// many. What is left depends on that, but not what it stands for.
    ///
    /// Context: Any. Does not sleep. Preemption is off meanwhile, for about a nanosecond for each
    /// 20 bytes.
    pub fn fold(self, multiples: &Multiples, bytes: &[u8]) -> Option<[u64; 2]> {
        if bytes.is_empty() || bytes.len() % 16 != 0 || !vector::begin() {
            return None;
        }

        let (whole, rest) = bytes.split_at(bytes.len() & !127);
        let mut last = [0; 64 + 112];
        let mut bytes = bytes;

        if self.wide && !whole.is_empty() {
            // SAFETY: The length is not 0 and a multiple of 128, and `begin` returned true. There
            // is a wide `Folding`, so `can_mix` and `can_fold_wide` returned true.
            let folded = unsafe { code::fold_wide(multiples, whole) };

            for (last, &byte) in last.iter_mut().zip(folded.iter().chain(rest)) {
                *last = byte;
            }
            bytes = last.get(..folded.len() + rest.len()).unwrap_or_default();
        }
        // SAFETY: The length is not 0 and a multiple of 16, and `begin` returned true. There is a
        // `Folding`, so `can_fold` returned true.
        let left = unsafe { code::fold(multiples, bytes) };
        vector::end();
        Some(left)
    }
}

#[cfg(target_arch = "x86_64")]
mod code {
    use super::{
        super::vector::cpuid,
        Multiples, //
    };

    /// Returns whether there is PCLMULQDQ.
    pub(super) fn can_fold() -> bool {
        cpuid(1).ecx & 1 << 1 != 0
    }

    /// Returns whether there is VPCLMULQDQ, if there is AVX.
    pub(super) fn can_fold_wide() -> bool {
        cpuid(7).ecx & 1 << 10 != 0
    }

    /// Folds as [`fold`] does, but 128 bytes over those that follow, until 128 are left, and their
    /// first half over the second one, which it returns.
    ///
    /// # Safety
    ///
    /// [`begin`](super::vector::begin) returned true and [`end`](super::vector::end) was not called
    /// since. There are AVX2, with registers that are kept, and VPCLMULQDQ. The number of bytes is
    /// not 0 and a multiple of 128.
    pub(super) unsafe fn fold_wide(multiples: &Multiples, bytes: &[u8]) -> [u8; 64] {
        let mut left = [0; 64];

        // SAFETY: All of `bytes` is read in order, 128 bytes at a time, `multiples` is read, and
        // `left` is what is written. The CPU has the instructions. No code that the compiler made
        // has anything in vector registers, or they are declared as overwritten; their upper halves
        // are left empty.
        unsafe {
            vector_asm!(
                "vbroadcasti128 ymm8, [{by_128}]",
                "vbroadcasti128 ymm9, [{by_64}]",
                "vmovdqu ymm0, [{at}]",
                "vmovdqu ymm1, [{at} + 32]",
                "vmovdqu ymm2, [{at} + 64]",
                "vmovdqu ymm3, [{at} + 96]",
                "jmp 3f",
                "2:",
                "vpclmulqdq ymm4, ymm0, ymm8, 0x00",
                "vpclmulqdq ymm5, ymm1, ymm8, 0x00",
                "vpclmulqdq ymm6, ymm2, ymm8, 0x00",
                "vpclmulqdq ymm7, ymm3, ymm8, 0x00",
                "vpclmulqdq ymm0, ymm0, ymm8, 0x11",
                "vpclmulqdq ymm1, ymm1, ymm8, 0x11",
                "vpclmulqdq ymm2, ymm2, ymm8, 0x11",
                "vpclmulqdq ymm3, ymm3, ymm8, 0x11",
                "vpxor ymm4, ymm4, [{at}]",
                "vpxor ymm5, ymm5, [{at} + 32]",
                "vpxor ymm6, ymm6, [{at} + 64]",
                "vpxor ymm7, ymm7, [{at} + 96]",
                "vpxor ymm0, ymm0, ymm4",
                "vpxor ymm1, ymm1, ymm5",
                "vpxor ymm2, ymm2, ymm6",
                "vpxor ymm3, ymm3, ymm7",
                "3:",
                "add {at}, 128",
                "sub {steps}, 1",
                "jnz 2b",
                "vpclmulqdq ymm4, ymm0, ymm9, 0x00",
                "vpclmulqdq ymm5, ymm1, ymm9, 0x00",
                "vpclmulqdq ymm0, ymm0, ymm9, 0x11",
                "vpclmulqdq ymm1, ymm1, ymm9, 0x11",
                "vpxor ymm2, ymm2, ymm4",
                "vpxor ymm3, ymm3, ymm5",
                "vpxor ymm2, ymm2, ymm0",
                "vpxor ymm3, ymm3, ymm1",
                "vmovdqu [{left}], ymm2",
                "vmovdqu [{left} + 32], ymm3",
                "vzeroupper",
                by_128 = in(reg) multiples.by_128.as_ptr(),
                by_64 = in(reg) multiples.by_64.as_ptr(),
                at = inout(reg) bytes.as_ptr() => _,
                steps = inout(reg) bytes.len() / 128 => _,
                left = in(reg) left.as_mut_ptr(),
            );
        }
        left
    }

    /// See [`Folding::fold`](super::Folding::fold).
    ///
    /// # Safety
    ///
    /// [`begin`](super::vector::begin) returned true and [`end`](super::vector::end) was not called
    /// since. [`can_fold`] returns true. The number of bytes is not 0 and a multiple of 16.
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
            vector_asm!(
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
            );
        }
        left
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod code {
    pub(super) fn can_fold() -> bool {
        false
    }

    pub(super) fn can_fold_wide() -> bool {
        false
    }

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn fold_wide(_: &super::Multiples, _: &[u8]) -> [u8; 64] {
        [0; 64]
    }

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn fold(_: &super::Multiples, _: &[u8]) -> [u64; 2] {
        [0; 2]
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_fold))]
mod tests {
    use super::*;

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

        for wide in [false, folding.wide] {
            check_folding(Folding { wide });
        }
    }

    fn check_folding(folding: Folding) {
        let multiples = Multiples {
            by_128: [0x1_0f1e_2d3c, 0x1_8796_a5b4],
            by_64: [0x1_2345_6789, 0x1_dead_beef],
            by_16: [0x1_0bad_cafe, 0x0_fedc_ba98],
        };
        let mut bytes = [0u8; 16 * 35];
        let mut random = 9u64;

        for byte in &mut bytes {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            *byte = (random >> 56) as u8;
        }
        for blocks in 0..=35usize {
            let bytes = &bytes[..16 * blocks];
            let mut left = [0u128; 35];

            for (left, block) in left.iter_mut().zip(bytes.chunks_exact(16)) {
                *left = block.iter().rev().fold(0, |n, &b| n << 8 | u128::from(b));
            }
            // Of what is folded over 128 bytes, 64 are left.
            let whole = if folding.wide { blocks / 8 * 8 } else { 0 };
            let start = whole.saturating_sub(4);

            for at in 0..blocks.saturating_sub(1) {
                let (ahead, [low, high]) = if at + 8 < whole {
                    (8, multiples.by_128)
                } else if at + 4 < whole || at + 4 < start + (blocks - start) / 4 * 4 {
                    (4, multiples.by_64)
                } else {
                    (1, multiples.by_16)
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
}
