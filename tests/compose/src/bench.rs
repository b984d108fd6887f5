// SPDX-License-Identifier: GPL-2.0

//! The benchmark: CPU time per frame, C vkms and the composer in turn.

use crate::{
    memory::{
        Memory,
        Sink, //
    },
    random::Random,
    rvkms::compose::{
        Area,
        Composer,
        Format,
        Frame,
        Method,
        RowCache,
        Writeback, //
    },
    scene::{
        Curves,
        Op,
        Scene,
        SceneLayer, //
    },
    sum::sum,
};
use std::{
    sync::mpsc,
    thread,
    time::{
        Duration,
        Instant, //
    },
};

/// How often each side composes a frame, in turn; the fastest counts. `ROUNDS` in the environment
/// overrides it.
const ROUNDS: usize = 15;

/// A scene and what is to be measured with it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    /// The factor by which the composer is to be faster.
    floor: Option<f64>,
    writeback: Option<Format>,
    /// Only these rows differ from frame to frame.
    dirty: Option<std::ops::Range<u32>>,
    scene: Scene,
}

/// Returns the CPU time that the calling thread has used.
fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: `time` is valid for a write.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn measure(work: impl FnOnce() -> u32) -> (Duration, u32) {
    let start = cpu_time();
    let crc = work();

    (cpu_time() - start, crc)
}

/// Three quarters of a matrix that keeps gray gray, as a driver gets it.
fn desaturate() -> [u64; 12] {
    let (near, far) = (2 << 30, 1 << 30);

    [near, far, far, 0, far, near, far, 0, far, far, near, 0]
}

fn cases(width: u32, height: u32) -> Vec<Case> {
    let mut random = Random::new(1);
    let mut cases = Vec::new();
    let empty = Scene::new(width, height);
    let full = |format, random: &mut Random| {
        let mut layer = SceneLayer::new(format, width, height, random);

        layer.premultiply(|a| a);
        layer
    };
    let with = |layers: Vec<SceneLayer>| Scene {
        layers,
        ..empty.clone()
    };
    let mut add = |name, floor, scene| {
        cases.push(Case {
            name,
            floor,
            writeback: None,
            dirty: None,
            scene,
        })
    };
    let xrgb = full(Format::Xrgb8888, &mut random);

    add("no layer", None, empty.clone());
    add("XRGB8888", Some(5.0), with(vec![xrgb.clone()]));

    let cursor_y = height / 3;
    let mut cursor = SceneLayer::new(Format::Argb8888, 64, 64, &mut random);

    cursor.premultiply(|a| if a < 128 { 0 } else { 255 });
    cursor.dst = Area {
        x: width as i32 / 2,
        y: cursor_y as i32,
        ..cursor.dst
    };
    add(
        "XRGB8888 + cursor",
        None,
        with(vec![xrgb.clone(), cursor.clone()]),
    );
    add(
        "XRGB8888 + moving cursor",
        Some(15.0),
        with(vec![xrgb.clone(), cursor]),
    );

    let overlays = |alpha: &dyn Fn(u8) -> u8, n, random: &mut Random| {
        let mut layers = vec![xrgb.clone()];

        for _ in 0..n {
            let mut layer = SceneLayer::new(Format::Argb8888, width, height, random);

            layer.premultiply(alpha);
            layers.push(layer);
        }
        with(layers)
    };
    let mixed = |a| match a {
        0..128 => 255,
        128..192 => 0,
        _ => a,
    };

    add(
        "+ 1 ARGB8888, random alpha",
        None,
        overlays(&|a| a, 1, &mut random),
    );
    add(
        "+ 8 ARGB8888, random alpha",
        Some(2.0),
        overlays(&|a| a, 8, &mut random),
    );
    add(
        "+ 8 ARGB8888, mixed alpha",
        Some(4.0),
        overlays(&mixed, 8, &mut random),
    );

    for (name, floor, format) in [
        ("ARGB8888", None, Format::Argb8888),
        ("RGB565", Some(20.0), Format::Rgb565),
        ("RGB888", Some(5.0), Format::Rgb888),
        ("XRGB16161616", Some(4.0), Format::Xrgb16161616),
        ("ARGB16161616", Some(4.0), Format::Argb16161616),
        ("R8", None, Format::R8),
        ("R1", None, Format::R1),
        ("NV12", Some(50.0), Format::Nv12),
        ("YUV420", Some(50.0), Format::Yuv420),
        ("P010", Some(50.0), Format::P010),
    ] {
        add(name, floor, with(vec![full(format, &mut random)]));
    }

    let gamma = (0..256u32).map(|n| [(n * n * 65535 / 65025) as u16, (n * 257) as u16, 7]);

    add(
        "256-entry gamma",
        Some(60.0),
        Scene {
            gamma: Some(gamma.collect()),
            ..with(vec![xrgb.clone()])
        },
    );

    let matrix = || Op::Matrix(desaturate());

    for (name, floor, ops) in [
        ("one CTM", Some(100.0), vec![matrix()]),
        (
            "full colour pipeline",
            Some(200.0),
            vec![Op::SrgbEotf, matrix(), matrix(), Op::SrgbInverse],
        ),
        ("bypassed pipeline", None, vec![Op::Bypassed; 4]),
    ] {
        let mut layer = xrgb.clone();

        layer.ops = ops;
        add(name, floor, with(vec![layer]));
    }

    let mut deep = full(Format::Xrgb16161616, &mut random);

    deep.ops = vec![Op::SrgbEotf, matrix(), matrix(), Op::SrgbInverse];
    add("full pipeline, XRGB16161616", None, with(vec![deep]));

    for (name, floor, rotation) in [
        ("rotate 90", Some(5.0), 2),
        ("rotate 270", Some(5.0), 8),
        ("rotate 180", None, 4),
        ("reflect x", None, 0x11),
    ] {
        let mut layer = if rotation & 0xa != 0 {
            SceneLayer::new(Format::Xrgb8888, height, width, &mut random)
        } else {
            xrgb.clone()
        };

        layer.rotation = rotation;
        layer.dst = xrgb.dst;
        add(name, floor, with(vec![layer]));
    }

    for (name, floor, format) in [
        ("XRGB8888, writeback XRGB8888", Some(6.0), Format::Xrgb8888),
        (
            "XRGB8888, writeback ARGB16161616",
            None,
            Format::Argb16161616,
        ),
        ("XRGB8888, writeback RGB565", None, Format::Rgb565),
    ] {
        cases.push(Case {
            name,
            floor,
            writeback: Some(format),
            dirty: None,
            scene: with(vec![xrgb.clone()]),
        });
    }
    for case in &mut cases {
        if case.name.ends_with("moving cursor") {
            // The cursor has moved by 8 rows.
            case.dirty = Some(cursor_y..cursor_y + 72);
        }
    }
    cases
}

/// Composes a frame of `case`.
fn own(
    case: &Case,
    frame: &Frame<Memory>,
    composer: &mut Composer,
    cache: &mut RowCache,
    sink: &Sink,
) -> u32 {
    let writeback = case.writeback.map(|format| {
        Writeback::new(sink, format, case.scene.width * 8).expect("a writeback format")
    });
    let rows = case.dirty.clone().unwrap_or(0..frame.height);
    let mut sums = [0; 4320];
    let sums = &mut sums[..rows.len()];

    composer
        .sum_rows(frame, rows.clone(), writeback, sums)
        .and_then(|()| cache.set(rows.start, sums))
        .expect("a composed frame");
    cache.sum()
}

#[cfg(feature = "oracle")]
fn oracle(case: &Case, prepared: &crate::oracle::Prepared<'_>, bytes: &mut [u8]) -> u32 {
    prepared.compose(case.writeback.map(|format| crate::oracle::Writeback {
        fourcc: format.fourcc(),
        pitch: case.scene.width * 8,
        bytes,
    }))
}

/// Measures all scenes whose names contain `filter`.
pub(crate) fn run(filter: &str) {
    let curves = Curves::new().expect("curves");
    let (width, height) = match std::env::var("SIZE").as_deref() {
        Ok("4k") => (3840, 2160),
        _ => (1920, 1080),
    };
    let method = match std::env::var("CRC").as_deref() {
        Ok("tables") => Method::Tables,
        Ok("folding") => kernel::drm::simd::Folding::new()
            .map(Method::Folding)
            .expect("a CPU that multiplies without carry"),
        _ => Method::Kernel,
    };
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS);
    let mut missed = 0;

    println!("{width}x{height}, one thread, CPU time per frame, fastest of {rounds} in turn");
    println!(
        "CRC: {}; C vkms: crc32fast (PCLMULQDQ on x86-64)",
        match method {
            Method::Kernel => "crc32fast (PCLMULQDQ on x86-64)",
            Method::Folding(_) => "PCLMULQDQ",
            Method::Tables => "tables",
        }
    );
    println!(
        "{:34} {:>9} {:>9} {:>8} {:>7}",
        "scene", "C ms", "ms", "ratio", "floor"
    );
    for case in cases(width, height)
        .iter()
        .filter(|case| case.name.contains(filter))
    {
        let frame = case.scene.frame(&curves).expect("frame");
        let mut composer = Composer::new(width, 16, method).expect("composer");
        let mut cache = RowCache::new(width, height).expect("cache");
        let sink = Sink::new((width * 8 * height) as usize);
        let mut best = Duration::MAX;
        #[allow(unused_mut)]
        let mut best_c: Option<Duration> = None;
        #[cfg(feature = "oracle")]
        let prepared = crate::oracle::Prepared::new(&case.scene);
        #[cfg(feature = "oracle")]
        let mut bytes = vec![0; (width * 8 * height) as usize];

        // Fills the cache and warms up.
        let whole = Case {
            dirty: None,
            ..case.clone()
        };
        own(&whole, &frame, &mut composer, &mut cache, &sink);
        for round in 0..rounds {
            let (time, crc) = measure(|| own(case, &frame, &mut composer, &mut cache, &sink));

            best = best.min(time);
            // The slowest scenes of C vkms need no more rounds.
            #[cfg(feature = "oracle")]
            if round < 2 || best_c.is_some_and(|best| best < Duration::from_millis(300)) {
                let (time, expected) = measure(|| oracle(case, &prepared, &mut bytes));

                assert_eq!(crc, expected, "{}", case.name);
                best_c = Some(best_c.map_or(time, |best| best.min(time)));
            }
            let _ = (round, crc);
        }

        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let ratio = best_c.map(|c| ms(c) / ms(best));
        let text =
            |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.1}"));
        let under = matches!((ratio, case.floor), (Some(ratio), Some(floor)) if ratio < floor);

        missed += usize::from(under);
        println!(
            "{:34} {:>9} {:>9.2} {:>8} {:>7}{}",
            case.name,
            text(best_c.map(ms)),
            ms(best),
            text(ratio),
            text(case.floor),
            if under { "  MISSED" } else { "" }
        );
    }
    println!("{missed} below the floor");
}

/// Measures how much faster two threads compose the upper and lower halves of frames than one composes
/// whole frames, by the clock on the wall.
pub(crate) fn parallel(filter: &str) {
    const FRAMES: usize = 40;

    let curves = Curves::new().expect("curves");
    let (width, height) = (1920, 1080);

    println!("{width}x{height}, milliseconds by the wall clock, fastest of {FRAMES} frames");
    println!(
        "{:34} {:>9} {:>9} {:>8}",
        "scene", "1 thread", "2 threads", "ratio"
    );
    for case in cases(width, height)
        .iter()
        .filter(|case| case.name.contains(filter))
    {
        if case.dirty.is_some() || case.writeback.is_some() {
            continue;
        }

        let frame = &case.scene.frame(&curves).expect("frame");
        let composer = || Composer::new(width, 16, Method::Kernel).expect("composer");
        let mut one = composer();
        let mut best = (Duration::MAX, Duration::MAX);
        let expected = sum(&mut one, frame, 0..height, None).expect("a sum");

        for _ in 0..FRAMES {
            let start = Instant::now();

            sum(&mut one, frame, 0..height, None).expect("a sum");
            best.0 = best.0.min(start.elapsed());
        }

        // The lower half is composed by another thread for as long as it is asked to.
        let (ask, asked) = mpsc::channel::<()>();
        let (answer, answers) = mpsc::channel();
        let half = move |composer: &mut Composer, rows: std::ops::Range<u32>| {
            let mut sums = vec![0; rows.len()];

            composer
                .sum_rows(frame, rows, None, &mut sums)
                .expect("composed rows");
            sums
        };

        thread::scope(|scope| {
            scope.spawn(move || {
                let mut other = composer();

                while asked.recv().is_ok() {
                    answer
                        .send(half(&mut other, height / 2..height))
                        .expect("a listener");
                }
            });
            let mut cache = RowCache::new(width, height).expect("a cache");

            for _ in 0..FRAMES {
                let start = Instant::now();

                ask.send(()).expect("a thread");
                cache
                    .set(0, &half(&mut one, 0..height / 2))
                    .and_then(|()| cache.set(height / 2, &answers.recv().expect("sums")))
                    .expect("a filled cache");
                assert_eq!(cache.sum(), expected);
                best.1 = best.1.min(start.elapsed());
            }
            drop(ask);
        });

        let ms = |time: Duration| time.as_secs_f64() * 1e3;

        println!(
            "{:34} {:>9.2} {:>9.2} {:>8.2}",
            case.name,
            ms(best.0),
            ms(best.1),
            ms(best.0) / ms(best.1)
        );
    }
}
