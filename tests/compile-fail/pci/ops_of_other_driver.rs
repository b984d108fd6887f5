// SPDX-License-Identifier: GPL-2.0
//@ error: E0308
//@ message: one type is more general than the other

// A driver's callbacks are not those of another driver that it is a subtype of, whose data differs.

use kernel::pci::{
    PmOps,
    ResetOps, //
};

struct Driver<T>(core::marker::PhantomData<T>);

type Any = Driver<for<'a> fn(&'a u8)>;
type One = Driver<fn(&'static u8)>;

#[cfg(not(wrong))]
fn pm(ops: PmOps<One>) -> PmOps<One> {
    ops
}

#[cfg(wrong)]
fn pm(ops: PmOps<One>) -> PmOps<Any> {
    ops //~
}

#[cfg(not(wrong))]
fn reset(ops: ResetOps<One>) -> ResetOps<One> {
    ops
}

#[cfg(wrong)]
fn reset(ops: ResetOps<One>) -> ResetOps<Any> {
    ops //~
}
