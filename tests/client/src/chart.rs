// SPDX-License-Identifier: GPL-2.0

//! A chart with a bar for each number.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::error::{message, Error};

const SCALE: usize = 2;
const LINE: usize = 10 * SCALE;
const LABELS: usize = 44 * 6 * SCALE;
const BARS: usize = 600;
const WIDTH: usize = LABELS + BARS + 16 * 6 * SCALE;

/// The columns of a character, from the left, the upper pixel in the lowest bit.
fn glyph(character: char) -> [u8; 5] {
    match character.to_ascii_uppercase() {
        'A' => [0x7e, 0x11, 0x11, 0x11, 0x7e],
        'B' => [0x7f, 0x49, 0x49, 0x49, 0x36],
        'C' => [0x3e, 0x41, 0x41, 0x41, 0x22],
        'D' => [0x7f, 0x41, 0x41, 0x22, 0x1c],
        'E' => [0x7f, 0x49, 0x49, 0x49, 0x41],
        'F' => [0x7f, 0x09, 0x09, 0x09, 0x01],
        'G' => [0x3e, 0x41, 0x49, 0x49, 0x7a],
        'H' => [0x7f, 0x08, 0x08, 0x08, 0x7f],
        'I' => [0x00, 0x41, 0x7f, 0x41, 0x00],
        'J' => [0x20, 0x40, 0x41, 0x3f, 0x01],
        'K' => [0x7f, 0x08, 0x14, 0x22, 0x41],
        'L' => [0x7f, 0x40, 0x40, 0x40, 0x40],
        'M' => [0x7f, 0x02, 0x0c, 0x02, 0x7f],
        'N' => [0x7f, 0x04, 0x08, 0x10, 0x7f],
        'O' => [0x3e, 0x41, 0x41, 0x41, 0x3e],
        'P' => [0x7f, 0x09, 0x09, 0x09, 0x06],
        'Q' => [0x3e, 0x41, 0x51, 0x21, 0x5e],
        'R' => [0x7f, 0x09, 0x19, 0x29, 0x46],
        'S' => [0x46, 0x49, 0x49, 0x49, 0x31],
        'T' => [0x01, 0x01, 0x7f, 0x01, 0x01],
        'U' => [0x3f, 0x40, 0x40, 0x40, 0x3f],
        'V' => [0x1f, 0x20, 0x40, 0x20, 0x1f],
        'W' => [0x3f, 0x40, 0x38, 0x40, 0x3f],
        'X' => [0x63, 0x14, 0x08, 0x14, 0x63],
        'Y' => [0x07, 0x08, 0x70, 0x08, 0x07],
        'Z' => [0x61, 0x51, 0x49, 0x45, 0x43],
        '0' => [0x3e, 0x51, 0x49, 0x45, 0x3e],
        '1' => [0x00, 0x42, 0x7f, 0x40, 0x00],
        '2' => [0x42, 0x61, 0x51, 0x49, 0x46],
        '3' => [0x21, 0x41, 0x45, 0x4b, 0x31],
        '4' => [0x18, 0x14, 0x12, 0x7f, 0x10],
        '5' => [0x27, 0x45, 0x45, 0x45, 0x39],
        '6' => [0x3c, 0x4a, 0x49, 0x49, 0x30],
        '7' => [0x01, 0x71, 0x09, 0x05, 0x03],
        '8' => [0x36, 0x49, 0x49, 0x49, 0x36],
        '9' => [0x06, 0x49, 0x49, 0x29, 0x1e],
        '.' => [0x00, 0x60, 0x60, 0x00, 0x00],
        ',' => [0x00, 0x50, 0x30, 0x00, 0x00],
        ':' => [0x00, 0x36, 0x36, 0x00, 0x00],
        '-' => [0x08; 5],
        '+' => [0x08, 0x08, 0x3e, 0x08, 0x08],
        '/' => [0x20, 0x10, 0x08, 0x04, 0x02],
        _ => [0; 5],
    }
}

/// A picture in shades of gray and a colour.
struct Canvas {
    rows: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), color: [u8; 3]) {
        for y in y..(y + height).min(self.rows) {
            for x in x..(x + width).min(WIDTH) {
                let at = 3 * (y * WIDTH + x);
                self.pixels[at..at + 3].copy_from_slice(&color);
            }
        }
    }

    fn text(&mut self, (x, y): (usize, usize), text: &str) {
        for (index, character) in text.chars().enumerate() {
            for (column, bits) in glyph(character).into_iter().enumerate() {
                for row in (0..7).filter(|row| bits >> row & 1 != 0) {
                    let at = (x + (6 * index + column) * SCALE, y + row * SCALE);
                    self.fill(at, (SCALE, SCALE), [0; 3]);
                }
            }
        }
    }
}

/// Draws a bar on a logarithmic scale for each number, with lines at powers of 10.
pub fn draw(path: &Path, title: &str, bars: &[(String, f64)]) -> Result<(), Error> {
    let rows = (bars.len() + 4) * LINE;
    let mut canvas = Canvas {
        rows,
        pixels: vec![0xff; 3 * WIDTH * rows],
    };
    let largest = bars.iter().map(|bar| bar.1).fold(10.0, f64::max);
    let along = |value: f64| (value.max(1.0).ln() / largest.ln() * BARS as f64) as usize;
    canvas.text((SCALE * 6, LINE / 2), title);
    for power in [1.0, 10.0, 100.0, 1000.0] {
        if power <= largest {
            let x = LABELS + along(power);
            canvas.fill((x, 2 * LINE), (1, rows - 3 * LINE), [0xc0; 3]);
        }
    }
    for (index, (label, value)) in bars.iter().enumerate() {
        let y = (index + 2) * LINE;
        canvas.text((SCALE * 6, y), label);
        canvas.fill(
            (LABELS, y),
            (along(*value).max(1), 7 * SCALE),
            [0x40, 0x80, 0xc0],
        );
        canvas.text(
            (LABELS + along(*value) + 3 * SCALE, y),
            &format!("{value:.1}"),
        );
    }
    let file = match File::create(path) {
        Ok(file) => file,
        Err(error) => return message(format!("{}: {error}", path.display())),
    };
    let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH as u32, rows as u32);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&canvas.pixels));
    written.or_else(|error| message(format!("{}: {error}", path.display())))
}
