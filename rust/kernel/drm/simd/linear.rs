// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Matrices that mix the colours of pixels of bytes.

use super::{
    ByteTables,
    Sums, //
};

/// The fractional bits of sums, of factors, and of the upper halves of factors.
const SUM: u32 = 13;
const FACTOR: u32 = 20;
const HIGH: u32 = 5;

/// What a sum is shifted by to have the fractional bits of tables.
const SCALE: u32 = 32 - SUM;

/// By how much a sum may be uncertain: with three of these, one pixel of 43 is, at most.
const MOST_SPREAD: i64 = 64;

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

/// What the bytes of a pixel add to each of R, G and B: products, as far as these are near enough
/// to entries of tables.
///
/// # Invariants
///
/// The sum of the products and `least` is never more than the sum of the tables' entries with 13
/// fractional bits, rounded down; with `spread` added it is never less. Neither overflows.
pub struct Linear {
    channels: [Channel; 3],
}

impl Linear {
    /// Finds the factors for `tables`, or [`None`] if there are none.
    pub const fn new(tables: &ByteTables) -> Option<Self> {
        let none = Channel {
            high: [[[0; 2]; 8]; 2],
            low: [[[0; 2]; 8]; 2],
            least: [0; 8],
            spread: [0; 8],
        };
        let mut channels = [none; 3];
        let mut index = 0;

        while index < channels.len() {
            match Channel::new(tables, index) {
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
    const fn new(tables: &ByteTables, index: usize) -> Option<Self> {
        let mut halves = [(0, 0); 3];
        let (mut low, mut high) = (0, 0);
        let (mut negative, mut positive) = (0, 0);
        let mut column = 0;

        while column < tables.len() {
            let Some((factor, least, largest)) = line(&tables[column], index) else {
                return None;
            };
            let upper = (factor + (1 << (FACTOR - HIGH - 1))) >> (FACTOR - HIGH);

            if upper < i16::MIN as i64 || upper > i16::MAX as i64 {
                return None;
            }
            halves[column] = (upper as i16, (factor - (upper << (FACTOR - HIGH))) as i16);
            low += least;
            high += largest;
            if factor < 0 {
                negative += factor * 255;
            } else {
                positive += factor * 255;
            }
            column += 1;
        }

        // The lower halves of the products are rounded down, by less than one unit. So the sum is
        // less than one unit above.
        let least = low >> SCALE;
        let spread = ((high + (1 << SCALE) - 1) >> SCALE) - least;

        let lowest = least + (negative >> (FACTOR - SUM));
        let highest = least + (positive >> (FACTOR - SUM)) + spread;

        if spread > MOST_SPREAD || lowest < i32::MIN as i64 || highest > i32::MAX as i64 {
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

/// Finds the factor, with [`FACTOR`] fractional bits, that `table` has for channel `index`, and by
/// how much entries are at least and at most more than its products, with 32 fractional bits.
const fn line(table: &[Sums; 256], index: usize) -> Option<(i64, i64, i64)> {
    const LIMIT: i64 = 1 << 54;

    let rise = table[255].colors()[index].wrapping_sub(table[0].colors()[index]);

    if rise <= -LIMIT || rise >= LIMIT {
        return None;
    }

    // A 255th is a 256th, a 256th of that, and so on.
    let (mut slope, mut part) = (0, rise);

    while part != 0 && part != -1 {
        part >>= 8;
        slope += part;
    }

    let factor = (slope + (1 << (31 - FACTOR))) >> (32 - FACTOR);
    let (mut least, mut largest) = (i64::MAX, i64::MIN);
    let mut byte = 0;

    while byte < table.len() {
        let entry = table[byte].colors()[index];

        if entry <= -LIMIT || entry >= LIMIT {
            return None;
        }

        let rest = entry - ((factor * byte as i64) << (32 - FACTOR));

        if rest < least {
            least = rest;
        }
        if rest > largest {
            largest = rest;
        }
        byte += 1;
    }
    Some((factor, least, largest))
}

#[cfg(target_arch = "x86_64")]
pub(super) mod code {
    use super::{
        Channel,
        Linear,
        FACTOR,
        HIGH,
        SUM, //
    };
    use core::mem::{
        offset_of,
        size_of, //
    };

    /// Sets `$sum` to the products of A and R in `ymm4` and of G and B in `ymm5` with `$factors` of
    /// channel `$channel`, added up.
    macro_rules! products {
        ($sum:literal, $factors:literal, $channel:literal) => {
            concat!(
                "vpmaddwd ymm9, ymm4, [{linear} + ",
                $channel,
                " * {size} + ",
                $factors,
                "]\n",
                "vpmaddwd ",
                $sum,
                ", ymm5, [{linear} + ",
                $channel,
                " * {size} + ",
                $factors,
                " + 32]\n",
                "vpaddd ",
                $sum,
                ", ",
                $sum,
                ", ymm9\n",
            )
        };
    }

    /// Sets `$sum` to channel `$channel`, and in `ymm13` the bits in which it could differ.
    macro_rules! channel {
        ($sum:literal, $channel:literal) => {
            concat!(
                products!("ymm10", "{high}", $channel),
                products!("ymm11", "{low}", $channel),
                "vpslld ymm10, ymm10, {up}\n",
                "vpsrad ymm11, ymm11, {down}\n",
                "vpaddd ymm10, ymm10, ymm11\n",
                "vpaddd ymm10, ymm10, [{linear} + ",
                $channel,
                " * {size} + {least}]\n",
                "vpaddd ymm11, ymm10, [{linear} + ",
                $channel,
                " * {size} + {spread}]\n",
                "vpxor ymm11, ymm11, ymm10\n",
                "vpsrad ",
                $sum,
                ", ymm10, {fraction}\n",
                "vpor ymm13, ymm13, ymm11\n",
            )
        };
    }

    /// Mixes eight pixels at a time. Returns how many times it has done so before it came to some
    /// of which a result is not certain, or to the last ones.
    ///
    /// # Safety
    ///
    /// [`begin`](super::super::vector::begin) returned true and
    /// [`end`](super::super::vector::end) was not called since. The CPU has AVX2, and the registers
    /// are kept.
    pub(in super::super) unsafe fn mix_eights(linear: &Linear, row: &mut [u64]) -> usize {
        let bytes = [0x00ff_00ff_00ff_0000u64; 4];
        let eights = row.len() / 8;
        let mut left = eights;

        if eights == 0 {
            return 0;
        }
        // SAFETY: `row` is read and written up to `eights` times 8 pixels, 8 bytes each, and
        // `eights` is not 0; nothing else is written. Of `linear` each of three channels is read,
        // and all of `bytes`; none needs to be aligned. The CPU has the instructions. No code that
        // the compiler made has anything in vector registers, or they are declared as overwritten;
        // their upper halves are left empty.
        unsafe {
            vector_asm!(
                "vmovdqu ymm15, [{bytes}]",
                "2:",
                "vpand ymm2, ymm15, [{row}]",
                "vpand ymm3, ymm15, [{row} + 32]",
                // A, which is 0 now, and R; G and B. In this order: pixels 0, 1, 4, 5, 2, 3, 6, 7.
                "vshufps ymm4, ymm2, ymm3, 0x88",
                "vshufps ymm5, ymm2, ymm3, 0xdd",
                "vpxor ymm13, ymm13, ymm13",
                channel!("ymm0", 0),
                channel!("ymm1", 1),
                channel!("ymm2", 2),
                // A bit of a whole number differs between the least sum and the largest one.
                "vpsrld ymm13, ymm13, {fraction}",
                "vptest ymm13, ymm13",
                "jnz 3f",
                store_colors!("ymm", 32),
                "add {row}, 64",
                "sub {left}, 1",
                "jnz 2b",
                "3:",
                "vzeroupper",
                row = inout(reg) row.as_mut_ptr() => _,
                left = inout(reg) left,
                linear = in(reg) linear.channels.as_ptr(),
                bytes = in(reg) bytes.as_ptr(),
                size = const size_of::<Channel>(),
                high = const offset_of!(Channel, high),
                low = const offset_of!(Channel, low),
                least = const offset_of!(Channel, least),
                spread = const offset_of!(Channel, spread),
                up = const SUM - HIGH,
                down = const FACTOR - SUM,
                fraction = const SUM,
            );
        }
        eights - left
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) mod code {
    /// # Safety
    ///
    /// None.
    pub(in super::super) unsafe fn mix_eights(_: &super::Linear, _: &mut [u64]) -> usize {
        0
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_linear))]
mod tests {
    use super::{
        super::{
            Input,
            Mixing, //
        },
        *, //
    };

    const ONE: i64 = 1 << 32;

    /// Makes tables of the products of `columns`, the first one with `offset` added; the lowest
    /// `dropped` bits of entries are 0.
    const fn tables(columns: [[i64; 3]; 3], offset: i64, dropped: u32) -> ByteTables {
        let mut tables = [[Sums::new([0; 3]); 256]; 3];
        let mut index = 0;

        while index < 3 * 256 {
            let (column, byte) = (index / 256, index % 256);
            let add = if column == 0 { offset } else { 0 };
            let mut entry = [0; 3];
            let mut row = 0;

            while row < 3 {
                let product = columns[column][row] * (byte as i64 * 257) + add;

                entry[row] = product >> dropped << dropped;
                row += 1;
            }
            tables[column][byte] = Sums::new(entry);
            index += 1;
        }
        tables
    }

    /// With results inside and outside of 16 bits, of which some are certain and some not.
    static TABLES: [ByteTables; 3] = [
        tables([[ONE / 2, ONE / 4, ONE / 4]; 3], 0, 0),
        tables(
            [
                [ONE / 10 * 11, -ONE / 3, ONE / 7],
                [-ONE / 9 * 2, ONE / 5 * 6, -ONE / 11 * 13],
                [ONE / 6, -ONE / 8, ONE / 17 * 31],
            ],
            -ONE * 1234 + 567,
            0,
        ),
        tables(
            [
                [ONE / 5 * 2, ONE / 10, ONE],
                [ONE / 5, ONE / 5, -ONE],
                [ONE / 5, ONE / 3, ONE / 3],
            ],
            ONE / 2,
            20,
        ),
    ];

    #[test]
    fn pixels_follow_the_tables() {
        let Some(mixing) = Mixing::new() else {
            return;
        };
        let mut random = 7u64;

        for round in 0..3000 {
            let tables = &TABLES[round % TABLES.len()];
            let linear = Linear::new(tables);
            let mut row = [0; 21];

            for pixel in &mut row {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);

                let [r, g, b] = [33, 41, 49].map(|shift| (random >> shift & 0xff) * 257);

                *pixel = random & 0xffff | r << 16 | g << 32 | b << 48;
            }

            let (pixels, n) = (row, round / 3 % (row.len() + 1));
            let input = Input::Bytes(tables);
            let done = mixing.mix_bytes(linear.as_ref(), input, &[], &mut row[..n]);

            assert!(linear.is_some());

            assert!(done <= n);
            for (at, (&found, &pixel)) in row.iter().zip(&pixels).enumerate() {
                let mut sums = [0; 3];

                for (table, shift) in tables.iter().zip([16, 32, 48]) {
                    let entry = table[(pixel >> shift & 0xff) as usize].colors();

                    sums = [0, 1, 2].map(|row| sums[row] + entry[row]);
                }

                let [r, g, b] = sums.map(|sum| (sum >> 32).clamp(0, 0xffff) as u64);
                let mixed = pixel & 0xffff | r << 16 | g << 32 | b << 48;

                assert_eq!(found, if at < done { mixed } else { pixel });
            }
        }
    }

    #[test]
    fn other_tables_have_no_factors() {
        static BENT: ByteTables = {
            let mut bent = tables([[ONE, 0, 0]; 3], 0, 0);

            bent[1][100] = Sums::new([ONE * 25701, 0, 0]);
            bent
        };
        static STEEP: [ByteTables; 3] = [
            tables([[ONE * 9, 0, 0]; 3], 0, 0),
            tables([[ONE * 3, 0, 0]; 3], 0, 0),
            tables([[0, ONE, 0]; 3], ONE << 22, 0),
        ];

        assert!(Linear::new(&BENT).is_none());
        for tables in &STEEP {
            assert!(Linear::new(tables).is_none());
        }
    }
}
