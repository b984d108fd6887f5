// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Colour pipelines of planes.
//!
//! A plane can have a pipeline of colour operations, which user space configures one by one and
//! selects with the property "COLOR_PIPELINE".
//!
//! C header: [`include/drm/drm_colorop.h`](srctree/include/drm/drm_colorop.h)

use super::{
    atomic::AtomicCheck,
    color::MAX_LUT_SIZE,
    plane::{
        OpaquePlane,
        OpaquePlaneState, //
    },
    KmsDriver,
    KmsSetup, //
};
use crate::{
    alloc::flags::GFP_KERNEL,
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    str::CString, //
};
use core::{
    mem::size_of,
    ptr,
    slice, //
};

/// The most entries that a [`ColorOpKind::Lut3d`] can have in each direction.
pub const MAX_LUT_3D_SIZE: u32 = 256;

/// The most operations that the pipelines of a plane can have together.
pub const MAX_OPS: usize = 32;

/// The kind of a colour operation that a plane offers.
///
/// C: `enum drm_colorop_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorOpKind<'a> {
    /// One of these curves; the first one is the default.
    Curve1d(&'a [Curve1d]),
    /// A table for each channel of so many entries, 2 to [`MAX_LUT_SIZE`], between which values are
    /// interpolated.
    Lut1d(u32),
    /// A matrix of 3 rows and 4 columns.
    Ctm3x4,
    /// A factor for all channels.
    Multiplier,
    /// A table for all channels together, of so many entries in each direction, 2 to
    /// [`MAX_LUT_3D_SIZE`], between which colours are interpolated in tetrahedra.
    Lut3d(u32),
}

/// A curve with a name.
///
/// C: `enum drm_colorop_curve_1d_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve1d {
    /// From sRGB to linear light.
    SrgbEotf,
    /// From linear light to sRGB.
    SrgbInvEotf,
    /// From perceptual quantization to linear light, of which 125.0 is 10,000 nits.
    Pq125Eotf,
    /// From linear light, of which 125.0 is 10,000 nits, to perceptual quantization.
    Pq125InvEotf,
    /// From BT.2020, or BT.709, to linear light.
    Bt2020InvOetf,
    /// From linear light to BT.2020, or BT.709.
    Bt2020Oetf,
    /// To the power of 2.2.
    Gamma22,
    /// To the power of 1/2.2.
    Gamma22Inv,
}

impl Curve1d {
    /// All curves.
    pub const ALL: [Self; 8] = [
        Self::SrgbEotf,
        Self::SrgbInvEotf,
        Self::Pq125Eotf,
        Self::Pq125InvEotf,
        Self::Bt2020InvOetf,
        Self::Bt2020Oetf,
        Self::Gamma22,
        Self::Gamma22Inv,
    ];

    fn as_raw(self) -> bindings::drm_colorop_curve_1d_type {
        match self {
            Self::SrgbEotf => bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_EOTF,
            Self::SrgbInvEotf => {
                bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_INV_EOTF
            }
            Self::Pq125Eotf => bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_PQ_125_EOTF,
            Self::Pq125InvEotf => {
                bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_PQ_125_INV_EOTF
            }
            Self::Bt2020InvOetf => {
                bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_BT2020_INV_OETF
            }
            Self::Bt2020Oetf => {
                bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_BT2020_OETF
            }
            Self::Gamma22 => bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_GAMMA22,
            Self::Gamma22Inv => {
                bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_GAMMA22_INV
            }
        }
    }
}

/// A colour operation, as user space has configured it.
#[derive(Clone, Copy)]
pub enum ColorOp<'a> {
    /// A curve, which is applied to each channel.
    Curve1d(Curve1d),
    /// A table of as many entries as the operation was created with, spaced evenly.
    Lut1d(&'a [ColorLut32]),
    /// A matrix, row by row, in sign and magnitude: the highest bit is the sign, and the others are
    /// the magnitude in 1/2^32. The last column is added.
    Ctm3x4(&'a [u64; 12]),
    /// A factor, in sign and magnitude.
    Multiplier(u64),
    /// A table.
    Lut3d {
        /// The number of entries in each direction, as the operation was created with.
        size: u32,
        /// The entries. Red changes with each of them, green after `size` of them, blue after
        /// `size * size`.
        entries: &'a [ColorLut32],
    },
}

/// An entry of a look-up table for colours, from 0 to `u32::MAX` each.
///
/// C: `struct drm_color_lut32`.
#[repr(transparent)]
pub struct ColorLut32(bindings::drm_color_lut32);

impl ColorLut32 {
    /// Red, green and blue.
    pub fn rgb(&self) -> [u32; 3] {
        [self.0.red, self.0.green, self.0.blue]
    }
}

const LINEAR: bindings::drm_colorop_lut1d_interpolation_type =
    bindings::drm_colorop_lut1d_interpolation_type_DRM_COLOROP_LUT1D_INTERPOLATION_LINEAR;
const TETRAHEDRAL: bindings::drm_colorop_lut3d_interpolation_type =
    bindings::drm_colorop_lut3d_interpolation_type_DRM_COLOROP_LUT3D_INTERPOLATION_TETRAHEDRAL;

const FUNCS: bindings::drm_colorop_funcs = bindings::drm_colorop_funcs {
    destroy: Some(bindings::drm_colorop_destroy),
};

/// # Safety
///
/// `drm` must be a device that is being freed.
unsafe extern "C" fn destroy_all(drm: *mut bindings::drm_device, _data: *mut c_void) {
    // SAFETY: All operations were allocated by `create()`, and nobody uses them any more.
    unsafe { bindings::drm_colorop_pipeline_destroy(drm) };
}

/// Checks what the core does not.
fn check(kind: ColorOpKind<'_>) -> Result {
    let is_valid = match kind {
        ColorOpKind::Curve1d(curves) => !curves.is_empty(),
        ColorOpKind::Lut1d(size) => (2..=MAX_LUT_SIZE).contains(&size),
        ColorOpKind::Lut3d(size) => (2..=MAX_LUT_3D_SIZE).contains(&size),
        ColorOpKind::Ctm3x4 | ColorOpKind::Multiplier => true,
    };

    if is_valid {
        Ok(())
    } else {
        Err(EINVAL)
    }
}

/// Creates an operation of `plane`.
///
/// After an error the device must not be registered: the operation may be known to the core without
/// being complete.
///
/// # Safety
///
/// `plane` must be a plane of `drm`, which is not registered yet, and which runs [`destroy_all`]
/// when it is freed.
unsafe fn create(
    drm: *mut bindings::drm_device,
    plane: *mut bindings::drm_plane,
    kind: ColorOpKind<'_>,
) -> Result<*mut bindings::drm_colorop> {
    let op = KBox::into_raw(KBox::new(bindings::drm_colorop::default(), GFP_KERNEL)?);
    let flags = bindings::DRM_COLOROP_FLAG_ALLOW_BYPASS;
    let funcs = const { &FUNCS };

    // SAFETY: `op` is zeroed memory that does not move, and by the safety requirements.
    let ret = to_result(unsafe {
        match kind {
            ColorOpKind::Curve1d(curves) => {
                let curves = curves
                    .iter()
                    .fold(0, |curves, curve| curves | 1 << curve.as_raw());

                bindings::drm_plane_colorop_curve_1d_init(drm, op, plane, funcs, curves, flags)
            }
            ColorOpKind::Lut1d(size) => bindings::drm_plane_colorop_curve_1d_lut_init(
                drm, op, plane, funcs, size, LINEAR, flags,
            ),
            ColorOpKind::Ctm3x4 => {
                bindings::drm_plane_colorop_ctm_3x4_init(drm, op, plane, funcs, flags)
            }
            ColorOpKind::Multiplier => {
                bindings::drm_plane_colorop_mult_init(drm, op, plane, funcs, flags)
            }
            ColorOpKind::Lut3d(size) => bindings::drm_plane_colorop_3dlut_init(
                drm,
                op,
                plane,
                funcs,
                size,
                TETRAHEDRAL,
                flags,
            ),
        }
    });

    // SAFETY: The core knows the operation as soon as it is on the list of the device, which sets
    // the list head, and from then on `destroy_all()` frees it. Before that nobody else knows the
    // memory that was allocated above.
    unsafe {
        if (*op).head.next.is_null() {
            drop(KBox::from_raw(op));
            return Err(ret.err().unwrap_or(EINVAL));
        }
    }
    ret?;

    // SAFETY: The operation was initialized above. The core does not tell that it had no memory for
    // the state, but relies on it.
    if unsafe { (*op).state.is_null() } {
        return Err(ENOMEM);
    }

    Ok(op)
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` colour pipelines, one for each element of `pipelines`, which is the kinds of
    /// its operations, the first one first.
    ///
    /// User space can bypass each operation, and pipelines as a whole.
    ///
    /// Fails with `EINVAL` if there is no pipeline or one without operations, if an operation
    /// offers no curve, or if the size of a table is not within its limits; with `EEXIST` if the
    /// plane has pipelines already; with `ENOSPC` if there are more than [`MAX_OPS`] operations.
    /// After any other error the device cannot be registered. May sleep.
    ///
    /// C: `drm_plane_create_color_pipeline_property()`.
    pub fn create_color_pipelines(
        &self,
        plane: &OpaquePlane<D>,
        pipelines: &[&[ColorOpKind<'_>]],
    ) -> Result {
        self.check_own(plane.drm_dev())?;

        // SAFETY: The plane is valid, and only this thread changes it before it is registered.
        if unsafe { !(*plane.as_raw()).color_pipeline_property.is_null() } {
            return Err(EEXIST);
        }
        if pipelines.is_empty() || pipelines.iter().any(|kinds| kinds.is_empty()) {
            return Err(EINVAL);
        }

        let kinds = || pipelines.iter().flat_map(|kinds| kinds.iter());

        if kinds().take(MAX_OPS + 1).count() > MAX_OPS {
            return Err(ENOSPC);
        }
        for kind in kinds() {
            check(*kind)?;
        }

        self.create_checked(plane, pipelines)
            .inspect_err(|err| self.failed.set(Some(*err)))
    }

    fn create_checked(&self, plane: &OpaquePlane<D>, pipelines: &[&[ColorOpKind<'_>]]) -> Result {
        // Operations are freed before the planes. The action does nothing if there are none.
        //
        // SAFETY: The device is valid, and the action can be run more than once.
        to_result(unsafe {
            bindings::__drmm_add_action(
                self.as_raw(),
                Some(destroy_all),
                ptr::null_mut(),
                c"destroy color operations".as_char_ptr(),
            )
        })?;

        let mut names = KVec::with_capacity(pipelines.len(), GFP_KERNEL)?;
        let mut list = KVec::with_capacity(pipelines.len(), GFP_KERNEL)?;

        for kinds in pipelines {
            let first = self.create_pipeline(plane, kinds)?;
            let name = CString::try_from_fmt(fmt!("Color Pipeline {first}"))?;

            list.push(
                bindings::drm_prop_enum_list {
                    type_: first.try_into()?,
                    name: name.as_char_ptr(),
                },
                GFP_KERNEL,
            )?;
            // The string is on the heap and stays where it is.
            names.push(name, GFP_KERNEL)?;
        }

        // SAFETY: The plane is of the device, which is not registered yet, and the core copies the
        // list and the names.
        to_result(unsafe {
            bindings::drm_plane_create_color_pipeline_property(
                plane.as_raw(),
                list.as_ptr(),
                list.len().try_into()?,
            )
        })
    }

    /// Creates the operations of a pipeline and returns the identifier of the first one.
    fn create_pipeline(&self, plane: &OpaquePlane<D>, kinds: &[ColorOpKind<'_>]) -> Result<u32> {
        let mut first = 0;
        let mut last: Option<*mut bindings::drm_colorop> = None;

        for kind in kinds {
            // SAFETY: The plane is of the device, which is not registered yet, and the caller has
            // added the action.
            let op = unsafe { create(self.as_raw(), plane.as_raw(), *kind) }?;

            match last {
                // SAFETY: Both operations were created above.
                Some(last) => unsafe { bindings::drm_colorop_set_next_property(last, op) },
                // SAFETY: The operation was created above.
                None => first = unsafe { (*op).base.id },
            }
            last = Some(op);
        }

        Ok(first)
    }
}

impl<D: KmsDriver> OpaquePlaneState<D> {
    /// Whether the update changes the colour pipeline, or one of its operations.
    pub fn color_mgmt_changed(&self) -> bool {
        // SAFETY: The state does not change by the type invariants.
        unsafe { (*self.as_raw()).color_mgmt_changed() }
    }
}

impl<D: KmsDriver> AtomicCheck<'_, D> {
    /// Calls `f` for each operation of the colour pipeline that `plane` uses after the update, but
    /// for those that are bypassed or lack their matrix or table, which do nothing.
    ///
    /// Does nothing if the plane is not part of the update. Fails with what `f` fails with, with
    /// `EINVAL` if a table has the wrong size, and with `ENOMEM` or `EDEADLK` if the state of an
    /// operation cannot be added.
    pub fn for_each_color_op(
        &self,
        plane: &OpaquePlane<D>,
        mut f: impl FnMut(ColorOp<'_>) -> Result,
    ) -> Result {
        let Some(state) = self.raw_new_plane_state(plane) else {
            return Ok(());
        };

        // SAFETY: `state` is a new state in this commit.
        let mut op = unsafe { (*state).color_pipeline };

        while !op.is_null() {
            let state = self.add(|commit| {
                // SAFETY: The operation is one of a plane that is part of the commit, which is in
                // its check phase.
                from_err_ptr(unsafe { bindings::drm_atomic_get_colorop_state(commit, op) })
            })?;

            // SAFETY: `state` is the new state of `op` in this commit, owned by this thread.
            unsafe {
                if !(*state).bypass {
                    if let Some(op) = parse(op, state)? {
                        f(op)?;
                    }
                }
                op = (*op).next;
            }
        }

        Ok(())
    }
}

/// Returns what the operation `op` does, or `None` if it lacks its data.
///
/// # Safety
///
/// `state` must be a state of `op`, and both be valid for `'a` without being changed.
unsafe fn parse<'a>(
    op: *const bindings::drm_colorop,
    state: *const bindings::drm_colorop_state,
) -> Result<Option<ColorOp<'a>>> {
    // SAFETY: Both are valid by the safety requirements.
    let (op, state) = unsafe { (&*op, &*state) };

    Ok(match op.type_ {
        bindings::drm_colorop_type_DRM_COLOROP_1D_CURVE => {
            let curve = Curve1d::ALL
                .into_iter()
                .find(|curve| curve.as_raw() == state.curve_1d_type)
                .ok_or(EINVAL)?;

            Some(ColorOp::Curve1d(curve))
        }
        bindings::drm_colorop_type_DRM_COLOROP_1D_LUT => {
            // SAFETY: The state is valid for `'a` without being changed, any bytes are a valid
            // value of an entry, and `create()` limits the size.
            let entries = unsafe { data(state, op.size as usize) }?;

            entries.map(ColorOp::Lut1d)
        }
        bindings::drm_colorop_type_DRM_COLOROP_CTM_3X4 => {
            // SAFETY: The state is valid for `'a` without being changed, and any bytes are a valid
            // number.
            let numbers: Option<&[u64]> = unsafe { data(state, 12) }?;
            let matrix = numbers.map(<&[u64; 12]>::try_from).transpose();

            matrix.map_err(|_| EINVAL)?.map(ColorOp::Ctm3x4)
        }
        bindings::drm_colorop_type_DRM_COLOROP_MULTIPLIER => {
            Some(ColorOp::Multiplier(state.multiplier))
        }
        bindings::drm_colorop_type_DRM_COLOROP_3D_LUT => {
            let size = op.size as usize;
            let count = size.checked_pow(3).ok_or(EINVAL)?;

            // SAFETY: As for the other table.
            let entries = unsafe { data(state, count) }?;

            entries.map(|entries| ColorOp::Lut3d {
                size: op.size,
                entries,
            })
        }
        _ => return Err(EINVAL),
    })
}

/// Returns the `count` elements of the blob of `state` if there is one, or `EINVAL` if it has
/// another size.
///
/// # Safety
///
/// `state` must be valid for `'a` without being changed, any bytes must be a valid `T`, and `T`
/// must not need a larger alignment than `u64`.
unsafe fn data<'a, T>(
    state: &bindings::drm_colorop_state,
    count: usize,
) -> Result<Option<&'a [T]>> {
    // SAFETY: The state holds a reference to the blob, if there is one, and the blob is never
    // changed.
    let Some(blob) = (unsafe { state.data.as_ref() }) else {
        return Ok(None);
    };

    if count.checked_mul(size_of::<T>()) != Some(blob.length) {
        return Err(EINVAL);
    }

    // SAFETY: The blob has the length, which was checked, its data is aligned for `u64` and never
    // changed, and the state holds a reference to it for `'a` by the safety requirements.
    Ok(Some(unsafe {
        slice::from_raw_parts(blob.data.cast(), count)
    }))
}
