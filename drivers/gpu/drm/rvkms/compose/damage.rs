// SPDX-License-Identifier: GPL-2.0

//! Which rows of a frame differ from those of the frame before.

use super::{
    Frame,
    Layer, //
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The description of the last frame that was composed, with a version of type `V` in the place of
/// the memory of each framebuffer, if there is one.
pub(crate) struct Shown<V> {
    frame: Frame<Option<V>>,
    next: Frame<Option<V>>,
    /// `frame` is what was composed last.
    valid: bool,
    rows: KVec<Range<u32>>,
}

impl<V: Copy + PartialEq> Shown<V> {
    /// Allocates room for frames of up to `max_layers` layers. May sleep.
    pub(crate) fn new(max_layers: usize) -> Result<Self> {
        let rows = max_layers.checked_mul(2).ok_or(EOVERFLOW)?.max(1);

        Ok(Self {
            frame: Frame::empty(max_layers)?,
            next: Frame::empty(max_layers)?,
            valid: false,
            rows: KVec::with_capacity(rows, GFP_KERNEL)?,
        })
    }

    /// Forgets the frame: all rows of the next one differ.
    pub(crate) fn forget(&mut self) {
        self.valid = false;
    }

    /// Takes `frame` for the last one from now on, and returns the rows of it that may differ from
    /// those of the one before: ranges in order, with space between.
    ///
    /// `version` is called for each layer, with the version that the layer in the same place had
    /// before. If it returns [`None`] then the layer may always differ.
    ///
    /// `changed` is called for each layer of which only the version is not the one before, with
    /// both versions. It returns which rows of the frame can differ for that reason, or [`None`] if
    /// that is not known.
    ///
    /// Returns [`E2BIG`] if the frame has more layers than there is room for. Allocates nothing.
    pub(crate) fn update<S>(
        &mut self,
        frame: &Frame<S>,
        mut version: impl FnMut(&S, Option<&V>) -> Option<V>,
        changed: impl Fn(&S, &V, &V) -> Option<Range<u32>>,
    ) -> Result<&[Range<u32>]> {
        let next = &mut self.next;

        next.layers.clear();
        for (index, layer) in frame.layers.iter().enumerate() {
            let before = self.frame.layers.get(index).filter(|_| self.valid);
            let before = before.and_then(|layer| layer.source.as_ref());
            let source = version(&layer.source, before);

            next.layers
                .push_within_capacity(layer.with_source(source))
                .map_err(|_| E2BIG)?;
        }
        next.width = frame.width;
        next.height = frame.height;
        next.background = frame.background;
        next.degamma = frame.degamma.clone();
        next.ctm = frame.ctm.clone();
        next.gamma = frame.gamma.clone();

        self.rows.clear();
        if self.valid && next.is_adjusted_like(&self.frame) {
            compare(
                &self.frame.layers,
                &next.layers,
                frame,
                changed,
                &mut self.rows,
            )?;
        } else {
            add(&mut self.rows, 0..frame.height)?;
        }
        merge(&mut self.rows);

        core::mem::swap(&mut self.frame, &mut self.next);
        // What the frame before kept alive is not needed any more.
        self.next.layers.clear();
        self.valid = true;

        Ok(&self.rows)
    }
}

fn add(rows: &mut KVec<Range<u32>>, range: Range<u32>) -> Result {
    if !range.is_empty() {
        rows.push_within_capacity(range).map_err(|_| E2BIG)?;
    }
    Ok(())
}

/// Adds the rows of the layers that are not the same in both.
fn compare<V: PartialEq, S>(
    old: &[Layer<Option<V>>],
    new: &[Layer<Option<V>>],
    frame: &Frame<S>,
    changed: impl Fn(&S, &V, &V) -> Option<Range<u32>>,
    rows: &mut KVec<Range<u32>>,
) -> Result {
    let mut add_layer = |layer: &Layer<Option<V>>, changed: Option<Range<u32>>| {
        let (start, end) = layer.dst.rows(frame.height as usize);
        let (start, end) = (start as u32, end as u32);
        let changed = changed.unwrap_or(start..end);

        add(rows, start.max(changed.start)..end.min(changed.end))
    };

    if old.len() == new.len() {
        let layers = old.iter().zip(new).zip(&frame.layers);

        for ((old, new), layer) in layers.filter(|((old, new), _)| !new.is_like(old)) {
            let changed = match (&old.source, &new.source) {
                (Some(before), Some(now)) if new.is_shown_like(old) => {
                    changed(&layer.source, before, now)
                }
                _ => None,
            };

            if changed.is_none() {
                add_layer(old, None)?;
            }
            add_layer(new, changed)?;
        }
        return Ok(());
    }

    // Layers have come or gone: those below and above are the same.
    let below = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| new.is_like(old));
    let below = below.count();
    let (old, new) = (
        old.get(below..).unwrap_or_default(),
        new.get(below..).unwrap_or_default(),
    );
    let above = old.iter().rev().zip(new.iter().rev());
    let above = above.take_while(|(old, new)| new.is_like(old)).count();

    for layers in [old, new] {
        let between = layers.len().saturating_sub(above);

        for layer in layers.iter().take(between) {
            add_layer(layer, None)?;
        }
    }
    Ok(())
}

/// Sorts ranges and puts those together that overlap or touch.
fn merge(rows: &mut KVec<Range<u32>>) {
    rows.sort_unstable_by_key(|range| range.start);

    let mut last: Option<usize> = None;

    for index in 0..rows.len() {
        let Some(range) = rows.get(index).cloned() else {
            break;
        };

        match last.and_then(|last| rows.get_mut(last)) {
            Some(before) if range.start <= before.end => before.end = before.end.max(range.end),
            _ => {
                let next = last.map_or(0, |last| last + 1);

                if let Some(place) = rows.get_mut(next) {
                    *place = range;
                }
                last = Some(next);
            }
        }
    }
    rows.truncate(last.map_or(0, |last| last + 1));
}

/// Returns whether both are the same object, or nothing.
fn is_same<T>(one: &Option<Arc<T>>, other: &Option<Arc<T>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

impl<S> Frame<S> {
    fn empty(max_layers: usize) -> Result<Self> {
        Ok(Self {
            width: 0,
            height: 0,
            background: [0; 3],
            layers: KVec::with_capacity(max_layers, GFP_KERNEL)?,
            degamma: None,
            ctm: None,
            gamma: None,
        })
    }

    /// Returns whether all but the layers is the same, and what is done with `gamma`.
    fn is_adjusted_like(&self, other: &Self) -> bool {
        let Self {
            width,
            height,
            background,
            layers: _,
            degamma,
            ctm,
            gamma,
        } = self;

        (*width, *height, *background) == (other.width, other.height, other.background)
            && is_same(degamma, &other.degamma)
            && is_same(ctm, &other.ctm)
            && is_same(gamma, &other.gamma)
            && (gamma.is_none() || self.has_palette() == other.has_palette())
    }
}

impl<S> Layer<S> {
    /// Returns the same layer with another source.
    fn with_source<T>(&self, source: T) -> Layer<T> {
        Layer {
            source,
            format: self.format,
            pitches: self.pitches,
            src: self.src,
            dst: self.dst,
            rotation: self.rotation,
            encoding: self.encoding,
            range: self.range,
            alpha: self.alpha,
            blend: self.blend,
            filter: self.filter,
            pipeline: self.pipeline.clone(),
        }
    }
}

impl<V: PartialEq> Layer<Option<V>> {
    /// Returns whether both are sure to have the same pixels in the same places.
    fn is_like(&self, other: &Self) -> bool {
        self.source.is_some() && self.source == other.source && self.is_shown_like(other)
    }

    /// Returns whether both have the same pixels in the same places if their memory is the same.
    fn is_shown_like(&self, other: &Self) -> bool {
        let Self {
            source: _,
            format,
            pitches,
            src,
            dst,
            rotation,
            encoding,
            range,
            alpha,
            blend,
            filter,
            pipeline,
        } = self;

        (*format, *pitches, *src, *dst) == (other.format, other.pitches, other.src, other.dst)
            && (*rotation, *encoding, *range) == (other.rotation, other.encoding, other.range)
            && (*alpha, *blend, *filter) == (other.alpha, other.blend, other.filter)
            && is_same(pipeline, &other.pipeline)
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_damage))]
mod tests {
    use super::{
        super::{
            Area,
            BlendMode,
            Encoding,
            Filter,
            Format,
            Lut,
            Range as ColorRange,
            Rotation,
            SourceArea, //
        },
        *, //
    };

    fn layer(source: Option<u32>, y: i32) -> Layer<Option<u32>> {
        Layer {
            source,
            format: Format::Xrgb8888,
            pitches: [400, 0, 0, 0],
            src: SourceArea::default(),
            dst: Area {
                x: 0,
                y,
                width: 10,
                height: 20,
            },
            rotation: Rotation::NONE,
            encoding: Encoding::Bt601,
            range: ColorRange::Full,
            alpha: 0xffff,
            blend: BlendMode::None,
            filter: Filter::Nearest,
            pipeline: None,
        }
    }

    fn frame<const N: usize>(layers: [Layer<Option<u32>>; N]) -> Result<Frame<Option<u32>>> {
        let mut frame = Frame::empty(N)?;

        (frame.width, frame.height) = (100, 100);
        for layer in layers {
            frame.layers.push(layer, GFP_KERNEL)?;
        }
        Ok(frame)
    }

    fn update<'a>(
        shown: &'a mut Shown<u32>,
        frame: &Frame<Option<u32>>,
    ) -> Result<&'a [Range<u32>]> {
        shown.update(frame, |source, _| *source, |_, _, _| None)
    }

    /// Whether the ranges are those of first rows and ends.
    fn are(rows: &[Range<u32>], expected: &[(u32, u32)]) -> bool {
        let rows = rows.iter().map(|range| (range.start, range.end));

        rows.eq(expected.iter().copied())
    }

    #[test]
    fn only_what_changed_differs() -> Result {
        let mut shown = Shown::new(3)?;
        let still = frame([layer(Some(1), 0), layer(Some(2), 30)])?;

        assert!(are(update(&mut shown, &still)?, &[(0, 100)]));
        assert!(update(&mut shown, &still)?.is_empty());

        // One layer moves, by less than its height and by more.
        let moved = frame([layer(Some(1), 0), layer(Some(2), 40)])?;
        assert!(are(update(&mut shown, &moved)?, &[(30, 60)]));
        let moved = frame([layer(Some(1), 0), layer(Some(2), 90)])?;
        assert!(are(update(&mut shown, &moved)?, &[(40, 60), (90, 100)]));

        // The other one was written to.
        let written = frame([layer(Some(3), 0), layer(Some(2), 90)])?;
        assert!(are(update(&mut shown, &written)?, &[(0, 20)]));

        // One comes in between, and goes.
        let three = frame([layer(Some(3), 0), layer(Some(9), 50), layer(Some(2), 90)])?;
        assert!(are(update(&mut shown, &three)?, &[(50, 70)]));
        assert!(are(update(&mut shown, &written)?, &[(50, 70)]));

        // The order is not the same.
        let swapped = frame([layer(Some(2), 90), layer(Some(3), 0)])?;
        assert!(are(update(&mut shown, &swapped)?, &[(0, 20), (90, 100)]));
        Ok(())
    }

    #[test]
    fn what_is_not_known_differs() -> Result {
        let mut shown = Shown::new(2)?;
        let unknown = frame([layer(Some(1), 0), layer(None, 10)])?;

        assert!(are(update(&mut shown, &unknown)?, &[(0, 100)]));
        assert!(are(update(&mut shown, &unknown)?, &[(10, 30)]));

        shown.forget();
        assert!(are(update(&mut shown, &unknown)?, &[(0, 100)]));

        let mut colored = frame([layer(Some(1), 0), layer(None, 10)])?;
        colored.background = [1, 0, 0];
        assert!(are(update(&mut shown, &colored)?, &[(0, 100)]));

        let many = frame([layer(Some(1), 0), layer(Some(1), 0), layer(Some(1), 0)])?;
        assert!(update(&mut shown, &many).err() == Some(E2BIG));
        Ok(())
    }

    #[test]
    fn palettes_are_for_the_whole_frame() -> Result {
        let mut shown = Shown::new(2)?;
        let gamma = Arc::new(Lut::new(256, |_| [0; 3])?, GFP_KERNEL)?;
        let mut colors = frame([layer(Some(1), 0)])?;
        let mut indices = layer(Some(2), 30);

        indices.format = Format::C8;
        let mut both = frame([layer(Some(1), 0), indices])?;

        update(&mut shown, &colors)?;
        assert!(are(update(&mut shown, &both)?, &[(30, 50)]));

        (colors.gamma, both.gamma) = (Some(gamma.clone()), Some(gamma));
        update(&mut shown, &colors)?;
        assert!(are(update(&mut shown, &both)?, &[(0, 100)]));
        assert!(update(&mut shown, &both)?.is_empty());
        assert!(are(update(&mut shown, &colors)?, &[(0, 100)]));
        Ok(())
    }

    #[test]
    fn versions_of_before_are_handed_over() -> Result {
        let mut shown = Shown::new(2)?;
        let one = frame([layer(Some(1), 0)])?;

        let first = |_: &_, before: Option<&u32>| {
            assert!(before.is_none());
            Some(5)
        };
        shown.update(&one, first, |_, _, _| None)?;

        let second = |_: &_, before: Option<&u32>| {
            assert!(before == Some(&5));
            None
        };
        shown.update(&one, second, |_, _, _| None)?;
        Ok(())
    }

    #[test]
    fn known_changes_are_small() -> Result {
        let mut shown = Shown::new(2)?;
        let changed = |_: &_, before: &u32, now: &u32| match (before, now) {
            (1, 2) => Some(5..8),
            (2, 3) => Some(15..90),
            (3, 4) => Some(0..0),
            _ => None,
        };
        let mut differ = |source, y, expected: &[(u32, u32)]| {
            let frame = frame([layer(Some(source), y), layer(Some(9), 50)])?;
            let rows = shown.update(&frame, |source, _| *source, changed)?;

            Ok::<_, Error>(are(rows, expected))
        };

        assert!(differ(1, 0, &[(0, 100)])?);
        assert!(differ(2, 0, &[(5, 8)])?);
        // No more than the layer, nothing at all, and not known.
        assert!(differ(3, 0, &[(15, 20)])?);
        assert!(differ(4, 0, &[])?);
        assert!(differ(1, 0, &[(0, 20)])?);
        // It has moved, too.
        assert!(differ(2, 10, &[(0, 30)])?);
        Ok(())
    }
}
