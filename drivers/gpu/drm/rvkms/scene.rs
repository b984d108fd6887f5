// SPDX-License-Identifier: GPL-2.0

//! What a CRTC shows after an update.
//!
//! All memory is allocated when an update is checked, so that nothing can fail when it is carried
//! out. A [`Scene`] does not change any more once it has been made, and owns all that it needs: the
//! worker that composes it never looks at the state of a plane or CRTC.

use crate::{
    compose::{
        self,
        Area,
        Encoding,
        Filter,
        Format,
        Frame,
        Layer,
        Lut,
        Matrix,
        Rotation,
        Source,
        SourceArea, //
    },
    compositor::Compositor,
    device::RvkmsDriver,
    plane::RvkmsPlaneState, //
};
use core::{
    mem::MaybeUninit,
    ops::Range, //
};
use kernel::{
    drm::kms::{
        blend,
        color::{
            ColorEncoding,
            ColorRange, //
        },
        framebuffer::{
            FramebufferMap,
            MemoryVersion, //
        },
        plane::OpaquePlaneState,
        scaling::ScalingFilter, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SetOnce,
        UniqueArc, //
    }, //
};

/// The mapped memory of a framebuffer.
pub(crate) type Buffer = FramebufferMap<RvkmsDriver>;

/// What a plane shows.
#[derive(Clone)]
pub(crate) struct Content {
    pub(crate) buffer: Buffer,
    change: Option<Change>,
}

/// What differs in the memory of a plane from what it showed before.
#[derive(Clone)]
struct Change {
    from: MemoryVersion,
    to: MemoryVersion,
    /// The rows of the CRTC with pixels that differ.
    rows: Range<u32>,
}

impl Content {
    /// Notes that `rows` of the CRTC are all that differs from what `old` showed. May sleep.
    pub(crate) fn set_change(&mut self, old: &Buffer, rows: Range<u32>) {
        self.buffer.watch();

        // In this order: if both are the same memory, and user space draws to it in between, then
        // nothing was composed from the version `from`, and the change counts for nothing.
        let to = self.buffer.version();
        let from = old.version();

        self.change = from.zip(to).map(|(from, to)| Change { from, to, rows });
    }

    /// Returns the rows of the CRTC in which the memory has other pixels with the version `to` than
    /// with `from`, if that is known.
    pub(crate) fn changed_rows(
        &self,
        from: &MemoryVersion,
        to: &MemoryVersion,
    ) -> Option<Range<u32>> {
        let change = self.change.as_ref()?;

        (change.from == *from && change.to == *to).then(|| change.rows.clone())
    }
}

impl Source for Content {
    fn read(&self, plane: usize, offset: usize, dst: &mut [u8]) -> Result {
        self.buffer.read(plane, offset, dst)
    }

    fn read_rows<'a>(
        &self,
        plane: usize,
        offset: usize,
        pitch: usize,
        rows: impl Iterator<Item = &'a mut [u8]>,
    ) -> Result {
        self.buffer.read_rows(plane, offset, pitch, rows)
    }
}

/// What the pictures of a CRTC have in common, and what composes them.
#[derive(Clone)]
pub(crate) struct Canvas {
    pub(crate) compositor: Arc<Compositor>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) background: [u16; 3],
    pub(crate) degamma: Option<Arc<Lut>>,
    pub(crate) ctm: Option<Arc<Matrix>>,
    pub(crate) gamma: Option<Arc<Lut>>,
}

/// What a CRTC shows, and what composes it.
pub(crate) struct Scene {
    pub(crate) compositor: Arc<Compositor>,
    pub(crate) frame: Frame<Content>,
    /// What was in the memory of each layer when user space got it back, if that was before all
    /// frames were composed. There is no version of what is shared with others.
    left: SetOnce<KVec<Option<MemoryVersion>>>,
}

impl Scene {
    /// Notes that user space may draw something else from now on where this scene was. May sleep.
    pub(crate) fn leave(&self) {
        let layers = &self.frame.layers;
        // Without memory for it nothing is known about any layer. Fences of this update are not
        // signalled yet, so that nobody may wait here for memory, which may wait for them.
        let mut versions = KVec::with_capacity(layers.len(), GFP_NOWAIT).unwrap_or_default();

        for layer in layers {
            layer.source.buffer.watch();
            let _ = versions.push_within_capacity(layer.source.buffer.version());
        }
        // The first time counts.
        let _ = self.left.populate(versions);
    }

    /// Returns whether [`leave`](Self::leave) has been called.
    pub(crate) fn is_left(&self) -> bool {
        self.left.as_ref().is_some()
    }

    /// Returns what `compose` does, or [`ESTALE`] if that is not what was shown, because user space
    /// has drawn since the scene was left, as far as can be known.
    pub(crate) fn compose<R>(&self, compose: impl FnOnce() -> Result<R>) -> Result<R> {
        self.check_intact()?;

        let result = compose()?;

        self.check_intact()?;
        Ok(result)
    }

    fn check_intact(&self) -> Result {
        let Some(versions) = self.left.as_ref() else {
            return Ok(());
        };
        let layers = &self.frame.layers;
        let is_intact = versions.len() == layers.len()
            && layers
                .iter()
                .zip(versions)
                .all(|(layer, left)| left.is_none() || *left == layer.source.buffer.version());

        if is_intact {
            Ok(())
        } else {
            Err(ESTALE)
        }
    }
}

/// Memory for the scene that an update leads to.
#[pin_data]
pub(crate) struct Draft {
    #[pin]
    room: Mutex<Option<Room>>,
}

struct Room {
    layers: KVec<Layer<Content>>,
    scene: UniqueArc<MaybeUninit<Scene>>,
}

impl Draft {
    /// Allocates memory for a scene of as many layers. May sleep.
    pub(crate) fn new(layers: usize) -> Result<Arc<Self>> {
        let room = Room {
            layers: KVec::with_capacity(layers, GFP_KERNEL)?,
            scene: UniqueArc::new_uninit(GFP_KERNEL)?,
        };

        Arc::pin_init(
            pin_init!(Self {
                room <- new_mutex!(Some(room)),
            }),
            GFP_KERNEL,
        )
    }

    /// Makes the scene of `layers`, the lowest first, of which there are no more than there is
    /// memory for. Returns `None` if that has been done before. May sleep.
    pub(crate) fn fill<'a>(
        &self,
        canvas: &Canvas,
        layers: impl Iterator<Item = &'a Layer<Content>>,
    ) -> Option<Arc<Scene>> {
        let Room {
            layers: mut room,
            scene,
        } = self.room.lock().take()?;

        for layer in layers {
            let _ = room.push_within_capacity(layer.clone());
        }

        let scene = scene.write(Scene {
            compositor: canvas.compositor.clone(),
            frame: Frame {
                width: canvas.width,
                height: canvas.height,
                background: canvas.background,
                layers: room,
                degamma: canvas.degamma.clone(),
                ctm: canvas.ctm.clone(),
                gamma: canvas.gamma.clone(),
            },
            left: SetOnce::new(),
        });

        Some(scene.into())
    }
}

/// Describes what a visible plane shows, or `None` if it is a format that cannot be composed.
pub(crate) fn layer(
    state: &OpaquePlaneState<RvkmsDriver>,
    data: &RvkmsPlaneState,
) -> Option<Layer<Content>> {
    let buffer = data.buffer()?;
    let fb = buffer.framebuffer();
    let format = Format::from_fourcc(fb.format())?;
    // The composer clips by itself, so that a plane looks the same wherever it is.
    let (src, dst) = (state.unclipped_src(), state.unclipped_dst());

    Some(Layer {
        source: Content {
            buffer: buffer.clone(),
            change: None,
        },
        format,
        pitches: [fb.pitch(0), fb.pitch(1), fb.pitch(2), fb.pitch(3)],
        src: SourceArea {
            x: src.x1.try_into().ok()?,
            y: src.y1.try_into().ok()?,
            width: src.width(),
            height: src.height(),
        },
        dst: Area {
            x: dst.x1,
            y: dst.y1,
            width: dst.width(),
            height: dst.height(),
        },
        rotation: Rotation::from_bits(state.rotation())?,
        encoding: match state.color_encoding() {
            ColorEncoding::Bt601 => Encoding::Bt601,
            ColorEncoding::Bt709 => Encoding::Bt709,
            ColorEncoding::Bt2020 => Encoding::Bt2020,
        },
        range: match state.color_range() {
            ColorRange::Limited => compose::Range::Limited,
            ColorRange::Full => compose::Range::Full,
        },
        alpha: state.alpha(),
        blend: match state.pixel_blend_mode() {
            blend::BlendMode::Premultiplied => compose::BlendMode::Premultiplied,
            blend::BlendMode::Coverage => compose::BlendMode::Coverage,
            blend::BlendMode::None => compose::BlendMode::None,
        },
        filter: match state.scaling_filter() {
            // There is nothing between two entries of a palette.
            ScalingFilter::Default if format != Format::C8 => Filter::Linear,
            _ => Filter::Nearest,
        },
        pipeline: data.pipeline().cloned(),
    })
}
