// SPDX-License-Identifier: GPL-2.0

//! Random scenes, composed by the composer and by another one.

use crate::{
    memory::Sink,
    random::Random,
    rvkms::compose::{
        Area,
        BlendMode,
        Composer,
        Encoding,
        Filter,
        Format,
        Frame,
        Method,
        Range,
        RowCache,
        SourceArea,
        Writeback, //
    },
    scene::{
        name,
        Curves,
        Op,
        Scene,
        SceneLayer, //
    },
    sum::sum,
};
use kernel::prelude::*;

/// The formats of the planes of C vkms.
const PLANE: [Format; 33] = [
    Format::Argb8888,
    Format::Abgr8888,
    Format::Bgra8888,
    Format::Rgba8888,
    Format::Xrgb8888,
    Format::Xbgr8888,
    Format::Rgb888,
    Format::Bgr888,
    Format::Xrgb16161616,
    Format::Xbgr16161616,
    Format::Argb16161616,
    Format::Abgr16161616,
    Format::Rgb565,
    Format::Bgr565,
    Format::Nv12,
    Format::Nv16,
    Format::Nv24,
    Format::Nv21,
    Format::Nv61,
    Format::Nv42,
    Format::Yuv420,
    Format::Yuv422,
    Format::Yuv444,
    Format::Yvu420,
    Format::Yvu422,
    Format::Yvu444,
    Format::P010,
    Format::P012,
    Format::P016,
    Format::R1,
    Format::R2,
    Format::R4,
    Format::R8,
];

/// The formats of the writeback connector of C vkms.
const WRITEBACK: [Format; 6] = [
    Format::Argb8888,
    Format::Xrgb8888,
    Format::Abgr8888,
    Format::Argb16161616,
    Format::Xrgb16161616,
    Format::Rgb565,
];

/// Creates a scene of what C vkms can do, and does right.
fn scene(random: &mut Random) -> Scene {
    let mut scene = Scene::new(random.within(10, 200) as u32, random.within(10, 120) as u32);

    scene.background = [0; 3].map(|_| random.any() as u16);
    for _ in 0..random.below(6) {
        let layer = layer(&scene, random);

        scene.layers.push(layer);
    }
    if random.once_in(4) {
        let len = random.one_of(&[2, 3, 100, 255, 256]);
        let gray = random.once_in(2);

        scene.gamma = Some(
            (0..len)
                .map(|_| {
                    let [r, g, b] = [0; 3].map(|_| random.any() as u16);

                    if gray {
                        [r; 3]
                    } else {
                        [r, g, b]
                    }
                })
                .collect(),
        );
    }
    scene
}

fn layer(scene: &Scene, random: &mut Random) -> SceneLayer {
    let format = random.one_of(&PLANE);
    // C vkms reads from the wrong places when it walks along columns of several pixels a byte.
    let turns = !matches!(&*name(format), "R1  " | "R2  " | "R4  ");
    let rotation = match turns {
        true => 1 << random.below(4),
        false => random.one_of(&[1, 4]),
    } | (random.below(4) as u32) << 4;
    let x = random.below(scene.width as usize) as u32;
    let y = random.below(scene.height as usize) as u32;
    let whole = random.once_in(3);
    let dst = if whole {
        Area {
            x: 0,
            y: 0,
            width: scene.width,
            height: scene.height,
        }
    } else {
        Area {
            x: x as i32,
            y: y as i32,
            width: random.within(1, (scene.width - x).into()) as u32,
            height: random.within(1, (scene.height - y).into()) as u32,
        }
    };
    let (width, height) = match rotation & 0xa {
        0 => (dst.width, dst.height),
        _ => (dst.height, dst.width),
    };
    let src_x = random.below(20) as u32;
    let src_y = random.below(20) as u32;
    let mut layer = SceneLayer::new(
        format,
        src_x + width + random.below(20) as u32,
        src_y + height + random.below(20) as u32,
        random,
    );
    let fraction = |random: &mut Random| {
        if random.once_in(8) {
            random.below(65536) as u32
        } else {
            0
        }
    };

    layer.src = SourceArea {
        x: src_x << 16 | fraction(random),
        y: src_y << 16 | fraction(random),
        width: width << 16,
        height: height << 16,
    };
    layer.dst = dst;
    layer.rotation = rotation;
    layer.encoding = random.one_of(&[Encoding::Bt601, Encoding::Bt709, Encoding::Bt2020]);
    layer.range = random.one_of(&[Range::Limited, Range::Full]);
    match random.below(3) {
        0 => layer.premultiply(|a| a),
        1 => layer.premultiply(|a| if a < 85 { 0 } else { 255 }),
        _ => layer.premultiply(|a| {
            if a < 85 {
                0
            } else if a < 170 {
                a
            } else {
                255
            }
        }),
    }
    // C vkms blends what operations return, so only opaque layers are sure to stay pre-multiplied.
    if random.once_in(4) && !format.has_alpha() {
        layer.ops = operations(random);
    }
    layer
}

fn operations(random: &mut Random) -> Vec<Op> {
    const ONE: i64 = 1 << 32;

    let mut ops = Vec::new();
    let mut matrix_before = false;

    for _ in 0..random.within(1, 5) {
        let op = match random.below(4) {
            0 => Op::Bypassed,
            // C vkms wraps around what a matrix returns to a curve.
            1 if !matrix_before => Op::SrgbEotf,
            2 if !matrix_before => Op::SrgbInverse,
            _ => {
                let mild = random.once_in(2);

                // The sum of a mild matrix's rows is at most 1 and no number is negative.
                matrix_before = !mild || matrix_before;
                Op::Matrix(std::array::from_fn(|index| {
                    let value = match (index % 4, mild) {
                        (3, _) => 0,
                        (_, true) => random.within(0, ONE / 3),
                        (_, false) => random.within(-3 * ONE, 3 * ONE),
                    };

                    value.unsigned_abs() | if value < 0 { 1 << 63 } else { 0 }
                }))
            }
        };

        ops.push(op);
    }
    ops
}

/// Describes a scene for whoever has to find out why it fails.
pub(crate) fn describe(scene: &Scene) -> String {
    let mut text = format!(
        "{}x{} background {:x?} gamma {:?}\n",
        scene.width,
        scene.height,
        scene.background,
        scene.gamma.as_ref().map(Vec::len)
    );

    for layer in &scene.layers {
        text += &format!(
            "  {} {}x{} rotation {:#x} {:?} -> {:?} {:?} {:?} {:?} {:#x} {:x?}\n",
            name(layer.format),
            layer.width,
            layer.height,
            layer.rotation,
            layer.src,
            layer.dst,
            layer.encoding,
            layer.range,
            layer.blend,
            layer.alpha,
            layer.ops
        );
    }
    text
}

/// Composes `frame` in all the ways there are and returns its CRC, or what differs.
pub(crate) fn all_ways(
    frame: &Frame<crate::memory::Memory>,
    random: &mut Random,
    writeback: Option<(Format, u32, &Sink)>,
) -> Result<Result<u32, String>> {
    let method = random.one_of(&[Method::Kernel, Method::Tables]);
    let mut composer = Composer::new(frame.width, 8, method)?;
    let height = frame.height;
    let target = match writeback {
        Some((format, pitch, sink)) => Some(Writeback::new(sink, format, pitch)?),
        None => None,
    };
    let whole = sum(&mut composer, frame, 0..height, target)?;

    // In parts, by another composer.
    let cut = random.below(height as usize + 1) as u32;
    let mut other = Composer::new(frame.width, 8, method)?;
    let mut cache = RowCache::new(frame.width, height)?;

    for rows in [cut..height, 0..cut] {
        let mut sums = vec![0; rows.len()];

        other.sum_rows(frame, rows.clone(), None, &mut sums)?;
        cache.set(rows.start, &sums)?;
    }
    if cache.sum() != whole {
        return Ok(Err(format!(
            "rows up to {cut} and from there do not add up"
        )));
    }
    Ok(Ok(whole))
}

/// Compares `scenes` random scenes with C vkms.
#[cfg(feature = "oracle")]
pub(crate) fn against_oracle(scenes: u64, seed: u64) -> bool {
    use crate::oracle;

    let curves = Curves::new().expect("curves");
    let mut failures = 0;

    println!("diff: {scenes} scenes, seed {seed}");
    for number in 0..scenes {
        let mut random = Random::new(seed.wrapping_add(number));
        let scene = scene(&mut random);
        let prepared = oracle::Prepared::new(&scene);
        let format = random.one_of(&WRITEBACK);
        let pitch = scene.width * 8 + 16;
        let mut expected = vec![0; (pitch * scene.height) as usize];
        let crc = prepared.compose(Some(oracle::Writeback {
            fourcc: format.fourcc(),
            pitch,
            bytes: &mut expected,
        }));
        let sink = Sink::new(expected.len());
        let frame = scene.frame(&curves).expect("frame");
        let problem = match all_ways(&frame, &mut random, Some((format, pitch, &sink))) {
            Err(error) => Some(format!("{error:?}")),
            Ok(Err(problem)) => Some(problem),
            Ok(Ok(own)) if own != crc => Some(format!("CRC {own:08x} instead of {crc:08x}")),
            Ok(Ok(_)) if *sink.0.borrow() != expected => {
                Some(format!("writeback {} differs", name(format)))
            }
            Ok(Ok(_)) => None,
        };

        if let Some(problem) = problem {
            failures += 1;
            if failures <= 5 {
                println!("scene {}: {problem}\n{}", seed + number, describe(&scene));
            }
        }
    }
    println!("diff: {} equal, {failures} different", scenes - failures);
    failures == 0
}

/// Creates a scene of what C vkms cannot do.
fn wide_scene(random: &mut Random) -> Scene {
    let mut scene = Scene::new(random.within(10, 60) as u32, random.within(10, 40) as u32);
    // A steep table would enlarge errors of rounding.
    let curve = |random: &mut Random, len: usize| {
        let exponents = [0; 3].map(|_| 0.8 + random.below(100) as f64 / 100.0);

        (0..len)
            .map(|index| {
                let value = index as f64 / (len - 1) as f64;

                exponents.map(|exponent| (value.powf(exponent) * 65535.0).round() as u16)
            })
            .collect()
    };

    scene.background = [0; 3].map(|_| random.any() as u16);
    if random.once_in(3) {
        scene.background = [0; 3];
    }
    if random.once_in(4) {
        scene.degamma = Some(curve(random, 4096));
    }
    if random.once_in(4) {
        scene.ctm = Some([0; 9].map(|_| number(random, -0.7, 1.3)));
    }
    if random.once_in(4) {
        scene.gamma = Some(curve(random, 4096));
    }
    for _ in 0..random.below(4) {
        let layer = wide_layer(&scene, random);

        scene.layers.push(layer);
    }
    scene
}

/// Returns a sign-magnitude number with 32 fractional bits.
fn number(random: &mut Random, low: f64, high: f64) -> u64 {
    let value = low + (high - low) * random.below(1 << 20) as f64 / f64::from(1 << 20);

    (value.abs() * 2f64.powi(32)) as u64 | if value < 0.0 { 1 << 63 } else { 0 }
}

fn wide_layer(scene: &Scene, random: &mut Random) -> SceneLayer {
    let format = random.one_of(Format::ALL);
    let rotation = 1 << random.below(4) | (random.below(4) as u32) << 4;
    let dst = Area {
        x: random.within(-20, i64::from(scene.width) + 5) as i32,
        y: random.within(-20, i64::from(scene.height) + 5) as i32,
        width: random.within(1, 70) as u32,
        height: random.within(1, 50) as u32,
    };
    let (mut width, mut height) = match rotation & 0xa {
        0 => (dst.width, dst.height),
        _ => (dst.height, dst.width),
    };

    if random.once_in(2) {
        width = random.within(1, 150) as u32;
        height = random.within(1, 100) as u32;
    }

    let (x, y) = (random.below(20) as u32, random.below(20) as u32);
    let fraction = |random: &mut Random| {
        if random.once_in(4) {
            random.below(65536) as u32
        } else {
            0
        }
    };
    let mut layer = SceneLayer::new(
        format,
        x + width + 2 + random.below(9) as u32,
        y + height + 2 + random.below(9) as u32,
        random,
    );

    layer.src = SourceArea {
        x: x << 16 | fraction(random),
        y: y << 16 | fraction(random),
        width: width << 16 | fraction(random),
        height: height << 16 | fraction(random),
    };
    layer.dst = dst;
    layer.rotation = rotation;
    layer.encoding = random.one_of(&[Encoding::Bt601, Encoding::Bt709, Encoding::Bt2020]);
    layer.range = random.one_of(&[Range::Limited, Range::Full]);
    layer.filter = random.one_of(&[Filter::Nearest, Filter::Linear]);
    layer.blend = random.one_of(&[
        BlendMode::None,
        BlendMode::Premultiplied,
        BlendMode::Coverage,
    ]);
    if random.once_in(2) {
        layer.alpha = random.any() as u16;
    }
    // Tables of the CRTC would enlarge what operations round.
    let any = scene.degamma.is_none() && scene.ctm.is_none() && scene.gamma.is_none();

    for _ in 0..random.below(4) * random.below(2) {
        layer.ops.push(if any {
            wide_operation(random)
        } else {
            match random.below(4) {
                0 => Op::SrgbEotf,
                1 => Op::Bypassed,
                _ => Op::Matrix(std::array::from_fn(|_| number(random, -0.5, 0.8))),
            }
        });
        // Operations would enlarge what is not exact about limited range.
        layer.range = Range::Full;
    }
    layer
}

fn wide_operation(random: &mut Random) -> Op {
    let rising = |random: &mut Random, len: usize| {
        let mut values = [0u32; 3];
        let steps: Vec<[u32; 3]> = (0..len)
            .map(|_| {
                values = values.map(|value| value + random.below(1000) as u32);
                values
            })
            .collect();

        steps
            .iter()
            .map(|step| {
                std::array::from_fn(|channel| {
                    (step[channel] * 65535 / values[channel].max(1)) as u16
                })
            })
            .collect()
    };

    match random.below(13) {
        0 => Op::SrgbEotf,
        1 => Op::SrgbInverse,
        2 => Op::Bt2020Oetf,
        3 => Op::Bt2020Inverse,
        4 => Op::Gamma22,
        5 => Op::Gamma22Inverse,
        6 => Op::PqEotf,
        7 => Op::PqInverse,
        8 => {
            Op::Multiplier(random.one_of(&[1 << 32, 125 << 32, (1 << 32) / 125, 3 << 31, u64::MAX]))
        }
        9 => {
            let len = random.one_of(&[2, 5, 17]);

            Op::Lut(rising(random, len))
        }
        10 => {
            let size = random.one_of(&[2, 3, 5]);
            let entries = 0..size * size * size;

            Op::Lut3d(
                size,
                entries
                    .map(|_| [0; 3].map(|_| random.any() as u16))
                    .collect(),
            )
        }
        11 => Op::Matrix(std::array::from_fn(|_| number(random, -2.0, 3.0))),
        _ => Op::Bypassed,
    }
}

/// Compares `scenes` random scenes with the reference composer.
pub(crate) fn against_reference(scenes: u64, seed: u64) -> bool {
    let curves = Curves::new().expect("curves");
    let mut failures = 0;
    let mut worst = 0.0f64;

    println!("reference: {scenes} scenes, seed {seed}");
    for index in 0..scenes {
        let mut random = Random::new(seed.wrapping_add(index));
        let scene = wide_scene(&mut random);
        let frame = scene.frame(&curves).expect("frame");
        let pitch = scene.width * 8;
        let sink = Sink::new((pitch * scene.height) as usize);
        let format = Format::Xrgb16161616;
        let problem = match all_ways(&frame, &mut random, Some((format, pitch, &sink))) {
            Err(error) => Some(format!("{error:?}")),
            Ok(Err(problem)) => Some(problem),
            Ok(Ok(_)) => check_pixels(&scene, &sink.0.borrow(), &mut worst),
        };

        if let Some(problem) = problem {
            failures += 1;
            if failures <= 5 {
                println!("scene {}: {problem}\n{}", seed + index, describe(&scene));
            }
        }
    }
    println!(
        "reference: {} equal, {failures} different, largest error {worst:.1} of 65535",
        scenes - failures
    );
    failures == 0
}

/// Compares pixels of XRGB16161616 with the reference; returns the first that differs too much.
fn check_pixels(scene: &Scene, bytes: &[u8], worst: &mut f64) -> Option<String> {
    let own = |x, y| {
        let start = 8 * (y * scene.width + x) as usize;

        [4, 2, 0].map(|at| {
            let at = start + at;

            f64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
        })
    };

    scene.plain().first_wrong(own, 0.0, worst)
}

#[cfg(test)]
mod tests {
    #[test]
    fn scenes_are_like_the_reference() {
        assert!(super::against_reference(300, 1));
    }
}
