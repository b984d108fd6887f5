// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Matrices that mix the colours of pixels.

use super::{
    linear,
    vector,
    Factors,
    Linear, //
};

/// How many pixels are mixed before others may have the CPU.
const CHUNK: usize = 512;

/// How often it is tried to mix what is left of so many pixels in a faster way.
const TRIES: usize = 16;

/// What a value of one channel adds to R, G and B: numbers with 32 fractional bits.
#[derive(Clone, Copy, Default)]
#[repr(C, align(32))]
pub struct Sums([i64; 4]);

impl Sums {
    /// Puts R, G and B together.
    pub const fn new([r, g, b]: [i64; 3]) -> Self {
        Self([0, r, g, b])
    }

    /// Returns R, G and B.
    #[inline(always)]
    pub const fn colors(&self) -> [i64; 3] {
        let [_, r, g, b] = self.0;

        [r, g, b]
    }
}

/// What each byte adds, for each of R, G and B.
pub type ByteTables = [[Sums; 256]; 3];

/// What the colours of a pixel are before the first matrix.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// The sums of what the lower byte of each channel adds, rounded down.
    Bytes(&'a ByteTables),
    /// Each channel less what is given for R, G and B.
    Channels([u16; 3]),
}

/// Shows that the CPUs have 256-bit registers and what else mixing takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mixing(());

impl Mixing {
    /// Asks the CPU, which may take some microseconds in a virtual machine.
    pub fn new() -> Option<Self> {
        code::can_mix().then_some(Self(()))
    }

    /// Mixes the colours of the pixels of `row`, and returns how many are done, from the first one
    /// on: none if that is not possible here and now, else mostly all.
    ///
    /// Pixels are A, R, G and B of 16 bits from the least significant one up; A stays as it is. The
    /// colours that `input` says are signed numbers of 32 bits, and so is what each of `matrices`
    /// makes of them, one after the other: the sum of its products and its offsets, rounded down.
    /// What the last one returns is clamped to 16 bits.
    ///
    /// Each [`Factors::MATRIX`] elements of `matrices` are one; what is left over is ignored.
    /// Results are exact if all products and all sums of them have a magnitude of less than 2^20.
    ///
    /// Context: Any. Does not sleep. Preemption is off meanwhile, for some nanoseconds for each of
    /// up to 512 pixels and for each matrix.
    pub fn mix(self, input: Input<'_>, matrices: &[Factors], row: &mut [u64]) -> usize {
        in_chunks(row, |chunk| {
            // SAFETY: `in_chunks` has called `begin`. There is a `Mixing`, so `can_mix` returned
            // true.
            unsafe { mix_chunk(input, matrices, chunk) }
        })
    }

    /// As [`Self::mix`], faster with `linear`, which may be empty. If it is not, it is to have one
    /// for each of `matrices`, made of the same numbers; the first one is to be less by the same
    /// channels as `input`, or by 0 for sums, and all others by 0. What goes into each of them is
    /// to be within 16 bits. Otherwise some of the results are those of `linear`, others are not.
    pub fn mix_linear(
        self,
        linear: &[Linear],
        input: Input<'_>,
        matrices: &[Factors],
        row: &mut [u64],
    ) -> usize {
        if linear.is_empty() {
            return self.mix(input, matrices, row);
        }

        let tables = match input {
            Input::Bytes(tables) => Some(tables),
            Input::Channels(_) => None,
        };

        in_chunks(row, |chunk| {
            let mut rest = chunk;

            for _ in 0..TRIES {
                // SAFETY: `in_chunks` has called `begin`. There is a `Mixing`, so `can_mix`
                // returned true.
                let eights = unsafe { linear::code::mix_eights(tables, linear, rest) };
                let (_, left) = rest.split_at_mut_checked(8 * eights).unwrap_or_default();
                let (some, left) = left.split_at_mut(left.len().min(8));

                // SAFETY: As before.
                unsafe { mix_chunk(input, matrices, some) };
                rest = left;
            }
            // SAFETY: As before.
            unsafe { mix_chunk(input, matrices, rest) };
        })
    }
}

/// Has `mix` work on parts of `row` with the vector registers, which it may use. Returns how many
/// pixels are done.
#[inline(always)]
fn in_chunks(row: &mut [u64], mix: impl Fn(&mut [u64])) -> usize {
    let mut done = 0;

    for chunk in row.chunks_mut(CHUNK) {
        if !vector::begin() {
            break;
        }
        done += chunk.len();
        mix(chunk);
        vector::end();
    }
    done
}

/// Mixes the colours of `chunk` as [`Mixing::mix`] says.
///
/// # Safety
///
/// [`vector::begin`] returned true and [`vector::end`] was not called since. [`code::can_mix`]
/// returns true.
unsafe fn mix_chunk(input: Input<'_>, matrices: &[Factors], chunk: &mut [u64]) {
    let mut rest = chunk;

    while !rest.is_empty() {
        // SAFETY: By the safety requirements.
        let fours = unsafe { code::mix_fours(input, matrices, rest) };
        let (_, left) = rest.split_at_mut_checked(4 * fours).unwrap_or_default();
        let (some, left) = left.split_at_mut(left.len().min(4));

        if !some.is_empty() {
            // SAFETY: As before, and there is a pixel.
            unsafe { code::mix(input, matrices, some) };
        }
        rest = left;
    }
}

#[cfg(target_arch = "x86_64")]
mod code {
    use super::{
        super::{
            factors::{
                LEAST,
                LENGTHS,
                LONGEST,
                OFFSETS,
                SPREADS, //
            },
            vector::cpuid, //
        },
        Factors,
        Input,
        Sums, //
    };
    use core::{
        arch::asm,
        mem::size_of,
        ptr, //
    };

    /// Returns whether there are AVX2, FMA and LZCNT, and whether the registers are kept.
    pub(super) fn can_mix() -> bool {
        const FMA_OSXSAVE_AVX: u32 = 1 << 12 | 1 << 27 | 1 << 28;
        const AVX2: u32 = 1 << 5;
        const LZCNT: u32 = 1 << 5;
        const SSE_AVX_STATE: u32 = 3 << 1;

        if cpuid(0).eax < 7
            || cpuid(1).ecx & FMA_OSXSAVE_AVX != FMA_OSXSAVE_AVX
            || cpuid(7).ebx & AVX2 == 0
            || cpuid(0x8000_0000).eax < 0x8000_0001
            || cpuid(0x8000_0001).ecx & LZCNT == 0
        {
            return false;
        }

        let state: u32;

        // SAFETY: With OSXSAVE there is the instruction, and register 0 tells which state is
        // enabled. Nothing else is changed than the upper half of the answer.
        unsafe {
            asm!(
                "xgetbv",
                in("ecx") 0,
                out("eax") state,
                out("edx") _,
                options(nomem, nostack, preserves_flags),
            );
        }
        state & SSE_AVX_STATE == SSE_AVX_STATE
    }

    /// As [`mix`], four pixels at a time, with the factors for the longest values. Returns how many
    /// times four pixels it has mixed, before it came to some of which a result is not certain with
    /// these factors, or to the last ones.
    ///
    /// # Safety
    ///
    /// [`begin`](super::vector::begin) returned true and [`end`](super::vector::end) was not called
    /// since. [`can_mix`] returns true.
    pub(super) unsafe fn mix_fours(
        input: Input<'_>,
        matrices: &[Factors],
        row: &mut [u64],
    ) -> usize {
        // 2^52 in double precision: an integer takes its lowest bits.
        const INTEGER: u64 = 0x433 << 52;

        let count = matrices.len() / Factors::MATRIX;
        let fours = row.len() / 4;
        let (tables, less) = match input {
            Input::Bytes(tables) => (tables.as_ptr().cast::<Sums>(), [0; 3]),
            Input::Channels(less) => (ptr::null(), less),
        };
        let [r, g, b] = less.map(|less| [INTEGER | u64::from(less); 4]);
        let constants = [[INTEGER; 4], [0xffff; 4], r, g, b];
        let mut left = fours;

        // Without a matrix there is nothing to gain.
        if fours == 0 || tables.is_null() && count == 0 {
            return 0;
        }
        // SAFETY: `row` is read and written up to `fours` times 4 pixels, 8 bytes each, and `fours`
        // is not 0; nothing else is written. Unless `tables` is null, an entry is read from each of
        // the three tables, at 32 times a number of 8 bits. From each of `count` matrices that
        // which begins at `LONGEST` is read, and all of `constants`. Both are aligned as far as it
        // matters: `Sums` and `Factors` to 32 bytes. The CPU has the instructions. No code that the
        // compiler made has anything in vector registers, or they are declared as overwritten;
        // their upper halves are left empty.
        unsafe {
            vector_asm!(
                "test {tables}, {tables}",
                "jz 3f",
                sums!("ymm6", 0),
                sums!("ymm7", 8),
                sums!("ymm8", 16),
                sums!("ymm9", 24),
                "2:",
                "mov {m}, {count}",
                "mov {matrix}, {matrices}",
                // The high halves: first those of two pixels, then those of a channel.
                "vshufps ymm4, ymm6, ymm7, 0xdd",
                "vshufps ymm5, ymm8, ymm9, 0xdd",
                "vshufps ymm0, ymm4, ymm5, 0xdd",
                "vshufps ymm1, ymm4, ymm5, 0x88",
                "vextracti128 xmm1, ymm1, 1",
                "vextracti128 xmm2, ymm0, 1",
                // The sums of the next pixels are ready then when these ones are mixed.
                "cmp {left}, 1",
                "je 4f",
                sums!("ymm6", 32),
                sums!("ymm7", 40),
                sums!("ymm8", 48),
                sums!("ymm9", 56),
                "4:",
                "test {m}, {m}",
                "jz 6f",
                "vcvtdq2pd ymm0, xmm0",
                "vcvtdq2pd ymm1, xmm1",
                "vcvtdq2pd ymm2, xmm2",
                "jmp 5f",
                "3:",
                "mov {m}, {count}",
                "mov {matrix}, {matrices}",
                "vmovdqu ymm3, [{row}]",
                "vpsrlq ymm0, ymm3, 16",
                "vpsrlq ymm1, ymm3, 32",
                "vpsrlq ymm2, ymm3, 48",
                "vpand ymm0, ymm0, [{constants} + 32]",
                "vpand ymm1, ymm1, [{constants} + 32]",
                "vpor ymm0, ymm0, [{constants}]",
                "vpor ymm1, ymm1, [{constants}]",
                "vpor ymm2, ymm2, [{constants}]",
                "vsubpd ymm0, ymm0, [{constants} + 64]",
                "vsubpd ymm1, ymm1, [{constants} + 96]",
                "vsubpd ymm2, ymm2, [{constants} + 128]",
                "5:",
                "vmovapd ymm3, [{matrix} + {least}]",
                "vmovapd ymm4, [{matrix} + {least} + 32]",
                "vmovapd ymm5, [{matrix} + {least} + 64]",
                "vfmadd231pd ymm3, ymm0, [{matrix} + {longest}]",
                "vfmadd231pd ymm4, ymm0, [{matrix} + {longest} + 32]",
                "vfmadd231pd ymm5, ymm0, [{matrix} + {longest} + 64]",
                "vfmadd231pd ymm3, ymm1, [{matrix} + {longest} + 96]",
                "vfmadd231pd ymm4, ymm1, [{matrix} + {longest} + 128]",
                "vfmadd231pd ymm5, ymm1, [{matrix} + {longest} + 160]",
                "vfmadd231pd ymm3, ymm2, [{matrix} + {longest} + 192]",
                "vfmadd231pd ymm4, ymm2, [{matrix} + {longest} + 224]",
                "vfmadd231pd ymm5, ymm2, [{matrix} + {longest} + 256]",
                "vaddpd ymm0, ymm3, [{matrix} + {spreads}]",
                "vaddpd ymm1, ymm4, [{matrix} + {spreads} + 32]",
                "vaddpd ymm2, ymm5, [{matrix} + {spreads} + 64]",
                "vroundpd ymm10, ymm0, 1",
                "vroundpd ymm11, ymm1, 1",
                "vroundpd ymm12, ymm2, 1",
                // What is more than the least sum when rounded down is not certain.
                "vcmppd ymm3, ymm10, ymm3, 30",
                "vcmppd ymm4, ymm11, ymm4, 30",
                "vcmppd ymm5, ymm12, ymm5, 30",
                "vorpd ymm3, ymm3, ymm4",
                "vorpd ymm3, ymm3, ymm5",
                "vtestpd ymm3, ymm3",
                "jnz 7f",
                "add {matrix}, {size}",
                "sub {m}, 1",
                "jz 8f",
                "vmovapd ymm0, ymm10",
                "vmovapd ymm1, ymm11",
                "vmovapd ymm2, ymm12",
                "jmp 5b",
                "8:",
                // That this rounds towards 0 makes a difference below 0 only, which is clamped.
                "vcvttpd2dq xmm0, ymm0",
                "vcvttpd2dq xmm1, ymm1",
                "vcvttpd2dq xmm2, ymm2",
                "6:",
                store_colors!("xmm", 16),
                "add {row}, 32",
                "sub {left}, 1",
                "jz 7f",
                "test {tables}, {tables}",
                "jnz 2b",
                "jmp 3b",
                "7:",
                "vzeroupper",
                row = inout(reg) row.as_mut_ptr() => _,
                left = inout(reg) left,
                tables = in(reg) tables,
                matrices = in(reg) matrices.as_ptr(),
                count = in(reg) count,
                constants = in(reg) constants.as_ptr(),
                matrix = out(reg) _,
                m = out(reg) _,
                a = out(reg) _,
                table = const size_of::<[Sums; 256]>(),
                longest = const size_of::<[Factors; LONGEST]>(),
                least = const size_of::<[Factors; LEAST]>(),
                spreads = const size_of::<[Factors; SPREADS]>(),
                size = const size_of::<[Factors; Factors::MATRIX]>(),
            );
        }
        fours - left
    }

    /// See [`Mixing::mix`](super::Mixing::mix).
    ///
    /// The factors are numbers of double precision, of which sums and products of up to 53 bits are
    /// exact: 32 fractional bits, and a magnitude of less than 2^20.
    ///
    /// # Safety
    ///
    /// [`begin`](super::vector::begin) returned true and [`end`](super::vector::end) was not called
    /// since. [`can_mix`] returns true. `row` is not empty.
    pub(super) unsafe fn mix(input: Input<'_>, matrices: &[Factors], row: &mut [u64]) {
        let (tables, less) = match input {
            Input::Bytes(tables) => (tables.as_ptr().cast::<Sums>(), [0; 4]),
            Input::Channels([r, g, b]) => (ptr::null(), [0, r.into(), g.into(), b.into()]),
        };
        let high_halves = [1u32, 3, 5, 7, 1, 3, 5, 7];
        // Later the magnitudes of the four values, less 1 if they are negative.
        let mut words: [u32; 4] = less;

        // SAFETY: `row` is read and written as a whole, 8 bytes a pixel, and all else that is
        // written is `words`. Unless `tables` is null, an entry is read from each of the three
        // tables, at 32 times a number of 8 bits. `matrices` is read from the first one to the
        // last: the offsets, and from each column an entry, at 32 times the number of leading
        // zeros less 1. A magnitude has at least one leading zero and at most 32, and there are 32
        // entries. `words` and `high_halves` are read as a whole. The CPU has the instructions. No
        // code that the compiler made has anything in vector registers, or they are declared as
        // overwritten; their upper halves are left empty.
        unsafe {
            vector_asm!(
                "vmovdqu xmm6, [{words}]",
                "vmovdqu ymm7, [{high_halves}]",
                "2:",
                "test {tables}, {tables}",
                "jz 3f",
                sums!("ymm0", 0),
                "vpermd ymm0, ymm7, ymm0",
                "jmp 4f",
                "3:",
                "vpmovzxwd xmm0, qword ptr [{row}]",
                "vpsubd xmm0, xmm0, xmm6",
                "4:",
                "mov {left}, {count}",
                "mov {matrix}, {matrices}",
                "test {left}, {left}",
                "jz 6f",
                "5:",
                "vpsrad xmm1, xmm0, 31",
                "vpxor xmm1, xmm1, xmm0",
                "vmovdqu [{words}], xmm1",
                "vcvtdq2pd ymm1, xmm0",
                "vpermpd ymm2, ymm1, 0x55",
                "vpermpd ymm3, ymm1, 0xaa",
                "vpermpd ymm4, ymm1, 0xff",
                "vmovapd ymm0, [{matrix} + {offsets}]",
                "lzcnt {a:e}, dword ptr [{words} + 4]",
                "shl {a:e}, 5",
                "vfmadd231pd ymm0, ymm2, [{matrix} + {a} - 32]",
                "lzcnt {a:e}, dword ptr [{words} + 8]",
                "shl {a:e}, 5",
                "vfmadd231pd ymm0, ymm3, [{matrix} + {a} + {column} - 32]",
                "lzcnt {a:e}, dword ptr [{words} + 12]",
                "shl {a:e}, 5",
                "vfmadd231pd ymm0, ymm4, [{matrix} + {a} + 2 * {column} - 32]",
                "vroundpd ymm0, ymm0, 1",
                "vcvttpd2dq xmm0, ymm0",
                "add {matrix}, {size}",
                "sub {left}, 1",
                "jnz 5b",
                "6:",
                "vpackusdw xmm0, xmm0, xmm0",
                "vmovq xmm1, qword ptr [{row}]",
                "vpblendw xmm0, xmm0, xmm1, 1",
                "vmovq qword ptr [{row}], xmm0",
                "add {row}, 8",
                "sub {n}, 1",
                "jnz 2b",
                "vzeroupper",
                row = inout(reg) row.as_mut_ptr() => _,
                n = inout(reg) row.len() => _,
                tables = in(reg) tables,
                matrices = in(reg) matrices.as_ptr(),
                count = in(reg) matrices.len() / Factors::MATRIX,
                words = in(reg) words.as_mut_ptr(),
                high_halves = in(reg) high_halves.as_ptr(),
                matrix = out(reg) _,
                left = out(reg) _,
                a = out(reg) _,
                table = const size_of::<[Sums; 256]>(),
                column = const size_of::<[Factors; LENGTHS]>(),
                offsets = const size_of::<[Factors; OFFSETS]>(),
                size = const size_of::<[Factors; Factors::MATRIX]>(),
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod code {
    pub(super) fn can_mix() -> bool {
        false
    }

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn mix_fours(
        _: super::Input<'_>,
        _: &[super::Factors],
        _: &mut [u64],
    ) -> usize {
        0
    }

    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn mix(_: super::Input<'_>, _: &[super::Factors], _: &mut [u64]) {}
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_mix))]
mod tests {
    use super::{
        super::{
            factors::LENGTHS,
            formula::{
                channels,
                multiplied,
                packed, //
            },
        },
        *, //
    };

    /// Channels less other ones.
    const VALUES: [i32; 2] = [-65535, 65535];

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
            (self.0 >> 24) % limit
        }

        /// A number with 32 fractional bits of at most 3.0, often a short one.
        fn coefficient(&mut self) -> i64 {
            let number = self.below(3 << 32) as i64 >> self.below(34);

            if self.below(3) == 0 {
                -number
            } else {
                number
            }
        }
    }

    /// Some factors for each length, which do not differ much, or much, or not at all.
    fn column(random: &mut Random) -> [[i64; 3]; LENGTHS] {
        let factors = [0; 3].map(|_| random.coefficient());
        let mut column = [factors; LENGTHS];

        match random.below(4) {
            0 => {}
            1 => column.fill_with(|| [0; 3].map(|_| random.coefficient())),
            bits => {
                for (length, column) in column.iter_mut().enumerate() {
                    *column = factors.map(|factor| factor >> (length as u64 * bits / 3));
                    *column = column.map(|factor| factor << (length as u64 * bits / 3));
                }
            }
        }
        column
    }

    /// The tests are to keep large things off the stack, one at a time.
    #[inline(never)]
    fn check_channels(mixing: Mixing, random: &mut Random, pixels: &[u64; 9]) {
        let (red, green, blue) = (column(random), column(random), column(random));
        let columns = [&red, &green, &blue];
        let offsets = [0; 3].map(|_| random.coefficient() * 9999);
        let less = [0; 3].map(|_| random.below(0x10000) as u16);
        let mut matrix = [Factors::ZERO; Factors::MATRIX + 1];

        for (index, factors) in (0..Factors::MATRIX).zip(&mut matrix) {
            *factors = Factors::of_matrix(columns, offsets, VALUES, index);
        }
        for n in 0..=pixels.len() {
            let mut row = *pixels;
            let done = mixing.mix(Input::Channels(less), &matrix, &mut row[..n]);

            assert!(done <= n);
            for (at, (&found, &pixel)) in row.iter().zip(pixels).enumerate() {
                let [r, g, b] = channels(pixel).map(i32::from);
                let [less_r, less_g, less_b] = less.map(i32::from);
                let colors = [r - less_r, g - less_g, b - less_b];
                let expected = packed(pixel, multiplied(columns, offsets, colors));

                assert_eq!(found, if at < done { expected } else { pixel });
            }
        }
    }

    #[test]
    fn channels_follow_the_formula() {
        let Some(mixing) = Mixing::new() else {
            return;
        };
        let mut random = Random(3);

        for round in 0..300 {
            let mut pixels = [0; 9];

            for pixel in &mut pixels {
                *pixel = random.below(1 << 32) << 32 | random.below(1 << 32);
                // Lengths of all kinds.
                *pixel >>= random.below(16);
                if round % 2 == 0 {
                    *pixel &= 0xff00_00ff_fff0_ffff;
                }
            }
            check_channels(mixing, &mut random, &pixels);
        }
    }

    #[test]
    fn nothing_is_mixed_without_matrices() {
        let Some(mixing) = Mixing::new() else {
            return;
        };
        let pixel = 0x1234_5678_9abc_def0;
        let mut row = [pixel; 5];
        let done = mixing.mix(Input::Channels([0, 0, 0x2000]), &[], &mut row);

        assert!(row[..done].iter().all(|&out| out == 0x0000_5678_9abc_def0));
        assert!(row[done..].iter().all(|&out| out == pixel));
        assert_eq!(mixing.mix(Input::Channels([0; 3]), &[], &mut []), 0);
    }
}
