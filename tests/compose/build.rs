// SPDX-License-Identifier: GPL-2.0

//! Links what `oracle/build.sh` built.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_ORACLE").is_some() {
        let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/oracle/build";

        println!("cargo:rerun-if-changed={dir}/liboracle.a");
        println!("cargo:rustc-link-search=native={dir}");
        println!("cargo:rustc-link-lib=static=oracle");
    }
}
