// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Matrices that mix the colours of pixels in halves of 16 bits.

use super::factors::LENGTHS;

/// The fractional bits of sums and of the upper halves of factors, and those of factors.
const SUM: u32 = 13;
const FACTOR: u32 = 28;

/// What a sum is shifted by to have 32 fractional bits.
const SCALE: u32 = 32 - SUM;

/// By how much a sum may be uncertain. With three of these one pixel of 43 is, on average.
const MOST_SPREAD: i64 = 64;

/// What a channel is less by when it is multiplied: registers have signed numbers.
const MIDDLE: i64 = 0x8000;

/// Factors for 8 pixels: of A, which is 0, and R; or of G and B.
type Pairs = [[i16; 2]; 8];

/// Where the sum of one channel comes from.
#[derive(Clone, Copy)]
#[repr(C)]
struct Channel {
    /// The factors: upper halves, and what these are too small by.
    high: [Pairs; 2],
    low: [Pairs; 2],
    /// What is added to the products for the least sum, and to that for the largest one.
    least: [i32; 8],
    spread: [i32; 8],
}

/// A matrix for channels of 16 bits: products, as far as these are near enough to those that
/// count.
///
/// # Invariants
///
/// What the products and `least` add up to is never more than the sum that the arguments of
/// [`Self::of_matrix`] lead to with 13 fractional bits, rounded down; with `spread` added it is
/// never less. Neither overflows.
#[repr(transparent)]
pub struct Linear {
    channels: [Channel; 3],
}

impl Linear {
    /// Finds the factors for a matrix, or [`None`] if there are none.
    ///
    /// `columns` and `offsets` are as for [`Factors::of_matrix`](super::Factors::of_matrix). What
    /// is multiplied is a channel of 16 bits less what `less` says for R, G and B.
    pub const fn of_matrix(
        columns: [&[[i64; 3]; LENGTHS]; 3],
        offsets: [i64; 3],
        less: [u16; 3],
    ) -> Option<Self> {
        let none = Channel {
            high: [[[0; 2]; 8]; 2],
            low: [[[0; 2]; 8]; 2],
            least: [0; 8],
            spread: [0; 8],
        };
        let mut channels = [none; 3];
        let mut index = 0;

        while index < channels.len() {
            match Channel::new(columns, offsets[index], less, index) {
                Some(channel) => channels[index] = channel,
                None => return None,
            }
            index += 1;
        }
        // INVARIANT: `Channel::new` has seen to it.
        Some(Self { channels })
    }
}

impl Channel {
    /// Prepares channel `index`.
    const fn new(
        columns: [&[[i64; 3]; LENGTHS]; 3],
        offset: i64,
        less: [u16; 3],
        index: usize,
    ) -> Option<Self> {
        let mut halves = [(0, 0); 3];
        let (mut low, mut high) = (offset, offset);
        let mut reach = 0;
        let mut column = 0;

        if offset <= -LIMIT || offset >= LIMIT {
            return None;
        }
        while column < columns.len() {
            let Some((factor, least, largest)) = line(columns[column], less[column], index) else {
                return None;
            };
            let upper = (factor + (1 << (FACTOR - SUM - 1))) >> (FACTOR - SUM);

            if upper < i16::MIN as i64 || upper > i16::MAX as i64 {
                return None;
            }
            halves[column] = (upper as i16, (factor - (upper << (FACTOR - SUM))) as i16);
            low += least;
            high += largest;
            reach += factor.abs() * MIDDLE;
            column += 1;
        }

        // The products of lower halves are rounded down, and so is the sum that counts: then what
        // `spread` is rounded up by is enough.
        let least = low >> SCALE;
        let spread = ((high + (1 << SCALE) - 1) >> SCALE) - least;
        let reach = (reach >> (FACTOR - SUM)) + 1;

        if spread > MOST_SPREAD
            || least - reach < i32::MIN as i64
            || least + reach + spread > i32::MAX as i64
        {
            return None;
        }

        let [r, g, b] = halves;

        Some(Self {
            high: [[[0, r.0]; 8], [[g.0, b.0]; 8]],
            low: [[[0, r.1]; 8], [[g.1, b.1]; 8]],
            least: [least as i32; 8],
            spread: [spread as i32; 8],
        })
    }
}

/// The largest magnitude of products and of offsets, with 32 fractional bits.
const LIMIT: i64 = 1 << 54;

/// Returns the product for channel `row` of a value, with 32 fractional bits.
const fn product(column: &[[i64; 3]; LENGTHS], value: i64, row: usize) -> Option<i64> {
    let length = 64 - (value ^ (value >> 63)).leading_zeros();

    match column[length as usize % LENGTHS][row].checked_mul(value) {
        Some(product) if -LIMIT < product && product < LIMIT => Some(product),
        _ => None,
    }
}

/// Finds the factor, with [`FACTOR`] fractional bits, that `column` has for channel `row`, and by
/// how much its products are at least and at most more than those of the factor and what is in
/// registers.
const fn line(column: &[[i64; 3]; LENGTHS], less: u16, row: usize) -> Option<(i64, i64, i64)> {
    let (first, last) = (-(less as i64), 0xffff - less as i64);
    let (Some(start), Some(end)) = (product(column, first, row), product(column, last, row)) else {
        return None;
    };

    // A 65535th is a 65536th, a 65536th of that, and so on.
    let (mut slope, mut part) = (0, end - start);

    while part != 0 && part != -1 {
        part >>= 16;
        slope += part;
    }

    let factor = (slope + (1 << (31 - FACTOR))) >> (32 - FACTOR);
    let (mut least, mut largest) = (i64::MAX, i64::MIN);
    let mut index = 0;

    // Values of the same length and sign have the same factor: it is enough to look at both ends.
    while index < 4 * 17 {
        let most = 1i64 << (index / 4);
        let value = match index % 4 {
            0 => most >> 1,
            1 => most - 1,
            2 => -(most >> 1) - 1,
            _ => -most,
        };
        let value = if value < first {
            first
        } else if value > last {
            last
        } else {
            value
        };
        let Some(product) = product(column, value, row) else {
            return None;
        };
        let rest = product - ((factor * (value - first - MIDDLE)) << (32 - FACTOR));

        if rest < least {
            least = rest;
        }
        if rest > largest {
            largest = rest;
        }
        index += 1;
    }
    Some((factor, least, largest))
}

#[cfg(target_arch = "x86_64")]
pub(super) mod code {
    use super::{
        super::{
            ByteTables,
            Sums, //
        },
        Channel,
        Linear,
        FACTOR,
        SUM, //
    };
    use core::{
        mem::{
            offset_of,
            size_of, //
        },
        ptr, //
    };

    /// Sets `$sum` to the products of A and R in `ymm4` and of G and B in `ymm5` with `$factors` of
    /// channel `$channel`, added up.
    macro_rules! products {
        ($sum:literal, $factors:literal, $channel:literal) => {
            concat!(
                concat!(
                    "vpmaddwd ymm9, ymm4, [{matrix} + ",
                    $channel,
                    " * {size} + "
                ),
                concat!($factors, "]\n"),
                concat!(
                    "vpmaddwd ",
                    $sum,
                    ", ymm5, [{matrix} + ",
                    $channel,
                    " * {size} + "
                ),
                concat!($factors, " + 32]\n"),
                concat!("vpaddd ", $sum, ", ", $sum, ", ymm9\n"),
            )
        };
    }

    /// Sets `$sum` to channel `$channel`, and adds the bits in which it could differ to `ymm13`.
    macro_rules! channel {
        ($sum:literal, $channel:literal) => {
            concat!(
                products!("ymm10", "{high}", $channel),
                products!("ymm11", "{low}", $channel),
                "vpsrad ymm11, ymm11, {down}\n",
                "vpaddd ymm10, ymm10, ymm11\n",
                concat!(
                    "vpaddd ymm10, ymm10, [{matrix} + ",
                    $channel,
                    " * {size} + {least}]\n"
                ),
                concat!(
                    "vpaddd ymm11, ymm10, [{matrix} + ",
                    $channel,
                    " * {size} + {spread}]\n"
                ),
                "vpxor ymm11, ymm11, ymm10\n",
                concat!("vpsrad ", $sum, ", ymm10, {fraction}\n"),
                "vpor ymm13, ymm13, ymm11\n",
            )
        };
    }

    /// Sets `ymm7` to A and R, and `ymm8` to G and B, of what `{tables}` hold for eight pixels
    /// `$at` bytes after `{row}`, clamped to 16 bits. Registers 0 to 3 and 6 are overwritten.
    macro_rules! eight_sums {
        ($at:literal) => {
            concat!(
                sums!("ymm0", $at),
                sums!("ymm1", $at, 8),
                sums!("ymm2", $at, 32),
                sums!("ymm3", $at, 40),
                // The high halves: A and R of two pixels, and G and B of them.
                "vshufps ymm0, ymm0, ymm1, 0xdd\n",
                "vshufps ymm2, ymm2, ymm3, 0xdd\n",
                "vpackusdw ymm6, ymm0, ymm2\n",
                sums!("ymm0", $at, 16),
                sums!("ymm1", $at, 24),
                sums!("ymm2", $at, 48),
                sums!("ymm3", $at, 56),
                "vshufps ymm0, ymm0, ymm1, 0xdd\n",
                "vshufps ymm2, ymm2, ymm3, 0xdd\n",
                "vpackusdw ymm8, ymm0, ymm2\n",
                "vperm2i128 ymm7, ymm6, ymm8, 0x20\n",
                "vperm2i128 ymm8, ymm6, ymm8, 0x31\n",
            )
        };
    }

    /// Mixes eight pixels at a time: adds up what `tables` hold for the lower bytes of R, G and B,
    /// if there are such, and has `matrices` mix that, or R, G and B. Returns how many times it has
    /// done so before it came to some of which a result is not certain, or to the last ones.
    ///
    /// # Safety
    ///
    /// [`begin`](super::super::vector::begin) returned true and
    /// [`end`](super::super::vector::end) was not called since. The CPU has AVX2, and the registers
    /// are kept.
    pub(in super::super) unsafe fn mix_eights(
        tables: Option<&ByteTables>,
        matrices: &[Linear],
        row: &mut [u64],
    ) -> usize {
        let eights = row.len() / 8;
        let mut left = eights;

        if eights == 0 || matrices.is_empty() {
            return 0;
        }
        // SAFETY: `row` is read and written up to `eights` times 8 pixels, 8 bytes each, and
        // `eights` is not 0; nothing else is written. Unless `tables` is null, an entry is read
        // from each of the three tables, at 32 times a number of 8 bits, where `Sums` is aligned to
        // 32 bytes. Of `matrices`, which are not empty, each of three channels is read from the
        // first one to the last; none needs to be aligned. The CPU has the instructions. No code
        // that the compiler made has anything in vector registers, or they are declared as
        // overwritten; their upper halves are left empty.
        unsafe {
            vector_asm!(
                // What a channel is less by, see `MIDDLE`.
                "vpcmpeqw ymm14, ymm14, ymm14",
                "vpsllw ymm14, ymm14, 15",
                "test {tables}, {tables}",
                "jz 3f",
                eight_sums!(0),
                "2:",
                "vmovdqa ymm4, ymm7",
                "vmovdqa ymm5, ymm8",
                // The sums of the next pixels are ready then when these ones are mixed.
                "cmp {left}, 1",
                "je 4f",
                eight_sums!(64),
                "jmp 4f",
                "3:",
                "vmovdqu ymm2, [{row}]",
                "vmovdqu ymm3, [{row} + 32]",
                "vshufps ymm4, ymm2, ymm3, 0x88",
                "vshufps ymm5, ymm2, ymm3, 0xdd",
                "4:",
                "mov {m}, {count}",
                "mov {matrix}, {matrices}",
                // A and R; G and B. In this order: pixels 0, 1, 4, 5, 2, 3, 6, 7.
                "5:",
                "vpxor ymm4, ymm4, ymm14",
                "vpxor ymm5, ymm5, ymm14",
                "vpxor ymm13, ymm13, ymm13",
                channel!("ymm0", 0),
                channel!("ymm1", 1),
                channel!("ymm2", 2),
                // A bit of a whole number differs between the least sum and the largest one.
                "vpsrld ymm13, ymm13, {fraction}",
                "vptest ymm13, ymm13",
                "jnz 7f",
                "sub {m}, 1",
                "jz 6f",
                "add {matrix}, {next}",
                "vpslld ymm4, ymm0, 16",
                "vpslld ymm5, ymm2, 16",
                "vpblendw ymm5, ymm5, ymm1, 0x55",
                "jmp 5b",
                "6:",
                store_colors!("ymm", 32),
                "add {row}, 64",
                "sub {left}, 1",
                "jz 7f",
                "test {tables}, {tables}",
                "jnz 2b",
                "jmp 3b",
                "7:",
                "vzeroupper",
                row = inout(reg) row.as_mut_ptr() => _,
                left = inout(reg) left,
                tables = in(reg) tables.map_or(ptr::null(), |tables| tables.as_ptr()),
                matrices = in(reg) matrices.as_ptr(),
                count = in(reg) matrices.len(),
                matrix = out(reg) _,
                m = out(reg) _,
                a = out(reg) _,
                table = const size_of::<[Sums; 256]>(),
                next = const size_of::<Linear>(),
                size = const size_of::<Channel>(),
                high = const offset_of!(Channel, high),
                low = const offset_of!(Channel, low),
                least = const offset_of!(Channel, least),
                spread = const offset_of!(Channel, spread),
                down = const FACTOR - SUM,
                fraction = const SUM,
            );
        }
        eights - left
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) mod code {
    use super::super::ByteTables;

    /// # Safety
    ///
    /// None.
    pub(in super::super) unsafe fn mix_eights(
        _: Option<&ByteTables>,
        _: &[super::Linear],
        _: &mut [u64],
    ) -> usize {
        0
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_linear))]
mod tests {
    use super::{
        super::{
            formula::{
                channels,
                multiplied,
                packed, //
            },
            ByteTables,
            Factors,
            Input,
            Mixing,
            Sums, //
        },
        *, //
    };

    const ONE: i64 = 1 << 32;
    const HALF: i64 = ONE / 2;

    /// What makes a whole number uncertain.
    const NEARLY: i64 = ONE - (1 << 15);

    type Columns = [[[i64; 3]; LENGTHS]; 3];

    /// Returns what values are multiplied with: `factors`, in 256ths and a little more, of which
    /// the more bits are lost the longer the value is: `dropped` with 16 bits.
    const fn columns(factors: [[i64; 3]; 3], dropped: usize) -> Columns {
        let mut columns = [[[0; 3]; LENGTHS]; 3];
        let mut index = 0;

        while index < 9 * 17 {
            let (row, column, length) = (index % 3, index / 3 % 3, index / 9);
            let bits = length * dropped / 16;
            let factor = factors[column][row] * (ONE / 256 + dropped as i64 * 4321);

            columns[column][length][row] = factor >> bits << bits;
            index += 1;
        }
        columns
    }

    /// Lays matrices out one after the other, for values of up to 17 bits.
    const fn laid_out(all: &[Columns; 3], offset: i64) -> [[Factors; Factors::MATRIX]; 3] {
        let mut factors = [[Factors::ZERO; Factors::MATRIX]; 3];
        let mut index = 0;

        while index < 3 * Factors::MATRIX {
            let [r, g, b] = &all[index / Factors::MATRIX];
            let at = index % Factors::MATRIX;

            factors[index / Factors::MATRIX][at] =
                Factors::of_matrix([r, g, b], [offset; 3], [-0xffff, 0xffff], at);
            index += 1;
        }
        factors
    }

    /// What bytes add: their squares, a half of them to each channel and a quarter to the others.
    static SQUARES: ByteTables = {
        let mut tables = [[Sums::new([0; 3]); 256]; 3];
        let mut index = 0;

        while index < 3 * 256 {
            let (column, byte) = (index / 256, index % 256);
            let mut sums = [(byte * byte) as i64 * ONE / 4 + 7; 3];

            sums[column] *= 2;
            tables[column][byte] = Sums::new(sums);
            index += 1;
        }
        tables
    };

    /// No result is below 0 or above full intensity. Those of the first one are certain.
    static INSIDE: [Columns; 3] = [
        columns([[128, 64, 64], [64, 128, 64], [64, 64, 128]], 0),
        columns([[85, 9, 37], [85, 28, 51], [64, 128, 0]], 6),
        columns([[0, 0, 255], [254, 0, 0], [0, 253, 0]], 4),
    ];

    static INSIDE_FACTORS: [[Factors; Factors::MATRIX]; 3] = laid_out(&INSIDE, HALF);

    /// Some are. Those of the second one are never certain.
    static OTHER: [Columns; 3] = [
        columns([[281, -85, 37], [-57, 307, -302], [43, -32, 467]], 7),
        columns([[512, -256, 36], [256, -256, 0], [0, -256, 768]], 0),
        columns([[257, -512, 0], [-256, 5, 256], [256, 512, 3]], 5),
    ];

    static OTHER_FACTORS: [[Factors; Factors::MATRIX]; 3] = laid_out(&OTHER, NEARLY);

    fn linear(columns: &Columns, offset: i64, less: [u16; 3]) -> Option<Linear> {
        Linear::of_matrix(columns.each_ref(), [offset; 3], less)
    }

    /// Mixes the first pixels of each of many rows, and checks that what is done is `expected`.
    fn check(
        mut mix: impl FnMut(usize, &mut [u64]) -> usize,
        expected: impl Fn(usize, [i32; 3]) -> [i32; 3],
    ) {
        let mut random = 7u64;

        for round in 0..3000 {
            let mut row = [0; 160];

            for pixel in &mut row {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                *pixel = random << 13 ^ random >> 29;
            }

            let (pixels, n) = (row, round / 3 % (row.len() + 1));
            let done = mix(round, &mut row[..n]);

            assert!(done <= n);
            for (at, (&found, &pixel)) in row.iter().zip(&pixels).enumerate() {
                let mixed = packed(pixel, expected(round, channels(pixel).map(i32::from)));

                assert_eq!(found, if at < done { mixed } else { pixel });
            }
        }
    }

    #[test]
    fn one_matrix_follows_the_formula() {
        let Some(mixing) = Mixing::new() else {
            return;
        };
        let less = |round: usize| [[0; 3], [0x1010, 0x8080, 0x8080]][round / 3 % 2];

        check(
            |round, row| {
                let less = less(round);
                let linear = linear(&OTHER[round % 3], NEARLY, less);

                assert!(linear.is_some());
                mixing.mix_linear(
                    linear.as_slice(),
                    Input::Channels(less),
                    &OTHER_FACTORS[round % 3],
                    row,
                )
            },
            |round, [r, g, b]| {
                let [less_r, less_g, less_b] = less(round).map(i32::from);

                let colors = [r - less_r, g - less_g, b - less_b];

                multiplied(OTHER[round % 3].each_ref(), [NEARLY; 3], colors)
            },
        );
    }

    #[test]
    fn matrices_follow_tables_and_matrices() {
        let Some(mixing) = Mixing::new() else {
            return;
        };
        let linear = INSIDE
            .each_ref()
            .map(|columns| linear(columns, HALF, [0; 3]));
        let [Some(a), Some(b), Some(c)] = linear else {
            panic!("a matrix has no factors");
        };
        let linear = [a, b, c];
        static ZEROS: [Factors; Factors::MATRIX] = [Factors::ZERO; Factors::MATRIX];
        let input = |round| match round % 2 {
            0 => Input::Channels([0; 3]),
            _ => Input::Bytes(&SQUARES),
        };

        check(
            |round, row| {
                let n = round / 2 % 4;
                let factors = INSIDE_FACTORS[..n].as_flattened();

                if n == 1 {
                    // Nothing is left for what takes these factors.
                    let eights = row.len() / 8 * 8;
                    let row = &mut row[..eights];

                    return mixing.mix_linear(&linear[..n], input(round), &ZEROS, row);
                }
                mixing.mix_linear(&linear[..n], input(round), factors, row)
            },
            |round, mut colors| {
                if let Input::Bytes(tables) = input(round) {
                    let mut sums = [0; 3];

                    for (table, color) in tables.iter().zip(colors) {
                        let entry = table[(color & 0xff) as usize].colors();

                        sums = [0, 1, 2].map(|row| sums[row] + entry[row]);
                    }
                    colors = sums.map(|sum| (sum >> 32) as i32);
                }
                for columns in &INSIDE[..round / 2 % 4] {
                    colors = multiplied(columns.each_ref(), [HALF; 3], colors);
                }
                colors
            },
        );
    }

    #[test]
    fn all_products_are_near_enough() {
        for (index, less) in (0..27).zip([0, 0x1010, 0x8080].into_iter().cycle()) {
            let (column, row) = (&OTHER[index / 9][index / 3 % 3], index % 3);
            let (factor, least, largest) = line(column, less, row).unwrap_or_default();
            let rests = (0..0x10000).filter_map(|channel| {
                let near = (factor * (channel - MIDDLE)) << (32 - FACTOR);

                Some(product(column, channel - i64::from(less), row)? - near)
            });

            assert_eq!(rests.clone().min(), Some(least));
            assert_eq!(rests.max(), Some(largest));
        }
    }

    #[test]
    fn other_matrices_have_no_factors() {
        static STEEP: Columns = columns([[0, 1024, 0], [0; 3], [0; 3]], 0);
        static SUM: Columns = columns([[0, 768, 0]; 3], 0);
        static LARGE: Columns = columns([[1 << 38, -1 << 38, 0]; 3], 0);
        static VAGUE: Columns = columns([[255, 0, 0]; 3], 15);

        for columns in [&STEEP, &SUM, &LARGE, &VAGUE] {
            assert!(linear(columns, HALF, [0; 3]).is_none());
        }
        for offset in [i64::MIN, i64::MAX, ONE << 20, -ONE << 20] {
            assert!(linear(&INSIDE[0], offset, [0; 3]).is_none());
        }
    }
}
