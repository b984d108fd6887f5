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
        Composer,
        Encoding,
        Format,
        Frame,
        Layer,
        Method,
        Range,
        Rotation,
        Source,
        SourceArea, //
    },
    device::RvkmsDriver,
    plane::RvkmsPlaneState, //
};
use kernel::{
    crc32::crc32_le_is_optimized,
    drm::kms::{
        blend,
        color::{
            ColorEncoding,
            ColorRange, //
        },
        framebuffer::FramebufferMap,
        plane::OpaquePlaneState, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// The mapped memory of a framebuffer.
pub(crate) type Buffer = Arc<FramebufferMap<RvkmsDriver>>;

impl Source for Buffer {
    fn read(&self, plane: usize, offset: usize, dst: &mut [u8]) -> Result {
        FramebufferMap::read(self, plane, offset, dst)
    }
}

/// A composer that the scenes of a CRTC share while its mode stays the same.
#[pin_data]
pub(crate) struct SharedComposer {
    #[pin]
    pub(crate) composer: Mutex<Composer>,
}

impl SharedComposer {
    /// Creates a composer for modes that are `width` pixels wide.
    pub(crate) fn new(width: u32, max_layers: usize) -> Result<Arc<Self>> {
        let method = if crc32_le_is_optimized() {
            Method::Kernel
        } else {
            Method::Tables
        };
        let composer = Composer::new(width, max_layers, method)?;

        Arc::pin_init(
            pin_init!(Self {
                composer <- new_mutex!(composer),
            }),
            GFP_KERNEL,
        )
    }
}

/// What a CRTC shows, and what composes it.
#[pin_data]
pub(crate) struct Scene {
    pub(crate) composer: Arc<SharedComposer>,
    #[pin]
    pub(crate) frame: Mutex<Frame<Buffer>>,
}

impl Scene {
    /// Creates a scene without layers, with room for as many as `frame` has.
    pub(crate) fn new(composer: Arc<SharedComposer>, frame: Frame<Buffer>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                composer,
                frame <- new_mutex!(frame),
            }),
            GFP_KERNEL,
        )
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
        filter: compose::Filter::Nearest,
        pipeline: data.pipeline().cloned(),
    })
}
