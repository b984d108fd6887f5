// SPDX-License-Identifier: GPL-2.0

//! Creation of shmem-backed GEM objects by DRM's generic interfaces.
//!
//! Dumb buffers and imported buffers must be complete [`Object`]s, because nothing tells them apart
//! from the ones that the driver creates: they have the same handles, and reach the driver in the
//! same ways. The C helpers for these interfaces know nothing of the driver's data in an object, so
//! what they do is done here.
//!
//! C header: [`include/drm/drm_gem_shmem_helper.h`](srctree/include/drm/drm_gem_shmem_helper.h)

use super::{
    Object,
    ObjectConfig, //
};
use crate::{
    drm::{
        driver::AllocOps,
        gem::{
            DriverObject,
            GenericCreate,
            IntoGEMObject,
            PrimeImport, //
        },
        Device, //
    },
    error::{
        from_err_ptr,
        from_result,
        to_result, //
    },
    prelude::*,
    sync::aref::ARef, //
};
use core::mem::ManuallyDrop;

impl<T: DriverObject> Object<T> {
    pub(super) const GENERIC_OPS: AllocOps = AllocOps {
        gem_create_object: Some(Self::create_object_callback),
        prime_handle_to_fd: None,
        prime_fd_to_handle: None,
        gem_prime_import: match T::GENERIC_CREATE {
            Some(GenericCreate {
                import: PrimeImport::Unmapped,
                ..
            }) => Some(Self::import_unmapped_callback),
            _ => None,
        },
        gem_prime_import_sg_table: match T::GENERIC_CREATE {
            Some(GenericCreate {
                import: PrimeImport::Mapped,
                ..
            }) => Some(Self::import_mapped_callback),
            _ => None,
        },
        dumb_create: match T::GENERIC_CREATE {
            Some(_) => Some(Self::dumb_create_callback),
            None => None,
        },
        dumb_map_offset: None,
    };

    /// Refuses to let C code create an object: it would not initialize the driver's data.
    extern "C" fn create_object_callback(
        _dev: *mut bindings::drm_device,
        _size: usize,
    ) -> *mut bindings::drm_gem_object {
        EOPNOTSUPP.to_ptr()
    }

    extern "C" fn dumb_create_callback(
        file: *mut bindings::drm_file,
        dev: *mut bindings::drm_device,
        args: *mut bindings::drm_mode_create_dumb,
    ) -> c_int {
        from_result(|| {
            let create = T::GENERIC_CREATE.ok_or(EOPNOTSUPP)?;

            // SAFETY: DRM passes a valid device, and arguments that nobody else accesses.
            to_result(unsafe { bindings::drm_mode_size_dumb(dev, args, 0, 0) })?;

            // SAFETY: `args` is valid, see above.
            let size = usize::try_from(unsafe { (*args).size })?;

            // SAFETY: DRM passes a device of the driver that has this callback, which is
            // `T::Driver`, and holds a reference to it during the call.
            let dev = unsafe { Device::from_raw(dev) };

            let obj = Self::new(dev, size, ObjectConfig::default(), (create.args)())?;

            // SAFETY:
            // - DRM passes an open file of the device.
            // - The object belongs to the same device.
            // - `args` is valid, see above.
            to_result(unsafe {
                bindings::drm_gem_handle_create(file, obj.as_raw(), &raw mut (*args).handle)
            })?;

            Ok(0)
        })
    }

    /// Creates an object without pages of its own, for a buffer of `size` bytes.
    ///
    /// # Safety
    ///
    /// - `dev` must be a valid device of `T::Driver`.
    /// - The caller must either complete the import or drop the object before anyone else gets it.
    unsafe fn new_import(dev: *mut bindings::drm_device, size: usize) -> Result<ARef<Self>> {
        let create = T::GENERIC_CREATE.ok_or(EOPNOTSUPP)?;

        // SAFETY: By the safety requirements.
        let dev = unsafe { Device::from_raw(dev) };

        // SAFETY: `drm_gem_shmem_init_private()` initializes the object.
        unsafe {
            Self::create(
                dev,
                size,
                None,
                (create.args)(),
                bindings::drm_gem_shmem_init_private,
            )
        }
    }

    /// Passes a reference to the object, or an error, to C code.
    fn result_into_ptr(result: Result<ARef<Self>>) -> *mut bindings::drm_gem_object {
        match result {
            Ok(obj) => ManuallyDrop::new(obj).as_raw(),
            Err(err) => err.to_ptr(),
        }
    }

    extern "C" fn import_mapped_callback(
        dev: *mut bindings::drm_device,
        attach: *mut bindings::dma_buf_attachment,
        sgt: *mut bindings::sg_table,
    ) -> *mut bindings::drm_gem_object {
        // SAFETY: DRM passes a valid attachment, which has a valid buffer.
        let size = unsafe { (*(*attach).dmabuf).size };

        // SAFETY:
        // - DRM passes a device of the driver that has this callback, which is `T::Driver`.
        // - The import is completed below and by the caller.
        let result = unsafe { Self::new_import(dev, size) };

        if let Ok(obj) = &result {
            // SAFETY: Nobody else has access to the object yet. The caller hands `sgt` over to the
            // object along with the attachment that it belongs to.
            unsafe { (*obj.as_raw_shmem()).sgt = sgt };
        }

        Self::result_into_ptr(result)
    }

    extern "C" fn import_unmapped_callback(
        dev: *mut bindings::drm_device,
        dma_buf: *mut bindings::dma_buf,
    ) -> *mut bindings::drm_gem_object {
        // SAFETY: DRM passes a valid device and a valid buffer.
        if unsafe { bindings::drm_gem_is_prime_exported_dma_buf(dev, dma_buf) } {
            // SAFETY: The buffer is an object of `dev`, and holds a reference to it.
            let obj = unsafe { (*dma_buf).priv_ }.cast();

            // SAFETY: `obj` is a valid object, see above.
            unsafe { bindings::drm_gem_object_get(obj) };

            return obj;
        }

        Self::result_into_ptr((|| {
            // SAFETY:
            // - DRM passes a device of the driver that has this callback, which is `T::Driver`.
            // - The import is completed below, where the object is dropped in the case of an error.
            let obj = unsafe { Self::new_import(dev, (*dma_buf).size) }?;

            // SAFETY: `dev` and `dma_buf` are valid.
            let attach = from_err_ptr(unsafe { bindings::dma_buf_attach(dma_buf, (*dev).dev) })?;

            // The object releases this reference along with the attachment.
            // SAFETY: `dma_buf` is valid.
            unsafe { bindings::get_dma_buf(dma_buf) };

            let gem = obj.as_raw();

            // SAFETY: Nobody else has access to the object yet.
            unsafe {
                (*gem).import_attach = attach;
                (*gem).resv = (*dma_buf).resv;
            }

            Ok(obj)
        })())
    }
}

#[cfg(CONFIG_RUST_DRM_GEM_KUNIT_TEST)]
#[kunit_tests(rust_drm_gem_shmem_generic)]
mod tests {
    use super::*;
    use crate::{
        device,
        drm::{
            self,
            driver::AllocImpl,
            gem::BaseObject,
            UnregisteredDevice, //
        },
        faux,
        io::Io,
        page::PAGE_SIZE,
        sync::atomic::{
            Atomic,
            Relaxed, //
        },
        types::ScopeGuard, //
    };
    use core::ptr;

    const MAGIC: u64 = 0x6d61_6769_6376_616c;

    /// The number of [`KunitObject`]s.
    static LIVE: Atomic<i32> = Atomic::new(0);

    /// Whether [`KunitObject::new`] fails.
    static FAIL: Atomic<i32> = Atomic::new(0);

    struct KunitDriver;
    struct KunitFile;

    #[pin_data(PinnedDrop)]
    struct KunitObject {
        magic: u64,
        data: KVec<u8>,
    }

    #[pinned_drop]
    impl PinnedDrop for KunitObject {
        fn drop(self: Pin<&mut Self>) {
            LIVE.fetch_sub(1, Relaxed);
        }
    }

    impl DriverObject for KunitObject {
        type Driver = KunitDriver;
        type Args = u64;

        const GENERIC_CREATE: Option<GenericCreate<Self>> = Some(GenericCreate {
            args: || MAGIC,
            import: PrimeImport::Unmapped,
        });

        fn new(
            _dev: &drm::Device<KunitDriver>,
            _size: usize,
            magic: u64,
        ) -> impl PinInit<Self, Error> {
            try_pin_init!(Self {
                data: {
                    if FAIL.load(Relaxed) != 0 {
                        return Err(EBUSY);
                    }
                    KVec::from_elem(1, 16, GFP_KERNEL)?
                },
                magic: {
                    LIVE.fetch_add(1, Relaxed);
                    magic
                },
            })
        }
    }

    impl drm::file::DriverFile for KunitFile {
        type Driver = KunitDriver;

        fn open(_dev: &drm::Device<KunitDriver>) -> Result<Pin<KBox<Self>>> {
            Ok(KBox::new(Self, GFP_KERNEL)?.into())
        }
    }

    #[vtable]
    impl drm::Driver for KunitDriver {
        type Data = ();
        type RegistrationData<'a> = ();
        type File = KunitFile;
        type Object = Object<KunitObject>;
        type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

        const INFO: drm::DriverInfo = drm::DriverInfo {
            major: 0,
            minor: 0,
            patchlevel: 0,
            name: c"kunit",
            desc: c"KUnit",
        };
        const IOCTLS: &'static [drm::ioctl::DrmIoctlDescriptor] = &[];
    }

    const OPS: AllocOps = Object::<KunitObject>::ALLOC_OPS;

    fn create_drm_dev(
        name: &CStr,
    ) -> Result<(UnregisteredDevice<KunitDriver>, faux::Registration)> {
        let reg = faux::Registration::new(name, None)?;
        let drm = UnregisteredDevice::new(reg.as_ref(), Ok(()))?;

        Ok((drm, reg))
    }

    /// Runs `f`, and lets the creation of objects fail meanwhile.
    fn failing<R>(f: impl FnOnce() -> R) -> R {
        FAIL.store(1, Relaxed);
        let _guard = ScopeGuard::new(|| FAIL.store(0, Relaxed));

        f()
    }

    /// An open file of a device.
    struct OpenFile(*mut bindings::file);

    impl OpenFile {
        fn new(dev: &drm::Device<KunitDriver>) -> Result<Self> {
            // SAFETY: The device is valid, and always has a primary minor.
            let file =
                unsafe { bindings::mock_drm_getfile((*dev.as_raw()).primary, bindings::O_RDWR) };

            Ok(Self(from_err_ptr(file)?))
        }

        fn as_raw(&self) -> *mut bindings::drm_file {
            // SAFETY: The file is open until `self` is dropped.
            unsafe { (*self.0).private_data.cast() }
        }

        fn create_dumb(
            &self,
            dev: &drm::Device<KunitDriver>,
        ) -> Result<bindings::drm_mode_create_dumb> {
            let mut args = bindings::drm_mode_create_dumb {
                width: 100,
                height: 50,
                bpp: 32,
                ..Default::default()
            };
            let create = OPS.dumb_create.ok_or(EINVAL)?;

            // SAFETY: The file belongs to the device, and the arguments are valid.
            to_result(unsafe { create(self.as_raw(), dev.as_raw(), &mut args) })?;

            Ok(args)
        }

        fn lookup(&self, handle: u32) -> Result<ARef<Object<KunitObject>>> {
            // SAFETY: The file is open, and has been opened through `KunitFile::open`.
            Object::lookup_handle(unsafe { drm::File::from_raw(self.as_raw()) }, handle)
        }
    }

    impl Drop for OpenFile {
        fn drop(&mut self) {
            // SAFETY: `self` owns the file.
            unsafe { bindings::__fput_sync(self.0) };
        }
    }

    /// An object exported as a dma-buf.
    struct Exported(*mut bindings::dma_buf);

    impl Exported {
        fn new(obj: &Object<KunitObject>) -> Result<Self> {
            // SAFETY: The object is valid.
            let dma_buf =
                unsafe { bindings::drm_gem_prime_export(obj.as_raw(), bindings::O_RDWR as c_int) };

            Ok(Self(from_err_ptr(dma_buf)?))
        }

        fn import(&self, dev: &drm::Device<KunitDriver>) -> Result<ARef<Object<KunitObject>>> {
            let import = OPS.gem_prime_import.ok_or(EINVAL)?;

            // SAFETY: The device and the buffer are valid.
            let obj = from_err_ptr(unsafe { import(dev.as_raw(), self.0) })?;

            // SAFETY: `obj` is an object of `dev`, and the caller of the callback owns a reference.
            Ok(unsafe { ARef::from_raw(Object::<KunitObject>::from_raw(obj).into()) })
        }

        fn has_attachments(&self) -> bool {
            // SAFETY: The buffer is valid.
            let head = unsafe { &raw const (*self.0).attachments };

            // SAFETY: `head` is a valid list head.
            !ptr::eq(unsafe { (*head).next }, head)
        }
    }

    impl Drop for Exported {
        fn drop(&mut self) {
            // A kernel thread closes files later, unless told to do it at once.
            // SAFETY: `self` owns a reference to the buffer.
            unsafe { bindings::__fput_sync((*self.0).file) };
        }
    }

    /// Whether the driver's data in the object is what [`KunitObject::new`] made it.
    fn is_complete(obj: &Object<KunitObject>) -> bool {
        obj.magic == MAGIC && *obj.data == [1; 16]
    }

    #[test]
    fn dumb_buffer_is_complete() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;
        let file = OpenFile::new(&drm)?;

        let args = file.create_dumb(&drm)?;
        assert_eq!(LIVE.load(Relaxed), 1);

        let obj = file.lookup(args.handle)?;
        assert!(is_complete(&obj));
        assert_eq!(obj.size() as u64, args.size);
        assert!(args.size >= 100 * 50 * 4);
        assert!(ptr::eq(obj.dev(), &*drm));

        let vmap = obj.vmap::<PAGE_SIZE>()?;
        vmap.write32(0x1234_5678, PAGE_SIZE - 4);
        assert_eq!(vmap.read32(PAGE_SIZE - 4), 0x1234_5678);
        drop(vmap);

        drop(file);
        assert_eq!(LIVE.load(Relaxed), 1);

        drop(obj);
        assert_eq!(LIVE.load(Relaxed), 0);

        Ok(())
    }

    #[test]
    fn dumb_buffer_error() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;
        let file = OpenFile::new(&drm)?;

        let result = failing(|| file.create_dumb(&drm));
        assert_eq!(result.err(), Some(EBUSY));
        assert_eq!(LIVE.load(Relaxed), 0);
        assert!(file.lookup(1).is_err());

        Ok(())
    }

    // An object that C code creates lacks the driver's data.
    #[test]
    fn creation_by_c_is_refused() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;

        // SAFETY: The device is valid.
        let obj = from_err_ptr(unsafe { bindings::drm_gem_shmem_create(drm.as_raw(), PAGE_SIZE) });
        assert_eq!(obj.err(), Some(EOPNOTSUPP));

        Ok(())
    }

    #[test]
    fn import_unmapped_is_complete() -> Result {
        let (drm, reg) = create_drm_dev(c"kunit-gem")?;
        let (other, _other_reg) = create_drm_dev(c"kunit-gem-other")?;

        let source = Object::<KunitObject>::new(&other, PAGE_SIZE, ObjectConfig::default(), 0)?;
        let exported = Exported::new(&source)?;
        let obj = exported.import(&drm)?;

        assert_eq!(LIVE.load(Relaxed), 2);
        assert!(is_complete(&obj));
        assert_eq!(obj.size(), PAGE_SIZE);
        assert!(ptr::eq(obj.dev(), &*drm));
        assert!(exported.has_attachments());

        source.vmap::<PAGE_SIZE>()?.write32(0x1234_5678, 8);
        assert_eq!(obj.vmap::<PAGE_SIZE>()?.read32(8), 0x1234_5678);
        assert!(obj.vmap::<{ 2 * PAGE_SIZE }>().is_err());

        // The pages are not ours.
        assert_eq!(obj.sg_table(reg.as_ref().as_ref()).err(), Some(ENOTSUPP));

        drop(obj);
        assert_eq!(LIVE.load(Relaxed), 1);
        assert!(!exported.has_attachments());

        drop(exported);
        drop(source);
        assert_eq!(LIVE.load(Relaxed), 0);

        Ok(())
    }

    #[test]
    fn import_of_own_object_is_that_object() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;

        let source = Object::<KunitObject>::new(&drm, PAGE_SIZE, ObjectConfig::default(), MAGIC)?;
        let exported = Exported::new(&source)?;
        let obj = exported.import(&drm)?;

        assert!(ptr::eq(&*obj, &*source));
        assert_eq!(LIVE.load(Relaxed), 1);

        drop((source, exported));
        assert!(is_complete(&obj));

        drop(obj);
        assert_eq!(LIVE.load(Relaxed), 0);

        Ok(())
    }

    #[test]
    fn import_error() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;
        let (other, _other_reg) = create_drm_dev(c"kunit-gem-other")?;

        let source = Object::<KunitObject>::new(&other, PAGE_SIZE, ObjectConfig::default(), 0)?;
        let exported = Exported::new(&source)?;

        let result = failing(|| exported.import(&drm));
        assert_eq!(result.err(), Some(EBUSY));
        assert!(!exported.has_attachments());

        drop((exported, source));
        assert_eq!(LIVE.load(Relaxed), 0);

        Ok(())
    }

    // The caller maps the buffer, so the callback can be tested without a device that can do DMA.
    #[test]
    fn import_mapped_is_complete() -> Result {
        let (drm, _reg) = create_drm_dev(c"kunit-gem")?;

        // SAFETY: All-zero is a valid value, only `size` is read.
        let mut dma_buf: bindings::dma_buf = unsafe { core::mem::zeroed() };
        dma_buf.size = PAGE_SIZE + 1;

        // SAFETY: All-zero is a valid value, only `dmabuf` is read.
        let mut attach: bindings::dma_buf_attachment = unsafe { core::mem::zeroed() };
        attach.dmabuf = &mut dma_buf;

        let mut import = || {
            Object::<KunitObject>::import_mapped_callback(
                drm.as_raw(),
                &mut attach,
                ptr::null_mut(),
            )
        };

        let result = from_err_ptr(failing(&mut import));
        assert_eq!(result.err(), Some(EBUSY));
        assert_eq!(LIVE.load(Relaxed), 0);

        let obj = from_err_ptr(import())?;

        // SAFETY: `obj` is an object of `dev`, and the caller of the callback owns a reference.
        let obj = unsafe { ARef::from_raw(Object::<KunitObject>::from_raw(obj).into()) };
        assert_eq!(LIVE.load(Relaxed), 1);
        assert!(is_complete(&obj));
        assert_eq!(obj.size(), 2 * PAGE_SIZE);

        drop(obj);
        assert_eq!(LIVE.load(Relaxed), 0);

        Ok(())
    }
}
