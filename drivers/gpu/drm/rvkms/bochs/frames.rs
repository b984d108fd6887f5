// SPDX-License-Identifier: GPL-2.0

//! What the frames in the memory of the device hold.

use crate::{
    convert::Gamma,
    damage::Damage,
    draw::Layer,
    layout::{
        Area,
        MAX_FRAMES, //
    },
    scanout::PLANES, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What a frame holds. In the place of each framebuffer is a version of type `V`, if there is one.
///
/// A version tells what is in the memory of a framebuffer.
pub(crate) struct Content<V> {
    pub(crate) layers: [Option<Layer<Option<V>>>; PLANES],
    pub(crate) gamma: Option<Arc<Gamma>>,
}

impl<V: PartialEq> Content<V> {
    /// Returns where `other` may show something else, given all that can be seen.
    fn difference(&self, other: &Self, all: &Area) -> Damage {
        let gammas = (self.gamma.as_ref(), other.gamma.as_ref());

        if gammas.0.map(Arc::as_ptr) != gammas.1.map(Arc::as_ptr) {
            return all.clone().into();
        }

        let mut damage = Damage::default();
        for (one, other) in self.layers.iter().zip(&other.layers) {
            if let (Some(one), Some(other)) = (one, other) {
                if is_like(one, other) {
                    continue;
                }
            }
            for layer in [one, other].into_iter().flatten() {
                damage.add(layer.dst.overlap(all));
            }
        }
        damage
    }

    /// Returns what a frame holds that held `old`, and where only `damage` of this was drawn.
    /// Nothing is relied on but layers that have been drawn as a whole, now or before.
    fn drawn_over(mut self, old: &Self, damage: &Damage) -> Self {
        for (layer, old) in self.layers.iter_mut().zip(&old.layers) {
            if let Some(layer) = layer {
                let same = old.as_ref().is_some_and(|old| is_like(old, layer));

                if !same && !damage.covers(&layer.dst) {
                    layer.source = None;
                }
            }
        }
        self
    }
}

/// Returns whether the pixels of both are the same.
fn is_like<V: PartialEq>(one: &Layer<Option<V>>, other: &Layer<Option<V>>) -> bool {
    let Layer {
        source,
        format,
        way,
        blend,
        src: _,
        dst,
    } = one;

    source.is_some()
        && *source == other.source
        && (*format, *way, *blend) == (other.format, other.way, other.blend)
        && *dst == other.dst
}

/// What the frames hold, and which one is shown.
pub(crate) struct Frames<V> {
    contents: [Option<Content<V>>; MAX_FRAMES],
    front: usize,
}

impl<V> Default for Frames<V> {
    fn default() -> Self {
        Self {
            contents: [const { None }; MAX_FRAMES],
            front: 0,
        }
    }
}

impl<V: PartialEq> Frames<V> {
    /// Returns the frame that is shown.
    pub(crate) fn front(&self) -> usize {
        self.front
    }

    /// Forgets what the frames hold: somebody else has drawn there.
    pub(crate) fn forget(&mut self) {
        self.contents = [const { None }; MAX_FRAMES];
    }

    /// Returns the versions of all that has been drawn.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &V> {
        let layers = self.contents.iter().flatten().flat_map(|c| &c.layers);

        layers.flatten().filter_map(|layer| layer.source.as_ref())
    }

    /// Shows `content`, of which `damage` is not in the frame that is shown. There are `count`
    /// frames, and `all` can be seen of each. `draw` is called with the frame that is shown from
    /// now on, and what is to be drawn there.
    ///
    /// If all has changed then that is the next frame. Smaller changes are drawn where they can be
    /// seen. What a frame holds already is not drawn again.
    pub(crate) fn show<E>(
        &mut self,
        content: Content<V>,
        damage: Damage,
        count: usize,
        all: &Area,
        draw: impl FnOnce(usize, &Damage) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = if self.front + 1 < count.min(MAX_FRAMES) {
            self.front + 1
        } else {
            0
        };
        let missing = |frame: usize| Some(self.content(frame)?.difference(&content, all));

        let (frame, damage, drawn) = match missing(self.front) {
            Some(none) if none.is_empty() => (self.front, none, Some(content)),
            _ if !damage.covers(all) => {
                let old = self.content(self.front);
                let drawn = old.map(|old| content.drawn_over(old, &damage));

                (self.front, damage, drawn)
            }
            _ => {
                let damage = missing(next).unwrap_or_else(|| all.clone().into());

                (next, damage, Some(content))
            }
        };

        let result = draw(frame, &damage);

        self.front = frame;
        if let Some(place) = self.contents.get_mut(frame) {
            *place = drawn.filter(|_| result.is_ok());
        }
        result
    }

    fn content(&self, frame: usize) -> Option<&Content<V>> {
        self.contents.get(frame)?.as_ref()
    }
}

#[kunit_tests(rvkms_bochs_frames)]
mod tests {
    use super::*;
    use crate::{
        convert::Format,
        turn::Way, //
    };
    use kernel::drm::kms::blend::BlendMode;

    const ALL: Area = Area { x: 0..8, y: 0..8 };
    const CURSOR: Area = Area { x: 1..3, y: 1..3 };

    fn layer(version: u32, dst: Area) -> Option<Layer<Option<u32>>> {
        Some(Layer {
            // 0 stands for memory of which nothing is known.
            source: (version != 0).then_some(version),
            format: Format::Xrgb8888,
            way: Way::new(0, 4, 32),
            blend: BlendMode::Premultiplied,
            src: Some((0, 0)),
            dst,
        })
    }

    fn picture(version: u32) -> Content<u32> {
        Content {
            layers: [layer(version, ALL), None],
            gamma: None,
        }
    }

    fn with_cursor(version: u32) -> Content<u32> {
        Content {
            layers: [layer(version, ALL), layer(9, CURSOR)],
            gamma: None,
        }
    }

    /// Shows `content` and returns the frame, and what was drawn there if that is one area.
    fn show(
        frames: &mut Frames<u32>,
        content: Content<u32>,
        damage: Area,
    ) -> Result<(usize, Option<Area>)> {
        let mut drawn = None;

        frames.show(content, damage.into(), 2, &ALL, |frame, damage| {
            assert!(damage.areas().count() <= 1);
            drawn = Some((frame, damage.areas().next().cloned()));
            Ok::<_, Error>(())
        })?;

        drawn.ok_or(EINVAL)
    }

    #[test]
    fn pictures_in_turn_are_drawn_once() -> Result {
        let frames = &mut Frames::default();

        assert_eq!(show(frames, picture(1), ALL)?, (1, Some(ALL)));
        assert_eq!(show(frames, picture(2), ALL)?, (0, Some(ALL)));
        for _ in 0..2 {
            assert_eq!(show(frames, picture(1), ALL)?, (1, None));
            assert_eq!(show(frames, picture(2), ALL)?, (0, None));
        }
        // The same again.
        assert_eq!(show(frames, picture(2), ALL)?, (0, None));

        // One is written to.
        assert_eq!(show(frames, picture(3), ALL)?, (1, Some(ALL)));
        assert_eq!(show(frames, picture(2), ALL)?, (0, None));

        frames.forget();
        assert_eq!(show(frames, picture(3), ALL)?, (1, Some(ALL)));
        Ok(())
    }

    #[test]
    fn what_is_not_known_is_always_drawn() -> Result {
        let frames = &mut Frames::default();

        for frame in [1, 0, 1, 0] {
            assert_eq!(show(frames, picture(0), ALL)?, (frame, Some(ALL)));
        }
        Ok(())
    }

    #[test]
    fn a_frame_gets_what_it_has_missed() -> Result {
        let frames = &mut Frames::default();

        show(frames, picture(1), ALL)?;
        show(frames, picture(2), ALL)?;
        assert_eq!(
            show(frames, with_cursor(2), CURSOR)?,
            (0, Some(CURSOR.clone()))
        );
        assert_eq!(show(frames, with_cursor(1), ALL)?, (1, Some(CURSOR)));
        assert_eq!(show(frames, with_cursor(2), ALL)?, (0, None));
        Ok(())
    }

    #[test]
    fn what_is_drawn_in_part_is_not_there() -> Result {
        let frames = &mut Frames::default();

        show(frames, picture(1), ALL)?;
        assert_eq!(show(frames, picture(2), CURSOR)?, (1, Some(CURSOR)));
        assert_eq!(show(frames, picture(2), ALL)?, (0, Some(ALL)));
        Ok(())
    }

    #[test]
    fn what_failed_is_not_there() -> Result {
        let frames = &mut Frames::default();
        let failed = frames.show(picture(1), ALL.into(), 1, &ALL, |_, _| Err(EINVAL));

        assert_eq!(failed, Err(EINVAL));
        frames.show(picture(1), ALL.into(), 1, &ALL, |frame, damage| {
            assert_eq!(frame, 0);
            assert!(damage.covers(&ALL));
            Ok::<_, Error>(())
        })
    }
}
