// SPDX-License-Identifier: GPL-2.0

//! Identities for implementations of `#[vtable(unique)]` traits.
//!
//! C code often answers the question "which driver made this object?" by comparing the address of
//! a function table with the one that it expects. That is not sound for tables made by Rust: a
//! promoted constant may exist several times, two constants with equal contents may share one
//! address, and functions with equal bodies may be merged.
//!
//! What the language does guarantee is that two `static` items with a size of at least one byte
//! never overlap. The `#[vtable(unique)]` attribute makes use of that: it gives each implementation
//! of a trait one private `static` [`Identity`], which is reached through the associated constant
//! `UNIQUE_ID` that the attribute adds to the trait.
//!
//! An abstraction stores the result of [`UniqueId::identity()`] next to the function tables that it
//! hands to C, and later compares the stored identity with the one of the type it wants to cast to.
//! The tables themselves may be duplicated or merged as the compiler likes.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     vtable::Identity, //
//! };
//!
//! #[vtable(unique)]
//! trait Shape: Sized {
//!     fn corners(&self) -> u32;
//! }
//!
//! struct Triangle;
//! struct Square;
//!
//! #[vtable(unique)]
//! impl Shape for Triangle {
//!     fn corners(&self) -> u32 {
//!         3
//!     }
//! }
//!
//! #[vtable(unique)]
//! impl Shape for Square {
//!     fn corners(&self) -> u32 {
//!         4
//!     }
//! }
//!
//! fn is<T: Shape>(id: &Identity) -> bool {
//!     id == T::UNIQUE_ID.identity()
//! }
//!
//! let id = Square::UNIQUE_ID.identity();
//!
//! assert!(is::<Square>(id));
//! assert!(!is::<Triangle>(id));
//! ```

use core::{
    marker::PhantomData,
    ptr, //
};

/// The identity of one implementation of a `#[vtable(unique)]` trait.
///
/// An identity carries no value, only its address means something: two identities are equal if and
/// only if they are the same object.
///
/// # Invariants
///
/// - An `Identity` is the value of a `static` item which holds nothing else, and is never moved out
///   of it.
/// - All [`UniqueId`]s that refer to an `Identity` have the same type parameter.
// The size must not be zero: only statics of at least one byte are known to have distinct
// addresses.
#[repr(transparent)]
pub struct Identity(u8);

const _: () = assert!(core::mem::size_of::<Identity>() == 1);

impl Identity {
    /// Creates an identity.
    ///
    /// This is an implementation detail of `#[vtable(unique)]`.
    ///
    /// # Safety
    ///
    /// The result must be the initial value of a `static` item of type [`Identity`].
    #[doc(hidden)]
    pub const unsafe fn new() -> Self {
        // INVARIANT: The first invariant holds by the safety requirements; there is no `UniqueId`
        // that refers to the new identity yet.
        Self(0)
    }
}

impl PartialEq for Identity {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self, other)
    }
}

impl Eq for Identity {}

/// The identity of the type `T` as an implementation of a `#[vtable(unique)]` trait.
///
/// The type parameter is what keeps safe code from passing off the identity of one type as the one
/// of another type: a `UniqueId<A>` is no `UniqueId<B>`, and the constructor is unsafe. `T` is
/// invariant, hence this also holds when `A` is a subtype of `B`.
///
/// # Invariants
///
/// `identity` refers to an [`Identity`] which no `UniqueId<U>` with a `U` other than `T` refers to.
pub struct UniqueId<T: ?Sized + 'static> {
    identity: &'static Identity,
    // A function pointer makes `T` invariant, and is `Send` and `Sync` whatever `T` is.
    _type: PhantomData<fn(*mut T) -> *mut T>,
}

impl<T: ?Sized + 'static> UniqueId<T> {
    /// Creates a handle to the identity of `T`.
    ///
    /// This is an implementation detail of `#[vtable(unique)]`.
    ///
    /// # Safety
    ///
    /// The caller must never create a `UniqueId<U>` for the same `identity` with a `U` other than
    /// `T`, nor give anyone else the means to do so.
    #[doc(hidden)]
    pub const unsafe fn new(identity: &'static Identity) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            identity,
            _type: PhantomData,
        }
    }

    /// Returns the identity itself, without the type that it stands for.
    ///
    /// If this is equal to the [`Identity`] of a `UniqueId<U>`, then `T` and `U` are the same type.
    #[inline]
    pub const fn identity(self) -> &'static Identity {
        self.identity
    }
}

impl<T: ?Sized + 'static> Clone for UniqueId<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized + 'static> Copy for UniqueId<T> {}

impl<T: ?Sized + 'static, U: ?Sized + 'static> PartialEq<UniqueId<U>> for UniqueId<T> {
    #[inline]
    fn eq(&self, other: &UniqueId<U>) -> bool {
        self.identity == other.identity
    }
}

impl<T: ?Sized + 'static> Eq for UniqueId<T> {}

#[cfg(CONFIG_RUST_VTABLE_KUNIT_TEST)]
#[macros::kunit_tests(rust_kernel_vtable)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[vtable(unique)]
    trait Ops: Sized {
        fn call(&self) -> u32 {
            0
        }
    }

    #[vtable(unique)]
    trait OtherOps {}

    struct A;
    struct B;

    // The implementations are equal on purpose, so that the compiler has reason to merge them.

    #[vtable(unique)]
    impl Ops for A {
        fn call(&self) -> u32 {
            1
        }
    }

    #[vtable(unique)]
    impl Ops for B {
        fn call(&self) -> u32 {
            1
        }
    }

    #[vtable(unique)]
    impl OtherOps for A {}

    struct Generic<T>(PhantomData<T>);

    #[vtable(unique)]
    impl Ops for Generic<A> {}

    #[vtable(unique)]
    impl Ops for Generic<B> {}

    /// What an abstraction does: a table for C with the identity behind it.
    #[repr(C)]
    struct Table {
        call: Option<fn(u32) -> u32>,
        id: &'static Identity,
    }

    fn table<T: Ops>() -> &'static Table {
        const {
            &Table {
                call: None,
                id: T::UNIQUE_ID.identity(),
            }
        }
    }

    #[inline(never)]
    fn is<T: Ops>(table: &Table) -> bool {
        table.id == T::UNIQUE_ID.identity()
    }

    fn id<T: Ops>() -> UniqueId<T> {
        T::UNIQUE_ID
    }

    #[test]
    fn one_identity_per_implementation() {
        assert!(id::<A>() == id::<A>());
        assert!(id::<A>() != id::<B>());
        assert!(id::<Generic<A>>() == id::<Generic<A>>());
        assert!(id::<Generic<A>>() != id::<Generic<B>>());
        assert!(id::<Generic<A>>() != id::<A>());
    }

    #[test]
    fn one_identity_per_trait() {
        assert!(id::<A>() != <A as OtherOps>::UNIQUE_ID);
    }

    #[test]
    fn identity_through_table() {
        assert!(table::<A>().call.is_none());
        assert!(is::<A>(table::<A>()));
        assert!(is::<B>(table::<B>()));
        assert!(!is::<B>(table::<A>()));
        assert!(!is::<A>(table::<B>()));
    }

    #[test]
    fn methods_are_still_recorded() {
        assert!(A::HAS_CALL);
        assert!(!<Generic<A>>::HAS_CALL);
        assert_eq!(A.call() + B.call(), 2);
    }
}
