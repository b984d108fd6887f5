// SPDX-License-Identifier: GPL-2.0

//! The checksum of a frame: the IEEE CRC-32, least significant bit first, without inversions.
//!
//! Without inversions a CRC that starts from 0 is linear: the CRC of two texts in a row follows
//! from the CRCs of both and the length of the second. Rows are therefore summed up apart, by any
//! CPU in any order, and put together by an [`Appender`].

use kernel::{
    drm::simd::{
        Folding,
        Multiples, //
    },
    prelude::*, //
};

/// The polynomial x^32 + x^26 + ... + 1, the coefficient of x^31 in bit 0.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The polynomial 1.
const ONE: u32 = 1 << 31;

/// How the CRC of a row is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    /// By the kernel's `crc32_le()`: the choice where the architecture speeds it up.
    Kernel,
    /// By multiplications without carry, and tables for the rest.
    Folding(Folding),
    /// By tables, eight bytes a step: faster than the kernel's generic code, which goes byte by
    /// byte.
    Tables,
}

/// Appends texts of one fixed length to others.
pub(super) struct Appender {
    /// x to the number of bits of a text.
    factor: u32,
}

impl Appender {
    /// Prepares to append texts of `bytes` bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            factor: power_of_x(bytes.wrapping_mul(8)),
        }
    }

    /// Returns the CRC of the text of which `sum` is the CRC, followed by that of which `crc` is.
    pub(super) fn append(&self, sum: u32, crc: u32) -> u32 {
        multiply(sum, self.factor) ^ crc
    }
}

/// Multiplies two polynomials modulo [`POLYNOMIAL`].
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = 32;

    while bit > 0 {
        bit -= 1;
        product ^= b & (0u32.wrapping_sub(a >> bit & 1));
        b = times_x(b);
    }
    product
}

/// Multiplies a polynomial with x modulo [`POLYNOMIAL`].
const fn times_x(a: u32) -> u32 {
    a >> 1 ^ POLYNOMIAL & 0u32.wrapping_sub(a & 1)
}

/// Returns x to the power of `exponent` modulo [`POLYNOMIAL`].
const fn power_of_x(mut exponent: u64) -> u32 {
    let mut power = ONE;
    let mut square = ONE >> 1;

    while exponent > 0 {
        if exponent & 1 != 0 {
            power = multiply(square, power);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    power
}

/// What folding multiplies with: the powers of x that a half is ahead of where it is added to. The
/// products are one bit too far, since the highest power is in the lowest bit.
static MULTIPLES: Multiples = Multiples {
    by_128: [multiple(8 * 128 + 32), multiple(8 * 128 - 32)],
    by_64: [multiple(8 * 64 + 32), multiple(8 * 64 - 32)],
    by_16: [multiple(8 * 16 + 32), multiple(8 * 16 - 32)],
};

const fn multiple(exponent: u64) -> u64 {
    (power_of_x(exponent) as u64) << 1
}

/// `TABLES[n][byte]` is the CRC of `byte` followed by `n` zero bytes.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;

    while byte < 256 {
        let mut crc = byte as u32;
        let mut table = 0;

        while table < 8 {
            let mut bit = 0;

            while bit < 8 {
                crc = times_x(crc);
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
}

/// Continues `crc` by eight bytes, the first in the least significant place.
#[inline(always)]
fn step(crc: u32, bytes: u64) -> u32 {
    let x = bytes ^ u64::from(crc);
    let byte = |n: u32| (x >> (8 * n)) as usize & 0xff;

    TABLES[7][byte(0)]
        ^ TABLES[6][byte(1)]
        ^ TABLES[5][byte(2)]
        ^ TABLES[4][byte(3)]
        ^ TABLES[3][byte(4)]
        ^ TABLES[2][byte(5)]
        ^ TABLES[1][byte(6)]
        ^ TABLES[0][byte(7)]
}

/// Sums up rows of one width.
pub(super) struct RowSummer {
    method: Method,
    /// Appends a quarter of a row.
    quarter: Appender,
    quarter_pixels: usize,
}

impl RowSummer {
    /// Prepares for rows of `width` pixels.
    pub(super) fn new(method: Method, width: usize) -> Self {
        let quarter_pixels = width / 4;

        Self {
            method,
            quarter: Appender::new(quarter_pixels as u64 * 8),
            quarter_pixels,
        }
    }

    /// Returns the CRC of `row`, which is to be in little-endian order.
    pub(super) fn sum(&self, row: &[u64]) -> u32 {
        match self.method {
            Method::Kernel => kernel::crc32::crc32_le(0, row.as_bytes()),
            Method::Folding(folding) => {
                let (pairs, last) = row.split_at(row.len() & !1);

                match folding.fold(&MULTIPLES, pairs.as_bytes()) {
                    Some([low, high]) => {
                        let sum = step(step(0, low), high);

                        last.iter()
                            .fold(sum, |crc, &pixel| step(crc, u64::from_le(pixel)))
                    }
                    None => self.by_tables(row),
                }
            }
            Method::Tables => self.by_tables(row),
        }
    }

    /// Sums up the four quarters of `row` side by side: a step must wait for the one before it, so
    /// a CPU that can do several at once is idle unless it is given several rows or parts of one.
    fn by_tables(&self, row: &[u64]) -> u32 {
        let n = self.quarter_pixels;
        let mut crcs = [0; 4];
        let mut rest = row;

        if let Some((quarters, tail)) = row.split_at_checked(4 * n) {
            let (a, bcd) = quarters.split_at(n);
            let (b, cd) = bcd.split_at(n);
            let (c, d) = cd.split_at(n);

            for (((&a, &b), &c), &d) in a.iter().zip(b).zip(c).zip(d) {
                crcs[0] = step(crcs[0], u64::from_le(a));
                crcs[1] = step(crcs[1], u64::from_le(b));
                crcs[2] = step(crcs[2], u64::from_le(c));
                crcs[3] = step(crcs[3], u64::from_le(d));
            }
            rest = tail;
        }

        let sum = crcs
            .iter()
            .fold(0, |sum, &crc| self.quarter.append(sum, crc));

        rest.iter()
            .fold(sum, |crc, &pixel| step(crc, u64::from_le(pixel)))
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_crc))]
mod tests {
    use super::*;

    /// A CRC by the definition, bit by bit.
    fn plain(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| times_x(crc))
        })
    }

    fn row(pixels: &mut [u64]) {
        let mut random = 7u64;

        for pixel in pixels {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            *pixel = random ^ random >> 32;
        }
    }

    #[test]
    fn all_methods_follow_the_definition() {
        let mut pixels = [0; 67];

        row(&mut pixels);
        for width in 0..pixels.len() {
            let row = &pixels[..width];
            let crc = plain(row.as_bytes());

            assert_eq!(RowSummer::new(Method::Kernel, width).sum(row), crc);
            assert_eq!(RowSummer::new(Method::Tables, width).sum(row), crc);
            if let Some(folding) = Folding::new() {
                let method = Method::Folding(folding);

                assert_eq!(RowSummer::new(method, width).sum(row), crc);
            }
        }
    }

    #[test]
    fn sums_are_put_together() {
        let mut pixels = [0; 50];

        row(&mut pixels);
        let bytes = pixels.as_bytes();

        for cut in 0..bytes.len() {
            let (a, b) = bytes.split_at(cut);

            let appender = Appender::new(b.len() as u64);

            assert_eq!(appender.append(plain(a), plain(b)), plain(bytes));
        }
    }
}
