// SPDX-License-Identifier: GPL-2.0

//! The colour planes of pixel formats.

use crate::scene::Format;

/// A colour plane: how many pixels share a row or a column, and how many bits each sample has.
#[derive(Clone, Copy, Debug)]
pub struct PlaneLayout {
    pub sub_x: usize,
    pub sub_y: usize,
    pub bits: usize,
}

/// Returns the colour planes of a format, none if it is not known.
pub fn plane_layouts(format: &Format) -> Vec<PlaneLayout> {
    let planes: &[(usize, usize, usize)] = match format {
        b"RG24" | b"BG24" => &[(1, 1, 24)],
        b"AR48" | b"AB48" | b"XR48" | b"XB48" => &[(1, 1, 64)],
        b"RG16" | b"BG16" => &[(1, 1, 16)],
        b"NV12" | b"NV21" => &[(1, 1, 8), (2, 2, 16)],
        b"NV16" | b"NV61" => &[(1, 1, 8), (2, 1, 16)],
        b"NV24" | b"NV42" => &[(1, 1, 8), (1, 1, 16)],
        b"P010" | b"P012" | b"P016" => &[(1, 1, 16), (2, 2, 32)],
        b"YU12" | b"YV12" => &[(1, 1, 8), (2, 2, 8), (2, 2, 8)],
        b"YU16" | b"YV16" => &[(1, 1, 8), (2, 1, 8), (2, 1, 8)],
        b"YU24" | b"YV24" => &[(1, 1, 8), (1, 1, 8), (1, 1, 8)],
        b"P210" => &[(1, 1, 16), (2, 1, 32)],
        b"AR4H" | b"AB4H" | b"XR4H" | b"XB4H" => &[(1, 1, 64)],
        b"XV36" | b"XV48" | b"Y412" | b"Y416" => &[(1, 1, 64)],
        b"Y210" | b"Y212" | b"Y216" => &[(1, 1, 32)],
        b"YUYV" | b"YVYU" | b"UYVY" | b"VYUY" => &[(1, 1, 16)],
        b"VU24" => &[(1, 1, 24)],
        b"R1  " => &[(1, 1, 1)],
        b"R2  " => &[(1, 1, 2)],
        b"R4  " => &[(1, 1, 4)],
        b"R8  " | b"C8  " => &[(1, 1, 8)],
        [b'A' | b'B' | b'R' | b'X', b'A' | b'B' | b'R' | b'X', b'1', b'2' | b'5'] => &[(1, 1, 16)],
        [b'A' | b'B' | b'R' | b'X', b'A' | b'B' | b'R' | b'X', b'2', b'4'] => &[(1, 1, 32)],
        [b'A' | b'B' | b'R' | b'X', b'A' | b'B' | b'R' | b'X', b'3', b'0'] => &[(1, 1, 32)],
        b"XYUV" | b"XV30" | b"Y410" => &[(1, 1, 32)],
        _ => &[],
    };

    planes
        .iter()
        .map(|&(sub_x, sub_y, bits)| PlaneLayout { sub_x, sub_y, bits })
        .collect()
}

/// Returns whether a format is one of YUV.
pub fn is_yuv(format: &Format) -> bool {
    matches!(
        format,
        [b'N', b'V', ..]
            | [b'P', b'0' | b'2', ..]
            | [b'U' | b'V' | b'Y', ..]
            | [b'X', b'V' | b'Y', ..]
    )
}
