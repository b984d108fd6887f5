// SPDX-License-Identifier: GPL-2.0

//! The composer of rvkms as a user-space program: checks it against other composers and measures
//! it.

#[allow(dead_code)]
#[allow(unused_imports)]
#[path = "../../../drivers/gpu/drm/rvkms"]
mod rvkms {
    pub(crate) mod compose;
}

mod bench;
mod diff;
mod memory;
#[cfg(feature = "oracle")]
mod oracle;
mod random;
mod scene;

const USAGE: &str = "\
Usage: rvkms-compose COMMAND
  diff [SCENES [SEED]]   compare random scenes with C vkms (feature `oracle`)
  bench [FILTER]         measure, with C vkms beside it (feature `oracle`)
";

fn main() {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let args: Vec<String> = args.collect();
    let number = |index: usize, default: u64| {
        args.get(index)
            .map_or(default, |arg| arg.parse().expect("a number"))
    };

    match command.as_deref() {
        #[cfg(feature = "oracle")]
        Some("diff") => {
            let now = std::time::UNIX_EPOCH
                .elapsed()
                .map_or(1, |time| time.as_nanos() as u64);

            if !diff::against_oracle(number(0, 2000), number(1, now & 0xffff_ffff)) {
                std::process::exit(1);
            }
        }
        Some("bench") => bench::run(args.first().map_or("", |arg| arg)),
        _ => {
            eprint!("{USAGE}");
            std::process::exit(2);
        }
    }
}
