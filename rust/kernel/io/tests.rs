// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of views of I/O memory, which is ordinary memory here.

use super::{
    Io,
    Region,
    SysMem, //
};
use crate::prelude::*;

const LEN: usize = 16;

/// Calls `test` with a view of [`LEN`] bytes that count up from 0.
fn with_region(test: impl FnOnce(SysMem<'_, Region>)) {
    #[repr(align(4))]
    struct Memory([u8; LEN]);

    let mut memory = Memory([0; LEN]);
    for (byte, value) in memory.0.iter_mut().zip(0..) {
        *byte = value;
    }

    let region = Region::ptr_from_raw_parts_mut(memory.0.as_mut_ptr(), LEN);

    // SAFETY: The memory is aligned, and not used otherwise while the view exists.
    test(unsafe { SysMem::new(region) });
}

#[macros::kunit_tests(rust_io)]
mod cases {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_region() {
        with_region(|region| {
            let mut read = [0; 3];

            region.try_bytes(5, 3).unwrap().copy_to_slice(&mut read);
            assert_eq!(read, [5, 6, 7]);

            region
                .try_bytes(5, 3)
                .unwrap()
                .copy_from_slice(&[50, 60, 70]);
            assert_eq!(region.try_read8(4), Ok(4));
            assert_eq!(region.try_read8(5), Ok(50));
            assert_eq!(region.try_read8(7), Ok(70));
            assert_eq!(region.try_read8(8), Ok(8));
        });
    }

    #[test]
    fn bytes_end_where_the_region_does() {
        with_region(|region| {
            assert_eq!(region.try_bytes(0, LEN).unwrap().len(), LEN);
            assert_eq!(region.try_bytes(LEN, 0).unwrap().len(), 0);
            assert_eq!(region.try_bytes(LEN - 1, 2).err(), Some(EINVAL));
            assert_eq!(region.try_bytes(LEN + 1, 0).err(), Some(EINVAL));
            assert_eq!(region.try_bytes(0, LEN + 1).err(), Some(EINVAL));
            assert_eq!(region.try_bytes(4, usize::MAX).err(), Some(EINVAL));
            assert_eq!(region.try_bytes(usize::MAX, 2).err(), Some(EINVAL));
        });
    }

    #[test]
    fn bytes_of_bytes_are_inside_of_them() {
        with_region(|region| {
            let bytes = region.try_bytes(4, 8).unwrap();
            let mut read = [0; 2];

            bytes.try_bytes(6, 2).unwrap().copy_to_slice(&mut read);
            assert_eq!(read, [10, 11]);
            assert_eq!(bytes.try_bytes(6, 3).err(), Some(EINVAL));
        });
    }

    #[test]
    fn filling_keeps_what_is_around() {
        with_region(|region| {
            let mut read = [0; LEN];

            region.try_bytes(3, 5).unwrap().fill(0xaa);
            region.try_bytes(0, LEN).unwrap().copy_to_slice(&mut read);
            assert_eq!(read[..4], [0, 1, 2, 0xaa]);
            assert_eq!(read[7..9], [0xaa, 8]);
        });
    }
}
