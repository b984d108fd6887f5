// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The screen that is shown when the kernel panics.
//!
//! The core draws it into what a plane shows already, which
//! [`DriverPlane::get_scanout_buffer`](super::plane::DriverPlane::get_scanout_buffer) returns: its
//! framebuffer, or the memory of the device if that holds copies of framebuffers.
//!
//! C header: [`include/drm/drm_panic.h`](srctree/include/drm/drm_panic.h)

use super::{
    fourcc,
    framebuffer::FramebufferMap,
    KmsDriver, //
};
use crate::{
    bindings,
    io::{
        Io,
        IoBackend,
        Mmio,
        MmioBackend, //
    },
};
use core::marker::PhantomData;

/// Memory that a picture can be drawn into, when nothing but writing to it works any more.
///
/// # Invariants
///
/// For `'a`, `buffer` has a valid format with one colour plane, and a mapping of all lines of that
/// which is valid for writes.
pub struct ScanoutBuffer<'a> {
    buffer: bindings::drm_scanout_buffer,
    _map: PhantomData<&'a ()>,
}

impl<'a> ScanoutBuffer<'a> {
    /// Returns the memory of a framebuffer, or `None` if its format has several colour planes.
    pub fn new<D: KmsDriver>(map: &'a FramebufferMap<D>) -> Option<Self> {
        let fb = map.framebuffer();

        if fb.num_planes() != 1 {
            return None;
        }

        let mut buffer = bindings::drm_scanout_buffer {
            format: fb.info(),
            width: fb.width(),
            height: fb.height(),
            ..pin_init::zeroed()
        };
        buffer.pitch[0] = fb.pitch(0);
        buffer.map[0].__bindgen_anon_1.vaddr = map.start(0)?.as_ptr().cast();

        // INVARIANT: A `FramebufferMap` is a mapping of all lines of all colour planes of the
        // framebuffer, and keeps both.
        Some(Self {
            buffer,
            _map: PhantomData,
        })
    }

    /// Returns memory of the device that it shows, from the first pixel of the first line on.
    ///
    /// `width` and `height` are in pixels of the format with the code `format`, and `pitch` is the
    /// distance of lines in bytes. Returns `None` if the core does not know the format, if that has
    /// several colour planes, if the lines overlap or are not all inside of `memory`, or if they do
    /// not begin at multiples of 4 bytes.
    pub fn from_io(
        memory: Mmio<'a, [u8]>,
        format: u32,
        (width, height): (u32, u32),
        pitch: u32,
    ) -> Option<Self> {
        let start = MmioBackend::as_ptr(memory).cast::<u8>();
        let info = check_lines(start.addr(), memory.len(), format, (width, height), pitch)?;

        let mut buffer = bindings::drm_scanout_buffer {
            format: info,
            width,
            height,
            ..pin_init::zeroed()
        };
        buffer.pitch[0] = pitch;
        buffer.map[0].is_iomem = true;
        buffer.map[0].__bindgen_anon_1.vaddr_iomem = start.cast();

        // INVARIANT: All lines are inside of `memory`, which is valid for `'a`.
        Some(Self {
            buffer,
            _map: PhantomData,
        })
    }

    pub(super) fn into_raw(self) -> bindings::drm_scanout_buffer {
        self.buffer
    }
}

/// Returns the format with the code `code`, if all lines of such pixels are inside of memory that
/// begins at `start` and has `size` bytes, and can be accessed there.
fn check_lines(
    start: usize,
    size: usize,
    code: u32,
    (width, height): (u32, u32),
    pitch: u32,
) -> Option<&'static bindings::drm_format_info> {
    /// Each pixel is written at once, by an access of at most so many bytes.
    const ALIGN: usize = 4;

    let info = fourcc::info(code)?;

    if info.num_planes != 1 || width == 0 {
        return None;
    }

    // SAFETY: `info` is a valid format.
    let line = unsafe { bindings::drm_format_info_min_pitch(info, 0, width) };
    let before_last = u64::from(pitch).checked_mul(u64::from(height).checked_sub(1)?)?;
    let aligned = start % ALIGN == 0 && pitch as usize % ALIGN == 0;

    (aligned && line <= u64::from(pitch) && before_last.checked_add(line)? <= size as u64)
        .then_some(info)
}

#[cfg(CONFIG_RUST_DRM_KMS_KUNIT_TEST)]
#[macros::kunit_tests(rust_drm_kms_panic)]
mod tests {
    use super::{
        super::fourcc::{
            fourcc,
            XRGB8888, //
        },
        *, //
    };

    fn fits(start: usize, size: usize, resolution: (u32, u32), pitch: u32) -> bool {
        check_lines(start, size, XRGB8888, resolution, pitch).is_some()
    }

    #[test]
    fn all_lines_are_in_the_memory() {
        assert!(fits(0x1000, 4096, (32, 32), 128));
        assert!(!fits(0x1000, 4095, (32, 32), 128));
        // The last line ends with its last pixel.
        assert!(fits(0x1000, 31 * 256 + 128, (32, 32), 256));
        assert!(!fits(0x1000, 31 * 256 + 127, (32, 32), 256));
    }

    #[test]
    fn lines_do_not_overlap() {
        assert!(!fits(0x1000, 0x10_0000, (33, 32), 128));
        assert!(!fits(0x1000, 0x10_0000, (1, 2), 0));
    }

    #[test]
    fn pixels_are_aligned() {
        assert!(!fits(0x1002, 4096, (8, 8), 128));
        assert!(!fits(0x1000, 4096, (8, 8), 126));
    }

    #[test]
    fn nonsense_does_not_overflow() {
        assert!(!fits(0x1000, usize::MAX, (0, 32), 128));
        assert!(!fits(0x1000, usize::MAX, (32, 0), 128));
        assert!(!fits(0x1000, 4096, (u32::MAX, u32::MAX), u32::MAX - 3));
        assert!(!fits(0x1000, 4096, (1, u32::MAX), u32::MAX - 3));
    }

    #[test]
    fn formats_have_one_colour_plane() {
        let fits = |code| check_lines(0, 0x10_0000, code, (32, 32), 256).is_some();

        assert!(fits(fourcc(b"RG16")));
        assert!(!fits(fourcc(b"NV12")));
        assert!(!fits(0));
    }
}
