// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Pixels of 8 bits a channel as such of 16 bits.

use super::vector;

/// Makes pixels with channels of 16 bits out of such with 8 bits, and returns how many it has made,
/// from the first one on: none if there is no fast way here and now, else all that both `pixels`
/// and `out` have but at most 3.
///
/// A channel of 16 bits is its byte twice, so that full intensity stays what it is. The channels of
/// `out` are A, R, G and B from the least significant one up. `ORDER` says which bytes of a pixel
/// they are, with two bits for each of A, R, G and B from the least significant ones up; `opaque`
/// sets A to 65535 instead.
///
/// Context: Any. Does not sleep. Preemption is off meanwhile, for less than a nanosecond for each
/// pixel.
pub fn widen<const ORDER: u8>(opaque: bool, pixels: &[[u8; 4]], out: &mut [u64]) -> usize {
    let n = out.len().min(pixels.len()) / vector::STEP * vector::STEP;
    let (Some(pixels), Some(out)) = (pixels.get(..n), out.get_mut(..n)) else {
        return 0;
    };
    let set = if opaque { 0xffff } else { 0 };

    if n == 0 || !vector::begin() {
        return 0;
    }
    // SAFETY: Both lengths are `n`, which is a multiple of `STEP` and not 0, and `begin` returned
    // true.
    unsafe { code::widen::<ORDER>(set, pixels, out) };
    vector::end();
    n
}

#[cfg(target_arch = "x86_64")]
mod code {
    use super::vector::STEP;

    /// Widens pixels, and sets the bits `set` in all of them.
    ///
    /// # Safety
    ///
    /// [`begin`](super::vector::begin) returned true and [`end`](super::vector::end) was not called
    /// since. `out` is as long as `pixels`, not empty, and its length is a multiple of [`STEP`].
    pub(super) unsafe fn widen<const ORDER: u8>(set: u64, pixels: &[[u8; 4]], out: &mut [u64]) {
        // SAFETY: By the safety requirements all that is read is within `pixels`, and all that is
        // written within `out`. All of these CPUs have the instructions. No code that the compiler
        // made has anything in vector registers, or they are declared as overwritten.
        unsafe {
            vector_asm!(
                "movq xmm2, {set}",
                "punpcklqdq xmm2, xmm2",
                "2:",
                "movdqu xmm0, [{pixels}]",
                "movdqa xmm1, xmm0",
                "punpcklbw xmm0, xmm0",
                "punpckhbw xmm1, xmm1",
                "pshuflw xmm0, xmm0, {order}",
                "pshuflw xmm1, xmm1, {order}",
                "pshufhw xmm0, xmm0, {order}",
                "pshufhw xmm1, xmm1, {order}",
                "por xmm0, xmm2",
                "por xmm1, xmm2",
                "movdqu [{out}], xmm0",
                "movdqu [{out} + 16], xmm1",
                "add {pixels}, 16",
                "add {out}, 32",
                "sub {steps}, 1",
                "jnz 2b",
                set = in(reg) set,
                pixels = inout(reg) pixels.as_ptr() => _,
                out = inout(reg) out.as_mut_ptr() => _,
                steps = inout(reg) out.len() / STEP => _,
                order = const ORDER,
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod code {
    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn widen<const ORDER: u8>(_: u64, _: &[[u8; 4]], _: &mut [u64]) {}
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
#[cfg_attr(not(test), macros::kunit_tests(rust_drm_simd_widen))]
mod tests {
    use super::*;

    const PIXELS: [[u8; 4]; 9] = [
        [1, 2, 3, 4],
        [0, 0, 0, 0],
        [255, 254, 253, 252],
        [5, 6, 7, 8],
        [0x80, 0, 0x7f, 0],
        [9, 10, 11, 12],
        [0, 0x80, 0, 0x81],
        [13, 14, 15, 16],
        [17, 18, 19, 20],
    ];

    fn plain(order: u8, opaque: bool, pixel: [u8; 4]) -> u64 {
        let channels = [0, 2, 4, 6].map(|shift| pixel[usize::from(order >> shift & 3)]);
        let [a, r, g, b] = channels.map(|byte| u64::from(byte) * 257);

        (if opaque { 0xffff } else { a }) | r << 16 | g << 32 | b << 48
    }

    fn check<const ORDER: u8>() {
        for opaque in [false, true] {
            for n in 0..=PIXELS.len() {
                let mut out = [0x1234_5678_9abc_def0; PIXELS.len()];
                let before = out;
                let done = widen::<ORDER>(opaque, &PIXELS, &mut out[..n]);
                let expected = PIXELS.map(|pixel| plain(ORDER, opaque, pixel));

                assert!(done == 0 || done == n / 4 * 4);
                // A program may always use the registers.
                #[cfg(all(test, target_arch = "x86_64"))]
                assert_eq!(done, n / 4 * 4);
                assert_eq!(out[..done], expected[..done]);
                assert_eq!(out[done..], before[done..]);
            }
        }
    }

    #[test]
    fn bytes_come_twice_and_in_order() {
        check::<0b00_01_10_11>();
        check::<0b11_10_01_00>();
        check::<0b01_10_11_00>();
        check::<0b10_01_00_11>();
        check::<0b10_10_10_10>();
    }

    #[test]
    fn what_is_left_over_is_ignored() {
        let mut out = [7; 8];
        let done = widen::<0b11_10_01_00>(false, &PIXELS[..7], &mut out);

        assert!(done == 0 || done == 4);
        assert!(out[done..].iter().all(|&pixel| pixel == 7));
        assert_eq!(widen::<0>(true, &[], &mut out), 0);
        assert_eq!(widen::<0>(true, &PIXELS, &mut []), 0);
    }
}
