// SPDX-License-Identifier: GPL-2.0

// A trait with unique identities, and what a module has to have for its implementations.

use kernel::{
    prelude::*,
    vtable::{
        Identity,
        UniqueId, //
    }, //
};

/// Stands for the module type that `module!` makes.
struct LocalModule;

impl kernel::ModuleMetadata for LocalModule {
    const NAME: &'static kernel::str::CStr = c"compile_fail";
    const THIS_MODULE: kernel::ThisModule = {
        // SAFETY: Null stands for code that is no module.
        unsafe { kernel::ThisModule::from_ptr(core::ptr::null_mut()) }
    };
}

#[vtable(unique)]
trait Ops: Sized {
    fn call(&self) {}
}

struct Known;

#[vtable(unique)]
impl Ops for Known {}
