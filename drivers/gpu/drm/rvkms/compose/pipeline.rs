// SPDX-License-Identifier: GPL-2.0

//! Colour pipelines: the operations on a plane's colours before it is blended.

#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests;

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
    transfer::{
        self,
        Transfer, //
    },
    Lut3d, //
};
use core::ops::Range;
use kernel::{
    drm::simd::{
        ByteTables,
        Factors,
        Input,
        Linear,
        Mixing,
        Sums, //
    },
    prelude::*,
    sync::Arc, //
};

/// The largest magnitude of a colour up to which matrices are exact in vector registers: half of
/// what is, since coefficients may be rounded up.
const EXACT: u32 = 1 << 19;

/// How many pixels go through an operation before the next one starts.
const CHUNK: usize = 64;

/// One operation of a colour pipeline.
pub(crate) enum Operation {
    /// Looks each channel up; values below 0 and above 1 are clamped first.
    Lut(Arc<Lut>),
    /// Mixes the channels, or multiplies them.
    Matrix(Arc<Matrix>),
    /// Looks all channels up together; values below 0 and above 1 are clamped first.
    Lut3d(Arc<Lut3d>),
    /// From a signal to linear light.
    Light(Arc<Transfer>),
    /// From linear light to a signal.
    Signal(Arc<Transfer>),
}

/// The operations of a plane, in order, without those that are bypassed.
///
/// Between the operations colours are not clamped to what a channel can hold; after the last one
/// they are.
pub(crate) struct Pipeline {
    steps: KVec<Step>,
    first: Option<ByteProducts>,
    /// Whether what comes out is known to be within 0 and full intensity.
    inside: bool,
    /// How many fractional bits colours have between the operations. C `vkms` rounds to integers
    /// after each of its own; dark linear light needs more.
    fraction: u32,
    /// The matrices for vector registers, if all can be exact there and there are only tables
    /// between them.
    runs: KVec<Run>,
    /// Whether there are vector registers.
    mixing: Option<Mixing>,
}

/// Matrices that follow each other.
struct Run {
    steps: Range<usize>,
    factors: KVVec<Factors>,
    /// The same for values within 0 and full intensity, if there are no others and it is possible.
    linear: KVVec<Linear>,
}

struct Step {
    work: Work,
    /// The largest magnitude of what comes in, if it is known.
    limit: Option<u32>,
    /// Whether what comes in is known to be within 0 and full intensity.
    inside: bool,
}

enum Work {
    Lut(Arc<Lut>),
    /// With whether the results could overflow.
    Matrix(Arc<Matrix>, bool),
    Lut3d(Arc<Lut3d>),
    Light(Arc<Transfer>),
    Signal(Arc<Transfer>),
}

/// What each channel adds to the results of the first matrix, for channels of 8 bits.
///
/// # Invariants
///
/// `products` holds a table each for R, G and B.
struct ByteProducts {
    /// How many steps are done with it.
    steps: usize,
    products: KVVec<[Sums; 256]>,
}

impl Pipeline {
    /// Prepares `operations`.
    pub(crate) fn new(operations: KVec<Operation>) -> Result<Self> {
        let mut steps = KVec::with_capacity(operations.len(), GFP_KERNEL)?;
        let plain = operations
            .iter()
            .all(|operation| matches!(operation, Operation::Lut(_) | Operation::Matrix(_)));
        let fraction = if plain { 0 } else { transfer::FRACTION };
        let full = 65535 << fraction;
        let mut limit = Some(full);
        let mut most = Some([full; 3]);
        let mut exact = plain;

        for operation in &operations {
            let (before, inside) = (limit, most.is_some());
            let work = match operation {
                Operation::Lut(lut) => {
                    limit = Some(full);
                    most = Some([full; 3]);
                    Work::Lut(lut.clone())
                }
                Operation::Matrix(matrix) => {
                    // Clamped results may have any value.
                    limit = matrix.limit(limit.unwrap_or(1 << 31), fraction);
                    most = most.and_then(|most| matrix.inside(most, fraction));
                    exact &= limit.is_some_and(|limit| limit <= EXACT);
                    Work::Matrix(matrix.clone(), limit.is_none())
                }
                Operation::Lut3d(lut) => {
                    limit = Some(full);
                    most = Some([full; 3]);
                    Work::Lut3d(lut.clone())
                }
                Operation::Light(transfer) => {
                    limit = Some(transfer.most());
                    most = (transfer.most() == full).then_some([full; 3]);
                    Work::Light(transfer.clone())
                }
                Operation::Signal(transfer) => {
                    limit = Some(full);
                    most = Some([full; 3]);
                    Work::Signal(transfer.clone())
                }
            };

            let step = Step {
                work,
                limit: before,
                inside,
            };

            steps.push(step, GFP_KERNEL)?;
        }

        let first = if plain {
            ByteProducts::new::<0>(&steps)?
        } else {
            ByteProducts::new::<{ transfer::FRACTION }>(&steps)?
        };

        Ok(Self {
            first,
            inside: most.is_some(),
            fraction,
            runs: if exact { runs(&steps)? } else { KVec::new() },
            mixing: Mixing::new(),
            steps,
        })
    }

    /// Applies the operations to `row`; `bytes` says that all channels are multiples of 257.
    pub(super) fn apply(&self, bytes: bool, row: &mut [Pixel]) {
        let all = 0..self.steps.len();

        match self.mixing {
            Some(mixing) if !self.runs.is_empty() => self.mix(mixing, bytes, row),
            _ if self.fraction == 0 => self.apply_some::<0>(all, bytes, row),
            _ => self.apply_some::<{ transfer::FRACTION }>(all, bytes, row),
        }
    }

    /// As [`Self::apply`], with the matrices in vector registers.
    fn mix(&self, mixing: Mixing, bytes: bool, row: &mut [Pixel]) {
        let mut first = self.first.as_ref().filter(|_| bytes);
        let mut at = 0;

        for run in &self.runs {
            let first = first
                .take()
                .filter(|first| first.steps > 1 || run.linear.is_empty());
            let (start, done) = match first.and_then(ByteProducts::tables) {
                Some(tables) => {
                    let factors = run.factors.get(Factors::MATRIX..).unwrap_or_default();
                    let linear = run.linear.get(1..).unwrap_or_default();
                    let input = Input::Bytes(tables);

                    (0, mixing.mix_linear(linear, input, factors, row))
                }
                None => {
                    self.look_up(at..run.steps.start, row);
                    let input = Input::Channels([0; 3]);

                    (
                        run.steps.start,
                        mixing.mix_linear(&run.linear, input, &run.factors, row),
                    )
                }
            };
            let rest = row.get_mut(done..).unwrap_or_default();

            self.apply_some::<0>(start..run.steps.end, bytes, rest);
            at = run.steps.end;
        }
        self.look_up(at..self.steps.len(), row);
    }

    /// Applies `steps`, all of which are tables, to `row`.
    fn look_up(&self, steps: Range<usize>, row: &mut [Pixel]) {
        for step in self.steps.get(steps).unwrap_or_default() {
            if let Work::Lut(lut) = &step.work {
                lut.apply(row);
            }
        }
    }

    /// Applies `steps` to `row`, and clamps what comes out; `bytes` as for [`Self::apply`] if the
    /// first step is one of them.
    fn apply_some<const FRACTION: u32>(&self, steps: Range<usize>, bytes: bool, row: &mut [Pixel]) {
        let mut wide = [[0; 3]; CHUNK];
        let products = self.first.as_ref().filter(|_| bytes && steps.start == 0);
        let products = products.and_then(|first| Some((first.steps, first.tables()?)));

        if let (0, Some((done, tables))) = (FRACTION, products) {
            if done == steps.end {
                let next = self.steps.get(done);
                let inside = next.map_or(self.inside, |next| next.inside);

                return multiply_last(tables, inside, row);
            }
        }

        for row in row.chunks_mut(CHUNK) {
            let wide = wide.get_mut(..row.len()).unwrap_or_default();
            let first = match products {
                Some((done, tables)) => {
                    multiply_bytes(tables, row, wide);
                    done
                }
                None => {
                    for (wide, &pixel) in wide.iter_mut().zip(&*row) {
                        *wide = matrix::widened(pixel).map(|value| value << FRACTION);
                    }
                    steps.start
                }
            };
            let steps = self.steps.get(first..steps.end).unwrap_or_default();

            if let (0, Some((last, before))) = (FRACTION, steps.split_last()) {
                if let Work::Lut(lut) = &last.work {
                    run::<FRACTION>(before, wide);
                    if let Some(tables) = lut.tables() {
                        look_up_last(tables, last.inside, wide, row);
                    }
                    continue;
                }
            }
            run::<FRACTION>(steps, wide);
            for (pixel, &wide) in row.iter_mut().zip(&*wide) {
                *pixel = matrix::clamped(*pixel, wide.map(rounded::<FRACTION>));
            }
        }
    }
}

/// Finds the matrices of `steps` that follow each other.
fn runs(steps: &[Step]) -> Result<KVec<Run>> {
    let mut runs: KVec<Run> = KVec::new();

    for (index, step) in steps.iter().enumerate() {
        let Work::Matrix(matrix, _) = &step.work else {
            continue;
        };

        if runs.last().is_none_or(|run| run.steps.end < index) {
            let run = Run {
                steps: index..index,
                factors: KVVec::new(),
                linear: KVVec::new(),
            };

            runs.push(run, GFP_KERNEL)?;
        }
        if let Some(run) = runs.last_mut() {
            let limit = step.limit.map_or(i32::MAX, |limit| limit as i32);
            let values = if step.inside {
                [0, 0xffff]
            } else {
                [-limit, limit]
            };

            matrix.push_to(&mut run.factors, values)?;
            run.steps.end = index + 1;
            match matrix.linear().filter(|_| step.inside) {
                Some(linear) if run.linear.len() == index - run.steps.start => {
                    run.linear.push(linear, GFP_KERNEL)?;
                }
                _ => run.linear = KVVec::new(),
            }
        }
    }
    Ok(runs)
}

/// Drops the fractional bits.
#[inline(always)]
fn rounded<const FRACTION: u32>(value: i32) -> i32 {
    value.saturating_add((1 << FRACTION) >> 1) >> FRACTION
}

impl Step {
    /// Applies the step to a value of a channel, if it works on each channel apart.
    fn channel<const FRACTION: u32>(&self, channel: usize, value: i32) -> Option<i32> {
        match &self.work {
            Work::Lut(lut) => {
                let index = usize::from(matrix::clamp(rounded::<FRACTION>(value)));
                let table = lut.tables()?.get(channel).copied()?;

                Some(i32::from(table[index]) << FRACTION)
            }
            Work::Light(transfer) => Some(transfer.light(value)),
            Work::Signal(transfer) => Some(transfer.signal(value)),
            Work::Matrix(..) | Work::Lut3d(_) => None,
        }
    }
}

impl ByteProducts {
    /// Prepares the steps up to the first matrix, if there is one and no step before mixes
    /// channels.
    fn new<const FRACTION: u32>(steps: &[Step]) -> Result<Option<Self>> {
        let found = steps
            .iter()
            .position(|step| matches!(step.work, Work::Matrix(..) | Work::Lut3d(_)));
        let Some((before, [step, ..])) = found.and_then(|found| steps.split_at_checked(found))
        else {
            return Ok(None);
        };
        let Work::Matrix(matrix, false) = &step.work else {
            return Ok(None);
        };
        let mut products = KVVec::from_elem([Sums::default(); 256], 3, GFP_KERNEL)?;

        for (channel, products) in products.iter_mut().enumerate() {
            for (byte, products) in (0..=255i32).zip(products) {
                let value = before
                    .iter()
                    .try_fold((byte * 257) << FRACTION, |value, step| {
                        step.channel::<FRACTION>(channel, value)
                    });
                let value = value.ok_or(EINVAL)?;

                *products = Sums::new(matrix.products(channel, value, FRACTION));
            }
        }

        // INVARIANT: There are three.
        Ok(Some(Self {
            steps: before.len() + 1,
            products,
        }))
    }

    fn tables(&self) -> Option<&ByteTables> {
        self.products.first_chunk()
    }
}

/// Returns the sums for a pixel of bytes, with 32 fractional bits.
#[inline(always)]
fn sums([red, green, blue]: &ByteTables, pixel: Pixel) -> [i64; 3] {
    let [r, g, b] = pixel::colors(pixel).map(|channel| usize::from(channel & 0xff));
    let (red, green, blue) = (red[r].colors(), green[g].colors(), blue[b].colors());

    matrix::add(matrix::add(red, green), blue)
}

fn multiply_bytes(tables: &ByteTables, row: &[Pixel], wide: &mut [Wide]) {
    for (wide, &pixel) in wide.iter_mut().zip(row) {
        *wide = sums(tables, pixel).map(|sum| (sum >> 32) as i32);
    }
}

/// As [`multiply_bytes`], for pixels that are finished then.
fn multiply_last(tables: &ByteTables, inside: bool, row: &mut [Pixel]) {
    if inside {
        for pixel in row {
            let [r, g, b] = sums(tables, *pixel).map(|sum| (sum >> 32) as u16);

            *pixel = pixel::pack(pixel::alpha(*pixel), r, g, b);
        }
    } else {
        for pixel in row {
            let color = sums(tables, *pixel).map(|sum| (sum >> 32) as i32);

            *pixel = matrix::clamped(*pixel, color);
        }
    }
}

fn run<const FRACTION: u32>(steps: &[Step], wide: &mut [Wide]) {
    for step in steps {
        match &step.work {
            Work::Lut(lut) => {
                if let Some(tables) = lut.tables() {
                    look_up::<FRACTION>(tables, wide);
                }
            }
            Work::Matrix(matrix, false) => matrix.apply(wide, FRACTION),
            Work::Matrix(matrix, true) => matrix.apply_saturating(wide, FRACTION),
            Work::Lut3d(lut) => {
                for wide in wide.iter_mut() {
                    let index = wide.map(|value| matrix::clamp(rounded::<FRACTION>(value)));

                    *wide = lut.look_up(index).map(|value| i32::from(value) << FRACTION);
                }
            }
            Work::Light(transfer) => {
                for wide in wide.iter_mut() {
                    *wide = wide.map(|value| transfer.light(value));
                }
            }
            Work::Signal(transfer) => {
                for wide in wide.iter_mut() {
                    *wide = wide.map(|value| transfer.signal(value));
                }
            }
        }
    }
}

fn look_up<const FRACTION: u32>([red, green, blue]: [&Table; 3], wide: &mut [Wide]) {
    for wide in wide {
        let [r, g, b] = wide.map(|v| usize::from(matrix::clamp(rounded::<FRACTION>(v))));

        *wide = [red[r], green[g], blue[b]].map(|value| i32::from(value) << FRACTION);
    }
}

fn look_up_last([red, green, blue]: [&Table; 3], inside: bool, wide: &[Wide], row: &mut [Pixel]) {
    let found = |[r, g, b]: [u16; 3], pixel| {
        let [r, g, b] = [r, g, b].map(usize::from);

        pixel::pack(pixel::alpha(pixel), red[r], green[g], blue[b])
    };

    if inside {
        for (pixel, wide) in row.iter_mut().zip(wide) {
            *pixel = found(wide.map(|value| value as u16), *pixel);
        }
    } else {
        for (pixel, wide) in row.iter_mut().zip(wide) {
            *pixel = found(wide.map(matrix::clamp), *pixel);
        }
    }
}
