// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of views of I/O memory, which is ordinary memory here.

use super::{
    fake::FakeRegion,
    Io, //
};
use crate::prelude::*;

const LEN: usize = 16;

/// Returns a region of [`LEN`] bytes that count up from 0.
fn region() -> Result<FakeRegion<LEN>> {
    let region = FakeRegion::new(0)?;

    for byte in 0..LEN as u8 {
        (&region).try_write8(byte, byte.into())?;
    }

    Ok(region)
}

#[macros::kunit_tests(rust_io)]
mod cases {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_region() -> Result {
        let region = &region()?;
        let mut read = [0; 3];

        region.try_bytes(5, 3)?.copy_to_slice(&mut read);
        assert_eq!(read, [5, 6, 7]);

        region.try_bytes(5, 3)?.copy_from_slice(&[50, 60, 70]);
        assert_eq!(region.try_read8(4), Ok(4));
        assert_eq!(region.try_read8(5), Ok(50));
        assert_eq!(region.try_read8(7), Ok(70));
        assert_eq!(region.try_read8(8), Ok(8));

        Ok(())
    }

    #[test]
    fn bytes_end_where_the_region_does() -> Result {
        let region = &region()?;

        assert_eq!(region.try_bytes(0, LEN)?.len(), LEN);
        assert_eq!(region.try_bytes(LEN, 0)?.len(), 0);
        assert_eq!(region.try_bytes(LEN - 1, 2).err(), Some(EINVAL));
        assert_eq!(region.try_bytes(LEN + 1, 0).err(), Some(EINVAL));
        assert_eq!(region.try_bytes(0, LEN + 1).err(), Some(EINVAL));
        assert_eq!(region.try_bytes(4, usize::MAX).err(), Some(EINVAL));
        assert_eq!(region.try_bytes(usize::MAX, 2).err(), Some(EINVAL));

        Ok(())
    }

    #[test]
    fn bytes_of_bytes_are_inside_of_them() -> Result {
        let region = &region()?;
        let bytes = region.try_bytes(4, 8)?;
        let mut read = [0; 2];

        bytes.try_bytes(6, 2)?.copy_to_slice(&mut read);
        assert_eq!(read, [10, 11]);
        assert_eq!(bytes.try_bytes(6, 3).err(), Some(EINVAL));

        Ok(())
    }

    #[test]
    fn filling_keeps_what_is_around() -> Result {
        let region = &region()?;
        let mut read = [0; LEN];

        region.try_bytes(3, 5)?.fill(0xaa);
        region.try_bytes(0, LEN)?.copy_to_slice(&mut read);
        assert_eq!(read[..4], [0, 1, 2, 0xaa]);
        assert_eq!(read[7..9], [0xaa, 8]);

        Ok(())
    }
}
