// SPDX-License-Identifier: GPL-2.0

//! Dumb buffers, their mappings, and PRIME.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use drm_fourcc::DrmFourcc;
use drm_sys::*;
use rustix::io::Errno;

use crate::buffer::{
    add_fb2, close_handle, dumb_argument, export, fb_argument, import, map_handle, remove_fb, Dumb,
    Mapping,
};
use crate::error::What;
use crate::output::Screen;
use crate::raw;
use crate::testlist::{accepted_or, fail, refused, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("dumb-size-zero", size_zero),
    test("dumb-size-overflows", size_overflows),
    test("dumb-odd-bpp", odd_bpp),
    test("dumb-huge", huge),
    test("dumb-starts-zeroed", starts_zeroed),
    test("dumb-map-bad-handle", map_bad_handle),
    test("dumb-destroy-bad-handle", destroy_bad_handle),
    test("dumb-mmap-past-end", mmap_past_end),
    test("dumb-mmap-foreign", mmap_foreign),
    test("dumb-mapping-outlives-handle", mapping_outlives_handle),
    test("dumb-mapping-in-parts", mapping_in_parts),
    test("prime-import-bad-fd", import_bad_fd),
    test("prime-export-bad-handle", export_bad_handle),
    test("prime-export-bad-flags", export_bad_flags),
    test("prime-same-file-same-handle", same_file_same_handle),
    test("prime-other-file-same-pixels", other_file_same_pixels),
    test("prime-buffer-outlives-exporter", outlives_exporter),
    test("prime-import-as-framebuffer", import_as_framebuffer),
];

fn create(screen: &Screen<'_>, width: u32, height: u32, bpp: u32) -> Result<Option<u64>, Errno> {
    let mut argument = dumb_argument(width, height, bpp);
    screen.card.call(raw::CREATE_DUMB, &mut argument)?;
    let _ = close_handle(screen.card, argument.handle);
    // What a caller will compute must fit in what it gets.
    let fits = u64::from(argument.pitch) >= u64::from(width) * u64::from(bpp) / 8
        && argument.size >= u64::from(argument.pitch) * u64::from(height);
    Ok((!fits).then_some(argument.size))
}

fn size_zero(screen: &Screen<'_>) -> Verdict {
    for (width, height, bpp) in [(0, 64, 32), (64, 0, 32), (64, 64, 0), (0, 0, 0)] {
        refused(
            &format!("{width}x{height}, {bpp} bits"),
            create(screen, width, height, bpp),
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn size_overflows(screen: &Screen<'_>) -> Verdict {
    let max = u32::MAX;
    for (width, height, bpp) in [
        (max, 1, 32),
        (1, max, 32),
        (max, max, 32),
        (max, max, max),
        (64, 64, max),
        (64, 64, max - 7),
        (0x8000_0000, 2, 8),
        (0x4000_0000, 1, 32),
        (0x1_0000, 0x1_0000, 8),
        (0x1_0000, 0x1_0000, 32),
        (0xffff, 0x1_0001, 8),
        (1024, 0x10_0000, 32),
    ] {
        refused(
            &format!("{width}x{height}, {bpp} bits"),
            create(screen, width, height, bpp),
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn odd_bpp(screen: &Screen<'_>) -> Verdict {
    for bpp in [1, 2, 4, 7, 9, 12, 15, 30, 48, 64, 128, 1 << 20] {
        let what = format!("100x10, {bpp} bits");
        let result = create(screen, 100, 10, bpp);
        if let Some(Some(size)) = accepted_or(&what, result, &[Errno::INVAL, Errno::NOMEM])? {
            return fail(format!("{what}: only {size} bytes"));
        }
    }
    Ok(())
}

fn huge(screen: &Screen<'_>) -> Verdict {
    // Nearly 4 GiB. The kernel may give it (nothing is touched yet) or not.
    let result = create(screen, 32767, 32767, 32);
    match accepted_or(
        "a buffer of nearly 4 GiB",
        result,
        &[Errno::NOMEM, Errno::INVAL, Errno::NOSPC],
    )? {
        Some(Some(size)) => fail(format!("a buffer of nearly 4 GiB has {size} bytes")),
        _ => Ok(()),
    }
}

fn starts_zeroed(screen: &Screen<'_>) -> Verdict {
    for _ in 0..4 {
        let buffer = Dumb::new(screen.card, 333, 111, 32)?;
        let mut mapping = buffer.map()?;
        if mapping.bytes().iter().any(|byte| *byte != 0) {
            return fail("a new buffer holds old bytes");
        }
        mapping.bytes_mut().fill(0xa5);
    }
    Ok(())
}

fn map_bad_handle(screen: &Screen<'_>) -> Verdict {
    for handle in [0, 0x7fff, u32::MAX] {
        let mut argument = drm_mode_map_dumb {
            handle,
            ..Default::default()
        };
        let result = screen.card.call(raw::MAP_DUMB, &mut argument);
        refused(&format!("MAP_DUMB of {handle}"), result, &[Errno::NOENT])?;
    }
    Ok(())
}

fn destroy_bad_handle(screen: &Screen<'_>) -> Verdict {
    for handle in [0, 0x7fff, u32::MAX] {
        let mut argument = drm_mode_destroy_dumb { handle };
        let result = screen.card.call(raw::DESTROY_DUMB, &mut argument);
        refused(
            &format!("DESTROY_DUMB of {handle}"),
            result,
            &[Errno::INVAL, Errno::NOENT],
        )?;
        refused(
            &format!("GEM_CLOSE of {handle}"),
            close_handle(screen.card, handle),
            &[Errno::INVAL, Errno::NOENT],
        )?;
    }
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let handle = buffer.handle;
    drop(buffer);
    refused(
        "closing a handle twice",
        close_handle(screen.card, handle),
        &[Errno::INVAL, Errno::NOENT],
    )
}

fn map_offset(screen: &Screen<'_>, handle: u32) -> Result<u64, crate::error::Error> {
    let mut argument = drm_mode_map_dumb {
        handle,
        ..Default::default()
    };
    screen
        .card
        .call(raw::MAP_DUMB, &mut argument)
        .what("MAP_DUMB")?;
    Ok(argument.offset)
}

/// The upper part of a mapping, and a mapping of the upper part, are that of the buffer.
fn mapping_in_parts(screen: &Screen<'_>) -> Verdict {
    const PAGE: usize = 4096;
    let size = 4 * PAGE;
    let buffer = Dumb::new(screen.card, 64, (size / 256) as u32, 32)?;
    let mut whole = buffer.map()?;
    for (number, page) in whole.bytes_mut().chunks_mut(PAGE).enumerate() {
        page.fill(number as u8 + 1);
    }
    let mut upper = buffer.map()?;
    upper.cut(2 * PAGE).what("munmap of the lower half")?;
    let file = export(screen.card, buffer.handle).what("PRIME_HANDLE_TO_FD")?;
    let exported = Mapping::new(file.as_fd(), 2 * PAGE as u64, size - 2 * PAGE, true)
        .what("mmap of the upper half of a dma-buf")?;
    for (what, mapping) in [
        ("a mapping that was cut", upper),
        ("a mapping from an offset on", exported),
    ] {
        let mut mapping = mapping;
        let found = (mapping.bytes()[0], mapping.bytes()[PAGE]);
        if found != (3, 4) {
            return fail(format!("{what} shows pages {found:?}, not the last two"));
        }
        mapping.bytes_mut()[1] = 9;
        if whole.bytes()[2 * PAGE + 1] != 9 {
            return fail(format!("{what} is not written to the same page"));
        }
        whole.bytes_mut()[2 * PAGE + 1] = 3;
    }
    Ok(())
}

fn mmap_past_end(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let offset = map_offset(screen, buffer.handle)?;
    let size = buffer.size as usize;
    let fd = screen.card.fd();
    for (what, offset, length) in [
        ("mmap longer than the buffer", offset, size + 4096),
        (
            "mmap of a page after the buffer",
            offset + buffer.size,
            4096,
        ),
        ("mmap of the whole offset space", 0, 1 << 40),
        ("mmap of offset 0", 0, 4096),
        ("mmap at the end of offsets", (1 << 62) - 4096, 4096),
    ] {
        refused(
            what,
            Mapping::new(fd, offset, length, true),
            &[
                Errno::INVAL,
                Errno::ACCESS,
                Errno::NOMEM,
                Errno::OVERFLOW,
                Errno::NODEV,
            ],
        )?;
    }
    Ok(())
}

fn mmap_foreign(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let offset = map_offset(screen, buffer.handle)?;
    let other = screen.card.reopen()?;
    refused(
        "mmap of another file's buffer",
        Mapping::new(other.fd(), offset, buffer.size as usize, true),
        &[Errno::ACCESS, Errno::INVAL],
    )
}

fn mapping_outlives_handle(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 640, 480, 32)?;
    let mut mapping = buffer.map()?;
    drop(buffer);
    mapping.bytes_mut().fill(0x5a);
    if mapping.bytes().iter().all(|byte| *byte == 0x5a) {
        Ok(())
    } else {
        fail("the mapping does not hold what was written")
    }
}

fn import_bad_fd(screen: &Screen<'_>) -> Verdict {
    let call = |fd: i32| {
        let mut argument = drm_prime_handle {
            handle: 0,
            flags: 0,
            fd,
        };
        screen.card.call(raw::PRIME_FD_TO_HANDLE, &mut argument)
    };
    for fd in [-1, 9999, i32::MAX, i32::MIN] {
        refused(&format!("import of fd {fd}"), call(fd), &[Errno::BADF])?;
    }
    let null = File::open("/dev/null").what("open /dev/null")?;
    for (what, fd) in [
        ("import of /dev/null", null.as_fd()),
        ("import of the card itself", screen.card.fd()),
    ] {
        refused(what, call(fd.as_raw_fd()), &[Errno::INVAL])?;
    }
    Ok(())
}

fn export_bad_handle(screen: &Screen<'_>) -> Verdict {
    for handle in [0, 0x7fff, u32::MAX] {
        refused(
            &format!("export of handle {handle}"),
            export(screen.card, handle),
            &[Errno::NOENT],
        )?;
    }
    Ok(())
}

fn export_bad_flags(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let mut argument = drm_prime_handle {
        handle: buffer.handle,
        flags: u32::MAX,
        fd: -1,
    };
    let result = screen.card.call(raw::PRIME_HANDLE_TO_FD, &mut argument);
    refused("export with all flags", result, &[Errno::INVAL])
}

fn same_file_same_handle(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let fd = export(screen.card, buffer.handle).what("export")?;
    let handle = import(screen.card, &fd).what("import")?;
    if handle == buffer.handle {
        Ok(())
    } else {
        let _ = close_handle(screen.card, handle);
        fail(format!("handle {} came back as {handle}", buffer.handle))
    }
}

fn other_file_same_pixels(screen: &Screen<'_>) -> Verdict {
    let buffer = Dumb::new(screen.card, 64, 64, 32)?;
    let mut mapping = buffer.map()?;
    for (index, byte) in mapping.bytes_mut().iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let fd = export(screen.card, buffer.handle).what("export")?;
    let direct =
        Mapping::new(fd.as_fd(), 0, buffer.size as usize, true).what("mmap of a dma-buf")?;
    if direct.bytes() != mapping.bytes() {
        return fail("the dma-buf's mapping shows other bytes");
    }
    let other = screen.card.reopen()?;
    let handle = import(&other, &fd).what("import in another file")?;
    let seen = map_handle(&other, handle, buffer.size as usize, false);
    // A driver may refuse to map what was imported; another file of the same device has the object itself.
    if seen?.bytes() != mapping.bytes() {
        return fail("the other file's mapping shows other bytes");
    }
    let again = import(&other, &fd).what("second import")?;
    if again != handle {
        return fail(format!("two imports gave handles {handle} and {again}"));
    }
    Ok(())
}

fn outlives_exporter(screen: &Screen<'_>) -> Verdict {
    let other = screen.card.reopen()?;
    let buffer = Dumb::new(&other, 64, 64, 32)?;
    buffer.map()?.bytes_mut().fill(0x3c);
    let size = buffer.size as usize;
    let fd = export(&other, buffer.handle).what("export")?;
    drop(buffer);
    drop(other);
    let handle = import(screen.card, &fd).what("import after the exporter is gone")?;
    drop(fd);
    let mapping = map_handle(screen.card, handle, size, false)?;
    let same = mapping.bytes().iter().all(|byte| *byte == 0x3c);
    close_handle(screen.card, handle).what("GEM_CLOSE")?;
    if same {
        Ok(())
    } else {
        fail("the bytes are gone")
    }
}

fn import_as_framebuffer(screen: &Screen<'_>) -> Verdict {
    let (width, height) = screen.size();
    let other = screen.card.reopen()?;
    let buffer = Dumb::new(&other, width, height, 32)?;
    let fd = export(&other, buffer.handle).what("export")?;
    let handle = import(screen.card, &fd).what("import")?;
    let mut argument = fb_argument(&buffer, width, height, DrmFourcc::Xrgb8888);
    argument.handles[0] = handle;
    let id = add_fb2(screen.card, argument).what("ADDFB2 of an imported buffer")?;
    let shown = screen
        .flip(id, 3)
        .and_then(|()| screen.flip_done(3).map(drop));
    let _ = remove_fb(screen.card, id);
    let _ = close_handle(screen.card, handle);
    Ok(shown?)
}
