// SPDX-License-Identifier: GPL-2.0

//! Pixel formats.

/// Puts the four characters of a format's name into a code.
const fn fourcc(name: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*name)
}

macro_rules! formats {
    ($($(#[$attr:meta])* $name:ident = $fourcc:literal, $layout:expr;)*) => {
        /// A pixel format that the composer reads; named as in `drm_fourcc.h`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Format {
            $($(#[$attr])* $name,)*
        }

        impl Format {
            /// All formats.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Takes a `DRM_FORMAT_*` code.
            pub(crate) const fn from_fourcc(code: u32) -> Option<Self> {
                $(if code == fourcc($fourcc) {
                    return Some(Self::$name);
                })*
                None
            }

            /// Returns the `DRM_FORMAT_*` code.
            pub(crate) const fn fourcc(self) -> u32 {
                match self {
                    $(Self::$name => fourcc($fourcc),)*
                }
            }

            /// Returns where the channels are.
            pub(super) const fn layout(self) -> Layout {
                match self {
                    $(Self::$name => $layout,)*
                }
            }
        }
    };
}

/// The order of channels, from the most significant bits down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Argb,
    Abgr,
    Rgba,
    Bgra,
}

/// Where the channels of a format are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// Four channels of 8 bits.
    Rgb32 { order: Order, alpha: bool },
    /// Three channels of 8 bits, [`Order::Argb`] or [`Order::Abgr`] without A.
    Rgb24 { order: Order },
    /// Four channels of 16 bits, [`Order::Argb`] or [`Order::Abgr`].
    Rgb64 { order: Order, alpha: bool },
    /// 5, 6 and 5 bits, [`Order::Argb`] or [`Order::Abgr`] without A.
    Rgb16 { order: Order },
    /// 4 bits each, or 5, 5, 5 and 1 for A.
    Rgb16Alpha {
        order: Order,
        alpha: bool,
        four: bool,
    },
    /// 10 bits each and 2 for A.
    Rgb30 { order: Order, alpha: bool },
    /// Four half-precision floating-point numbers, [`Order::Argb`] or [`Order::Abgr`].
    Half { order: Order, alpha: bool },
    /// Gray of this many bits, the first pixel in the most significant bits of a byte.
    Gray { bits: u32 },
    /// Y, then U and V of two pixels in turn in a second plane, all of 8 bits or of 16.
    SemiPlanar {
        wide: bool,
        sub: Subsampling,
        v_first: bool,
    },
    /// Y, U and V in planes of their own, all of 8 bits.
    Planar { sub: Subsampling, v_first: bool },
    /// Y, U, Y, V of two pixels, all of 8 bits or of 16; or U and V before each Y.
    Pairs {
        wide: bool,
        y_second: bool,
        v_first: bool,
    },
    /// Y, U and V of each pixel, and what is beside them.
    Yuv444 { place: Yuv444, alpha: bool },
}

/// Where the channels of a format are that stores U and V for each pixel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Yuv444 {
    /// Bytes Y, U, V.
    Bytes24,
    /// Bytes V, U, Y, X.
    Bytes32,
    /// 10 bits each of U, Y, V from the least significant bits up, and 2 of A.
    Bits10,
    /// 16 bits each of U, Y, V and A.
    Words,
}

/// How many pixels share one pair of U and V.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Subsampling {
    pub(super) x: usize,
    pub(super) y: usize,
}

const S420: Subsampling = Subsampling { x: 2, y: 2 };
const S422: Subsampling = Subsampling { x: 2, y: 1 };
const S444: Subsampling = Subsampling { x: 1, y: 1 };

const fn rgb32(order: Order, alpha: bool) -> Layout {
    Layout::Rgb32 { order, alpha }
}

const fn rgb64(order: Order, alpha: bool) -> Layout {
    Layout::Rgb64 { order, alpha }
}

const fn rgb16(order: Order, alpha: bool, four: bool) -> Layout {
    Layout::Rgb16Alpha { order, alpha, four }
}

const fn rgb30(order: Order, alpha: bool) -> Layout {
    Layout::Rgb30 { order, alpha }
}

const fn half(order: Order, alpha: bool) -> Layout {
    Layout::Half { order, alpha }
}

const fn pairs(wide: bool, y_second: bool, v_first: bool) -> Layout {
    Layout::Pairs {
        wide,
        y_second,
        v_first,
    }
}

const fn yuv444(place: Yuv444, alpha: bool) -> Layout {
    Layout::Yuv444 { place, alpha }
}

const fn semi_planar(wide: bool, sub: Subsampling, v_first: bool) -> Layout {
    Layout::SemiPlanar { wide, sub, v_first }
}

const fn planar(sub: Subsampling, v_first: bool) -> Layout {
    Layout::Planar { sub, v_first }
}

formats! {
    Argb8888 = b"AR24", rgb32(Order::Argb, true);
    Abgr8888 = b"AB24", rgb32(Order::Abgr, true);
    Rgba8888 = b"RA24", rgb32(Order::Rgba, true);
    Bgra8888 = b"BA24", rgb32(Order::Bgra, true);
    Xrgb8888 = b"XR24", rgb32(Order::Argb, false);
    Xbgr8888 = b"XB24", rgb32(Order::Abgr, false);
    Rgbx8888 = b"RX24", rgb32(Order::Rgba, false);
    Bgrx8888 = b"BX24", rgb32(Order::Bgra, false);
    Rgb888 = b"RG24", Layout::Rgb24 { order: Order::Argb };
    Bgr888 = b"BG24", Layout::Rgb24 { order: Order::Abgr };
    Argb16161616 = b"AR48", rgb64(Order::Argb, true);
    Abgr16161616 = b"AB48", rgb64(Order::Abgr, true);
    Xrgb16161616 = b"XR48", rgb64(Order::Argb, false);
    Xbgr16161616 = b"XB48", rgb64(Order::Abgr, false);
    Rgb565 = b"RG16", Layout::Rgb16 { order: Order::Argb };
    Bgr565 = b"BG16", Layout::Rgb16 { order: Order::Abgr };
    Nv12 = b"NV12", semi_planar(false, S420, false);
    Nv16 = b"NV16", semi_planar(false, S422, false);
    Nv24 = b"NV24", semi_planar(false, S444, false);
    Nv21 = b"NV21", semi_planar(false, S420, true);
    Nv61 = b"NV61", semi_planar(false, S422, true);
    Nv42 = b"NV42", semi_planar(false, S444, true);
    P010 = b"P010", semi_planar(true, S420, false);
    P012 = b"P012", semi_planar(true, S420, false);
    P016 = b"P016", semi_planar(true, S420, false);
    Yuv420 = b"YU12", planar(S420, false);
    Yuv422 = b"YU16", planar(S422, false);
    Yuv444 = b"YU24", planar(S444, false);
    Yvu420 = b"YV12", planar(S420, true);
    Yvu422 = b"YV16", planar(S422, true);
    Yvu444 = b"YV24", planar(S444, true);
    R1 = b"R1  ", Layout::Gray { bits: 1 };
    R2 = b"R2  ", Layout::Gray { bits: 2 };
    R4 = b"R4  ", Layout::Gray { bits: 4 };
    R8 = b"R8  ", Layout::Gray { bits: 8 };
    /// An index into a palette, which is the CRTC's `GAMMA_LUT`.
    C8 = b"C8  ", Layout::Gray { bits: 8 };
    Argb4444 = b"AR12", rgb16(Order::Argb, true, true);
    Abgr4444 = b"AB12", rgb16(Order::Abgr, true, true);
    Rgba4444 = b"RA12", rgb16(Order::Rgba, true, true);
    Bgra4444 = b"BA12", rgb16(Order::Bgra, true, true);
    Xrgb4444 = b"XR12", rgb16(Order::Argb, false, true);
    Xbgr4444 = b"XB12", rgb16(Order::Abgr, false, true);
    Rgbx4444 = b"RX12", rgb16(Order::Rgba, false, true);
    Bgrx4444 = b"BX12", rgb16(Order::Bgra, false, true);
    Argb1555 = b"AR15", rgb16(Order::Argb, true, false);
    Abgr1555 = b"AB15", rgb16(Order::Abgr, true, false);
    Rgba5551 = b"RA15", rgb16(Order::Rgba, true, false);
    Bgra5551 = b"BA15", rgb16(Order::Bgra, true, false);
    Xrgb1555 = b"XR15", rgb16(Order::Argb, false, false);
    Xbgr1555 = b"XB15", rgb16(Order::Abgr, false, false);
    Rgbx5551 = b"RX15", rgb16(Order::Rgba, false, false);
    Bgrx5551 = b"BX15", rgb16(Order::Bgra, false, false);
    Argb2101010 = b"AR30", rgb30(Order::Argb, true);
    Abgr2101010 = b"AB30", rgb30(Order::Abgr, true);
    Rgba1010102 = b"RA30", rgb30(Order::Rgba, true);
    Bgra1010102 = b"BA30", rgb30(Order::Bgra, true);
    Xrgb2101010 = b"XR30", rgb30(Order::Argb, false);
    Xbgr2101010 = b"XB30", rgb30(Order::Abgr, false);
    Rgbx1010102 = b"RX30", rgb30(Order::Rgba, false);
    Bgrx1010102 = b"BX30", rgb30(Order::Bgra, false);
    Argb16161616f = b"AR4H", half(Order::Argb, true);
    Abgr16161616f = b"AB4H", half(Order::Abgr, true);
    Xrgb16161616f = b"XR4H", half(Order::Argb, false);
    Xbgr16161616f = b"XB4H", half(Order::Abgr, false);
    P210 = b"P210", semi_planar(true, S422, false);
    Yuyv = b"YUYV", pairs(false, false, false);
    Yvyu = b"YVYU", pairs(false, false, true);
    Uyvy = b"UYVY", pairs(false, true, false);
    Vyuy = b"VYUY", pairs(false, true, true);
    Y210 = b"Y210", pairs(true, false, false);
    Y212 = b"Y212", pairs(true, false, false);
    Y216 = b"Y216", pairs(true, false, false);
    Vuy888 = b"VU24", yuv444(Yuv444::Bytes24, false);
    Xyuv8888 = b"XYUV", yuv444(Yuv444::Bytes32, false);
    Xvyu2101010 = b"XV30", yuv444(Yuv444::Bits10, false);
    Xvyu12 = b"XV36", yuv444(Yuv444::Words, false);
    Xvyu16161616 = b"XV48", yuv444(Yuv444::Words, false);
    Y410 = b"Y410", yuv444(Yuv444::Bits10, true);
    Y412 = b"Y412", yuv444(Yuv444::Words, true);
    Y416 = b"Y416", yuv444(Yuv444::Words, true);
}

impl Format {
    /// Returns whether pixels have an alpha channel.
    pub(crate) const fn has_alpha(self) -> bool {
        matches!(
            self.layout(),
            Layout::Rgb32 { alpha: true, .. }
                | Layout::Rgb64 { alpha: true, .. }
                | Layout::Rgb16Alpha { alpha: true, .. }
                | Layout::Rgb30 { alpha: true, .. }
                | Layout::Half { alpha: true, .. }
                | Layout::Yuv444 { alpha: true, .. }
        )
    }

    /// Returns whether all channels of a decoded pixel are multiples of 257.
    pub(super) const fn is_8_bit(self) -> bool {
        matches!(
            self.layout(),
            Layout::Rgb32 { .. } | Layout::Rgb24 { .. } | Layout::Gray { .. }
        )
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_format))]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        for &format in Format::ALL {
            assert!(Format::from_fourcc(format.fourcc()) == Some(format));
        }
        assert!(Format::from_fourcc(0).is_none());
        assert!(Format::from_fourcc(0x3432_5258) == Some(Format::Xrgb8888));
    }
}
