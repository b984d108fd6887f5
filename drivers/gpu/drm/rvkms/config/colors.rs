// SPDX-License-Identifier: GPL-2.0

//! How planes understand luma and chroma.

use kernel::drm::kms::color::{
    ColorEncoding,
    ColorRange, //
};

/// The encodings and ranges of a plane, as masks; the defaults are a bit of them.
///
/// User space cannot choose if all of it is 0.
#[derive(Clone, Copy)]
pub(crate) struct Colors {
    pub(crate) encodings: u32,
    pub(crate) default_encoding: u32,
    pub(crate) ranges: u32,
    pub(crate) default_range: u32,
}

impl Colors {
    /// All encodings.
    pub(crate) const ENCODINGS: u32 =
        ColorEncoding::Bt601.mask() | ColorEncoding::Bt709.mask() | ColorEncoding::Bt2020.mask();

    /// All ranges.
    pub(crate) const RANGES: u32 = ColorRange::Limited.mask() | ColorRange::Full.mask();

    /// All that there is. The defaults are those of vkms under its name; otherwise the range is the
    /// limited one, which nearly all YUV has.
    pub(crate) const ALL: Self = Self {
        encodings: Self::ENCODINGS,
        default_encoding: ColorEncoding::Bt601.mask(),
        ranges: Self::RANGES,
        default_range: if cfg!(CONFIG_DRM_RVKMS_AS_VKMS) {
            ColorRange::Full.mask()
        } else {
            ColorRange::Limited.mask()
        },
    };

    /// Whether user space can choose.
    pub(crate) fn are_offered(&self) -> bool {
        self.encodings != 0 || self.ranges != 0
    }

    /// Returns the default encoding and range, if they are among those offered.
    pub(crate) fn defaults(&self) -> Option<(ColorEncoding, ColorRange)> {
        let encoding = ColorEncoding::ALL
            .into_iter()
            .find(|encoding| encoding.mask() == self.default_encoding & self.encodings)?;
        let range = ColorRange::ALL
            .into_iter()
            .find(|range| range.mask() == self.default_range & self.ranges)?;

        Some((encoding, range))
    }
}
