// SPDX-License-Identifier: GPL-2.0

//! DRM ioctls as typed constants, without any check of what is passed.
//!
//! Half of this client's calls are malformed on purpose, so this layer checks nothing and hides nothing.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::os::fd::AsFd;

use drm_sys::*;
use rustix::io::Errno;
use rustix::ioctl::{self, opcode, IoctlOutput, Opcode};

const BASE: u8 = b'd';

/// A DRM ioctl whose argument is a `T`.
pub struct Ioctl<T> {
    opcode: Opcode,
    argument: PhantomData<fn(T)>,
}

const fn iowr<T>(number: u8) -> Ioctl<T> {
    Ioctl {
        opcode: opcode::read_write::<T>(BASE, number),
        argument: PhantomData,
    }
}

const fn iow<T>(number: u8) -> Ioctl<T> {
    Ioctl {
        opcode: opcode::write::<T>(BASE, number),
        argument: PhantomData,
    }
}

const fn io(number: u8) -> Ioctl<()> {
    Ioctl {
        opcode: opcode::none(BASE, number),
        argument: PhantomData,
    }
}

/// What `SYNC_IOC_FILE_INFO` fills.
#[repr(C)]
#[derive(Default)]
pub struct SyncFileInfo {
    name: [u8; 32],
    pub status: i32,
    flags: u32,
    num_fences: u32,
    pad: u32,
    fences: u64,
}

/// What `DMA_HEAP_IOCTL_ALLOC` reads and fills.
#[repr(C)]
pub struct DmaHeapAllocation {
    pub len: u64,
    pub fd: u32,
    pub fd_flags: u32,
    pub heap_flags: u64,
}

/// Of a heap, not of a card.
pub const DMA_HEAP_ALLOC: Ioctl<DmaHeapAllocation> = Ioctl {
    opcode: opcode::read_write::<DmaHeapAllocation>(b'H', 0),
    argument: PhantomData,
};

/// Of the descriptor of a fence, not of a card.
pub const SYNC_FILE_INFO: Ioctl<SyncFileInfo> = Ioctl {
    opcode: opcode::read_write::<SyncFileInfo>(b'>', 4),
    argument: PhantomData,
};

/// `struct sw_sync_create_fence_data`.
#[repr(C)]
pub struct SwSyncFence {
    /// When it is signalled.
    pub value: u32,
    pub name: [u8; 32],
    pub fence: i32,
}

/// Of the descriptor of a timeline, not of a card.
pub const SW_SYNC_CREATE_FENCE: Ioctl<SwSyncFence> = Ioctl {
    opcode: opcode::read_write::<SwSyncFence>(b'W', 0),
    argument: PhantomData,
};

pub const VERSION: Ioctl<drm_version> = iowr(0x00);
pub const GEM_CLOSE: Ioctl<drm_gem_close> = iow(0x09);
pub const GET_CAP: Ioctl<drm_get_cap> = iowr(0x0c);
pub const SET_CLIENT_CAP: Ioctl<drm_set_client_cap> = iow(0x0d);
pub const SET_MASTER: Ioctl<()> = io(0x1e);
pub const DROP_MASTER: Ioctl<()> = io(0x1f);
pub const PRIME_HANDLE_TO_FD: Ioctl<drm_prime_handle> = iowr(0x2d);
pub const PRIME_FD_TO_HANDLE: Ioctl<drm_prime_handle> = iowr(0x2e);
pub const WAIT_VBLANK: Ioctl<drm_wait_vblank> = iowr(0x3a);
pub const CRTC_GET_SEQUENCE: Ioctl<drm_crtc_get_sequence> = iowr(0x3b);
pub const CRTC_QUEUE_SEQUENCE: Ioctl<drm_crtc_queue_sequence> = iowr(0x3c);
pub const GET_RESOURCES: Ioctl<drm_mode_card_res> = iowr(0xa0);
pub const SET_CRTC: Ioctl<drm_mode_crtc> = iowr(0xa2);
pub const CURSOR: Ioctl<drm_mode_cursor> = iowr(0xa3);
pub const SET_GAMMA: Ioctl<drm_mode_crtc_lut> = iowr(0xa5);
pub const GET_ENCODER: Ioctl<drm_mode_get_encoder> = iowr(0xa6);
pub const GET_CONNECTOR: Ioctl<drm_mode_get_connector> = iowr(0xa7);
pub const GET_PROPERTY: Ioctl<drm_mode_get_property> = iowr(0xaa);
pub const ADD_FB: Ioctl<drm_mode_fb_cmd> = iowr(0xae);
pub const RM_FB: Ioctl<u32> = iowr(0xaf);
pub const PAGE_FLIP: Ioctl<drm_mode_crtc_page_flip> = iowr(0xb0);
pub const DIRTY_FB: Ioctl<drm_mode_fb_dirty_cmd> = iowr(0xb1);
pub const CREATE_DUMB: Ioctl<drm_mode_create_dumb> = iowr(0xb2);
pub const MAP_DUMB: Ioctl<drm_mode_map_dumb> = iowr(0xb3);
pub const DESTROY_DUMB: Ioctl<drm_mode_destroy_dumb> = iowr(0xb4);
pub const GET_PLANE_RESOURCES: Ioctl<drm_mode_get_plane_res> = iowr(0xb5);
pub const GET_PLANE: Ioctl<drm_mode_get_plane> = iowr(0xb6);
pub const SET_PLANE: Ioctl<drm_mode_set_plane> = iowr(0xb7);
pub const ADD_FB2: Ioctl<drm_mode_fb_cmd2> = iowr(0xb8);
pub const OBJ_GET_PROPERTIES: Ioctl<drm_mode_obj_get_properties> = iowr(0xb9);
pub const OBJ_SET_PROPERTY: Ioctl<drm_mode_obj_set_property> = iowr(0xba);
pub const CURSOR2: Ioctl<drm_mode_cursor2> = iowr(0xbb);
pub const ATOMIC: Ioctl<drm_mode_atomic> = iowr(0xbc);
pub const CREATE_BLOB: Ioctl<drm_mode_create_blob> = iowr(0xbd);
pub const DESTROY_BLOB: Ioctl<drm_mode_destroy_blob> = iowr(0xbe);
pub const GET_BLOB: Ioctl<drm_mode_get_blob> = iowr(0xac);
pub const GET_FB2: Ioctl<drm_mode_fb_cmd2> = iowr(0xce);

struct Call<'a, T> {
    opcode: Opcode,
    argument: &'a mut T,
}

// SAFETY: the opcode carries the size of `T`, and the kernel copies no more than that from and to `argument`.
unsafe impl<T> ioctl::Ioctl for Call<'_, T> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (self.argument as *mut T).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

/// Calls `ioctl` once, and again when a signal interrupts it.
///
/// # Safety
///
/// Each address in `argument` that the kernel writes to must either be valid for that write, or not be mapped at all.
pub unsafe fn call<T>(fd: impl AsFd, ioctl: Ioctl<T>, argument: &mut T) -> Result<(), Errno> {
    loop {
        let call = Call {
            opcode: ioctl.opcode,
            argument: &mut *argument,
        };
        // SAFETY: the caller promises that what the argument points to may be written.
        match unsafe { ioctl::ioctl(fd.as_fd(), call) } {
            Err(Errno::INTR) => continue,
            result => return result,
        }
    }
}

/// An ioctl argument without addresses: nothing but the argument itself is written.
///
/// # Safety
///
/// No field is an address that the kernel writes to.
pub unsafe trait Plain {}

macro_rules! plain {
    ($($name:ty),* $(,)?) => {
        // SAFETY: none of these structures holds an address.
        $(unsafe impl Plain for $name {})*
    };
}

plain!(
    (),
    u32,
    drm_wait_vblank,
    drm_gem_close,
    drm_get_cap,
    drm_set_client_cap,
    drm_prime_handle,
    drm_crtc_get_sequence,
    drm_crtc_queue_sequence,
    drm_mode_cursor,
    drm_mode_cursor2,
    drm_mode_get_encoder,
    drm_mode_fb_cmd,
    drm_mode_fb_cmd2,
    drm_mode_crtc_page_flip,
    drm_mode_create_dumb,
    drm_mode_map_dumb,
    drm_mode_destroy_dumb,
    drm_mode_set_plane,
    drm_mode_obj_set_property,
    drm_mode_destroy_blob,
);

/// Calls an ioctl whose argument holds no address.
pub fn plain<T: Plain>(fd: impl AsFd, ioctl: Ioctl<T>, argument: &mut T) -> Result<(), Errno> {
    // SAFETY: `Plain` says that there is no address in the argument.
    unsafe { call(fd, ioctl, argument) }
}
