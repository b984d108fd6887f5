// SPDX-License-Identifier: GPL-2.0

//! Sets of pixel formats, as user space names them.

use crate::{
    compose::Format,
    plane::is_offered, //
};
use kernel::prelude::*;

/// A set of the formats that planes can show.
#[derive(Clone, Copy)]
pub(crate) struct Formats([bool; Format::ALL.len()]);

impl Formats {
    /// All formats that planes can show.
    pub(crate) const ALL: Self = {
        let mut all = [false; Format::ALL.len()];
        let mut i = 0;

        while i < all.len() {
            all[i] = is_offered(Format::ALL[i]);
            i += 1;
        }

        Self(all)
    };

    const NONE: Self = Self([false; Format::ALL.len()]);

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

    /// Returns a set that is changed as `text` says.
    ///
    /// `+` and the four characters of a code add a format, `-` removes one, and `*` is for all of
    /// them. Blanks at the end of a code can be left out.
    pub(crate) fn changed(&self, text: &[u8]) -> Result<Self> {
        let mut changed = *self;
        let mut rest = text.trim_ascii();

        while let Some((sign, after)) = rest.split_first() {
            let contained = match sign {
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
                b"*" if contained => changed = Self::ALL,
                b"*" => changed = Self::NONE,
                name => changed.set(name, contained)?,
            }
            rest = next.trim_ascii_start();
        }

        Ok(changed)
    }

    fn set(&mut self, name: &[u8], contained: bool) -> Result {
        let mut code = [b' '; 4];

        if name.is_empty() {
            return Err(EINVAL);
        }
        code.get_mut(..name.len())
            .ok_or(EINVAL)?
            .copy_from_slice(name);

        let format = Format::from_fourcc(u32::from_le_bytes(code)).ok_or(EINVAL)?;
        let index = Format::ALL.iter().position(|other| *other == format);

        // What no plane can show is not taken either.
        if !is_offered(format) {
            return Err(EINVAL);
        }
        *self.0.get_mut(index.ok_or(EINVAL)?).ok_or(EINVAL)? = contained;

        Ok(())
    }
}
