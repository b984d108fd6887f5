// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Colour pipelines of planes.
//!
//! A plane can have a pipeline of colour operations, which user space configures one by one and
//! selects with the property "COLOR_PIPELINE".
//!
//! C header: [`include/drm/drm_colorop.h`](srctree/include/drm/drm_colorop.h)

use super::{
    atomic::AtomicCheck,
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
    prelude::*, //
};
use core::{
    mem::size_of,
    ptr, //
};

/// The kind of a colour operation that a plane offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorOpKind {
    /// One of the curves of [`Curve1d`].
    Curve1d,
    /// A matrix of 3 rows and 4 columns.
    Ctm3x4,
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
}

/// A colour operation, as user space has configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorOp<'a> {
    /// A curve, which is applied to each channel.
    Curve1d(Curve1d),
    /// A matrix, row by row, in sign and magnitude: the highest bit is the sign, and the others are
    /// the magnitude in 1/2^32. The last column is added.
    Ctm3x4(&'a [u64; 12]),
}

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

/// Creates an operation of `plane`.
///
/// # Safety
///
/// `plane` must be a plane of `drm`, which is not registered yet.
unsafe fn create(
    drm: *mut bindings::drm_device,
    plane: *mut bindings::drm_plane,
    kind: ColorOpKind,
) -> Result<*mut bindings::drm_colorop> {
    let op = KBox::into_raw(KBox::new(bindings::drm_colorop::default(), GFP_KERNEL)?);
    let flags = bindings::DRM_COLOROP_FLAG_ALLOW_BYPASS;
    let curves = (1 << bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_EOTF)
        | (1 << bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_INV_EOTF);

    // SAFETY: `op` is zeroed memory that does not move, and by the safety requirements.
    let ret = to_result(unsafe {
        match kind {
            ColorOpKind::Curve1d => bindings::drm_plane_colorop_curve_1d_init(
                drm,
                op,
                plane,
                const { &FUNCS },
                curves,
                flags,
            ),
            ColorOpKind::Ctm3x4 => {
                bindings::drm_plane_colorop_ctm_3x4_init(drm, op, plane, const { &FUNCS }, flags)
            }
        }
    });

    if let Err(err) = ret {
        // The list head is set as soon as the operation is on the list of the device.
        //
        // SAFETY: The memory was allocated above, and the operation is taken off the list, from
        // where it would be freed otherwise.
        unsafe {
            if !(*op).head.next.is_null() {
                bindings::drm_colorop_cleanup(op);
            }
            drop(KBox::from_raw(op));
        }
        return Err(err);
    }

    Ok(op)
}

impl<D: KmsDriver> KmsSetup<'_, D> {
    /// Gives `plane` a colour pipeline of operations of the given `kinds`, the first one first.
    ///
    /// User space can bypass each of them, and the pipeline as a whole. Fails with `EINVAL` if
    /// there is no operation, and with `ENOSPC` if the device would have more than
    /// [`super::MAX_OBJECTS`] operations for each plane that it can have. May sleep.
    ///
    /// C: `drm_plane_create_color_pipeline_property()`.
    pub fn create_color_pipeline(&self, plane: &OpaquePlane<D>, kinds: &[ColorOpKind]) -> Result {
        self.check_own(plane.drm_dev())?;
        if kinds.is_empty() {
            return Err(EINVAL);
        }
        if kinds.len() > super::MAX_OBJECTS as usize {
            return Err(ENOSPC);
        }

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

        let mut first = 0;
        let mut last: Option<*mut bindings::drm_colorop> = None;

        for kind in kinds {
            // SAFETY: The plane is of the device, which is not registered yet.
            let op = unsafe { create(self.as_raw(), plane.as_raw(), *kind) }?;

            match last {
                // SAFETY: Both operations were created above.
                Some(last) => unsafe { bindings::drm_colorop_set_next_property(last, op) },
                // SAFETY: The operation was created above.
                None => first = unsafe { (*op).base.id },
            }
            last = Some(op);
        }

        let pipeline = bindings::drm_prop_enum_list {
            type_: first.try_into()?,
            name: c"Color Pipeline".as_char_ptr(),
        };

        // SAFETY: The plane is of the device, which is not registered yet, and the core copies the
        // list and the name.
        to_result(unsafe {
            bindings::drm_plane_create_color_pipeline_property(plane.as_raw(), &pipeline, 1)
        })
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
    /// for those that are bypassed.
    ///
    /// Does nothing if the plane is not part of the update. Fails with what `f` fails with, with
    /// `EINVAL` if an operation lacks its data, and with `ENOMEM` or `EDEADLK` if the state of an
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
                    f(parse(op, state)?)?;
                }
                op = (*op).next;
            }
        }

        Ok(())
    }
}

/// # Safety
///
/// `state` must be a state of `op`, and both be valid for `'a` without being changed.
unsafe fn parse<'a>(
    op: *const bindings::drm_colorop,
    state: *const bindings::drm_colorop_state,
) -> Result<ColorOp<'a>> {
    // SAFETY: Both are valid by the safety requirements.
    let (kind, curve, data) = unsafe { ((*op).type_, (*state).curve_1d_type, (*state).data) };

    match kind {
        bindings::drm_colorop_type_DRM_COLOROP_1D_CURVE => match curve {
            bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_EOTF => {
                Ok(ColorOp::Curve1d(Curve1d::SrgbEotf))
            }
            bindings::drm_colorop_curve_1d_type_DRM_COLOROP_1D_CURVE_SRGB_INV_EOTF => {
                Ok(ColorOp::Curve1d(Curve1d::SrgbInvEotf))
            }
            _ => Err(EINVAL),
        },
        bindings::drm_colorop_type_DRM_COLOROP_CTM_3X4 => {
            // SAFETY: The state holds a reference to the blob, if there is one.
            if data.is_null() || unsafe { (*data).length } < size_of::<[u64; 12]>() {
                return Err(EINVAL);
            }

            // SAFETY: The blob is long enough, its data is aligned for any type and never changed,
            // and the state holds a reference for `'a`.
            Ok(ColorOp::Ctm3x4(unsafe { &*(*data).data.cast() }))
        }
        _ => Err(EINVAL),
    }
}
