// SPDX-License-Identifier: GPL-2.0

//! A driver of the Bochs display, which QEMU has as well.
//!
//! The device scans pixels of 32 bits out of its memory, from any line on. It has no other planes,
//! no other formats and no interrupt, so the driver copies what user space draws into that memory,
//! converts it on the way, and takes vertical blanks from a timer.

mod connector;
mod convert;
mod crtc;
mod damage;
mod device;
mod draw;
mod driver;
mod frames;
mod hardware;
mod layout;
#[path = "../patience.rs"]
mod patience;
mod plane;
mod registers;
mod scanout;
mod turn;

kernel::module_pci_driver! {
    type: driver::BochsPciDriver,
    name: "rvkms_bochs",
    authors: ["The rvkms developers"],
    description: "Bochs display",
    license: "GPL",
    imports_ns: ["DMA_BUF"],
}
