// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Atomic updates.
//!
//! An update is a set of new states of mode objects, which takes effect as a whole or not at all.
//! It goes through these phases, in each of which a driver can do different things:
//!
//! - *Check* ([`AtomicCheck`]): the driver says whether the hardware can do it. It may look up and
//!   add states and change the new ones, each of which can be borrowed once at a time. User space
//!   can ask for a check alone, so nothing but the new states may be changed.
//! - *Prepare* ([`DriverPlane::prepare_fb`]): the driver gets hold of what it needs to carry the
//!   update out. It may change the new state of one object, and fail.
//! - *Commit* ([`AtomicCommit`]): the update is carried out and cannot fail. From here on the new
//!   states are shared with the checks of later updates, hence the driver can only read them, and
//!   only until the callback returns: they may be freed as soon as the next update has been carried
//!   out. What outlives the callback, e.g. for a worker, is put together by the driver in the
//!   phases before, and handed over by [`Arc`](crate::sync::Arc).
//!
//! Updates of the legacy cursor that do not wait are the one exception: see
//! [`DriverPlane::atomic_async_update`].
//!
//! C header: [`include/drm/drm_atomic.h`](srctree/include/drm/drm_atomic.h)

use super::{
    commit::{
        crtc_states,
        plane_states,
        Entry, //
    },
    crtc::{
        Crtc,
        CrtcState,
        CrtcStateMut,
        DriverCrtc,
        OpaqueCrtc,
        OpaqueCrtcState, //
    },
    plane::{
        DriverPlane,
        OpaquePlane,
        OpaquePlaneState,
        Plane,
        PlaneState,
        PlaneStateMut,
        Scaling, //
    },
    KmsDriver,
    OfDriver, //
};
use crate::{
    bindings,
    drm,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    types::NotThreadSafe, //
};
use core::{
    cell::Cell,
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};

/// Returns the states of `plane` in `commit`, if it is part of it.
///
/// # Safety
///
/// `commit` must be a valid commit, to which no other thread adds states.
unsafe fn plane_entry<D: KmsDriver>(
    commit: NonNull<bindings::drm_atomic_commit>,
    plane: &OpaquePlane<D>,
) -> Option<Entry<bindings::drm_plane_state>> {
    let commit = commit.as_ptr();

    // SAFETY: The commit is valid by the safety requirements. A plane of its device has an entry in
    // its array.
    unsafe {
        if (*commit).dev != plane.drm_dev().as_raw() {
            return None;
        }

        let entry = (*commit).planes.add(plane.index() as usize);

        (!(*entry).ptr.is_null()).then(|| Entry {
            old_state: (*entry).old_state,
            new_state: (*entry).new_state,
        })
    }
}

/// Returns the states of `crtc` in `commit`, if it is part of it.
///
/// # Safety
///
/// `commit` must be a valid commit, to which no other thread adds states.
pub(super) unsafe fn crtc_entry<D: KmsDriver>(
    commit: NonNull<bindings::drm_atomic_commit>,
    crtc: &OpaqueCrtc<D>,
) -> Option<Entry<bindings::drm_crtc_state>> {
    let commit = commit.as_ptr();

    // SAFETY: The commit is valid by the safety requirements. A CRTC of its device has an entry in
    // its array.
    unsafe {
        if (*commit).dev != crtc.drm_dev().as_raw() {
            return None;
        }

        let entry = (*commit).crtcs.add(crtc.index() as usize);

        (!(*entry).ptr.is_null()).then(|| Entry {
            old_state: (*entry).old_state,
            new_state: (*entry).new_state,
        })
    }
}

/// Returns what the core is told if a driver's part of an update returns `result`.
///
/// `EDEADLK` says that a lock could not be taken, and the core tries again as soon as it can be:
/// forever, if there is no such lock.
pub(super) fn of_driver(result: Result) -> Result {
    result.map_err(|err| if err == EDEADLK { EINVAL } else { err })
}

/// An update in the check phase.
///
/// If a function that adds a state fails then so does the check, whatever the callback returns.
/// With `EDEADLK` the core will start the check anew.
///
/// # Invariants
///
/// - `commit` is a valid commit of a device of the driver `D`, which is in its check phase and only
///   used by this thread, for the lifetime of the value.
/// - A bit in one of the masks is set if the new state of the object is borrowed.
/// - `failed` is the first error of a C function that adds states. After it no more are added.
pub struct AtomicCheck<'a, D: KmsDriver> {
    commit: NonNull<bindings::drm_atomic_commit>,
    borrowed_planes: Cell<u32>,
    borrowed_crtcs: Cell<u32>,
    failed: Cell<Option<Error>>,
    _driver: OfDriver<D>,
    _lifetime: PhantomData<&'a ()>,
    _not_send: NotThreadSafe,
}

impl<D: KmsDriver> AtomicCheck<'_, D> {
    /// # Safety
    ///
    /// `commit` must fulfil the type invariants for the lifetime of the value, and there must be
    /// no other such value for it.
    pub(super) unsafe fn new(commit: *mut bindings::drm_atomic_commit) -> Self {
        // INVARIANT: By the safety requirements; nothing is borrowed yet.
        Self {
            // SAFETY: A valid commit is not NULL.
            commit: unsafe { NonNull::new_unchecked(commit) },
            borrowed_planes: Cell::new(0),
            borrowed_crtcs: Cell::new(0),
            failed: Cell::new(None),
            _driver: OfDriver::default(),
            _lifetime: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_atomic_commit {
        self.commit.as_ptr()
    }

    /// Calls a C function that adds states to the update, and remembers its error.
    ///
    /// An error can leave the commit half changed, and all locks but one must be given up after an
    /// `EDEADLK`, hence the check must not succeed any more. Nor must it if a CRTC that is on was
    /// added to an update that may not change modes: for the core that is a bug of the driver.
    pub(super) fn add<R>(
        &self,
        f: impl FnOnce(*mut bindings::drm_atomic_commit) -> Result<R>,
    ) -> Result<R> {
        if let Some(err) = self.failed.get() {
            return Err(err);
        }

        let enabled = || {
            // SAFETY: The commit is valid and belongs to this thread by the type invariants.
            unsafe { crtc_states(self.as_raw()) }
                // SAFETY: These are states of the commit.
                .filter(|entry| unsafe { (*entry.new_state).enable })
                .count()
        };
        let before = enabled();

        f(self.as_raw())
            .and_then(|added| {
                // SAFETY: As above.
                let allow_modeset = unsafe { (*self.as_raw()).allow_modeset() };

                if allow_modeset || enabled() == before {
                    Ok(added)
                } else {
                    Err(EINVAL)
                }
            })
            .inspect_err(|err| self.failed.set(Some(*err)))
    }

    /// Returns the new state of `plane`, whether or not it is borrowed.
    pub(super) fn raw_new_plane_state(
        &self,
        plane: &OpaquePlane<D>,
    ) -> Option<*mut bindings::drm_plane_state> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        unsafe { plane_entry(self.commit, plane) }.map(|entry| entry.new_state)
    }

    /// Returns the result of a check for which the driver has returned `result`.
    pub(super) fn result(&self, result: Result) -> Result {
        self.failed.get().map_or(of_driver(result), Err)
    }

    /// Returns the device.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The commit is one of a device of `D` by the type invariants.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// Returns the new state of `plane`, which is added to the update if it is not part of it yet.
    ///
    /// Fails with `EBUSY` if the state is borrowed, with `EINVAL` if `plane` is of another device,
    /// and with `ENOMEM` or `EDEADLK` if the state cannot be added. The CRTC that shows the plane
    /// is added, too, which fails as in [`get_crtc_state`](Self::get_crtc_state).
    ///
    /// C: `drm_atomic_get_plane_state()`.
    pub fn get_plane_state<T: DriverPlane<Driver = D>>(
        &self,
        plane: &Plane<T>,
    ) -> Result<PlaneStateMut<'_, T>> {
        if !ptr::eq(self.drm_dev(), plane.drm_dev()) {
            return Err(EINVAL);
        }

        let state = self.add(|commit| {
            // SAFETY: The plane is of the device of the commit, which is in its check phase.
            from_err_ptr(unsafe { bindings::drm_atomic_get_plane_state(commit, plane.as_raw()) })
        })?;

        // SAFETY: `state` is the new state of `plane` in this commit, and all borrows of it go
        // through this mask.
        unsafe { PlaneStateMut::borrow(plane, state, &self.borrowed_planes) }.ok_or(EBUSY)
    }

    /// Returns the new state of `plane`, or `None` if it is not part of the update, or borrowed.
    ///
    /// C: `drm_atomic_get_new_plane_state()`.
    pub fn get_new_plane_state<T: DriverPlane<Driver = D>>(
        &self,
        plane: &Plane<T>,
    ) -> Option<PlaneStateMut<'_, T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { plane_entry(self.commit, plane) }?;

        // SAFETY: `new_state` is the new state of `plane` in this commit, and all borrows of it go
        // through this mask.
        unsafe { PlaneStateMut::borrow(plane, entry.new_state, &self.borrowed_planes) }
    }

    /// Returns the state of `plane` before the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_old_plane_state()`.
    pub fn get_old_plane_state<T: DriverPlane<Driver = D>>(
        &self,
        plane: &Plane<T>,
    ) -> Option<&PlaneState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { plane_entry(self.commit, plane) }?;

        // SAFETY: The old state is the current one of `plane`, which does not change while the
        // lock of the plane is held, which is until the check is over.
        PlaneState::try_from_opaque(unsafe { OpaquePlaneState::from_raw(entry.old_state) })
    }

    /// Returns the new state of `crtc`, which is added to the update if it is not part of it yet.
    ///
    /// Fails with `EBUSY` if the state is borrowed, with `EINVAL` if `crtc` is of another device,
    /// or enabled and not yet part of an update that may not change modes, and with `ENOMEM` or
    /// `EDEADLK` if the state cannot be added.
    ///
    /// C: `drm_atomic_get_crtc_state()`.
    pub fn get_crtc_state<T: DriverCrtc<Driver = D>>(
        &self,
        crtc: &Crtc<T>,
    ) -> Result<CrtcStateMut<'_, T>> {
        if !ptr::eq(self.drm_dev(), crtc.drm_dev()) {
            return Err(EINVAL);
        }

        let state = self.add(|commit| {
            // SAFETY: The CRTC is of the device of the commit, which is in its check phase.
            from_err_ptr(unsafe { bindings::drm_atomic_get_crtc_state(commit, crtc.as_raw()) })
        })?;

        // SAFETY: `state` is the new state of `crtc` in this commit, and all borrows of it go
        // through this mask.
        unsafe { CrtcStateMut::borrow(crtc, state, &self.borrowed_crtcs) }.ok_or(EBUSY)
    }

    /// Returns the new state of `crtc`, or `None` if it is not part of the update, or borrowed.
    ///
    /// C: `drm_atomic_get_new_crtc_state()`.
    pub fn get_new_crtc_state<T: DriverCrtc<Driver = D>>(
        &self,
        crtc: &Crtc<T>,
    ) -> Option<CrtcStateMut<'_, T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { crtc_entry(self.commit, crtc) }?;

        // SAFETY: `new_state` is the new state of `crtc` in this commit, and all borrows of it go
        // through this mask.
        unsafe { CrtcStateMut::borrow(crtc, entry.new_state, &self.borrowed_crtcs) }
    }

    /// Returns the state of `crtc` before the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_old_crtc_state()`.
    pub fn get_old_crtc_state<T: DriverCrtc<Driver = D>>(
        &self,
        crtc: &Crtc<T>,
    ) -> Option<&CrtcState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { crtc_entry(self.commit, crtc) }?;

        // SAFETY: The old state is the current one of `crtc`, which does not change while the lock
        // of the CRTC is held, which is until the check is over.
        CrtcState::try_from_opaque(unsafe { OpaqueCrtcState::from_raw(entry.old_state) })
    }

    /// Checks position and size of the new state of `plane` against that of its CRTC.
    ///
    /// Clips the plane to what is visible, sets [`visible`](OpaquePlaneState::visible),
    /// [`src`](OpaquePlaneState::src) and [`dst`](OpaquePlaneState::dst) of the state, and returns
    /// whether the plane is visible. A plane without a CRTC or framebuffer is not.
    ///
    /// `scaling` says how much the plane may be scaled. A plane that does not have to cover its
    /// CRTC `can_position`. Fails with `ERANGE` if the scale is out of range, with `EINVAL` if the
    /// plane does not cover its CRTC although it has to, or is not part of the update, and with
    /// `ENOMEM` or `EDEADLK` if the state of its CRTC cannot be added.
    ///
    /// C: `drm_atomic_helper_check_plane_state()`.
    pub fn check_plane_state(
        &self,
        plane: &OpaquePlane<D>,
        scaling: Scaling,
        can_position: bool,
    ) -> Result<bool> {
        let state = self.raw_new_plane_state(plane).ok_or(EINVAL)?;

        // SAFETY: `state` is a new state in this commit. All of what is used of it here lies in an
        // `Opaque`, so it does not matter whether the state is borrowed.
        let (crtc, fb) = unsafe { ((*state).crtc, (*state).fb) };

        if crtc.is_null() || fb.is_null() {
            // SAFETY: As above.
            unsafe { (*state).visible = false };
            return Ok(false);
        }

        let crtc_state = self.add(|commit| {
            // SAFETY: The CRTC of a plane's state is of the same device.
            from_err_ptr(unsafe { bindings::drm_atomic_get_crtc_state(commit, crtc) })
        })?;

        // SAFETY: Both states are new ones in this commit. The C function only reads the one of the
        // CRTC.
        to_result(unsafe {
            bindings::drm_atomic_helper_check_plane_state(
                state,
                crtc_state,
                scaling.min.try_into()?,
                scaling.max.try_into()?,
                can_position,
                true,
            )
        })?;

        // SAFETY: As above.
        Ok(unsafe { (*state).visible })
    }
}

/// An update in the commit phase.
///
/// # Invariants
///
/// `commit` is a valid commit of a device of the driver `D`, whose new states have become the
/// current ones, and whose states are not freed for `'a`.
pub struct AtomicCommit<'a, D: KmsDriver> {
    commit: NonNull<bindings::drm_atomic_commit>,
    _driver: OfDriver<D>,
    _lifetime: PhantomData<&'a ()>,
    _not_send: NotThreadSafe,
}

impl<'a, D: KmsDriver> AtomicCommit<'a, D> {
    /// # Safety
    ///
    /// `*commit` must fulfil the type invariants for `'a`.
    pub(super) unsafe fn new(commit: &'a *mut bindings::drm_atomic_commit) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            // SAFETY: A valid commit is not NULL.
            commit: unsafe { NonNull::new_unchecked(*commit) },
            _driver: OfDriver::default(),
            _lifetime: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::drm_atomic_commit {
        self.commit.as_ptr()
    }

    /// Returns the device.
    pub fn drm_dev(&self) -> &drm::Device<D> {
        // SAFETY: The commit is one of a device of `D` by the type invariants.
        unsafe { drm::Device::from_raw((*self.as_raw()).dev) }
    }

    /// Returns the state of `plane` after the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_new_plane_state()`.
    pub fn get_new_plane_state<T: DriverPlane<Driver = D>>(
        &self,
        plane: &Plane<T>,
    ) -> Option<&PlaneState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { plane_entry(self.commit, plane) }?;

        // SAFETY: By the type invariants the state is not freed, and it does not change any more.
        PlaneState::try_from_opaque(unsafe { OpaquePlaneState::from_raw(entry.new_state) })
    }

    /// Returns the state of `plane` before the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_old_plane_state()`.
    pub fn get_old_plane_state<T: DriverPlane<Driver = D>>(
        &self,
        plane: &Plane<T>,
    ) -> Option<&PlaneState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { plane_entry(self.commit, plane) }?;

        // SAFETY: By the type invariants the state is not freed, and it does not change any more.
        PlaneState::try_from_opaque(unsafe { OpaquePlaneState::from_raw(entry.old_state) })
    }

    /// Returns the state of `crtc` after the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_new_crtc_state()`.
    pub fn get_new_crtc_state<T: DriverCrtc<Driver = D>>(
        &self,
        crtc: &Crtc<T>,
    ) -> Option<&CrtcState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { crtc_entry(self.commit, crtc) }?;

        // SAFETY: By the type invariants the state is not freed, and it does not change any more.
        CrtcState::try_from_opaque(unsafe { OpaqueCrtcState::from_raw(entry.new_state) })
    }

    /// Returns the state of `crtc` before the update, or `None` if it is not part of the update.
    ///
    /// C: `drm_atomic_get_old_crtc_state()`.
    pub fn get_old_crtc_state<T: DriverCrtc<Driver = D>>(
        &self,
        crtc: &Crtc<T>,
    ) -> Option<&CrtcState<T>> {
        // SAFETY: The commit is valid and belongs to this thread by the type invariants.
        let entry = unsafe { crtc_entry(self.commit, crtc) }?;

        // SAFETY: By the type invariants the state is not freed, and it does not change any more.
        CrtcState::try_from_opaque(unsafe { OpaqueCrtcState::from_raw(entry.old_state) })
    }

    /// Returns the CRTCs that are part of the update.
    ///
    /// Looks at no state: once the update is done, the next one can free those of this one.
    pub(super) fn raw_crtcs(&self) -> impl Iterator<Item = *mut bindings::drm_crtc> + '_ {
        // SAFETY: The commit and its device are valid by the type invariants, and the number of
        // CRTCs does not change after the device has been set up.
        let count = unsafe { (*(*self.as_raw()).dev).mode_config.num_crtc };

        (0..usize::try_from(count).unwrap_or(0)).filter_map(|i| {
            // SAFETY: The array has an entry for each CRTC of the device.
            let crtc = unsafe { (*(*self.as_raw()).crtcs.add(i)).ptr };

            (!crtc.is_null()).then_some(crtc)
        })
    }

    /// Returns the new states of all planes that are part of the update, in the order of their
    /// indices.
    ///
    /// C: `for_each_new_plane_in_state()`.
    pub fn new_plane_states(&self) -> impl Iterator<Item = &OpaquePlaneState<D>> {
        // SAFETY: The commit is valid by the type invariants, and no states are added to one that
        // is carried out. Its states are not freed, and do not change any more.
        unsafe {
            plane_states(self.as_raw()).map(|entry| OpaquePlaneState::from_raw(entry.new_state))
        }
    }
}
