// SPDX-License-Identifier: GPL-2.0

//! What a CRTC shows after an update.
//!
//! All memory is allocated when an update is checked, so that nothing can fail when it is carried
//! out. A [`Scene`] does not change any more once it has been filled, and owns all that it needs:
//! the worker that composes it never looks at the state of a plane or CRTC.

use crate::{
    compose::{
        self,
        Area,
        Encoding,
        Filter,
        Format,
        Frame,
        Layer,
        Range,
        Rotation,
        Source,
        SourceArea, //
    },
    compositor::Compositor,
    device::RvkmsDriver,
    plane::RvkmsPlaneState, //
};
use kernel::{
    drm::kms::{
        blend,
        color::{
            ColorEncoding,
            ColorRange, //
        },
        framebuffer::FramebufferMap,
        plane::OpaquePlaneState,
        scaling::ScalingFilter, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SetOnce, //
    }, //
};

/// The mapped memory of a framebuffer.
pub(crate) type Buffer = Arc<FramebufferMap<RvkmsDriver>>;

impl Source for Buffer {
    fn read(&self, plane: usize, offset: usize, dst: &mut [u8]) -> Result {
        FramebufferMap::read(self, plane, offset, dst)
    }
}

/// What a CRTC shows, and what composes it.
#[pin_data]
pub(crate) struct Scene {
    pub(crate) compositor: Arc<Compositor>,
    /// The frame until it is filled.
    #[pin]
    draft: Mutex<Option<Frame<Buffer>>>,
    frame: SetOnce<Frame<Buffer>>,
}

impl Scene {
    /// Creates a scene without layers, with room for as many as `frame` has.
    pub(crate) fn new(compositor: Arc<Compositor>, frame: Frame<Buffer>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                compositor,
                draft <- new_mutex!(Some(frame)),
                frame: SetOnce::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Lets `fill` add the layers. Does nothing if that has been done before. May sleep.
    pub(crate) fn fill(&self, fill: impl FnOnce(&mut Frame<Buffer>)) {
        let draft = self.draft.lock().take();

        if let Some(mut frame) = draft {
            fill(&mut frame);
            self.frame.populate(frame);
        }
    }

    /// Returns what is shown, once it has been filled.
    pub(crate) fn frame(&self) -> Option<&Frame<Buffer>> {
        self.frame.as_ref()
    }
}

/// Describes what a visible plane shows, or `None` if it is a format that cannot be composed.
pub(crate) fn layer(
    state: &OpaquePlaneState<RvkmsDriver>,
    data: &RvkmsPlaneState,
) -> Option<Layer<Buffer>> {
    let buffer = data.buffer()?;
    let fb = buffer.framebuffer();
    let (src, dst) = (state.src(), state.dst());

    Some(Layer {
        source: buffer.clone(),
        format: Format::from_fourcc(fb.format())?,
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
            ColorRange::Limited => Range::Limited,
            ColorRange::Full => Range::Full,
        },
        alpha: state.alpha(),
        blend: match state.pixel_blend_mode() {
            blend::BlendMode::Premultiplied => compose::BlendMode::Premultiplied,
            blend::BlendMode::Coverage => compose::BlendMode::Coverage,
            blend::BlendMode::None => compose::BlendMode::None,
        },
        filter: match state.scaling_filter() {
            ScalingFilter::Default => Filter::Linear,
            ScalingFilter::NearestNeighbor => Filter::Nearest,
        },
        pipeline: data.pipeline().cloned(),
    })
}
