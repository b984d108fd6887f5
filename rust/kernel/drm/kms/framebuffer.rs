// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Framebuffers.
//!
//! A framebuffer says how the pixels of a picture lie in the memory of up to four GEM objects.
//! User space can change that memory at any time, so that there are never Rust references to it:
//! [`FramebufferMap`] copies bytes out of it and into it.
//!
//! C headers: [`include/drm/drm_framebuffer.h`](srctree/include/drm/drm_framebuffer.h),
//! [`include/drm/drm_fourcc.h`](srctree/include/drm/drm_fourcc.h)

use super::{
    fourcc::MOD_LINEAR,
    KmsDriver,
    KmsRef,
    ModeObject,
    OfDriver, //
};
use crate::{
    bindings,
    drm::{
        self,
        driver::AllocImpl,
        gem::IntoGEMObject, //
    },
    error::to_result,
    io::{
        Io,
        IoCopyable,
        Mmio,
        MmioBackend, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Mutex,
        SetOnce, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// The most colour planes of a format.
///
/// C: `DRM_FORMAT_MAX_PLANES`.
pub const MAX_PLANES: usize = bindings::DRM_FORMAT_MAX_PLANES as usize;

/// A framebuffer of a device of the driver `D`.
///
/// C: `struct drm_framebuffer`.
///
/// # Invariants
///
/// `fb` is an initialized framebuffer with a reference count that is not 0, for as long as there is
/// a reference to it. Nothing of it but the reference count changes.
#[pin_data]
#[repr(C)]
pub struct Framebuffer<D: KmsDriver> {
    fb: Opaque<bindings::drm_framebuffer>,
    /// The memory of each colour plane, once it has been mapped.
    memory: SetOnce<[Option<PlaneMap<D>>; MAX_PLANES]>,
    /// Held while the memory is mapped.
    #[pin]
    mapping: Mutex<()>,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> Framebuffer<D> {
    const fn funcs(has_damage: bool) -> bindings::drm_framebuffer_funcs {
        bindings::drm_framebuffer_funcs {
            destroy: Some(Self::destroy_callback),
            create_handle: Some(bindings::drm_gem_fb_create_handle),
            dirty: if has_damage {
                Some(bindings::drm_atomic_helper_dirtyfb)
            } else {
                None
            },
        }
    }

    /// Creates a framebuffer, which can report damage if `DAMAGE`.
    ///
    /// C: `drm_gem_fb_create()`, `drm_gem_fb_create_with_dirty()`.
    ///
    /// # Safety
    ///
    /// `dev` must be a device of the driver `D` with a mode configuration, `file` an open file of
    /// it, and `info` the format that `mode_cmd` names.
    pub(super) unsafe extern "C" fn create_callback<const DAMAGE: bool>(
        dev: *mut bindings::drm_device,
        file: *mut bindings::drm_file,
        info: *const bindings::drm_format_info,
        mode_cmd: *const bindings::drm_mode_fb_cmd2,
    ) -> *mut bindings::drm_framebuffer {
        // SAFETY: The safety requirements of this function.
        let (format, width, pitch) = unsafe { (&*info, (*mode_cmd).width, (*mode_cmd).pitches[0]) };

        // The core only asks for the pixels themselves.
        match row_len(format, 0, width) {
            Ok(len) if len <= pitch as usize => (),
            _ => return EINVAL.to_ptr(),
        }

        let this = KBox::pin_init(
            pin_init!(Self {
                fb: Opaque::zeroed(),
                memory: SetOnce::new(),
                mapping <- new_mutex!(()),
                _driver: OfDriver::default(),
            }),
            GFP_KERNEL,
        );
        let this = match this {
            // SAFETY: The value is not moved before it is dropped.
            Ok(this) => KBox::into_raw(unsafe { Pin::into_inner_unchecked(this) }),
            Err(err) => return err.to_ptr(),
        };
        let fb = this.cast();

        // SAFETY: The safety requirements of this function. `fb` is the first field of `this`, and
        // zeroed. From here on others can have references to it, hence all of `this` is there.
        let result = to_result(unsafe {
            bindings::drm_gem_fb_init_with_funcs(
                dev,
                fb,
                file,
                info,
                mode_cmd,
                const { &Self::funcs(DAMAGE) },
            )
        });

        if let Err(err) = result {
            // SAFETY: The memory was taken from a pinned `KBox` above, and nobody has got a
            // reference to it.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(this)) });
            return err.to_ptr();
        }

        // SAFETY: The framebuffer was initialized above, and the core gave a reference to it.
        if let Err(err) = unsafe { Self::from_raw(fb) }.check_size() {
            // SAFETY: The reference is given back, and not used any more.
            unsafe { bindings::drm_framebuffer_put(fb) };
            return err.to_ptr();
        }

        fb
    }

    /// # Safety
    ///
    /// `fb` must have been created by [`Self::create_callback`], and be used by nobody any more.
    unsafe extern "C" fn destroy_callback(fb: *mut bindings::drm_framebuffer) {
        // SAFETY: `fb` is initialized, and nobody changes it.
        let (objects, planes) = unsafe { ((*fb).obj, (*(*fb).format).num_planes) };

        for object in objects.into_iter().take(planes.into()) {
            // SAFETY: The framebuffer has a reference to the GEM object of each colour plane, which
            // is given up here.
            unsafe { bindings::drm_gem_object_put(object) };
        }

        // SAFETY: The core calls this once, when nobody has a reference any more.
        unsafe { bindings::drm_framebuffer_cleanup(fb) };

        // The memory is unmapped here.
        //
        // SAFETY: The memory was taken from a pinned `KBox` in `create_callback()`.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(fb.cast::<Self>())) });
    }

    /// # Safety
    ///
    /// `fb` must be a framebuffer of a device of the driver `D`, and somebody must hold a reference
    /// to it for `'a`.
    pub(super) unsafe fn from_raw<'a>(fb: *mut bindings::drm_framebuffer) -> &'a Self {
        // SAFETY: All framebuffers of a device of `D` were created by `create_callback()`, hence
        // `fb` is the first field of a `Self`. The invariants hold by the safety requirements.
        unsafe { &*fb.cast() }
    }

    fn as_raw(&self) -> *mut bindings::drm_framebuffer {
        self.fb.get()
    }

    pub(super) fn info(&self) -> &bindings::drm_format_info {
        // SAFETY: An initialized framebuffer has a format, which is in a constant table.
        unsafe { &*(*self.as_raw()).format }
    }

    /// Returns the device of the framebuffer.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The framebuffer is one of a device of `D` by the type invariants.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// The width in pixels.
    pub fn width(&self) -> u32 {
        // SAFETY: The framebuffer does not change by the type invariants.
        unsafe { (*self.as_raw()).width }
    }

    /// The height in pixels.
    pub fn height(&self) -> u32 {
        // SAFETY: The framebuffer does not change by the type invariants.
        unsafe { (*self.as_raw()).height }
    }

    /// The [code](super::fourcc) of the pixel format.
    pub fn format(&self) -> u32 {
        self.info().format
    }

    /// The layout of the pixels in memory.
    pub fn modifier(&self) -> u64 {
        // SAFETY: The framebuffer does not change by the type invariants.
        unsafe { (*self.as_raw()).modifier }
    }

    /// How many colour planes the pixel format has, at most [`MAX_PLANES`].
    pub fn num_planes(&self) -> usize {
        usize::from(self.info().num_planes).min(MAX_PLANES)
    }

    /// The distance of the lines of a colour plane, in bytes. 0 if there is no such colour plane.
    pub fn pitch(&self, plane: usize) -> u32 {
        // SAFETY: The framebuffer does not change by the type invariants.
        let pitches = unsafe { (*self.as_raw()).pitches };

        pitches.get(plane).copied().unwrap_or(0)
    }

    /// Maps all colour planes into the kernel.
    ///
    /// They stay mapped until the framebuffer is destroyed, so that the pages that a page flip goes
    /// back to need not be mapped again: the next call takes a reference, and so does a clone of
    /// what is returned.
    ///
    /// Fails with `EOPNOTSUPP` if the pixels are not linear in memory, or the memory is I/O memory,
    /// with `EINVAL` if a colour plane does not lie inside of what is mapped, and with an error of
    /// the GEM object otherwise. May sleep, and takes the reservation locks of the GEM objects.
    ///
    /// C: `drm_gem_fb_vmap()`, which C drivers undo after each update.
    pub fn map(&self) -> Result<FramebufferMap<D>> {
        let guard = self.mapping.lock();

        if self.memory.as_ref().is_none() {
            self.memory.populate(self.map_planes()?);
        }
        drop(guard);

        // INVARIANT: The memory is mapped.
        Ok(FramebufferMap { fb: self.into() })
    }

    fn map_planes(&self) -> Result<[Option<PlaneMap<D>>; MAX_PLANES]> {
        let mut planes = [const { None }; MAX_PLANES];

        if self.modifier() != MOD_LINEAR {
            return Err(EOPNOTSUPP);
        }

        for (index, plane) in planes.iter_mut().enumerate().take(self.num_planes()) {
            let mapped = self.map_plane(index)?;

            // Nobody writes through this mapping unless `FramebufferMap::write()` says so.
            if let Some(writes) = mapped.object().writes() {
                writes.end();
            }

            *plane = Some(mapped);
        }

        Ok(planes)
    }

    /// Checks that nothing keeps the colour planes from being mapped later, when it is too late to
    /// say so: the core allows for other rounding than [`row_len`], and for memory of somebody else
    /// that does not fill its last page.
    fn check_size(&self) -> Result {
        if self.modifier() == MOD_LINEAR {
            for index in 0..self.num_planes() {
                self.plane_range(index)?;
            }
        }

        Ok(())
    }

    /// Returns in which object the colour plane `index` lies, at which offset, and its length.
    fn plane_range(
        &self,
        index: usize,
    ) -> Result<(NonNull<bindings::drm_gem_object>, usize, usize)> {
        // SAFETY: The framebuffer does not change by the type invariants.
        let (pitches, offsets, objects) = unsafe {
            let fb = self.as_raw();

            ((*fb).pitches, (*fb).offsets, (*fb).obj)
        };
        let pitch = *pitches.get(index).ok_or(EINVAL)? as usize;
        let offset = *offsets.get(index).ok_or(EINVAL)? as usize;
        let object = NonNull::new(*objects.get(index).ok_or(EINVAL)?).ok_or(EINVAL)?;

        let len = self.plane_len(index, pitch)?;
        let end = offset.checked_add(len).ok_or(EINVAL)?;

        // SAFETY: The framebuffer holds a reference to its GEM objects.
        if end > unsafe { drm::gem::mapped_size(object.as_ptr()) } {
            return Err(EINVAL);
        }

        Ok((object, offset, len))
    }

    /// Maps the colour plane `index`.
    pub(super) fn map_plane(&self, index: usize) -> Result<PlaneMap<D>> {
        let (object, offset, len) = self.plane_range(index)?;
        let mut map = bindings::iosys_map::default();

        // SAFETY: The framebuffer holds a reference to its GEM objects.
        to_result(unsafe { bindings::drm_gem_vmap(object.as_ptr(), &mut map) })?;

        if map.is_iomem {
            // SAFETY: The object was mapped above.
            unsafe { bindings::drm_gem_vunmap(object.as_ptr(), &mut map) };
            return Err(EOPNOTSUPP);
        }

        // SAFETY: The mapping is not one of I/O memory.
        let base = unsafe { map.__bindgen_anon_1.vaddr }.cast::<u8>();

        // SAFETY: The framebuffer holds a reference to its GEM objects.
        unsafe { bindings::drm_gem_object_get(object.as_ptr()) };

        // INVARIANT: The reference was taken above.
        Ok(PlaneMap {
            object,
            map,
            // SAFETY: The mapping is not NULL, and was found to be larger than `offset`.
            start: unsafe { NonNull::new_unchecked(base.add(offset)) },
            len,
            _driver: OfDriver::default(),
        })
    }

    /// The number of bytes from the first to the last pixel of a colour plane.
    fn plane_len(&self, index: usize, pitch: usize) -> Result<usize> {
        let info = self.info();
        let row = row_len(info, index, self.width())?;

        // SAFETY: `info` is a valid format.
        let height = unsafe {
            bindings::drm_format_info_plane_height(
                info,
                self.height().try_into()?,
                index.try_into()?,
            )
        };

        if height < 1 || pitch < row {
            return Err(EINVAL);
        }

        (usize::try_from(height)? - 1)
            .checked_mul(pitch)
            .and_then(|len| len.checked_add(row))
            .ok_or(EINVAL)
    }
}

/// The number of bytes of a row of a colour plane, of a framebuffer with `width` pixels.
///
/// If the only colour plane has chroma that several pixels share, those at the end of a row are
/// there as a whole, even if only some of them are in the framebuffer.
fn row_len(info: &bindings::drm_format_info, plane: usize, width: u32) -> Result<usize> {
    let width = match info.num_planes {
        1 => width
            .checked_next_multiple_of(info.hsub.max(1).into())
            .ok_or(EINVAL)?,
        _ => width,
    };
    let plane = plane.try_into()?;

    // SAFETY: `info` is a valid format.
    let (width, len) = unsafe {
        let width = bindings::drm_format_info_plane_width(info, width.try_into()?, plane);

        (
            width,
            bindings::drm_format_info_min_pitch(info, plane, width.try_into()?),
        )
    };

    if width < 1 {
        return Err(EINVAL);
    }

    Ok(len.try_into()?)
}

// SAFETY: The C side of a framebuffer can be used from any thread.
unsafe impl<D: KmsDriver> Send for Framebuffer<D> {}

// SAFETY: The methods only read what does not change, by the type invariants.
unsafe impl<D: KmsDriver> Sync for Framebuffer<D> {}

// SAFETY: By the type invariants a framebuffer is there as long as there is a reference to it, and
// the core frees it before the device.
unsafe impl<D: KmsDriver> ModeObject for Framebuffer<D> {
    type Driver = D;

    fn drm_dev(&self) -> &drm::Device<D> {
        self.drm_dev()
    }

    /// C: `drm_framebuffer_get()`.
    fn get(&self) {
        // SAFETY: By the type invariants the reference count is not 0.
        unsafe { bindings::drm_framebuffer_get(self.as_raw()) };
    }

    /// C: `drm_framebuffer_put()`.
    unsafe fn put(this: NonNull<Self>) {
        // SAFETY: The caller owns a reference by the safety requirements.
        unsafe { bindings::drm_framebuffer_put(this.as_ref().as_raw()) };
    }
}

/// A mapping of one colour plane.
///
/// # Invariants
///
/// - `object` is an object of a device of the driver `D`, and the value holds a reference to it.
/// - `map` is a mapping of `object`, which is not I/O memory.
/// - `start` and `len` are a range of bytes inside of the mapping.
pub(super) struct PlaneMap<D: KmsDriver> {
    object: NonNull<bindings::drm_gem_object>,
    map: bindings::iosys_map,
    start: NonNull<u8>,
    len: usize,
    _driver: OfDriver<D>,
}

impl<D: KmsDriver> PlaneMap<D> {
    fn object(&self) -> &D::Object {
        // SAFETY: The objects of a device of `D` are all `D::Object`. The value holds a reference
        // to this one.
        unsafe { D::Object::from_raw(self.object.as_ptr()) }
    }

    /// Returns a pointer to `len` bytes at `offset`, if they are inside of the colour plane.
    fn range(&self, offset: usize, len: usize) -> Result<*mut u8> {
        let end = offset.checked_add(len).ok_or(EINVAL)?;

        if end > self.len {
            return Err(EINVAL);
        }

        // SAFETY: `offset` is inside of the range of the type invariants.
        Ok(unsafe { self.start.as_ptr().add(offset) })
    }

    /// As [`FramebufferMap::read`]. Inlined, for the sake of [`read_rows`](Self::read_rows).
    #[inline(always)]
    fn read(&self, offset: usize, data: &mut [u8]) -> Result {
        let src = self.range(offset, data.len())?;

        // `memcpy()` instead of `copy_nonoverlapping()`, since user space can write to the memory.
        //
        // SAFETY: `src` is valid for reads of the length of `data`, and nobody has a Rust
        // reference to it.
        unsafe { bindings::memcpy(data.as_mut_ptr().cast(), src.cast(), data.len()) };

        Ok(())
    }

    /// As [`FramebufferMap::read_rows`].
    pub(super) fn read_rows<'a>(
        &self,
        offset: usize,
        pitch: usize,
        rows: impl Iterator<Item = &'a mut [u8]>,
    ) -> Result {
        let mut offset = offset;

        for row in rows {
            self.read(offset, row)?;
            offset = offset.saturating_add(pitch);
        }

        Ok(())
    }

    /// As [`FramebufferMap::write`].
    pub(super) fn write(&self, offset: usize, data: &[u8]) -> Result {
        let dst = self.range(offset, data.len())?;

        // `memcpy()` instead of `copy_nonoverlapping()`, since user space can access the memory.
        //
        // SAFETY: `dst` is valid for writes of the length of `data`, and nobody has a Rust
        // reference to it.
        unsafe { bindings::memcpy(dst.cast(), data.as_ptr().cast(), data.len()) };

        if let Some(writes) = self.object().writes() {
            writes.written();
        }

        Ok(())
    }
}

/// A version of what is in the memory of a framebuffer; see [`FramebufferMap::version`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MemoryVersion {
    /// Where each colour plane begins.
    starts: [usize; MAX_PLANES],
    /// What is known about writes to the object of each colour plane.
    versions: [i64; MAX_PLANES],
}

impl MemoryVersion {
    /// Returns whether both are of the same memory, whatever was written to it.
    pub fn is_same_memory(&self, other: &Self) -> bool {
        self.starts == other.starts
    }
}

impl<D: KmsDriver> Drop for PlaneMap<D> {
    fn drop(&mut self) {
        // What ends when the memory is unmapped was ended by `Framebuffer::map()`.
        if let Some(writes) = self.object().writes() {
            writes.begin();
        }

        // SAFETY: `map` is a mapping of `object`, to which the value holds a reference, by the type
        // invariants. Neither is used any more.
        unsafe {
            bindings::drm_gem_vunmap(self.object.as_ptr(), &mut self.map);
            bindings::drm_gem_object_put(self.object.as_ptr());
        }
    }
}

// SAFETY: The mapping can be used and given up from any thread.
unsafe impl<D: KmsDriver> Send for PlaneMap<D> {}

// SAFETY: Copying from and to the memory is allowed to race with user space and with itself.
unsafe impl<D: KmsDriver> Sync for PlaneMap<D> {}

/// The memory of a framebuffer, mapped into the kernel.
///
/// It keeps the framebuffer and its device alive. A state of a mode object of that device that owns
/// such a mapping is freed at the latest when the device is unregistered and all planes are turned
/// off.
///
/// # Invariants
///
/// The memory of `fb` is mapped, one mapping for each colour plane.
pub struct FramebufferMap<D: KmsDriver> {
    fb: KmsRef<Framebuffer<D>>,
}

impl<D: KmsDriver> Clone for FramebufferMap<D> {
    fn clone(&self) -> Self {
        // INVARIANT: It is the same framebuffer.
        Self {
            fb: self.fb.clone(),
        }
    }
}

impl<D: KmsDriver> FramebufferMap<D> {
    /// Returns the framebuffer.
    pub fn framebuffer(&self) -> &Framebuffer<D> {
        &self.fb
    }

    fn planes(&self) -> impl Iterator<Item = &PlaneMap<D>> {
        self.fb.memory.as_ref().into_iter().flatten().flatten()
    }

    fn plane(&self, plane: usize) -> Result<&PlaneMap<D>> {
        let planes = self.fb.memory.as_ref().ok_or(EINVAL)?;

        planes.get(plane).and_then(Option::as_ref).ok_or(EINVAL)
    }

    /// Returns the version of what is in the memory, if the driver's objects know.
    ///
    /// If two calls return the same then nothing was written from the first to the second. As long
    /// as user space has the memory mapped and may have written to it each call returns something
    /// else, until [`watch`](Self::watch) is called. There is no version of memory that is shared
    /// with another device or driver, or that somebody else in the kernel has mapped. Does not
    /// sleep.
    pub fn version(&self) -> Option<MemoryVersion> {
        let mut version = MemoryVersion {
            starts: [0; MAX_PLANES],
            versions: [0; MAX_PLANES],
        };
        let places = version.starts.iter_mut().zip(&mut version.versions);

        for (plane, (start, version)) in self.planes().zip(places) {
            *start = plane.start.addr().get();
            *version = plane.object().writes()?.version()?;
        }

        Some(version)
    }

    /// Notices again from now on what user space writes, even if it has the memory mapped.
    ///
    /// This is not for free: the next access of user space to each page takes a page fault. May
    /// sleep.
    pub fn watch(&self) {
        for plane in self.planes() {
            plane.object().watch();
        }
    }

    /// Returns a pointer to the first pixel of a colour plane, for somebody who writes there from
    /// now on.
    pub(super) fn start(&self, plane: usize) -> Option<NonNull<u8>> {
        let plane = self.plane(plane).ok()?;

        if let Some(writes) = plane.object().writes() {
            writes.share();
        }

        Some(plane.start)
    }

    /// Copies bytes out of a colour plane, from `offset` bytes after its first pixel.
    ///
    /// What user space writes meanwhile is seen or not. Fails with `EINVAL` if there is no such
    /// colour plane, or if the bytes are not inside of it. Does not sleep.
    pub fn read(&self, plane: usize, offset: usize, data: &mut [u8]) -> Result {
        self.plane(plane)?.read(offset, data)
    }

    /// Fills each of `rows` with bytes of a colour plane, the first from `offset` bytes after the
    /// first pixel, each other from `pitch` bytes after the one before.
    ///
    /// This is for short parts of many rows: little is done between two of them, so that the CPU
    /// can wait for the memory of several at once. Fails as [`read`](Self::read) does; the rows
    /// before have been filled then. Does not sleep, if `rows` does not.
    pub fn read_rows<'a>(
        &self,
        plane: usize,
        offset: usize,
        pitch: usize,
        rows: impl Iterator<Item = &'a mut [u8]>,
    ) -> Result {
        self.plane(plane)?.read_rows(offset, pitch, rows)
    }

    /// Copies bytes out of a colour plane to I/O memory, e.g. that of the device, until that is
    /// full.
    ///
    /// `offset` is that from the first pixel, in bytes. Otherwise like [`read`](Self::read).
    pub fn read_to_io(&self, plane: usize, offset: usize, dst: Mmio<'_, [u8]>) -> Result {
        let src = self.plane(plane)?.range(offset, Io::len(dst))?;

        // SAFETY: `src` is valid for reads of the length of `dst`. It is a mapping of memory, and
        // `dst` one of I/O memory, so they do not overlap.
        unsafe { <MmioBackend as IoCopyable>::copy_to_io(dst, src) };

        Ok(())
    }

    /// Copies bytes into a colour plane, to `offset` bytes after its first pixel.
    ///
    /// Fails with `EINVAL` if there is no such colour plane, or if the bytes are not inside of it.
    /// Does not sleep.
    pub fn write(&self, plane: usize, offset: usize, data: &[u8]) -> Result {
        self.plane(plane)?.write(offset, data)
    }
}
