// SPDX-License-Identifier: GPL-2.0

//! The atomic ioctl itself: flags, addresses, ids, values of properties.

use drm_sys::*;
use rustix::io::Errno;

use super::rejected;
use crate::atomic::{Request, Snapshot, ALLOW_MODESET, EVENT, NONBLOCK, TEST_ONLY};
use crate::card::Kind;
use crate::error::{name, What};
use crate::output::Screen;
use crate::raw;
use crate::testlist::{fail, refused, skip, test, Test, Verdict};

pub const TESTS: &[Test] = &[
    test("atomic-bad-flags", bad_flags),
    test("atomic-reserved-set", reserved_set),
    test("atomic-bad-addresses", bad_addresses),
    test("atomic-bad-object", bad_object),
    test("atomic-bad-property", bad_property),
    test("atomic-property-of-other-kind", property_of_other_kind),
    test("atomic-immutable-property", immutable_property),
    test("atomic-enum-out-of-list", enum_out_of_list),
    test("atomic-range-out-of-range", range_out_of_range),
    test("atomic-bitmask-out-of-mask", bitmask_out_of_mask),
    test("atomic-rotation-two-angles", rotation_two_angles),
    test("atomic-bad-in-fence", bad_in_fence),
    test("atomic-bad-out-fence", bad_out_fence),
    test("atomic-event-without-crtc", event_without_crtc),
    test("atomic-test-only-keeps-state", test_only_keeps_state),
    test("atomic-empty", empty),
    test("atomic-modeset-not-allowed", modeset_not_allowed),
    test("atomic-without-master", without_master),
    test("atomic-without-capability", without_capability),
    test("object-bad-id", object_bad_id),
];

/// A request that changes something and is valid.
fn valid(screen: &Screen<'_>) -> Result<Request, crate::error::Error> {
    screen.flip_to(screen.back.id)
}

fn bad_flags(screen: &Screen<'_>) -> Verdict {
    for flags in [
        1 << 3,
        1 << 7,
        1 << 11,
        1 << 31,
        u32::MAX,
        TEST_ONLY | EVENT,
    ] {
        refused(
            &format!("flags {flags:#x}"),
            valid(screen)?.commit(screen.card, flags),
            &[Errno::INVAL],
        )?;
    }
    if screen.card.capability(DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP) == 0 {
        refused(
            "an asynchronous flip that the device does not have",
            valid(screen)?.commit(screen.card, DRM_MODE_PAGE_FLIP_ASYNC | NONBLOCK),
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

/// `DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP`.
const DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP: u32 = 0x15;

fn commit_with(
    screen: &Screen<'_>,
    alter: impl Fn(&mut drm_mode_atomic),
) -> Result<Result<(), Errno>, crate::error::Error> {
    let mut prepared = valid(screen)?.prepare(ALLOW_MODESET, 0);
    let mut argument = prepared.argument();
    alter(&mut argument);
    // SAFETY: the kernel only reads the arrays, wherever `alter` says that they are.
    Ok(unsafe { raw::call(screen.card.fd(), raw::ATOMIC, &mut argument) })
}

fn reserved_set(screen: &Screen<'_>) -> Verdict {
    for value in [1, u64::MAX] {
        let result = commit_with(screen, |argument| argument.reserved = value)?;
        refused(&format!("reserved {value:#x}"), result, &[Errno::INVAL])?;
    }
    Ok(())
}

fn bad_addresses(screen: &Screen<'_>) -> Verdict {
    for bad in [0, 8, u64::MAX - 7, 1 << 63] {
        for (what, result) in [
            ("objects", commit_with(screen, |a| a.objs_ptr = bad)?),
            ("counts", commit_with(screen, |a| a.count_props_ptr = bad)?),
            ("properties", commit_with(screen, |a| a.props_ptr = bad)?),
            ("values", commit_with(screen, |a| a.prop_values_ptr = bad)?),
        ] {
            refused(&format!("{what} at {bad:#x}"), result, &[Errno::FAULT])?;
        }
    }
    Ok(())
}

fn bad_object(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.front.id, screen.mode_blob.id] {
        let request = valid(screen)?.set_raw(id, 1, 0);
        rejected(screen, &format!("object {id}"), &request, &[Errno::NOENT])?;
    }
    Ok(())
}

fn bad_property(screen: &Screen<'_>) -> Verdict {
    for id in [0, u32::MAX, screen.output.crtc] {
        let request = valid(screen)?.set_raw(screen.output.primary, id, 0);
        rejected(screen, &format!("property {id}"), &request, &[Errno::NOENT])?;
    }
    Ok(())
}

fn property_of_other_kind(screen: &Screen<'_>) -> Verdict {
    let output = &screen.output;
    for (object, owner, property) in [
        (output.crtc, output.primary, "FB_ID"),
        (output.primary, output.crtc, "ACTIVE"),
        (output.connector, output.crtc, "MODE_ID"),
    ] {
        let Some(id) = screen.card.property_id(owner, property) else {
            return fail(format!("object {owner} has no {property}"));
        };
        let request = valid(screen)?.set_raw(object, id, 1);
        rejected(
            screen,
            &format!("{property} of object {object}"),
            &request,
            &[Errno::NOENT],
        )?;
    }
    Ok(())
}

/// Calls `test` for each property of each object, with the object's id and the property's.
fn each_property(
    screen: &Screen<'_>,
    mut test: impl FnMut(u32, u32, &crate::card::Property) -> Verdict,
) -> Verdict {
    for object in &screen.card.objects {
        for id in object.properties.values() {
            test(object.id, *id, &screen.card.properties[id])?;
        }
    }
    Ok(())
}

fn immutable_property(screen: &Screen<'_>) -> Verdict {
    each_property(screen, |object, id, property| {
        if property.flags & DRM_MODE_PROP_IMMUTABLE == 0 {
            return Ok(());
        }
        let request = valid(screen)?.set_raw(object, id, 0);
        rejected(
            screen,
            &format!("{} of {object}", property.name),
            &request,
            &[Errno::INVAL],
        )
    })
}

fn enum_out_of_list(screen: &Screen<'_>) -> Verdict {
    each_property(screen, |object, id, property| {
        if property.flags & DRM_MODE_PROP_ENUM == 0 {
            return Ok(());
        }
        for value in [77, u64::from(u32::MAX), u64::MAX] {
            if property.enums.iter().any(|(known, _)| *known == value) {
                continue;
            }
            let request = valid(screen)?.set_raw(object, id, value);
            rejected(
                screen,
                &format!("{} of {object} = {value}", property.name),
                &request,
                &[Errno::INVAL],
            )?;
        }
        Ok(())
    })
}

fn range_out_of_range(screen: &Screen<'_>) -> Verdict {
    each_property(screen, |object, id, property| {
        let extended = property.flags & DRM_MODE_PROP_EXTENDED_TYPE;
        let signed = extended == SIGNED_RANGE;
        let unsigned = property.flags & DRM_MODE_PROP_RANGE != 0;
        let [low, high] = property.values[..] else {
            return Ok(());
        };
        if !signed && !unsigned {
            return Ok(());
        }
        for value in [high.wrapping_add(1), low.wrapping_sub(1)] {
            let inside = if signed {
                (low as i64..=high as i64).contains(&(value as i64))
            } else {
                (low..=high).contains(&value)
            };
            if inside {
                continue;
            }
            let request = valid(screen)?.set_raw(object, id, value);
            rejected(
                screen,
                &format!("{} of {object} = {value:#x}", property.name),
                &request,
                &[Errno::INVAL],
            )?;
        }
        Ok(())
    })
}

/// `DRM_MODE_PROP_SIGNED_RANGE`, which the bindings miss (it is an expression in C).
const SIGNED_RANGE: u32 = 2 << 6;

fn bitmask_out_of_mask(screen: &Screen<'_>) -> Verdict {
    let mut found = false;
    each_property(screen, |object, id, property| {
        if property.flags & DRM_MODE_PROP_BITMASK == 0 {
            return Ok(());
        }
        found = true;
        for value in [1 << 63, u64::MAX] {
            let request = valid(screen)?.set_raw(object, id, value);
            rejected(
                screen,
                &format!("{} of {object} = {value:#x}", property.name),
                &request,
                &[Errno::INVAL],
            )?;
        }
        Ok(())
    })?;
    if found {
        Ok(())
    } else {
        skip("the device has no bitmask property")
    }
}

fn rotation_two_angles(screen: &Screen<'_>) -> Verdict {
    let primary = screen.output.primary;
    if screen.card.property_id(primary, "rotation").is_none() {
        return skip("the primary plane has no rotation");
    }
    for value in [0, 0x3, 0xf, 0x10] {
        let request = valid(screen)?.set(screen.card, primary, "rotation", value)?;
        rejected(
            screen,
            &format!("rotation {value:#x}"),
            &request,
            &[Errno::INVAL],
        )?;
    }
    Ok(())
}

fn bad_in_fence(screen: &Screen<'_>) -> Verdict {
    let primary = screen.output.primary;
    for value in [9999, i32::MAX as u64] {
        let request = valid(screen)?.set(screen.card, primary, "IN_FENCE_FD", value)?;
        rejected(
            screen,
            &format!("IN_FENCE_FD {value}"),
            &request,
            &[Errno::INVAL, Errno::BADF],
        )?;
    }
    let null = std::fs::File::open("/dev/null").what("open /dev/null")?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&null) as u64;
    let request = valid(screen)?.set(screen.card, primary, "IN_FENCE_FD", fd)?;
    rejected(
        screen,
        "/dev/null as IN_FENCE_FD",
        &request,
        &[Errno::INVAL],
    )
}

fn bad_out_fence(screen: &Screen<'_>) -> Verdict {
    for value in [8, 1 << 63, u64::MAX - 7] {
        let request =
            valid(screen)?.set(screen.card, screen.output.crtc, "OUT_FENCE_PTR", value)?;
        // A test-only commit may ignore the address, so only the real one must fail.
        let before = Snapshot::take(screen.card)?;
        refused(
            &format!("OUT_FENCE_PTR {value:#x}"),
            request.commit(screen.card, 0),
            &[Errno::FAULT],
        )?;
        if let Some(text) = Snapshot::take(screen.card)?.difference(&before, screen.card) {
            return fail(format!("the refused commit left a change: {text}"));
        }
    }
    Ok(())
}

fn event_without_crtc(screen: &Screen<'_>) -> Verdict {
    refused(
        "an event for no CRTC",
        Request::new().commit(screen.card, EVENT),
        &[Errno::INVAL],
    )
}

fn test_only_keeps_state(screen: &Screen<'_>) -> Verdict {
    let mut requests = vec![
        ("a flip", valid(screen)?),
        ("switching off", screen.off()?),
        (
            "ACTIVE off",
            Request::new().set(screen.card, screen.output.crtc, "ACTIVE", 0)?,
        ),
        (
            "a moved primary plane",
            screen.plane(screen.output.primary, screen.back.id, (5, 7), (64, 64))?,
        ),
    ];
    if let Some(cursor) = screen.output.cursor {
        let request = screen.plane(cursor, screen.back.id, (-3, 9), (64, 64))?;
        requests.push(("a cursor", request));
    }
    for (what, request) in requests {
        for flags in [TEST_ONLY, TEST_ONLY | ALLOW_MODESET, TEST_ONLY | NONBLOCK] {
            let before = Snapshot::take(screen.card)?;
            // Whether it would be accepted depends on the driver and the flags; here only the state matters.
            let _ = request.commit(screen.card, flags);
            if let Some(text) = Snapshot::take(screen.card)?.difference(&before, screen.card) {
                return fail(format!("testing {what} left a change: {text}"));
            }
        }
    }
    Ok(())
}

fn empty(screen: &Screen<'_>) -> Verdict {
    let before = Snapshot::take(screen.card)?;
    for flags in [0, TEST_ONLY, NONBLOCK, ALLOW_MODESET] {
        Request::new()
            .commit(screen.card, flags)
            .what(format!("an empty commit with flags {flags:#x}"))?;
    }
    match Snapshot::take(screen.card)?.difference(&before, screen.card) {
        None => Ok(()),
        Some(text) => fail(format!("an empty commit left a change: {text}")),
    }
}

fn modeset_not_allowed(screen: &Screen<'_>) -> Verdict {
    let before = Snapshot::take(screen.card)?;
    for flags in [0, TEST_ONLY, NONBLOCK] {
        refused(
            &format!("switching off with flags {flags:#x}"),
            screen.off()?.commit(screen.card, flags),
            &[Errno::INVAL],
        )?;
    }
    match Snapshot::take(screen.card)?.difference(&before, screen.card) {
        None => Ok(()),
        Some(text) => fail(format!("the refused commit left a change: {text}")),
    }
}

fn without_master(screen: &Screen<'_>) -> Verdict {
    let other = screen.card.reopen()?;
    refused(
        "a commit of a file that is not master",
        valid(screen)?.commit(&other, 0),
        &[Errno::ACCESS],
    )
}

fn without_capability(screen: &Screen<'_>) -> Verdict {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&screen.card.path)
        .what("open the card")?;
    screen.card.drop_master()?;
    let mut prepared = valid(screen)?.prepare(0, 0);
    let mut argument = prepared.argument();
    let master = raw::plain(&file, raw::SET_MASTER, &mut ());
    // SAFETY: the kernel only reads the arrays.
    let result = unsafe { raw::call(&file, raw::ATOMIC, &mut argument) };
    drop(file);
    screen.card.set_master()?;
    if let Err(errno) = master {
        return fail(format!("SET_MASTER of a second file: {}", name(errno)));
    }
    refused(
        "a commit without the atomic capability",
        result,
        &[Errno::INVAL, Errno::OPNOTSUPP],
    )
}

fn object_bad_id(screen: &Screen<'_>) -> Verdict {
    for (id, kind) in [
        (0, Kind::Crtc),
        (u32::MAX, Kind::Plane),
        (screen.output.crtc, Kind::Plane),
        (screen.front.id, Kind::Connector),
    ] {
        match screen.card.values_of(id, kind) {
            Ok(_) => return fail(format!("OBJ_GETPROPERTIES of {kind:?} {id}: accepted")),
            Err(error) => refused(
                &format!("OBJ_GETPROPERTIES of {kind:?} {id}"),
                Err::<(), _>(error.errno().unwrap_or(Errno::IO)),
                &[Errno::NOENT, Errno::INVAL],
            )?,
        }
        let mut argument = drm_mode_obj_set_property {
            value: 0,
            prop_id: 1,
            obj_id: id,
            obj_type: kind.number(),
        };
        let result = screen.card.call(raw::OBJ_SET_PROPERTY, &mut argument);
        refused(
            &format!("OBJ_SETPROPERTY of {kind:?} {id}"),
            result,
            &[Errno::NOENT, Errno::INVAL],
        )?;
    }
    Ok(())
}
