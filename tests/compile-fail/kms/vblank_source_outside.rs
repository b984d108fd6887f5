// SPDX-License-Identifier: GPL-2.0
//@ error: E0277
//@ message: Source: drm::private::Sealed` is not satisfied

// The layer knows all sources of vertical blanks.

include!("../common/kms.rs");

#[cfg(not(wrong))]
type Source = NoVblank;

#[cfg(wrong)]
struct Source;

#[cfg(wrong)]
impl VblankSource for Source { //~
    const HAS_VBLANK: bool = true;

    type Timer = <NoVblank as VblankSource>::Timer;

    fn mode_valid(_mode: &kms::modes::DisplayMode) -> kms::modes::ModeStatus {
        kms::modes::ModeStatus::Ok
    }
}

fn has_vblank() -> bool {
    Source::HAS_VBLANK //~
}
