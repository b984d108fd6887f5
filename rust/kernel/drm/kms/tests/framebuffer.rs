// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Mapping framebuffers.

use super::{
    super::framebuffer::{
        Framebuffer,
        PlaneMap, //
    },
    *, //
};
use crate::{
    alloc::flags::__GFP_ZERO,
    drm::gem::IntoGEMObject,
    page::PAGE_SIZE, //
};
use core::ptr;

/// The number of bytes in a line of the framebuffers.
const LINE_LEN: usize = 64;

/// Maps an XRGB8888 framebuffer of one line, `offset` bytes into an object.
fn map(
    drm: &drm::Device<TestDriver>,
    object: &gem::shmem::Object<TestObject>,
    offset: usize,
) -> Result<PlaneMap<TestDriver>> {
    map_line(
        drm,
        object,
        offset,
        (fourcc::XRGB8888, LINE_LEN / 4),
        LINE_LEN,
    )
}

/// Maps a framebuffer of one line of so many pixels, which is `pitch` bytes long.
fn map_line(
    drm: &drm::Device<TestDriver>,
    object: &gem::shmem::Object<TestObject>,
    offset: usize,
    (format, width): (u32, usize),
    pitch: usize,
) -> Result<PlaneMap<TestDriver>> {
    let mut fb = KBox::<Framebuffer<TestDriver>>::new_uninit(GFP_KERNEL | __GFP_ZERO)?;
    let raw = fb.as_mut_ptr().cast::<bindings::drm_framebuffer>();

    // SAFETY: `raw` is zeroed memory of a framebuffer, of which all is set that is looked at when
    // it is mapped.
    let fb = unsafe {
        (*raw).dev = drm.as_raw();
        (*raw).format = bindings::drm_format_info(format);
        (*raw).width = width.try_into()?;
        (*raw).height = 1;
        (*raw).pitches[0] = pitch.try_into()?;
        (*raw).offsets[0] = offset.try_into()?;
        (*raw).obj[0] = object.as_raw();

        Framebuffer::<TestDriver>::from_raw(raw)
    };

    fb.map_plane(0)
}

#[kunit_tests(rust_drm_kms_framebuffer)]
mod tests {
    use super::*;

    #[test]
    fn planes_lie_inside_of_what_is_mapped() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let config = gem::shmem::ObjectConfig::default();
        let object = gem::shmem::Object::<TestObject>::new(&device.drm, 2 * PAGE_SIZE, config, ())?;
        let map = |offset| map(&device.drm, &object, offset).map(drop);

        assert_eq!(map(2 * PAGE_SIZE - LINE_LEN), Ok(()));
        assert_eq!(map(2 * PAGE_SIZE - LINE_LEN + 1), Err(EINVAL));
        assert_eq!(map(u32::MAX as usize), Err(EINVAL));

        // A buffer of somebody else's that does not fill the last page of the object.
        //
        // SAFETY: All-zero is a valid value of both. Only the fields that are set are read.
        let (mut dma_buf, mut attach) = unsafe {
            (
                core::mem::zeroed::<bindings::dma_buf>(),
                core::mem::zeroed::<bindings::dma_buf_attachment>(),
            )
        };
        dma_buf.size = PAGE_SIZE + 1;
        attach.dmabuf = &mut dma_buf;

        // SAFETY: The object is valid, and nobody else knows of it.
        let import_attach = unsafe { &raw mut (*object.as_raw()).import_attach };

        // SAFETY: As above. Both values live until the object has no attachment again.
        unsafe { *import_attach = &mut attach };
        let ret = map(PAGE_SIZE + 2 - LINE_LEN);

        // SAFETY: As above.
        unsafe { *import_attach = ptr::null_mut() };
        assert_eq!(ret, Err(EINVAL));

        Ok(())
    }

    #[test]
    fn pixels_that_share_chroma_are_whole() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let config = gem::shmem::ObjectConfig::default();
        let object = gem::shmem::Object::<TestObject>::new(&device.drm, PAGE_SIZE, config, ())?;
        // The last pixel shares chroma with one that is not in the framebuffer.
        let odd = (fourcc::fourcc(b"YUYV"), LINE_LEN / 2 - 1);
        let map = |offset, pitch| map_line(&device.drm, &object, offset, odd, pitch);

        let plane = map(PAGE_SIZE - LINE_LEN, LINE_LEN)?;
        let mut row = [0; LINE_LEN];
        let mut read = |offset| plane.read_rows(offset, 0, core::iter::once(row.as_mut_slice()));
        assert_eq!(read(0), Ok(()));
        assert_eq!(read(1), Err(EINVAL));
        assert!(map(PAGE_SIZE - LINE_LEN + 2, LINE_LEN).is_err());
        assert!(map(0, LINE_LEN - 2).is_err());

        Ok(())
    }

    #[test]
    fn rows_are_read_from_where_they_lie() -> Result {
        let tally = Tally::new()?;
        let device = TestDevice::register(&tally, create_device, None)?;
        let config = gem::shmem::ObjectConfig::default();
        let object = gem::shmem::Object::<TestObject>::new(&device.drm, PAGE_SIZE, config, ())?;
        let plane = map(&device.drm, &object, 0)?;
        let mut rows = [[0; 4]; 3];

        plane.write(0, &core::array::from_fn::<u8, LINE_LEN, _>(|i| i as u8))?;
        plane.read_rows(2, 16, rows.iter_mut().map(|row| &mut row[..3]))?;
        assert_eq!(rows, [[2, 3, 4, 0], [18, 19, 20, 0], [34, 35, 36, 0]]);

        // The last one ends with the plane, and then behind it.
        let mut read = |offset, pitch| {
            plane.read_rows(offset, pitch, rows.iter_mut().map(|row| row.as_mut_slice()))
        };
        assert_eq!(read(LINE_LEN - 4 - 2 * 16, 16), Ok(()));
        assert_eq!(read(LINE_LEN - 3 - 2 * 16, 16), Err(EINVAL));
        assert_eq!(read(0, usize::MAX), Err(EINVAL));
        assert_eq!(plane.read_rows(usize::MAX, 1, core::iter::empty()), Ok(()));

        Ok(())
    }
}
