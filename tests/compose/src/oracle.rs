// SPDX-License-Identifier: GPL-2.0

//! The composer of C vkms; see `oracle/`.

use crate::{
    rvkms::compose::{
        Encoding,
        Range, //
    },
    scene::{
        Op,
        Scene, //
    },
};
use std::{
    ffi::c_void,
    ptr, //
};

#[repr(C)]
#[derive(Clone, Copy)]
struct OracleOp {
    kind: u32,
    matrix: *const u64,
}

#[repr(C)]
struct OracleLayer {
    fourcc: u32,
    rotation: u32,
    encoding: u32,
    range: u32,
    width: u32,
    height: u32,
    src: [u32; 4],
    dst: [i32; 4],
    pitches: [u32; 4],
    offsets: [u32; 4],
    data: *const c_void,
    n_ops: u32,
    ops: [OracleOp; 8],
}

#[repr(C)]
struct OracleFrame {
    width: u32,
    height: u32,
    background: u64,
    n_layers: u32,
    n_gamma: u32,
    layers: *const OracleLayer,
    gamma: *const [u16; 4],
    writeback_fourcc: u32,
    writeback_pitch: u32,
    writeback: *mut c_void,
}

extern "C" {
    fn oracle_compose(frame: *const OracleFrame) -> u32;
}

/// What the C code calls for checksums.
#[no_mangle]
extern "C" fn crc32_le(crc: u32, bytes: *const u8, len: usize) -> u32 {
    // SAFETY: The C code passes a row of pixels and its length.
    kernel::crc32::crc32_le(crc, unsafe { std::slice::from_raw_parts(bytes, len) })
}

/// A framebuffer for C vkms to write to.
pub(crate) struct Writeback<'a> {
    pub(crate) fourcc: u32,
    pub(crate) pitch: u32,
    pub(crate) bytes: &'a mut [u8],
}

/// A scene in the form that the C code takes.
pub(crate) struct Prepared<'a> {
    scene: &'a Scene,
    layers: Vec<OracleLayer>,
    gamma: Vec<[u16; 4]>,
}

impl<'a> Prepared<'a> {
    /// Prepares `scene`, in which all is to be what C vkms can do.
    pub(crate) fn new(scene: &'a Scene) -> Self {
        let layers = scene.layers.iter().map(|layer| {
            let mut ops = [OracleOp {
                kind: 3,
                matrix: ptr::null(),
            }; 8];

            for (out, op) in ops.iter_mut().zip(&layer.ops) {
                *out = match op {
                    Op::SrgbEotf => OracleOp {
                        kind: 0,
                        matrix: ptr::null(),
                    },
                    Op::SrgbInverse => OracleOp {
                        kind: 1,
                        matrix: ptr::null(),
                    },
                    Op::Matrix(matrix) => OracleOp {
                        kind: 2,
                        matrix: matrix.as_ptr(),
                    },
                    Op::Bypassed => OracleOp {
                        kind: 3,
                        matrix: ptr::null(),
                    },
                    _ => panic!("C vkms does not have {op:?}"),
                };
            }
            OracleLayer {
                fourcc: layer.format.fourcc(),
                rotation: layer.rotation,
                encoding: match layer.encoding {
                    Encoding::Bt601 => 0,
                    Encoding::Bt709 => 1,
                    Encoding::Bt2020 => 2,
                },
                range: match layer.range {
                    Range::Limited => 0,
                    Range::Full => 1,
                },
                width: layer.width,
                height: layer.height,
                src: [layer.src.x, layer.src.y, layer.src.width, layer.src.height],
                dst: [
                    layer.dst.x,
                    layer.dst.y,
                    layer.dst.width as i32,
                    layer.dst.height as i32,
                ],
                pitches: layer.pitches,
                offsets: layer.offsets,
                data: layer.bytes.as_ptr().cast(),
                n_ops: layer.ops.len() as u32,
                ops,
            }
        });
        let gamma = scene.gamma.iter().flatten();

        Self {
            scene,
            layers: layers.collect(),
            gamma: gamma.map(|&[r, g, b]| [r, g, b, 0]).collect(),
        }
    }

    /// Composes the scene and returns its CRC.
    pub(crate) fn compose(&self, writeback: Option<Writeback<'_>>) -> u32 {
        let [r, g, b] = self.scene.background.map(u64::from);
        let frame = OracleFrame {
            width: self.scene.width,
            height: self.scene.height,
            background: r << 32 | g << 16 | b,
            n_layers: self.layers.len() as u32,
            n_gamma: self.gamma.len() as u32,
            layers: self.layers.as_ptr(),
            gamma: if self.gamma.is_empty() {
                ptr::null()
            } else {
                self.gamma.as_ptr()
            },
            writeback_fourcc: writeback.as_ref().map_or(0, |w| w.fourcc),
            writeback_pitch: writeback.as_ref().map_or(0, |w| w.pitch),
            writeback: writeback.map_or(ptr::null_mut(), |w| w.bytes.as_mut_ptr().cast()),
        };

        // SAFETY: `frame` points to the layers, tables and pixels that `self` borrows, in the
        // layout that `oracle.c` declares, and there is one thread.
        unsafe { oracle_compose(&frame) }
    }
}
