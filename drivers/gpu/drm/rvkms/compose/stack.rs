// SPDX-License-Identifier: GPL-2.0

//! Several translucent layers over each other, blended before the next pixels are read.
//!
//! Most pixels of a picture are opaque or transparent, so the layers are first looked at from the
//! top down to find those that are visible at each pixel. A branch for each pixel would be a guess
//! that is often wrong: pixels are put into lists instead.

use super::{
    blend::{
        lower,
        over, //
    },
    decode,
    format::Order,
    frame::Layer,
    pixel::{
        self,
        Pixel, //
    },
    Source, //
};
use kernel::{
    drm::simd,
    prelude::*, //
};

/// The number of layers that are blended at once.
pub(super) const DEPTH: usize = 8;

/// The number of pixels that are blended before the next ones are read: as many as an `u8` can tell
/// apart.
pub(super) const CHUNK: usize = 256;

/// The number of pixels that are blended side by side, since each step of a pixel waits for the one
/// before.
const GROUP: usize = 2;

/// Above so many percent of visible pixels all pixels are blended.
const SHARE: usize = 75;

/// The same if that can be done in vector registers.
const SHARE_IF_FAST: usize = 15;

/// After a chunk in which all pixels were blended, so many are taken to be alike.
const UNSEEN: u8 = 31;

/// The least pixel that is opaque, as a number.
const OPAQUE: u32 = 0xff00_0000;

/// The pixels of a layer as in ARGB8888: B, G, R and A.
type Words = [[u8; 4]; CHUNK];

/// Pixels of up to [`DEPTH`] pre-multiplied layers of 32-bit formats.
pub(super) struct Stack {
    /// [`DEPTH`] layers, the lowest first.
    layers: KVec<Words>,
    /// Which pixels of each layer are visible.
    visible: KVec<List>,
    depth: usize,
    /// For how many chunks the visible pixels are not looked for.
    unseen: u8,
    /// All pixels of layers can be blended in vector registers.
    fast: bool,
}

/// Some of the pixels of a chunk.
struct List {
    pixels: [u8; CHUNK],
    len: usize,
}

impl List {
    const EMPTY: Self = Self {
        pixels: [0; CHUNK],
        len: 0,
    };

    /// Adds a pixel if `wanted`. There is to be room even if it is not.
    #[inline(always)]
    fn push_if(&mut self, wanted: bool, pixel: u8) {
        self.pixels[self.len % CHUNK] = pixel;
        self.len = self.len.wrapping_add(usize::from(wanted));
    }

    fn pixels(&self) -> &[u8] {
        self.pixels.get(..self.len).unwrap_or_default()
    }
}

impl Stack {
    /// Allocates an empty stack.
    pub(super) fn new() -> Result<Self> {
        let mut layers = KVec::with_capacity(DEPTH, GFP_KERNEL)?;
        let mut visible = KVec::with_capacity(DEPTH, GFP_KERNEL)?;

        for _ in 0..DEPTH {
            layers.push([[0; 4]; CHUNK], GFP_KERNEL)?;
            visible.push(List::EMPTY, GFP_KERNEL)?;
        }
        Ok(Self {
            layers,
            visible,
            depth: 0,
            unseen: 0,
            fast: true,
        })
    }

    /// Removes all layers.
    pub(super) fn clear(&mut self) {
        self.depth = 0;
    }

    /// Puts `n` pixels of a layer, which are in row `y` from column `x` on, on top.
    pub(super) fn push<S: Source>(
        &mut self,
        layer: &Layer<S>,
        order: Order,
        x: usize,
        y: usize,
        n: usize,
    ) -> Result {
        let words = self.layers.get_mut(self.depth).ok_or(E2BIG)?;

        decode::read(layer, 0, y, x * 4, words.as_flattened_mut(), n * 4)?;
        match order {
            Order::Argb => {}
            Order::Abgr => words
                .iter_mut()
                .for_each(|[r, _, b, _]| core::mem::swap(r, b)),
            Order::Rgba => words.iter_mut().for_each(|word| word.rotate_left(1)),
            Order::Bgra => words.iter_mut().for_each(|word| word.reverse()),
        }
        self.depth += 1;
        Ok(())
    }

    /// Blends the layers over `out`, which is at most [`CHUNK`] pixels long.
    pub(super) fn blend(&mut self, out: &mut [Pixel]) {
        let layers = self.layers.get(..self.depth).unwrap_or_default();

        if self.unseen > 0 {
            self.unseen -= 1;
            self.fast = blend_all(layers, out);
            return;
        }

        let visible = find_visible(layers, &mut self.visible, out.len());
        let share = if self.fast { SHARE_IF_FAST } else { SHARE };

        // A pixel of a list costs more. Where many are visible, those beside will be as well.
        if visible > out.len() * layers.len() * share / 100 {
            self.unseen = UNSEEN;
            self.fast = blend_all(layers, out);
            return;
        }
        for (words, visible) in layers.iter().zip(&self.visible) {
            blend_visible(words, visible, out);
        }
    }
}

/// Lists the pixels of each layer that are neither transparent nor below an opaque one; returns how
/// many there are in all. Only the first `n` pixels are looked at.
fn find_visible(layers: &[Words], visible: &mut [List], n: usize) -> usize {
    let mut uncovered = List::EMPTY;
    let mut total = 0;

    for x in (0..=u8::MAX).take(n) {
        uncovered.push_if(true, x);
    }
    for (words, visible) in layers.iter().zip(visible).rev() {
        let count = uncovered.len;

        uncovered.len = 0;
        visible.len = 0;
        for index in 0..count {
            let x = uncovered.pixels[index % CHUNK];
            let word = u32::from_le_bytes(words[usize::from(x)]);

            visible.push_if(word != 0, x);
            // Never beyond `index`.
            uncovered.push_if(word < OPAQUE, x);
        }
        total += visible.len;
    }
    total
}

/// Blends the visible pixels of a layer over `out`.
fn blend_visible(words: &Words, visible: &List, out: &mut [Pixel]) {
    for &x in visible.pixels() {
        if let Some(out) = out.get_mut(usize::from(x)) {
            let [r, g, b] = over(words[usize::from(x)], lower(*out));

            *out = u64::from(pixel::MAX) | r << 16 | g << 32 | b << 48;
        }
    }
}

/// Blends all pixels of the layers over `out`; returns whether vector registers could be used.
fn blend_all(layers: &[Words], out: &mut [Pixel]) -> bool {
    let done = simd::blend(layers.as_flattened(), CHUNK, out);
    let rest = out.get_mut(done..).unwrap_or_default();

    for (x, out) in (done..).step_by(GROUP).zip(rest.chunks_mut(GROUP)) {
        blend_group(layers, x, out);
    }
    // The last ones are always left.
    done + 4 > out.len()
}

/// Blends all pixels of the layers from `x` on over `out`, which stay in registers meanwhile.
#[inline(always)]
fn blend_group(layers: &[Words], x: usize, out: &mut [Pixel]) {
    let mut colors = [[0; 3]; GROUP];

    for (colors, &out) in colors.iter_mut().zip(&*out) {
        *colors = lower(out);
    }
    for words in layers {
        let words = words.get(x..).unwrap_or_default();

        if let Some(words) = words.first_chunk::<GROUP>() {
            for (colors, &word) in colors.iter_mut().zip(words) {
                *colors = over(word, *colors);
            }
        }
    }
    for (out, [r, g, b]) in out.iter_mut().zip(colors) {
        *out = u64::from(pixel::MAX) | r << 16 | g << 32 | b << 48;
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_stack))]
mod tests {
    use super::super::{
        blend,
        convert,
        frame::{
            Area,
            BlendMode,
            Encoding,
            Filter,
            Range,
            Rotation,
            SourceArea, //
        },
        Format, //
    };
    use super::*;

    /// Not so many that the kernel's stack has no room for them.
    const N: usize = 100;

    struct Bytes([u8; 4 * N]);

    impl Source for Bytes {
        fn read(&self, _plane: usize, offset: usize, dst: &mut [u8]) -> Result {
            let end = offset.checked_add(dst.len()).ok_or(EFAULT)?;

            dst.copy_from_slice(self.0.get(offset..end).ok_or(EFAULT)?);
            Ok(())
        }
    }

    fn layer(random: &mut u64, format: Format) -> Layer<Bytes> {
        let mut bytes = [0u8; 4 * N];

        for pixel in bytes.chunks_exact_mut(4) {
            *random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            pixel.copy_from_slice(&((*random >> 32) as u32).to_le_bytes());
            // Some pixels are opaque, some transparent; colours may exceed their alpha.
            match *random >> 29 & 7 {
                0..=2 => pixel.fill(255),
                3 => pixel.fill(0),
                _ => {}
            }
        }
        Layer {
            source: Bytes(bytes),
            format,
            pitches: [4 * N as u32, 0, 0, 0],
            src: SourceArea::default(),
            dst: Area::default(),
            rotation: Rotation::NONE,
            encoding: Encoding::Bt601,
            range: Range::Full,
            alpha: pixel::MAX,
            blend: BlendMode::Premultiplied,
            filter: Filter::Nearest,
            pipeline: None,
        }
    }

    #[test]
    fn stacks_blend_like_single_layers() -> Result {
        let formats = [
            (Format::Argb8888, Order::Argb),
            (Format::Abgr8888, Order::Abgr),
            (Format::Rgba8888, Order::Rgba),
            (Format::Bgra8888, Order::Bgra),
        ];
        let mut stack = Stack::new()?;
        let mut random = 11;

        for round in 0..24 {
            let mut expected = [pixel::opaque(round as u16 * 99, 0xffff, 0x1234); N];
            let mut out = expected;

            stack.clear();
            // Some without lists, some without vector registers.
            stack.unseen = (round % 3 / 2) as u8;
            stack.fast = round % 2 == 0;
            for index in 0..round % DEPTH + 1 {
                let (format, order) = formats[index % 4];
                let layer = layer(&mut random, format);
                let mut pixels = [0; N];

                convert::rgb32(order, true, &layer.source.0[..], &mut pixels);
                blend::pixels(BlendMode::Premultiplied, pixel::MAX, &pixels, &mut expected);
                stack.push(&layer, order, 0, 0, N)?;
            }
            stack.blend(&mut out);
            assert_eq!(out, expected);
        }
        Ok(())
    }

    #[test]
    fn stacks_are_limited() -> Result {
        let mut stack = Stack::new()?;
        let layer = layer(&mut 1, Format::Argb8888);

        for _ in 0..DEPTH {
            stack.push(&layer, Order::Argb, 0, 0, 8)?;
        }
        assert!(stack.push(&layer, Order::Argb, 0, 0, 8).is_err());
        Ok(())
    }
}
