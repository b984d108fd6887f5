// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Colour management of CRTCs, and colour pipelines of planes.

use super::{
    super::{
        color::{
            ColorEncoding,
            ColorRange,
            MAX_LUT_SIZE, //
        },
        colorop::{
            ColorOp,
            ColorOpKind,
            Curve1d,
            MAX_LUT_3D_SIZE,
            MAX_OPS, //
        },
    },
    *, //
};
use crate::error::from_err_ptr;
use core::{
    mem::offset_of,
    ptr, //
};

#[kunit_tests(rust_drm_kms_color)]
mod tests {
    use super::*;

    const PIPELINE: [ColorOpKind<'_>; 5] = [
        ColorOpKind::Curve1d(&Curve1d::ALL),
        ColorOpKind::Lut1d(2),
        ColorOpKind::Ctm3x4,
        ColorOpKind::Multiplier,
        ColorOpKind::Lut3d(2),
    ];

    fn num_ops(setup: &KmsSetup<'_, TestDriver>) -> u32 {
        // SAFETY: The mode configuration is initialized, and only this thread changes it.
        unsafe { (*setup.as_raw()).mode_config.num_colorop as u32 }
    }

    #[test]
    fn properties_are_created_once() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let plane = new_plane(setup, PlaneType::Primary, 0)?;
            let crtc = new_crtc(setup, plane, None)?;
            let (encoding, range) = (ColorEncoding::Bt709, ColorRange::Full);
            let on_plane = |encodings, ranges| {
                setup.create_color_properties(plane, encodings, ranges, encoding, range)
            };

            for encodings in [
                0,
                8 | encoding.mask(),
                ColorEncoding::Bt601.mask(),
                u32::MAX,
            ] {
                ensure(on_plane(encodings, range.mask()) == Err(EINVAL))?;
            }
            for ranges in [0, 4 | range.mask(), ColorRange::Limited.mask(), u32::MAX] {
                ensure(on_plane(encoding.mask(), ranges) == Err(EINVAL))?;
            }
            ensure(on_plane(encoding.mask(), range.mask()) == Ok(()))?;
            ensure(on_plane(encoding.mask(), range.mask()) == Err(EEXIST))?;
            ensure(setup.attach_background_color_property(crtc) == Ok(()))?;
            ensure(setup.attach_background_color_property(crtc) == Err(EEXIST))?;
            ensure(setup.enable_color_mgmt(crtc, 0, true, MAX_LUT_SIZE) == Ok(()))?;
            ensure(setup.enable_color_mgmt(crtc, 0, true, 0) == Err(EEXIST))?;
            ensure(setup.enable_color_mgmt(crtc, 256, false, 256) == Err(EEXIST))?;
            ensure(setup.set_gamma_size(crtc, 256) == Ok(()))?;
            ensure(setup.set_gamma_size(crtc, 256) == Err(EEXIST))?;

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));

        Ok(())
    }

    #[test]
    fn sizes_of_tables_are_limited() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let plane = new_plane(setup, PlaneType::Primary, 0)?;
            let crtc = new_crtc(setup, plane, None)?;

            for size in [MAX_LUT_SIZE + 1, i32::MAX as u32, u32::MAX] {
                ensure(setup.enable_color_mgmt(crtc, 0, false, size) == Err(EINVAL))?;
                ensure(setup.enable_color_mgmt(crtc, size, false, 0) == Err(EINVAL))?;
                ensure(setup.set_gamma_size(crtc, size) == Err(EINVAL))?;
            }
            ensure(setup.set_gamma_size(crtc, 0) == Err(EINVAL))?;
            ensure(setup.set_gamma_size(crtc, MAX_LUT_SIZE) == Ok(()))?;
            ensure(setup.enable_color_mgmt(crtc, MAX_LUT_SIZE, true, 1) == Ok(()))?;

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));

        Ok(())
    }

    #[test]
    fn unusable_pipelines_are_refused() -> Result {
        let tally = Tally::new()?;
        let error = setup_error(&tally, |setup| {
            let plane = new_plane(setup, PlaneType::Overlay, 0)?;
            let create =
                |pipelines: &[&[ColorOpKind<'_>]]| setup.create_color_pipelines(plane, pipelines);
            let matrix = ColorOpKind::Ctm3x4;

            ensure(create(&[]) == Err(EINVAL))?;
            ensure(create(&[&[]]) == Err(EINVAL))?;
            ensure(create(&[&[matrix], &[]]) == Err(EINVAL))?;
            for wrong in [
                ColorOpKind::Curve1d(&[]),
                ColorOpKind::Lut1d(0),
                ColorOpKind::Lut1d(1),
                ColorOpKind::Lut1d(MAX_LUT_SIZE + 1),
                ColorOpKind::Lut3d(1),
                ColorOpKind::Lut3d(MAX_LUT_3D_SIZE + 1),
                // The number of entries overflows.
                ColorOpKind::Lut3d(1 << 11),
                ColorOpKind::Lut3d(u32::MAX),
            ] {
                ensure(create(&[&[matrix, wrong]]) == Err(EINVAL))?;
            }
            ensure(create(&[&[matrix; MAX_OPS + 1]]) == Err(ENOSPC))?;
            ensure(create(&[&[matrix; MAX_OPS], &[matrix]]) == Err(ENOSPC))?;
            ensure(num_ops(setup) == 0)?;

            ensure(create(&[&[matrix; MAX_OPS]]) == Ok(()))?;
            ensure(create(&[&[matrix]]) == Err(EEXIST))?;
            ensure(num_ops(setup) == MAX_OPS as u32)?;

            Err(ECANCELED)
        });

        assert_eq!(error, Some(ECANCELED));
        assert!(tally.all_freed());

        Ok(())
    }

    #[test]
    fn objects_of_another_device_are_refused() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let foreign = setup.drm_dev().foreign.as_ref().ok_or(ENODATA)?;
            let (plane, crtc) = (&foreign.primary, &foreign.crtc);
            let (encoding, range) = (ColorEncoding::Bt601, ColorRange::Full);

            ensure(setup.create_color_pipelines(plane, &[&PIPELINE]) == Err(EINVAL))?;
            ensure(setup.create_color_properties(plane, 7, 3, encoding, range) == Err(EINVAL))?;
            ensure(setup.enable_color_mgmt(crtc, 256, true, 256) == Err(EINVAL))?;
            ensure(setup.set_gamma_size(crtc, 256) == Err(EINVAL))?;
            ensure(setup.attach_background_color_property(crtc) == Err(EINVAL))?;
            ensure(num_ops(setup) == 0)?;

            Err(ECANCELED)
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_kept, None)?;
        let foreign = tally.kept.lock().take();
        let other_tally = Tally::new()?;
        let error = TestDevice::register(&other_tally, create, foreign).err();

        assert_eq!(error, Some(ECANCELED));
        drop(device);
        assert!(tally.all_freed());

        Ok(())
    }

    /// The first operation that was created.
    fn first_op(drm: &drm::Device<TestDriver>) -> *mut bindings::drm_colorop {
        // SAFETY: The device has operations, and the list of them does not change any more.
        let head = unsafe { (*drm.as_raw()).mode_config.colorop_list.next };

        head.wrapping_byte_sub(offset_of!(bindings::drm_colorop, head))
            .cast()
    }

    /// Counts the operations that are used, or returns the error of looking at them.
    fn used(check: &AtomicCheck<'_, TestDriver>, kept: &Kept) -> Result<usize> {
        let mut count = 0;

        check.for_each_color_op(&kept.primary, |op| {
            count += 1;
            match op {
                ColorOp::Curve1d(curve) => ensure(curve == Curve1d::Gamma22),
                ColorOp::Lut1d(entries) => ensure(entries.len() == 2),
                ColorOp::Ctm3x4(matrix) => ensure(matrix[11] == 0x0101_0101_0101_0101),
                ColorOp::Multiplier(factor) => ensure(factor == 3),
                ColorOp::Lut3d { size, entries } => {
                    ensure(size == 2 && entries.len() == 8 && entries[7].rgb() == [0x0101_0101; 3])
                }
            }
        })?;

        Ok(count)
    }

    #[test]
    fn operations_do_nothing_without_their_data() -> Result {
        fn create(setup: &KmsSetup<'_, TestDriver>) -> Result {
            let kept = create_all(setup)?;

            setup.create_color_pipelines(&kept.primary, &[&PIPELINE, &[ColorOpKind::Ctm3x4]])?;
            *setup.drm_dev().tally.kept.lock() = Some(kept);

            Ok(())
        }

        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create, None)?;
        let kept = tally.kept.lock().take().ok_or(ENODATA)?;

        with_check(&device.drm, |check| {
            ensure(used(check, &kept) == Ok(0))?;
            check.get_plane_state(&kept.primary)?;
            ensure(used(check, &kept) == Ok(0))?;

            let state = check.raw_new_plane_state(&kept.primary).ok_or(EPROTO)?;
            let mut op = first_op(&device.drm);

            // SAFETY: The state is one of this commit, and the operation one of the plane.
            unsafe { (*state).color_pipeline = op };
            ensure(used(check, &kept) == Ok(0))?;

            let bytes = [1u8; 8 * 16 + 1];
            let mut count = 0;

            // How long the data of each operation is.
            for len in [0, 2 * 16, 12 * 8, 0, 8 * 16] {
                // SAFETY: The operation is one of the plane, and the state belongs to this thread.
                let state = check.add(|commit| unsafe {
                    from_err_ptr(bindings::drm_atomic_get_colorop_state(commit, op))
                })?;

                // SAFETY: As above. The state takes over the reference to the blob.
                unsafe {
                    (*state).bypass = false;
                    (*state).curve_1d_type = Curve1d::Gamma22 as u32;
                    (*state).multiplier = 3;
                    if len != 0 {
                        ensure(used(check, &kept) == Ok(count))?;
                        for wrong in [1, len - 1, len + 1, len] {
                            ensure(wrong <= bytes.len())?;
                            bindings::drm_property_blob_put((*state).data);
                            (*state).data = ptr::null_mut();
                            (*state).data = from_err_ptr(bindings::drm_property_create_blob(
                                device.drm.as_raw(),
                                wrong,
                                bytes.as_ptr().cast(),
                            ))?;
                            ensure(used(check, &kept).is_err() == (wrong != len))?;
                        }
                    }
                }
                count += 1;
                ensure(used(check, &kept) == Ok(count))?;
                // SAFETY: The operation is valid.
                op = unsafe { (*op).next };
            }

            ensure(op.is_null())
        })?
    }
}
