// SPDX-License-Identifier: GPL-2.0

//! Noticing who gets access to the memory of a shmem-backed GEM object; see [`Writes`].
//!
//! C header: [`include/drm/drm_gem_shmem_helper.h`](srctree/include/drm/drm_gem_shmem_helper.h)
//!
//! [`Writes`]: super::Writes

use super::Object;
use crate::{
    drm::gem::{
        DriverObject,
        IntoGEMObject, //
    },
    prelude::*, //
};

/// The operations of the C helpers for areas of user space that show an object.
fn helper_ops() -> &'static bindings::vm_operations_struct {
    // SAFETY: The operations are constant.
    unsafe { &bindings::drm_gem_shmem_vm_ops }
}

impl<T: DriverObject> Object<T> {
    /// The operations for areas of user space that show an object.
    pub(super) const VM_OPS: bindings::vm_operations_struct = bindings::vm_operations_struct {
        open: Some(Self::vm_open_callback),
        close: Some(Self::vm_close_callback),
        fault: Some(Self::fault_callback),
        huge_fault: if cfg!(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) {
            Some(Self::huge_fault_callback)
        } else {
            None
        },
        pfn_mkwrite: Some(Self::pfn_mkwrite_callback),
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// `vma` must be an area that shows an object of this type.
    unsafe extern "C" fn vm_open_callback(vma: *mut bindings::vm_area_struct) {
        if let Some(open) = helper_ops().open {
            // SAFETY: The safety requirements of this function.
            unsafe { open(vma) };
        }
    }

    /// # Safety
    ///
    /// `vma` must be an area that shows an object of this type.
    unsafe extern "C" fn vm_close_callback(vma: *mut bindings::vm_area_struct) {
        if let Some(close) = helper_ops().close {
            // SAFETY: The safety requirements of this function.
            unsafe { close(vma) };
        }
    }

    /// # Safety
    ///
    /// `vmf` must be a fault in an area that shows an object of this type.
    unsafe fn of_fault<'a>(vmf: *mut bindings::vm_fault) -> &'a Self {
        // SAFETY: The area of a fault does not go away, and holds a reference to the object that it
        // shows. By the safety requirements that object is one of this type.
        unsafe { Self::from_raw((*(*vmf).__bindgen_anon_1.vma).vm_private_data.cast()) }
    }

    /// # Safety
    ///
    /// `vmf` must be a fault in an area that shows an object of this type.
    unsafe extern "C" fn fault_callback(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        let Some(fault) = helper_ops().fault else {
            return bindings::vm_fault_reason_VM_FAULT_SIGBUS;
        };

        // SAFETY: The safety requirements of this function.
        unsafe { Self::of_fault(vmf).writes.fault(|| fault(vmf)) }
    }

    /// # Safety
    ///
    /// `vmf` must be a fault in an area that shows an object of this type.
    unsafe extern "C" fn huge_fault_callback(
        vmf: *mut bindings::vm_fault,
        order: c_uint,
    ) -> bindings::vm_fault_t {
        let Some(fault) = helper_ops().huge_fault else {
            return bindings::vm_fault_reason_VM_FAULT_FALLBACK;
        };

        // SAFETY: The safety requirements of this function.
        unsafe { Self::of_fault(vmf).writes.fault(|| fault(vmf, order)) }
    }

    /// Only page table entries that are there become writable after this, so that nothing is to be
    /// noted.
    ///
    /// # Safety
    ///
    /// `vmf` must be a fault in an area that shows an object of this type.
    unsafe extern "C" fn pfn_mkwrite_callback(
        vmf: *mut bindings::vm_fault,
    ) -> bindings::vm_fault_t {
        match helper_ops().pfn_mkwrite {
            // SAFETY: The safety requirements of this function.
            Some(pfn_mkwrite) => unsafe { pfn_mkwrite(vmf) },
            None => 0,
        }
    }

    /// Removes all page table entries of user space.
    pub(super) fn unmap_user(&self) {
        let obj = self.as_raw();

        // SAFETY: The object and its device are valid. A device has an inode, with the mapping that
        // all areas belong to that user space has of its objects: others are those of a dma-buf,
        // the memory of which counts as shared.
        unsafe {
            bindings::drm_vma_node_unmap(
                &raw mut (*obj).vma_node,
                (*(*(*obj).dev).anon_inode).i_mapping,
            )
        };
    }

    /// # Safety
    ///
    /// `obj` must be an object of this type.
    pub(super) unsafe extern "C" fn export_callback(
        obj: *mut bindings::drm_gem_object,
        flags: c_int,
    ) -> *mut bindings::dma_buf {
        // SAFETY: The safety requirements of this function.
        unsafe {
            Self::from_raw(obj).writes.share();
            bindings::drm_gem_prime_export(obj, flags)
        }
    }

    /// # Safety
    ///
    /// `obj` must be an object of this type, with its reservation lock held, and `map` be valid for
    /// writes.
    pub(super) unsafe extern "C" fn vmap_callback(
        obj: *mut bindings::drm_gem_object,
        map: *mut bindings::iosys_map,
    ) -> c_int {
        // SAFETY: The safety requirements of this function.
        unsafe {
            let ret = bindings::drm_gem_shmem_object_vmap(obj, map);

            if ret == 0 {
                Self::from_raw(obj).writes.begin();
            }
            ret
        }
    }

    /// # Safety
    ///
    /// `obj` must be an object of this type, with its reservation lock held, and `map` one of its
    /// mappings.
    pub(super) unsafe extern "C" fn vunmap_callback(
        obj: *mut bindings::drm_gem_object,
        map: *mut bindings::iosys_map,
    ) {
        // SAFETY: The safety requirements of this function.
        unsafe {
            bindings::drm_gem_shmem_object_vunmap(obj, map);
            Self::from_raw(obj).writes.end();
        }
    }
}
