// SPDX-License-Identifier: GPL-2.0

//! Frames that no driver should make, memory that is not there, allocations that fail: errors are
//! fine, panics are not. The tests are built with overflow checks.

use crate::{
    memory::Sink,
    random::Random,
    rvkms::compose::{
        Area,
        BlendMode,
        Composer,
        Curve,
        Encoding,
        Filter,
        Format,
        Frame,
        Layer,
        Lut,
        Matrix,
        Method,
        Operation,
        Pipeline,
        Range,
        Rotation,
        RowCache,
        Shown,
        Source,
        SourceArea,
        Writeback, //
    },
    scene::{
        Curves,
        Scene,
        SceneLayer, //
    },
    sum::sum,
};
use kernel::{
    fail_allocations,
    prelude::*,
    sync::Arc, //
};

/// Memory of which reads fail now and then.
struct Torn {
    len: usize,
    fails: bool,
}

impl Source for Torn {
    fn read(&self, _plane: usize, offset: usize, dst: &mut [u8]) -> Result {
        let end = offset.checked_add(dst.len()).ok_or(EFAULT)?;

        if self.fails && end > self.len {
            return Err(EFAULT);
        }
        dst.fill(offset as u8);
        Ok(())
    }
}

/// Returns any number, most often one at an end of what is possible.
fn odd(random: &mut Random) -> u32 {
    match random.below(8) {
        0 => 0,
        1 => 1,
        2 => u32::MAX,
        3 => i32::MAX as u32,
        4 => 1 << 31,
        5 => random.any() as u32,
        _ => random.below(1 << 22) as u32,
    }
}

fn odd_frame(random: &mut Random, width: u32, height: u32) -> Result<Frame<Torn>> {
    let mut layers = KVec::new();

    for _ in 0..random.below(4) {
        let mut operations = KVec::new();

        for _ in 0..random.below(3) {
            let matrix = std::array::from_fn(|_| random.any() >> random.below(64));
            let matrix = match random.once_in(2) {
                true => Matrix::new(&matrix)?,
                false => Matrix::exact(&matrix)?,
            };

            operations.push(Operation::Matrix(Arc::new(matrix, GFP_KERNEL)?), GFP_KERNEL)?;
        }
        layers.push(
            Layer {
                source: Torn {
                    len: random.below(1 << 20),
                    fails: random.once_in(2),
                },
                format: random.one_of(Format::ALL),
                pitches: [0; 4].map(|_| odd(random)),
                src: SourceArea {
                    x: odd(random),
                    y: odd(random),
                    width: odd(random),
                    height: odd(random),
                },
                dst: Area {
                    x: odd(random) as i32,
                    y: odd(random) as i32,
                    width: odd(random),
                    height: odd(random),
                },
                rotation: Rotation::from_bits(1 << random.below(4) | (odd(random) & 0x30))
                    .ok_or(EINVAL)?,
                encoding: Encoding::Bt709,
                range: Range::Limited,
                alpha: odd(random) as u16,
                blend: random.one_of(&[
                    BlendMode::None,
                    BlendMode::Premultiplied,
                    BlendMode::Coverage,
                ]),
                filter: random.one_of(&[Filter::Nearest, Filter::Linear]),
                pipeline: Some(Arc::new(Pipeline::new(operations)?, GFP_KERNEL)?),
            },
            GFP_KERNEL,
        )?;
    }
    Ok(Frame {
        width,
        height,
        background: [1, 2, 3],
        layers,
        degamma: None,
        ctm: Some(Arc::new(
            Matrix::from_3x3(&[0; 9].map(|_| random.any()))?,
            GFP_KERNEL,
        )?),
        gamma: None,
    })
}

#[test]
fn nonsense_does_not_panic() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let (width, height) = (1 + random.below(50) as u32, 1 + random.below(50) as u32);
        let frame = odd_frame(&mut random, width, height).expect("a frame");
        let mut composer = Composer::new(width, 3, Method::Tables).expect("a composer");
        let sink = Sink::new(random.below(4000));
        let writeback =
            Writeback::new(&sink, Format::Xrgb8888, odd(&mut random)).expect("a target");
        let rows = random.below(60) as u32..random.below(60) as u32;
        let mut sums = vec![0; random.below(60)];
        let mut cache = RowCache::new(width, height).expect("a cache");

        let _ = composer.sum_rows(&frame, rows.clone(), Some(writeback), &mut sums);
        let _ = composer.write(&frame, 0..height, writeback);
        let _ = cache.set(rows.start, &sums);
    }
}

#[test]
fn wrong_sizes_are_refused() {
    let mut random = Random::new(1);
    let frame = |random: &mut Random| odd_frame(random, 20, 10).expect("a frame");
    let mut composer = Composer::new(21, 3, Method::Kernel).expect("a composer");

    assert_eq!(
        sum(&mut composer, &frame(&mut random), 0..10, None).err(),
        Some(EINVAL)
    );

    let mut composer = Composer::new(20, 3, Method::Kernel).expect("a composer");

    assert_eq!(
        sum(&mut composer, &frame(&mut random), 0..11, None).err(),
        Some(EINVAL)
    );

    let mut composer = Composer::new(20, 0, Method::Kernel).expect("a composer");
    let full = loop {
        let frame = frame(&mut random);

        if !frame.layers.is_empty() {
            break frame;
        }
    };

    assert_eq!(sum(&mut composer, &full, 0..10, None).err(), Some(E2BIG));
    assert!(Writeback::new(&Sink::new(0), Format::Nv12, 0).is_err());
}

#[test]
fn caches_are_limited() {
    let mut cache = RowCache::new(40, 30).expect("a cache");

    assert!(cache.set(0, &[7; 30]).is_ok());
    assert!(cache.set(29, &[7]).is_ok());
    assert_eq!(cache.set(29, &[7; 2]).err(), Some(EINVAL));
    assert_eq!(cache.set(31, &[]).err(), Some(EINVAL));
}

#[test]
fn errors_of_framebuffers_are_returned() {
    let mut random = Random::new(5);
    let mut scene = Scene::new(40, 30);

    scene
        .layers
        .push(SceneLayer::new(Format::Xrgb8888, 40, 30, &mut random));
    // The framebuffer ends too early.
    scene.layers[0].offsets[0] = 1 << 20;

    let curves = Curves::new().expect("curves");
    let bad = scene.frame(&curves).expect("a frame");
    let mut composer = Composer::new(40, 3, Method::Kernel).expect("a composer");

    assert_eq!(sum(&mut composer, &bad, 3..4, None).err(), Some(EFAULT));
}

#[test]
fn each_allocation_may_fail() {
    fn try_all(work: impl Fn() -> Result) {
        for allowed in 0.. {
            fail_allocations(Some(allowed));

            let result = work();

            fail_allocations(None);
            match result {
                Ok(()) => return assert!(allowed > 0),
                Err(error) => assert_eq!(error, ENOMEM),
            }
        }
    }

    try_all(|| Composer::new(100, 9, Method::Kernel).map(drop));
    try_all(|| Shown::<u32>::new(9).map(drop));
    try_all(|| RowCache::new(10, 10).map(drop));
    try_all(|| Lut::new(256, |_| [1, 2, 3]).map(drop));
    try_all(|| Lut::curve(Curve::SrgbEotf).map(drop));
    try_all(|| odd_frame(&mut Random::new(7), 10, 10).map(drop));
}

#[test]
fn composing_allocates_nothing() {
    let mut random = Random::new(3);
    let curves = Curves::new().expect("curves");
    let mut scene = Scene::new(64, 48);

    for (format, rotation) in [
        (Format::Xrgb8888, 1),
        (Format::Argb8888, 1),
        (Format::Abgr8888, 1),
        (Format::Nv12, 2),
        (Format::Argb16161616, 8),
    ] {
        let mut layer = SceneLayer::new(format, 48, 48, &mut random);

        layer.rotation = rotation;
        scene.layers.push(layer);
    }
    scene.layers[3].dst.width = 64;

    let frame = scene.frame(&curves).expect("a frame");
    let mut composer = Composer::new(64, 5, Method::Kernel).expect("a composer");
    let mut shown = Shown::new(5).expect("what is shown");
    let mut sums = [0; 48];
    let sink = Sink::new(64 * 48 * 4);

    fail_allocations(Some(0));

    let writeback = Writeback::new(&sink, Format::Xrgb8888, 256);
    let composed = composer.sum_rows(&frame, 0..48, writeback.ok(), &mut sums);
    let dirty = shown
        .update(&frame, |_, _| Some(1), |_, _, _| None)
        .map(<[_]>::len);
    let clean = shown
        .update(&frame, |_, _| Some(1), |_, _, _| None)
        .map(<[_]>::len);

    fail_allocations(None);
    assert!(composed.is_ok());
    assert_eq!((dirty, clean), (Ok(1), Ok(0)));
}
