// SPDX-License-Identifier: GPL-2.0
//@ error: none
//@ message: lifetime may not live long enough

// Where a state is printed to is valid during the callback.

include!("../common/kms.rs");

use kernel::drm::kms::print::StatePrinter;

#[cfg(not(wrong))]
fn store<'a>(slot: &mut Option<&'a mut StatePrinter>, printer: &'a mut StatePrinter) {
    *slot = Some(printer);
}

#[cfg(wrong)]
fn store<'a>(slot: &mut Option<&'static mut StatePrinter>, printer: &'a mut StatePrinter) {
    *slot = Some(printer); //~
}
