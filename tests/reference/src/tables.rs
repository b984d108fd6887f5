// SPDX-License-Identifier: GPL-2.0

//! Tables for each channel, and for all three.

pub(crate) fn look_up(lut: &[[u16; 3]], color: &mut [f64; 3]) {
    for (channel, value) in color.iter_mut().enumerate() {
        let place = *value * (lut.len() - 1) as f64;
        let (low, part) = (place.floor(), place.fract());
        let at =
            |index: f64| f64::from(lut[(index as usize).min(lut.len() - 1)][channel]) / 65535.0;

        *value = at(low) * (1.0 - part) + at(low + 1.0) * part;
    }
}

/// Looks up a colour in a cube of `size` entries in each direction: the corners of the tetrahedron
/// around it are passed on the way along the channels, the one that is furthest along first.
pub(crate) fn look_up_3d(size: usize, lut: &[[u16; 3]], color: [f64; 3]) -> [f64; 3] {
    let places = color.map(|value| value * (size - 1) as f64);
    let bases = places.map(|place| place.floor().min((size - 2) as f64));
    let parts: [f64; 3] = std::array::from_fn(|channel| places[channel] - bases[channel]);
    let at = |corner: [usize; 3]| {
        let [r, g, b]: [usize; 3] =
            std::array::from_fn(|channel| bases[channel] as usize + corner[channel]);

        lut[r + size * (g + size * b)].map(|value| f64::from(value) / 65535.0)
    };
    let mut order = [0, 1, 2];
    let mut corner = [0; 3];
    let mut out = at(corner);

    order.sort_by(|&a, &b| parts[b].total_cmp(&parts[a]));
    for channel in order {
        let before = at(corner);

        corner[channel] = 1;

        let after = at(corner);

        for (out, (before, after)) in out.iter_mut().zip(before.into_iter().zip(after)) {
            *out += (after - before) * parts[channel];
        }
    }
    out
}
