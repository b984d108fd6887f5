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
}

impl Format {
    /// Returns whether pixels have an alpha channel.
    pub(crate) const fn has_alpha(self) -> bool {
        matches!(
            self.layout(),
            Layout::Rgb32 { alpha: true, .. } | Layout::Rgb64 { alpha: true, .. }
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
