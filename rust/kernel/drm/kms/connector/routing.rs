// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Which encoder feeds which connector.
//!
//! An encoder feeds one connector at a time. Where several connectors share several encoders, what
//! one gets decides whether there is one left for another, so they are looked at together.

use super::super::MAX_OBJECTS;
use crate::{
    bindings,
    container_of, //
};
use core::ptr;

/// How many encoders a device can have.
const ENCODERS: usize = MAX_OBJECTS as usize;

/// A connector that needs an encoder.
#[derive(Clone, Copy)]
struct Candidate {
    /// The index of the connector.
    connector: u32,
    /// The encoders that can feed it, as bits of their indices.
    encoders: u32,
}

/// Connectors, each with an encoder of its own.
///
/// # Invariants
///
/// Each connector is there once at most, and its encoder is one that can feed it.
#[derive(Default)]
struct Routing {
    /// The connector of each encoder, by the index of the encoder.
    owners: [Option<Candidate>; ENCODERS],
}

/// Returns the indices of the bits that are set.
fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..ENCODERS).filter(move |&index| mask & 1 << index != 0)
}

impl Routing {
    /// Returns the index of the encoder of `connector`.
    fn encoder(&self, connector: u32) -> Option<usize> {
        self.owners
            .iter()
            .position(|owner| owner.is_some_and(|owner| owner.connector == connector))
    }

    /// Gives a connector that has none `encoder` if it fits and is free.
    fn keep(&mut self, candidate: Candidate, encoder: u32) {
        if bits(candidate.encoders).any(|index| index == encoder as usize) {
            if let Some(owner @ None) = self.owners.get_mut(encoder as usize) {
                // INVARIANT: The encoder can feed the connector, which had none.
                *owner = Some(candidate);
            }
        }
    }

    /// Gives a connector that has none the first free encoder that fits.
    ///
    /// If none is free, as few others as possible get another encoder of theirs. Returns whether
    /// there was a way.
    fn add(&mut self, candidate: Candidate) -> bool {
        // The encoder of the connector that could go to an encoder that was reached.
        let mut from = [None; ENCODERS];
        let mut reached = candidate.encoders;
        let mut newest = candidate.encoders;

        while newest != 0 {
            if let Some(free) = bits(newest).find(|&encoder| self.owners[encoder].is_none()) {
                // Whoever could go to an encoder goes there, from the free one back to the first.
                let mut encoder = free;
                while let Some(source) = from[encoder] {
                    // INVARIANT: The connector goes to an encoder that can feed it, and what it
                    // leaves behind is replaced in the next round or below.
                    self.owners[encoder] = self.owners[source];
                    encoder = source;
                }
                // INVARIANT: The encoder is one of those of the connector, which had none.
                self.owners[encoder] = Some(candidate);
                return true;
            }

            let mut next = 0;
            for encoder in bits(newest) {
                let others = self.owners[encoder].map_or(0, |owner| owner.encoders);

                for other in bits(others & !reached) {
                    from[other] = Some(encoder);
                    reached |= 1 << other;
                    next |= 1 << other;
                }
            }
            newest = next;
        }

        false
    }

    /// Gives an encoder to each connector that is on after `commit`.
    ///
    /// A connector that stays at its CRTC keeps its encoder where it can. If `respect` is set none
    /// is taken from a connector that is not part of `commit`. Returns whether there are enough.
    ///
    /// # Safety
    ///
    /// As for [`new_connectors`].
    unsafe fn fill(&mut self, commit: *mut bindings::drm_atomic_commit, respect: bool) -> bool {
        // SAFETY: The safety requirements of this function.
        unsafe {
            if respect {
                for_each_other(commit, |other, encoder| self.keep(other, encoder));
            }
            for (candidate, encoder) in new_connectors(commit) {
                if let Some(encoder) = encoder {
                    self.keep(candidate, encoder);
                }
            }
            new_connectors(commit).all(|(candidate, _)| {
                self.encoder(candidate.connector).is_some() || self.add(candidate)
            })
        }
    }
}

/// Calls `f` with each connector that is on and not part of `commit`, and its encoder.
///
/// # Safety
///
/// As for [`new_connectors`].
unsafe fn for_each_other(
    commit: *mut bindings::drm_atomic_commit,
    mut f: impl FnMut(Candidate, u32),
) {
    let mut iter = bindings::drm_connector_list_iter::default();

    // SAFETY: The device of a commit has connectors, and the iteration is ended below.
    unsafe { bindings::drm_connector_list_iter_begin((*commit).dev, &mut iter) };

    loop {
        // SAFETY: The iteration was begun.
        let connector = unsafe { bindings::drm_connector_list_iter_next(&mut iter) };
        if connector.is_null() {
            break;
        }

        // SAFETY: The iteration holds a reference to the connector, whose state does not change by
        // the safety requirements.
        unsafe {
            let index = (*connector).index;
            let encoder = (*(*connector).state).best_encoder;

            if entry(commit, index).is_none() && !encoder.is_null() {
                let other = Candidate {
                    connector: index,
                    encoders: 1u32.wrapping_shl((*encoder).index),
                };
                f(other, (*encoder).index);
            }
        }
    }

    // SAFETY: The iteration was begun.
    unsafe { bindings::drm_connector_list_iter_end(&mut iter) };
}

/// Returns the connectors that `commit` leaves or turns on, with the encoders they should keep.
///
/// That is the same however far the check has come, since the helper asks for the encoder of each
/// connector more than once, and looks after nothing but that two answers do not collide.
///
/// # Safety
///
/// `commit` must be in the check phase and have a connector, so that it holds the lock of the
/// routing (`connection_mutex`), for as long as what this returns is used.
unsafe fn new_connectors(
    commit: *mut bindings::drm_atomic_commit,
) -> impl Iterator<Item = (Candidate, Option<u32>)> {
    (0..MAX_OBJECTS).filter_map(move |index| {
        // SAFETY: The states of a commit in the check phase belong to its thread. The index of an
        // encoder never changes.
        unsafe {
            let entry = entry(commit, index)?;
            let (old, new) = ((*entry).old_state, (*entry).new_state);
            if (*new).crtc.is_null() {
                return None;
            }

            // What is restored has to get the encoders that it had, which are in the new states. In
            // other commits these change meanwhile.
            let kept = if (*commit).duplicated() {
                (*new).best_encoder
            } else if (*old).crtc == (*new).crtc {
                (*old).best_encoder
            } else {
                ptr::null_mut()
            };
            let candidate = Candidate {
                connector: index,
                encoders: encoders((*entry).ptr, (*new).crtc),
            };

            Some((candidate, (!kept.is_null()).then(|| (*kept).index)))
        }
    })
}

/// Returns what `commit` has about the connector with this index.
///
/// # Safety
///
/// `commit` must be in the check phase.
unsafe fn entry(
    commit: *mut bindings::drm_atomic_commit,
    index: u32,
) -> Option<*mut bindings::__drm_connnectors_state> {
    // SAFETY: The array has this length, and belongs to the thread of the commit.
    unsafe {
        if i64::from(index) >= i64::from((*commit).num_connector) {
            return None;
        }

        let entry = (*commit).connectors.add(index as usize);
        (!(*entry).ptr.is_null()).then_some(entry)
    }
}

/// Calls `f` with each encoder of a device, until it returns something.
///
/// # Safety
///
/// The device must be set up.
unsafe fn find_encoder<R>(
    dev: *mut bindings::drm_device,
    mut f: impl FnMut(*mut bindings::drm_encoder) -> Option<R>,
) -> Option<R> {
    // SAFETY: The list does not change once the device is set up. All of its entries but its head
    // are encoders.
    unsafe {
        let head = &raw mut (*dev).mode_config.encoder_list;
        let mut entry = (*head).next;

        while entry != head {
            let found = f(container_of!(entry, bindings::drm_encoder, head));
            if found.is_some() {
                return found;
            }
            entry = (*entry).next;
        }
    }

    None
}

/// Returns the encoders by which `crtc`, if there is one, can feed `connector`.
///
/// # Safety
///
/// Both must be valid, and their device be set up.
unsafe fn encoders(connector: *mut bindings::drm_connector, crtc: *mut bindings::drm_crtc) -> u32 {
    let mut mask = 0;

    // SAFETY: The safety requirements of this function; none of what is read changes any more.
    unsafe {
        if !crtc.is_null() {
            let crtc = 1u32.wrapping_shl((*crtc).index);

            find_encoder((*connector).dev, |encoder| {
                if (*encoder).possible_crtcs & crtc != 0 {
                    mask |= 1u32.wrapping_shl((*encoder).index) & (*connector).possible_encoders;
                }
                None::<()>
            });
        }
    }

    mask
}

/// Chooses one of the encoders in `fitting` for a connector of `commit`.
///
/// # Safety
///
/// As for [`new_connectors`].
unsafe fn choose(
    commit: *mut bindings::drm_atomic_commit,
    connector: u32,
    fitting: u32,
) -> Option<usize> {
    // Without a choice nothing has to be worked out.
    if fitting.count_ones() > 1 {
        let mut routing = Routing::default();

        // SAFETY: The safety requirements of this function.
        unsafe {
            // What is restored gets what it had, whoever has it now.
            if !(*commit).duplicated() && routing.fill(commit, true) {
                return routing.encoder(connector);
            }

            routing = Routing::default();
            if routing.fill(commit, false) {
                return routing.encoder(connector);
            }
        }
    }

    // The helper takes it from a connector that is not part of the commit, or refuses the commit,
    // which depends on the ioctl.
    bits(fitting).next()
}

/// Returns the encoder that `connector` gets by `commit`, or a null pointer if none fits.
///
/// Whether encoders can be used together (`possible_clones`) is not taken into account.
///
/// # Safety
///
/// `connector` must be part of `commit`, which must be in the check phase.
pub(super) unsafe fn best_encoder(
    connector: *mut bindings::drm_connector,
    commit: *mut bindings::drm_atomic_commit,
) -> *mut bindings::drm_encoder {
    // SAFETY: The connector is part of the commit, whose device is set up. Whoever adds a connector
    // to a commit takes the lock of the routing.
    unsafe {
        let Some(entry) = entry(commit, (*connector).index) else {
            return ptr::null_mut();
        };
        let fitting = encoders(connector, (*(*entry).new_state).crtc);

        let chosen = choose(commit, (*connector).index, fitting);

        find_encoder((*commit).dev, |encoder| {
            (chosen == Some((*encoder).index as usize)).then_some(encoder)
        })
        .unwrap_or(ptr::null_mut())
    }
}

#[cfg(CONFIG_RUST_DRM_KMS_KUNIT_TEST)]
#[macros::kunit_tests(rust_drm_kms_routing)]
mod tests {
    use super::*;

    fn connector(connector: u32, encoders: u32) -> Candidate {
        Candidate {
            connector,
            encoders,
        }
    }

    #[test]
    fn each_connector_has_an_encoder_of_its_own() {
        let mut routing = Routing::default();

        assert!(routing.add(connector(7, 0b11)));
        assert!(routing.add(connector(8, 0b11)));
        assert!(!routing.add(connector(9, 0b11)));
        assert!(!routing.add(connector(9, 0)));
        assert_eq!(routing.encoder(7), Some(0));
        assert_eq!(routing.encoder(8), Some(1));
        assert_eq!(routing.encoder(9), None);
    }

    #[test]
    fn others_make_room_where_they_have_to() {
        let mut routing = Routing::default();

        // Free ones come first.
        assert!(routing.add(connector(0, 0b0011)));
        assert!(routing.add(connector(1, 0b1001)));
        assert_eq!(routing.encoder(0), Some(0));
        assert_eq!(routing.encoder(1), Some(3));
        // One goes away, then two.
        assert!(routing.add(connector(2, 0b0001)));
        assert_eq!(routing.encoder(0), Some(1));
        assert!(!routing.add(connector(3, 0b1000)));
        assert!(routing.add(connector(4, 0b0110)));
        assert!(!routing.add(connector(5, 0b0010)));
        assert_eq!(
            [0, 1, 2, 4].map(|index| routing.encoder(index)),
            [1, 3, 0, 2].map(Some)
        );
    }

    #[test]
    fn rows_of_connectors_move() {
        let mut routing = Routing::default();

        for index in 0..31 {
            assert!(routing.add(connector(index, 0b11 << index)));
        }
        assert!(routing.add(connector(31, 1)));
        assert_eq!(routing.encoder(31), Some(0));
        for index in 0..31 {
            assert_eq!(routing.encoder(index), Some(index as usize + 1));
        }
    }

    #[test]
    fn connectors_keep_what_fits() {
        let mut routing = Routing::default();

        routing.keep(connector(0, 0b10), 1);
        routing.keep(connector(1, 0b11), 1);
        routing.keep(connector(2, 0b11), 2);
        routing.keep(connector(3, u32::MAX), 32);
        assert_eq!(
            [0, 1, 2, 3].map(|index| routing.encoder(index)),
            [Some(1), None, None, None]
        );
        assert!(routing.add(connector(1, 0b11)));
        assert!(!routing.add(connector(2, 0b11)));
    }
}
