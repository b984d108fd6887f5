// SPDX-License-Identifier: GPL-2.0

//! Several translucent layers over each other, blended pixel by pixel.
//!
//! A pixel starts from the topmost layer that is opaque there, so that nothing below it is blended,
//! and stays in registers until its last layer.

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
use kernel::prelude::*;

/// The number of layers that are blended at once.
pub(super) const DEPTH: usize = 8;

/// The number of pixels that are blended before the next ones are read.
pub(super) const CHUNK: usize = 128;

/// The number of pixels that are blended side by side.
const GROUP: usize = 2;

/// Pixels of up to [`DEPTH`] pre-multiplied layers of 32-bit formats.
///
/// # Invariants
///
/// `words` has [`DEPTH`] elements.
pub(super) struct Stack {
    /// The pixels of each layer as in ARGB8888: B, G, R and A.
    words: KVec<[[u8; 4]; CHUNK]>,
    /// The layers that are opaque at each pixel, one a bit.
    opaque: [u8; CHUNK],
    depth: usize,
}

impl Stack {
    /// Allocates an empty stack.
    pub(super) fn new() -> Result<Self> {
        let mut words = KVec::with_capacity(DEPTH, GFP_KERNEL)?;

        for _ in 0..DEPTH {
            words.push([[0; 4]; CHUNK], GFP_KERNEL)?;
        }
        // INVARIANT: The loop pushed `DEPTH` elements.
        Ok(Self {
            words,
            opaque: [0; CHUNK],
            depth: 0,
        })
    }

    /// Removes all layers.
    pub(super) fn clear(&mut self) {
        self.opaque = [0; CHUNK];
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
        let words = self.words.get_mut(self.depth).ok_or(E2BIG)?;
        let bit = 1 << (self.depth % DEPTH);

        decode::read(layer, 0, y, x * 4, words.as_flattened_mut(), n * 4)?;
        match order {
            Order::Argb => {}
            Order::Abgr => words
                .iter_mut()
                .for_each(|[r, _, b, _]| core::mem::swap(r, b)),
            Order::Rgba => words.iter_mut().for_each(|word| word.rotate_left(1)),
            Order::Bgra => words.iter_mut().for_each(|word| word.reverse()),
        }
        for ([.., alpha], opaque) in words.iter().zip(&mut self.opaque) {
            *opaque |= ((u32::from(*alpha) + 1) >> 8) as u8 * bit;
        }
        self.depth += 1;
        Ok(())
    }

    /// Blends the layers over `out`, which is at most [`CHUNK`] pixels long.
    pub(super) fn blend(&self, out: &mut [Pixel]) {
        // Each step of a pixel waits for the one before, so several pixels go side by side.
        for (x, (out, opaque)) in out
            .chunks_mut(GROUP)
            .zip(self.opaque.chunks_exact(GROUP))
            .enumerate()
        {
            self.blend_group(GROUP * x, opaque, out);
        }
    }

    /// Blends the layers over pixels from `x` on.
    #[inline(always)]
    fn blend_group(&self, x: usize, opaque: &[u8], out: &mut [Pixel]) {
        let layers = self.words.get(..self.depth).unwrap_or_default();
        // Blending an opaque layer is no error, only a waste: start where all pixels of the group
        // can.
        let start = opaque
            .iter()
            .map(|bits| u8::BITS - bits.leading_zeros())
            .min();
        let start = start.unwrap_or_default().saturating_sub(1) as usize;
        let mut colors = [[0; 3]; GROUP];

        for (colors, &out) in colors.iter_mut().zip(&*out) {
            *colors = lower(out);
        }
        for words in layers.get(start..).unwrap_or_default() {
            if let Some(words) = words
                .get(x..)
                .and_then(|words| words.first_chunk::<GROUP>())
            {
                for (colors, &word) in colors.iter_mut().zip(words) {
                    *colors = over(word, *colors);
                }
            }
        }
        for (out, [r, g, b]) in out.iter_mut().zip(colors) {
            *out = u64::from(pixel::MAX) | r << 16 | g << 32 | b << 48;
        }
    }
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), kernel::prelude::kunit_tests(rvkms_compose_stack))]
mod tests {
    use super::super::{
        blend,
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

    struct Bytes([u8; 4 * CHUNK]);

    impl Source for Bytes {
        fn read(&self, _plane: usize, offset: usize, dst: &mut [u8]) -> Result {
            let end = offset.checked_add(dst.len()).ok_or(EFAULT)?;

            dst.copy_from_slice(self.0.get(offset..end).ok_or(EFAULT)?);
            Ok(())
        }
    }

    fn layer(random: &mut u64, format: Format) -> Layer<Bytes> {
        let mut bytes = [0u8; 4 * CHUNK];

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
            pitches: [4 * CHUNK as u32, 0, 0, 0],
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
            let mut expected = [pixel::opaque(round as u16 * 99, 0xffff, 0x1234); CHUNK];
            let mut out = expected;

            stack.clear();
            for index in 0..round % DEPTH + 1 {
                let (format, order) = formats[index % 4];
                let layer = layer(&mut random, format);
                let mut pixels = [0; CHUNK];

                decode::convert_rgb32(order, true, &layer.source.0[..], &mut pixels);
                blend::pixels(BlendMode::Premultiplied, pixel::MAX, &pixels, &mut expected);
                stack.push(&layer, order, 0, 0, CHUNK)?;
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
