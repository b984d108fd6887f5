// SPDX-License-Identifier: GPL-2.0

//! Colour pipelines of planes.

use crate::{
    compose::{
        Curve,
        Lut,
        Lut3d,
        Matrix,
        Operation,
        Pipeline,
        Transfer, //
    },
    device::RvkmsDriver,
    plane::RvkmsPlane, //
};
use kernel::{
    drm::kms::{
        atomic::AtomicCheck,
        colorop::{
            ColorLut32,
            ColorOp,
            ColorOpKind,
            Curve1d,
            MAX_OPS, //
        },
        plane::Plane, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

const SRGB: ColorOpKind<'_> = ColorOpKind::Curve1d(&[Curve1d::SrgbEotf, Curve1d::SrgbInvEotf]);
const ANY_CURVE: ColorOpKind<'_> = ColorOpKind::Curve1d(&Curve1d::ALL);

/// The number of entries of a table for each channel.
const LUT_SIZE: u32 = 4096;

/// The number of entries of a table for all channels, in each direction.
const LUT_3D_SIZE: u32 = 17;

/// The pipelines of a plane: that of `vkms`, and one that leads from any content to any display.
pub(crate) const PIPELINES: [&[ColorOpKind<'_>]; 2] = [
    &[SRGB, ColorOpKind::Ctm3x4, ColorOpKind::Ctm3x4, SRGB],
    &[
        // To linear light, with the primaries and the brightness of the display.
        ColorOpKind::Lut1d(LUT_SIZE),
        ANY_CURVE,
        ColorOpKind::Multiplier,
        ColorOpKind::Ctm3x4,
        // To what is even to the eye, for tables of few entries.
        ANY_CURVE,
        ColorOpKind::Lut1d(LUT_SIZE),
        ColorOpKind::Lut3d(LUT_3D_SIZE),
        // To what planes are blended in.
        ANY_CURVE,
        ColorOpKind::Lut1d(LUT_SIZE),
    ],
];

/// The curves of the colour pipelines of a device, each made when it is first used.
#[pin_data]
pub(crate) struct Curves {
    #[pin]
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    srgb_eotf: Option<Arc<Lut>>,
    srgb_inv_eotf: Option<Arc<Lut>>,
    pq_125: Option<Arc<Transfer>>,
    bt2020: Option<Arc<Transfer>>,
    gamma22: Option<Arc<Transfer>>,
}

/// Returns what `made` is, which is made before if there is nothing.
fn get_or_make<T>(made: &mut Option<Arc<T>>, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    if let Some(made) = made {
        return Ok(made.clone());
    }

    let new = Arc::new(make()?, GFP_KERNEL)?;

    *made = Some(new.clone());
    Ok(new)
}

impl Curves {
    /// Makes none yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                made <- new_mutex!(Made::default()),
            }),
            GFP_KERNEL,
        )
    }

    /// Returns what applies `curve`.
    fn operation(&self, curve: Curve1d) -> Result<Operation> {
        let made = &mut *self.made.lock();
        let srgb_eotf = || Lut::curve(Curve::SrgbEotf);
        let srgb_inv_eotf = || Lut::curve(Curve::SrgbInverseEotf);

        Ok(match curve {
            Curve1d::SrgbEotf => Operation::Lut(get_or_make(&mut made.srgb_eotf, srgb_eotf)?),
            Curve1d::SrgbInvEotf => {
                Operation::Lut(get_or_make(&mut made.srgb_inv_eotf, srgb_inv_eotf)?)
            }
            Curve1d::Pq125Eotf => Operation::Light(get_or_make(&mut made.pq_125, Transfer::pq)?),
            Curve1d::Pq125InvEotf => {
                Operation::Signal(get_or_make(&mut made.pq_125, Transfer::pq)?)
            }
            Curve1d::Bt2020InvOetf => {
                Operation::Light(get_or_make(&mut made.bt2020, Transfer::bt2020)?)
            }
            Curve1d::Bt2020Oetf => {
                Operation::Signal(get_or_make(&mut made.bt2020, Transfer::bt2020)?)
            }
            Curve1d::Gamma22 => {
                Operation::Light(get_or_make(&mut made.gamma22, Transfer::gamma22)?)
            }
            Curve1d::Gamma22Inv => {
                Operation::Signal(get_or_make(&mut made.gamma22, Transfer::gamma22)?)
            }
        })
    }

    /// Prepares the colour pipeline that `plane` has after the update, if it has one.
    pub(crate) fn prepare(
        &self,
        plane: &Plane<RvkmsPlane>,
        check: &AtomicCheck<'_, RvkmsDriver>,
    ) -> Result<Option<Arc<Pipeline>>> {
        let mut operations = KVec::with_capacity(MAX_OPS, GFP_KERNEL)?;
        // With what C `vkms` does not have, nothing needs to be equal.
        let mut is_compatible = true;

        check.for_each_color_op(plane, |op| {
            is_compatible &= matches!(
                op,
                ColorOp::Curve1d(Curve1d::SrgbEotf | Curve1d::SrgbInvEotf) | ColorOp::Ctm3x4(_)
            );

            Ok(())
        })?;

        check.for_each_color_op(plane, |op| {
            let operation = match op {
                ColorOp::Curve1d(curve) => self.operation(curve)?,
                ColorOp::Lut1d(entries) => {
                    let lut = Lut::new(entries.len(), |index| rgb16(entries, index))?;

                    Operation::Lut(Arc::new(lut, GFP_KERNEL)?)
                }
                ColorOp::Ctm3x4(matrix) => {
                    let matrix = if is_compatible {
                        Matrix::new(matrix)?
                    } else {
                        Matrix::exact(matrix)?
                    };

                    Operation::Matrix(Arc::new(matrix, GFP_KERNEL)?)
                }
                ColorOp::Multiplier(factor) => {
                    Operation::Matrix(Arc::new(Matrix::multiplier(factor)?, GFP_KERNEL)?)
                }
                ColorOp::Lut3d { size, entries } => {
                    let lut = Lut3d::new(size.try_into()?, |index| rgb16(entries, index))?;

                    Operation::Lut3d(Arc::new(lut, GFP_KERNEL)?)
                }
            };

            Ok(operations.push(operation, GFP_KERNEL)?)
        })?;

        if operations.is_empty() {
            return Ok(None);
        }

        Ok(Some(Arc::new(Pipeline::new(operations)?, GFP_KERNEL)?))
    }
}

/// Returns an entry of a table with 16 bits for each channel.
fn rgb16(entries: &[ColorLut32], index: usize) -> [u16; 3] {
    let rgb = entries.get(index).map_or([0; 3], ColorLut32::rgb);

    // 65537 is how often the largest value of 16 bits is contained in that of 32 bits.
    rgb.map(|channel| (channel.saturating_add(65537 / 2) / 65537) as u16)
}
