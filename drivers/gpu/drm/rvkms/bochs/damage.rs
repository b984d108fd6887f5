// SPDX-License-Identifier: GPL-2.0

//! What of a picture has changed.

use crate::layout::Area;
use kernel::prelude::*;

/// How many areas are told apart.
const AREAS: usize = 16;

/// Areas that all changes of a picture are in.
///
/// Areas that overlap much become one, so that few pixels are in more than one of them.
#[derive(Default)]
pub(crate) struct Damage {
    areas: [Option<Area>; AREAS],
}

impl From<Area> for Damage {
    fn from(area: Area) -> Self {
        let mut damage = Self::default();

        damage.add(area);
        damage
    }
}

impl Damage {
    /// Adds an area that has changed.
    pub(crate) fn add(&mut self, mut area: Area) {
        if area.is_empty() {
            return;
        }

        // What has grown can be worth joining with what it was not before.
        while let Some(other) = self.take_joinable(&area) {
            area = area.joined(&other);
        }

        match self.areas.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(area),
            None => {
                let all = self.areas().fold(area, |all, other| all.joined(other));

                self.areas = Self::default().areas;
                self.add(all);
            }
        }
    }

    /// Returns whether nothing has changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.areas().next().is_none()
    }

    /// The areas.
    pub(crate) fn areas(&self) -> impl Iterator<Item = &Area> {
        self.areas.iter().flatten()
    }

    /// Returns whether all of `area` has changed.
    pub(crate) fn covers(&self, area: &Area) -> bool {
        self.areas().any(|changed| changed.contains(area))
    }

    /// Takes an area out that together with `area` is no smaller than one around both.
    fn take_joinable(&mut self, area: &Area) -> Option<Area> {
        let joinable = |other: &Area| area.joined(other).pixels() <= area.pixels() + other.pixels();

        self.areas
            .iter_mut()
            .find(|place| place.as_ref().is_some_and(joinable))?
            .take()
    }
}

#[kunit_tests(rvkms_bochs_damage)]
mod tests {
    use super::*;
    use core::ops::Range;

    fn damage<const N: usize>(areas: [(Range<usize>, Range<usize>); N]) -> Damage {
        let mut damage = Damage::default();

        for (x, y) in areas {
            damage.add(Area { x, y });
        }

        damage
    }

    fn only(damage: &Damage) -> Option<&Area> {
        let mut areas = damage.areas();

        areas.next().filter(|_| areas.next().is_none())
    }

    #[test]
    fn nothing_has_changed() {
        assert!(damage([]).is_empty());
        assert_eq!(damage([(5..5, 0..9), (0..9, 7..3)]).areas().count(), 0);
    }

    #[test]
    fn what_is_far_apart_stays_apart() {
        let damage = damage([(0..4, 0..4), (100..104, 100..104)]);

        assert_eq!(damage.areas().count(), 2);
        assert!(damage.covers(&Area { x: 1..3, y: 1..3 }));
        assert!(!damage.covers(&Area { x: 4..5, y: 4..5 }));
    }

    #[test]
    fn what_overlaps_is_joined() {
        let joined = damage([(0..10, 0..10), (2..12, 0..10)]);
        assert_eq!(only(&joined), Some(&Area { x: 0..12, y: 0..10 }));

        // A part of what has changed adds nothing.
        let same = damage([(0..10, 0..10), (2..5, 2..5)]);
        assert_eq!(only(&same), Some(&Area { x: 0..10, y: 0..10 }));

        // Neighbours are as good as one.
        let row = damage([(0..8, 0..8), (16..24, 0..8), (8..16, 0..8)]);
        assert_eq!(only(&row), Some(&Area { x: 0..24, y: 0..8 }));
    }

    #[test]
    fn too_many_areas_become_one() {
        let mut damage = Damage::default();

        for i in 0..=AREAS {
            damage.add(Area {
                x: 10 * i..10 * i + 1,
                y: 10 * i..10 * i + 1,
            });
        }
        assert_eq!(
            only(&damage),
            Some(&Area {
                x: 0..10 * AREAS + 1,
                y: 0..10 * AREAS + 1,
            })
        );
    }
}
