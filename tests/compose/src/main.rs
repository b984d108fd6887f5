// SPDX-License-Identifier: GPL-2.0

//! The composer of rvkms as a user-space program: checks it against other composers and measures
//! it.

// Without C vkms its scenes are not used.
#![cfg_attr(not(feature = "oracle"), allow(dead_code, unused_imports))]

#[allow(dead_code)]
#[allow(unused_imports)]
#[path = "../../../drivers/gpu/drm/rvkms"]
mod rvkms {
    pub(crate) mod compose;
}

mod bench;
mod diff;
#[cfg(test)]
mod hostile;
mod memory;
#[cfg(feature = "oracle")]
mod oracle;
mod random;
mod scene;
mod sum;

const USAGE: &str = "\
Usage: rvkms-compose COMMAND
  diff [SCENES [SEED]]   compare random scenes with C vkms (feature `oracle`)
  reference [SCENES [SEED]]
                         compare random scenes with a plain composer of what C vkms cannot do
  bench [FILTER]         measure, with C vkms beside it (feature `oracle`); SIZE=4k, CRC=tables, CRC=folding and
                         ROUNDS=N in the environment change what is measured
  parallel [FILTER]      measure two threads against one
";

fn main() {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let args: Vec<String> = args.collect();
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(1, |time| u64::from(time.subsec_nanos()));
    let number = |index: usize, default: u64| {
        args.get(index)
            .map_or(default, |arg| arg.parse().expect("a number"))
    };

    match command.as_deref() {
        #[cfg(feature = "oracle")]
        Some("diff") => {
            if !diff::against_oracle(number(0, 2000), number(1, now)) {
                std::process::exit(1);
            }
        }
        Some("reference") => {
            if !diff::against_reference(number(0, 2000), number(1, now)) {
                std::process::exit(1);
            }
        }
        Some("parallel") => bench::parallel(args.first().map_or("", |arg| arg)),
        Some("bench") => bench::run(args.first().map_or("", |arg| arg)),
        _ => {
            eprint!("{USAGE}");
            std::process::exit(2);
        }
    }
}
