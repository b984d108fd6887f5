// SPDX-License-Identifier: GPL-2.0

//! Unit tests of colour pipelines.

use super::*;

#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_pipeline))]
mod cases {
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
    fn quantization_and_back_changes_little() -> Result {
        let pq = Arc::new(Transfer::pq()?, GFP_KERNEL)?;
        let pipeline = pipeline(|operations| {
            operations.push(Operation::Light(pq.clone()), GFP_KERNEL)?;
            operations.push(scaled_by(ONE / 8)?, GFP_KERNEL)?;
            operations.push(scaled_by(8 * ONE)?, GFP_KERNEL)?;
            operations.push(Operation::Signal(pq.clone()), GFP_KERNEL)?;
            Ok(())
        })?;

        for bytes in [false, true] {
            for byte in 0..=255u16 {
                let mut row = [pixel::opaque(byte * 257, 0, 65535)];

                pipeline.apply(bytes, &mut row);

                let [r, g, b] = pixel::colors(row[0]);

                // A quarter of a step of 8 bits, half of one in the darkest.
                assert!(r.abs_diff(byte * 257) < if byte < 3 { 128 } else { 64 });
                assert!(g < 64 && b > 65530);
            }
        }
        Ok(())
    }

    /// Has pixels go through a pipeline of one of 12 kinds, with vector registers and without.
    fn compare_vectors(mix: &Arc<Matrix>, kind: u64) -> Result {
        let mut pipeline = pipeline(|operations| {
            if kind % 2 != 0 {
                operations.push(inverted()?, GFP_KERNEL)?;
            }
            for _ in 0..=kind / 4 {
                operations.push(Operation::Matrix(mix.clone()), GFP_KERNEL)?;
            }
            if kind / 2 % 2 != 0 {
                operations.push(inverted()?, GFP_KERNEL)?;
                operations.push(Operation::Matrix(mix.clone()), GFP_KERNEL)?;
            }
            Ok(())
        })?;
        let mut random = kind + 1;

        for round in 0..500 {
            let mut row = [0; 19];

            for pixel in &mut row {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                // Values of all lengths.
                *pixel = match round % 2 {
                    0 => pixel::widen((random >> 32) as u32),
                    _ => (random ^ random >> 32) >> (random >> 40) % 16,
                };
            }

            let mut expected = row;
            let mixing = pipeline.mixing.take();

            pipeline.apply(round % 2 == 0, &mut expected);
            pipeline.mixing = mixing;
            pipeline.apply(round % 2 == 0, &mut row);
            assert_eq!(row, expected);
        }
        Ok(())
    }

    #[test]
    fn vectors_change_nothing() -> Result {
        const NEGATIVE: u64 = 1 << 63;
        let (a, b, c) = (0x6037_1e5b, 0x7a5b_93c1, 0x1234_5678);
        let mix = [
            a,
            b,
            NEGATIVE | c,
            0,
            c,
            a,
            b,
            ONE / 16,
            NEGATIVE | b,
            c,
            ONE,
            0,
        ];

        // With this one, no value is ever below 0 or above full intensity.
        let inside = [a, c, ONE / 3, 0, c, a, b, 0, ONE / 5, c, ONE / 2, 0];

        for mix in [
            Matrix::new(&mix)?,
            Matrix::exact(&mix)?,
            Matrix::new(&inside)?,
        ] {
            let mix = Arc::new(mix, GFP_KERNEL)?;

            for kind in 0..12 {
                compare_vectors(&mix, kind)?;
            }
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
