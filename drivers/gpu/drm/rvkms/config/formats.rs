// SPDX-License-Identifier: GPL-2.0

//! Sets of pixel formats, as user space names them.

use crate::{
    compose::Format,
    plane::is_offered, //
};
use kernel::prelude::*;

/// How many formats a plane can have: each is a bit for the core.
///
/// C: `__drm_universal_plane_init()`.
pub(crate) const MAX_FORMATS: usize = 64;

/// A set of the formats that planes can show.
///
/// # Invariants
///
/// There are at most [`MAX_FORMATS`].
#[derive(Clone, Copy)]
pub(crate) struct Formats([bool; Format::ALL.len()]);

impl Formats {
    /// The formats of a plane that is not told which ones to have.
    pub(crate) const DEFAULT: Self = {
        let mut offered = [false; Format::ALL.len()];
        let (mut i, mut count) = (0, 0);

        while i < offered.len() {
            offered[i] = is_offered(Format::ALL[i]);
            count += offered[i] as usize;
            i += 1;
        }
        assert!(count <= MAX_FORMATS);

        // INVARIANT: There are not more, as was just seen.
        Self(offered)
    };

    /// Returns whether there is no format in the set.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns the formats, in the order of [`Format::ALL`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = Format> + '_ {
        Format::ALL
            .iter()
            .zip(&self.0)
            .filter_map(|(format, contained)| contained.then_some(*format))
    }

    /// Returns whether `format` is in the set.
    pub(crate) fn contains(&self, format: Format) -> bool {
        self.iter().any(|other| other == format)
    }

    /// Returns a set that is changed as `text` says.
    ///
    /// `+` and the four characters of a code add a format, and `-` removes one. Blanks at the end
    /// of a code can be left out. `+*` adds the formats of [`Self::DEFAULT`], `-*` removes all.
    ///
    /// Fails with [`EINVAL`] if this cannot be understood, and with [`ENOSPC`] if there would be
    /// more than [`MAX_FORMATS`] in the end.
    pub(crate) fn changed(&self, text: &[u8]) -> Result<Self> {
        let mut contained = self.0;
        let mut rest = text.trim_ascii();

        while let Some((sign, after)) = rest.split_first() {
            let added = match sign {
                b'+' => true,
                b'-' => false,
                _ => return Err(EINVAL),
            };
            let end = after
                .iter()
                .position(|byte| matches!(byte, b'+' | b'-' | b'\n'))
                .unwrap_or(after.len());
            let (name, next) = after.split_at_checked(end).ok_or(EINVAL)?;

            match name.trim_ascii_end() {
                b"*" => {
                    for (contained, default) in contained.iter_mut().zip(Self::DEFAULT.0) {
                        *contained = added && (*contained || default);
                    }
                }
                name => *contained.get_mut(index(name)?).ok_or(EINVAL)? = added,
            }
            rest = next.trim_ascii_start();
        }

        if contained.iter().filter(|contained| **contained).count() > MAX_FORMATS {
            return Err(ENOSPC);
        }
        // INVARIANT: There are not more, as was just seen.
        Ok(Self(contained))
    }
}

/// Returns where the format of a name is in [`Format::ALL`].
fn index(name: &[u8]) -> Result<usize> {
    let mut code = [b' '; 4];

    if name.is_empty() {
        return Err(EINVAL);
    }
    code.get_mut(..name.len())
        .ok_or(EINVAL)?
        .copy_from_slice(name);

    let format = Format::from_fourcc(u32::from_le_bytes(code)).ok_or(EINVAL)?;

    Format::ALL
        .iter()
        .position(|other| *other == format)
        .ok_or(EINVAL)
}
