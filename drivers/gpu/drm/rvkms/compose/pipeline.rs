// SPDX-License-Identifier: GPL-2.0

//! Colour pipelines: the operations on a plane's colours before it is blended.

use super::{
    lut::{
        Lut,
        Table, //
    },
    matrix::{
        self,
        Matrix,
        Wide, //
    },
    pixel::{
        self,
        Pixel, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// How many pixels go through an operation before the next one starts.
const CHUNK: usize = 64;

/// One operation of a colour pipeline.
pub(crate) enum Operation {
    /// Looks each channel up; values below 0 and above 1 are clamped first.
    Lut(Arc<Lut>),
    /// Mixes the channels.
    Matrix(Arc<Matrix>),
}

/// The operations of a plane, in order, without those that are bypassed.
///
/// Between the operations colours are not clamped to what a channel can hold; after the last one
/// they are.
pub(crate) struct Pipeline {
    steps: KVec<Step>,
    first: Option<ByteProducts>,
}

enum Step {
    Lut(Arc<Lut>),
    /// With whether the results could overflow.
    Matrix(Arc<Matrix>, bool),
}

/// What each channel adds to the results of the first matrix, for channels of 8 bits.
///
/// # Invariants
///
/// `products` holds 256 entries each for R, G and B.
struct ByteProducts {
    /// How many steps are done with it.
    steps: usize,
    products: KVec<[i64; 3]>,
}

type ByteTable = [[i64; 3]; 256];

impl Pipeline {
    /// Prepares `operations`.
    pub(crate) fn new(operations: KVec<Operation>) -> Result<Self> {
        let mut steps = KVec::with_capacity(operations.len(), GFP_KERNEL)?;
        let mut limit = Some(65535);

        for operation in &operations {
            let step = match operation {
                Operation::Lut(lut) => {
                    limit = Some(65535);
                    Step::Lut(lut.clone())
                }
                Operation::Matrix(matrix) => {
                    // Clamped results may have any value.
                    limit = matrix.limit(limit.unwrap_or(1 << 31));
                    Step::Matrix(matrix.clone(), limit.is_none())
                }
            };

            steps.push(step, GFP_KERNEL)?;
        }

        let first = ByteProducts::new(&steps)?;

        Ok(Self { steps, first })
    }

    /// Applies the operations to `row`; `bytes` says that all channels are multiples of 257.
    pub(super) fn apply(&self, bytes: bool, row: &mut [Pixel]) {
        let mut wide = [[0; 3]; CHUNK];
        let products = self.first.as_ref().filter(|_| bytes);
        let products = products.and_then(|first| Some((first.steps, first.tables()?)));

        for row in row.chunks_mut(CHUNK) {
            let wide = wide.get_mut(..row.len()).unwrap_or_default();
            let done = match products {
                Some((steps, tables)) => {
                    multiply_bytes(tables, row, wide);
                    steps
                }
                None => {
                    for (wide, &pixel) in wide.iter_mut().zip(&*row) {
                        *wide = matrix::widened(pixel);
                    }
                    0
                }
            };
            let steps = self.steps.get(done..).unwrap_or_default();

            if let Some((Step::Lut(lut), steps)) = steps.split_last() {
                run(steps, wide);
                if let Some(tables) = lut.tables() {
                    look_up_last(tables, wide, row);
                }
            } else {
                run(steps, wide);
                for (pixel, &wide) in row.iter_mut().zip(&*wide) {
                    *pixel = matrix::clamped(*pixel, wide);
                }
            }
        }
    }
}

impl ByteProducts {
    /// Prepares the steps up to the first matrix, if there is one.
    fn new(steps: &[Step]) -> Result<Option<Self>> {
        let mut before = KVec::new();
        let mut found = None;

        for step in steps {
            match step {
                Step::Lut(lut) => before.push(lut.tables().ok_or(EINVAL)?, GFP_KERNEL)?,
                Step::Matrix(_, true) => return Ok(None),
                Step::Matrix(matrix, false) => {
                    found = Some(matrix);
                    break;
                }
            }
        }

        let Some(matrix) = found else {
            return Ok(None);
        };
        let mut products = KVec::with_capacity(3 * 256, GFP_KERNEL)?;

        for channel in 0..3 {
            for byte in 0..=255u16 {
                let value = before.iter().fold(byte * 257, |value, tables| {
                    tables
                        .get(channel)
                        .map_or(0, |table| table[usize::from(value)])
                });

                products.push(matrix.products(channel, value.into()), GFP_KERNEL)?;
            }
        }

        // INVARIANT: The loops pushed 256 entries for each of three channels.
        Ok(Some(Self {
            steps: before.len() + 1,
            products,
        }))
    }

    fn tables(&self) -> Option<[&ByteTable; 3]> {
        let mut tables = self.products.chunks_exact(256);
        let mut next = || <&ByteTable>::try_from(tables.next()?).ok();

        Some([next()?, next()?, next()?])
    }
}

fn multiply_bytes([red, green, blue]: [&ByteTable; 3], row: &[Pixel], wide: &mut [Wide]) {
    for (wide, &pixel) in wide.iter_mut().zip(row) {
        let [r, g, b] = pixel::colors(pixel).map(|channel| usize::from(channel & 0xff));
        let sum = matrix::add(matrix::add(red[r], green[g]), blue[b]);

        *wide = sum.map(|sum| (sum >> 32) as i32);
    }
}

fn run(steps: &[Step], wide: &mut [Wide]) {
    for step in steps {
        match step {
            Step::Lut(lut) => {
                if let Some(tables) = lut.tables() {
                    look_up(tables, wide);
                }
            }
            Step::Matrix(matrix, false) => matrix.apply(wide),
            Step::Matrix(matrix, true) => matrix.apply_saturating(wide),
        }
    }
}

fn look_up([red, green, blue]: [&Table; 3], wide: &mut [Wide]) {
    for wide in wide {
        let [r, g, b] = wide.map(|value| usize::from(matrix::clamp(value)));

        *wide = [red[r].into(), green[g].into(), blue[b].into()];
    }
}

fn look_up_last([red, green, blue]: [&Table; 3], wide: &[Wide], row: &mut [Pixel]) {
    for (pixel, wide) in row.iter_mut().zip(wide) {
        let [r, g, b] = wide.map(|value| usize::from(matrix::clamp(value)));

        *pixel = pixel::pack(pixel::alpha(*pixel), red[r], green[g], blue[b]);
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_pipeline))]
mod tests {
    use super::*;

    const ONE: u64 = 1 << 32;

    fn pipeline(build: impl Fn(&mut KVec<Operation>) -> Result) -> Result<Pipeline> {
        let mut operations = KVec::new();

        build(&mut operations)?;
        Pipeline::new(operations)
    }

    fn scaled_by(factor: u64) -> Result<Operation> {
        let matrix = Matrix::from_3x3(&[factor, 0, 0, 0, factor, 0, 0, 0, factor])?;

        Ok(Operation::Matrix(Arc::new(matrix, GFP_KERNEL)?))
    }

    fn inverted() -> Result<Operation> {
        let lut = Lut::new(256, |index| [65535 - 257 * index as u16; 3])?;

        Ok(Operation::Lut(Arc::new(lut, GFP_KERNEL)?))
    }

    #[test]
    fn colours_are_not_clamped_between_operations() -> Result {
        let pipeline = pipeline(|operations| {
            operations.push(scaled_by(4 * ONE)?, GFP_KERNEL)?;
            operations.push(scaled_by(ONE / 4)?, GFP_KERNEL)?;
            Ok(())
        })?;

        for bytes in [false, true] {
            let mut row = [pixel::pack(9, 40000 / 257 * 257, 257, 65535); 2];
            let before = row;

            pipeline.apply(bytes, &mut row);
            assert_eq!(row, before);
        }
        Ok(())
    }

    #[test]
    fn curves_clamp_what_a_matrix_returns() -> Result {
        let minus = Matrix::from_3x3(&[1 << 63 | ONE, 0, 0, 0, 3 * ONE, 0, 0, 0, ONE])?;
        let minus = Arc::new(minus, GFP_KERNEL)?;
        let pipeline = pipeline(|operations| {
            operations.push(Operation::Matrix(minus.clone()), GFP_KERNEL)?;
            operations.push(inverted()?, GFP_KERNEL)?;
            Ok(())
        })?;

        for bytes in [false, true] {
            let mut row = [pixel::opaque(0x8080, 0x8080, 0)];

            pipeline.apply(bytes, &mut row);
            assert_eq!(row[0], pixel::opaque(65535, 0, 65535));
        }
        Ok(())
    }

    #[test]
    fn bytes_take_the_same_way() -> Result {
        let pipeline = pipeline(|operations| {
            operations.push(inverted()?, GFP_KERNEL)?;
            operations.push(scaled_by(ONE / 3)?, GFP_KERNEL)?;
            operations.push(inverted()?, GFP_KERNEL)?;
            Ok(())
        })?;

        for byte in 0..=255u16 {
            let pixel = pixel::opaque(byte * 257, 65535 - byte * 257, 257);
            let (mut fast, mut slow) = ([pixel], [pixel]);

            pipeline.apply(true, &mut fast);
            pipeline.apply(false, &mut slow);
            assert_eq!(fast, slow);
        }
        Ok(())
    }
}
