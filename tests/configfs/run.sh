#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests the configfs interface of a virtual KMS driver. Runs as root in a guest.
#
#   tests/configfs/run.sh [DRIVER]
#
# DRIVER is rvkms (default) or vkms. What vkms lacks or does wrong is asked of rvkms only.
# ROUNDS is the number of rounds of enabling and disabling (default 20).
# Neither $driver nor the paths made of it have blanks in them.
# shellcheck disable=SC2086
set -u
export LC_ALL=C

driver=${1:-rvkms}
rounds=${ROUNDS:-20}
top=/sys/kernel/config/$driver
passed=0
failed=0

# Each check is a line, with the number of the check in its case.
pass() {
	passed=$((passed + 1))
	number=$((number + 1))
	echo "ok   ${case// /-}/$number"
}

fail() {
	failed=$((failed + 1))
	number=$((number + 1))
	echo "FAIL ${case// /-}/$number: $*"
}

# Says what the following checks are about.
case='' number=0
about() {
	case=$*
	number=0
	echo "# $*"
}

# is WANTED COMMAND...: the command prints just that.
is() {
	local wanted=$1 got
	shift
	got=$("$@" 2>&1)
	if [ "$got" = "$wanted" ]; then pass; else fail "'$*' gave '$got', not '$wanted'"; fi
}

# does COMMAND...: the command succeeds.
does() {
	local message
	if message=$("$@" 2>&1); then pass; else fail "'$*' failed: $message"; fi
}

# fails ERROR COMMAND...: the command fails with that error.
fails() {
	local wanted=$1 message
	shift
	if message=$("$@" 2>&1); then
		fail "'$*' succeeded, but should fail: $wanted"
	elif [ "${message%"$wanted"}" = "$message" ]; then
		fail "'$*' failed with '$message', not '$wanted'"
	else
		pass
	fi
}

EBUSY='Device or resource busy'
EEXIST='File exists'
EINVAL='Invalid argument'
ENOENT='No such file or directory'
ENOTEMPTY='Directory not empty'
EPERM='Operation not permitted'

# A shell of its own, since the message of a failed redirection is the shell's.
put() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'printf -- "$1" >"$2"' put "$@"
}

link() {
	ln -s "$top/$1" "$top/$2"
}

cards() {
	find /sys/class/drm -name 'card[0-9]*' ! -name '*-*' | wc -l
}

# card DEVICE: the name of its card.
card() {
	(cd "/sys/bus/faux/devices/$1/drm" && echo card*)
}

# Waits until a command succeeds, for 5 s at most.
soon() {
	local i
	for i in $(seq 50); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	fail "'$*' does not become true"
}

# device NAME: the smallest valid device.
device() {
	mkdir "$top/$1" "$top/$1"/{planes/primary,crtcs/crtc,encoders/encoder,connectors/connector} &&
		put 1 "$top/$1/planes/primary/type" &&
		link "$1/crtcs/crtc" "$1/planes/primary/possible_crtcs" &&
		link "$1/crtcs/crtc" "$1/encoders/encoder/possible_crtcs" &&
		link "$1/encoders/encoder" "$1/connectors/connector/possible_encoders"
}

# no_device NAME: removes a device with all that is in it.
no_device() {
	find "$top/$1" -type l -delete
	find "$top/$1" -mindepth 2 -maxdepth 2 -type d -exec rmdir {} +
	rmdir "$top/$1"
}

enabled() {
	cat "$top/$1/enabled"
}

# invalid: the device `dev` cannot be enabled.
invalid() {
	fails "$EINVAL" put 1 $top/dev/enabled
	is 0 enabled dev
}

# valid: the device `dev` can be enabled.
valid() {
	does put 1 $top/dev/enabled
	is 1 enabled dev
	put 0 $top/dev/enabled
}

modprobe -r rvkms vkms 2>/dev/null
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config || exit 1
modprobe "$driver" create_default_dev=0 || exit 1
cd / || exit 1

about "what a new device contains"
is '' ls $top
is 0 cards
does mkdir $top/dev
if [ "$driver" = rvkms ]; then
	is 'connectors crtcs cursor_hotspot enabled encoders planes vblank' echo "$(cd $top/dev && echo *)"
else
	is 'connectors crtcs enabled encoders planes' echo "$(cd $top/dev && echo *)"
fi
is 0 enabled dev
does mkdir $top/dev/{planes/p,crtcs/c,encoders/e,connectors/k}
if [ "$driver" = rvkms ]; then
	defaults='default_color_encoding default_color_range default_rotation'
	more=' supported_color_encodings supported_color_ranges supported_formats supported_rotations'
	zpos=' zpos_enabled zpos_initial zpos_max zpos_min zpos_mutable'
	is "$defaults name possible_crtcs$more type$zpos" echo "$(cd $top/dev/planes/p && echo *)"
	is 'dynamic edid edid_enabled enabled possible_encoders status type' echo "$(cd $top/dev/connectors/k && echo *)"
else
	is 'possible_crtcs type' echo "$(cd $top/dev/planes/p && echo *)"
	is 'possible_encoders status' echo "$(cd $top/dev/connectors/k && echo *)"
fi
is 644 stat -c %a $top/dev/planes/p/type
is 'writeback' echo "$(cd $top/dev/crtcs/c && echo *)"
is 'possible_crtcs' echo "$(cd $top/dev/encoders/e && echo *)"
is 0 cat $top/dev/planes/p/type
is 0 cat $top/dev/crtcs/c/writeback
is 1 cat $top/dev/connectors/k/status

about "names"
fails "$EINVAL" mkdir "$top/$driver"
fails "$EEXIST" mkdir $top/dev
fails "$EEXIST" mkdir $top/dev/planes/p
long=a-name-that-does-not-fit-into-twenty-bytes
does mkdir $top/$long $top/$long/planes/$long
is $long ls $top/$long/planes
does rmdir $top/$long/planes/$long $top/$long

about "directories that cannot be made or removed"
for path in x planes/p/x planes/p/possible_crtcs/x crtcs/c/x encoders/e/x connectors/k/possible_encoders/x; do
	fails "$EPERM" mkdir $top/dev/$path
done
for path in planes crtcs encoders connectors planes/p/possible_crtcs connectors/k/possible_encoders; do
	fails "$EPERM" rmdir $top/dev/$path
done
fails "$ENOTEMPTY" rmdir $top/dev

about "values"
for value in 1 2 0; do
	does put "$value\n" $top/dev/planes/p/type
	is "$value" cat $top/dev/planes/p/type
done
for value in 3 -1 invalid '\n' 1.0 0x1 '1 2' 99999999999; do
	fails "$EINVAL" put "$value" $top/dev/planes/p/type
done
is 0 cat $top/dev/planes/p/type
for value in 2 3 1; do
	does put "$value" $top/dev/connectors/k/status
	is "$value" cat $top/dev/connectors/k/status
done
for value in 0 4 -1 invalid '\n'; do
	fails "$EINVAL" put "$value" $top/dev/connectors/k/status
done
is 1 cat $top/dev/connectors/k/status
does put 1 $top/dev/crtcs/c/writeback
is 1 cat $top/dev/crtcs/c/writeback
does put n $top/dev/crtcs/c/writeback
is 0 cat $top/dev/crtcs/c/writeback
for value in 2 -1 invalid '\n'; do
	fails "$EINVAL" put "$value" $top/dev/crtcs/c/writeback
	fails "$EINVAL" put "$value" $top/dev/enabled
done

about "links"
mkdir $top/other $top/other/crtcs/c $top/other/encoders/e
does link dev/crtcs/c dev/planes/p/possible_crtcs/one
fails "$EEXIST" ln -sT $top/dev/crtcs/c $top/dev/planes/p/possible_crtcs/one
fails "$EEXIST" link dev/crtcs/c dev/planes/p/possible_crtcs/two
does link dev/crtcs/c dev/encoders/e/possible_crtcs
fails "$EEXIST" link dev/crtcs/c dev/encoders/e/possible_crtcs/two
does link dev/encoders/e dev/connectors/k/possible_encoders
fails "$EEXIST" link dev/encoders/e dev/connectors/k/possible_encoders/two
for target in dev dev/planes dev/planes/p dev/planes/p/possible_crtcs dev/encoders/e dev/connectors/k other/crtcs/c; do
	fails "$EINVAL" link $target dev/planes/p/possible_crtcs/x
	fails "$EINVAL" link $target dev/encoders/e/possible_crtcs/x
done
for target in dev dev/encoders dev/planes/p dev/crtcs/c dev/connectors/k other/encoders/e; do
	fails "$EINVAL" link $target dev/connectors/k/possible_encoders/x
done
fails "$EINVAL" ln -s $top $top/dev/planes/p/possible_crtcs/x
fails "$EPERM" ln -s / $top/dev/planes/p/possible_crtcs/x
fails "$ENOENT" link dev/crtcs/nothing dev/planes/p/possible_crtcs/x
fails "$EPERM" link dev/crtcs/c dev/planes/p/x
fails "$EBUSY" rmdir $top/dev/crtcs/c
fails "$EBUSY" rmdir $top/dev/encoders/e
fails "$ENOTEMPTY" rmdir $top/dev/planes/p
does rm $top/dev/planes/p/possible_crtcs/one
does link dev/crtcs/c dev/planes/p/possible_crtcs/two
no_device other
no_device dev
is '' ls $top

about "what is valid"
device dev
valid
rm $top/dev/planes/primary/possible_crtcs/crtc
invalid
link dev/crtcs/crtc dev/planes/primary/possible_crtcs
put 0 $top/dev/planes/primary/type
invalid
put 1 $top/dev/planes/primary/type
valid
mkdir $top/dev/planes/new
invalid
link dev/crtcs/crtc dev/planes/new/possible_crtcs
valid
put 1 $top/dev/planes/new/type
invalid
put 2 $top/dev/planes/new/type
valid
mkdir $top/dev/planes/second
link dev/crtcs/crtc dev/planes/second/possible_crtcs
put 2 $top/dev/planes/second/type
invalid
rm $top/dev/planes/*/possible_crtcs/*
rmdir $top/dev/planes/{new,second}
link dev/crtcs/crtc dev/planes/primary/possible_crtcs
valid
rm $top/dev/encoders/encoder/possible_crtcs/crtc
invalid
link dev/crtcs/crtc dev/encoders/encoder/possible_crtcs
rm $top/dev/connectors/connector/possible_encoders/encoder
invalid
link dev/encoders/encoder dev/connectors/connector/possible_encoders
valid
mkdir $top/dev/{crtcs,planes}/second
put 1 $top/dev/planes/second/type
link dev/crtcs/second dev/planes/second/possible_crtcs
invalid
link dev/crtcs/second dev/encoders/encoder/possible_crtcs
valid
if [ "$driver" = rvkms ]; then
	# vkms makes such a device, and the DRM core warns.
	rm $top/dev/planes/second/possible_crtcs/second
	rmdir $top/dev/planes/second
	link dev/crtcs/second dev/planes/primary/possible_crtcs
	invalid
fi
no_device dev

if [ "$driver" = rvkms ]; then
	about "module parameters"
	is N cat /sys/module/rvkms/parameters/create_default_dev
	is Y cat /sys/module/rvkms/parameters/enable_cursor
	is 444 stat -c %a /sys/module/rvkms/parameters/enable_cursor

	about "what a plane offers"
	device dev
	plane=$top/dev/planes/primary
	is '' cat $plane/name
	does put 'lowest\n' $plane/name
	is lowest cat $plane/name
	fails "$EINVAL" put 'a\tb' $plane/name
	is 60 sh -c "wc -l <$plane/supported_formats"
	does put '-*' $plane/supported_formats
	is '' cat $plane/supported_formats
	invalid
	does put '+XR24+R8 \n+NV12' $plane/supported_formats
	is $'XR24\nR8  \nNV12' sh -c "sort -r $plane/supported_formats"
	does put '-R8' $plane/supported_formats
	is $'XR24\nNV12' sh -c "sort -r $plane/supported_formats"
	for value in XR24 + - +XX99 +XR245 '+C8' '+XR24 +' '\n+'; do
		fails "$EINVAL" put "$value" $plane/supported_formats
	done
	is $'XR24\nNV12' sh -c "sort -r $plane/supported_formats"
	is 63 cat $plane/supported_rotations
	fails "$EINVAL" put 64 $plane/supported_rotations
	does put 2 $plane/supported_rotations
	invalid
	does put 5 $plane/supported_rotations
	for value in 0 2 5 16; do
		does put $value $plane/default_rotation
		invalid
	done
	fails "$EINVAL" put 64 $plane/default_rotation
	does put 4 $plane/default_rotation
	is 4 cat $plane/default_rotation
	is '7 1 3 1' echo "$(cat $plane/supported_color_encodings) $(cat $plane/default_color_encoding) \
$(cat $plane/supported_color_ranges) $(cat $plane/default_color_range)"
	fails "$EINVAL" put 8 $plane/supported_color_encodings
	fails "$EINVAL" put 8 $plane/default_color_encoding
	fails "$EINVAL" put 4 $plane/supported_color_ranges
	fails "$EINVAL" put 4 $plane/default_color_range
	does put 6 $plane/supported_color_encodings
	invalid
	does put 6 $plane/default_color_encoding
	invalid
	does put 4 $plane/default_color_encoding
	does put 2 $plane/supported_color_ranges
	invalid
	does put 2 $plane/default_color_range
	is 1 cat $plane/zpos_enabled
	is 1 cat $plane/zpos_mutable
	does put 7 $plane/zpos_initial
	invalid
	does put 9 $plane/zpos_max
	does put 3 $plane/zpos_min
	is '7 3 9' echo "$(cat $plane/zpos_initial) $(cat $plane/zpos_min) $(cat $plane/zpos_max)"
	does put 1 $top/dev/enabled
	for attribute in name supported_formats supported_rotations zpos_enabled zpos_mutable zpos_initial zpos_min zpos_max \
		default_rotation supported_color_encodings default_color_encoding supported_color_ranges \
		default_color_range; do
		fails "$EBUSY" put '1' $plane/$attribute || true
	done
	# property NAME: what drm_info says of a property of the only plane.
	property() {
		drm_info "/dev/dri/$(card dev)" | sed -n "/Planes/,\$ s/.*\"$1\"[^:]*: //p" | head -n 1
	}
	is 'bitmask {rotate-0, rotate-180}' echo "$(property rotation | sed 's/ = .*//')"
	is 'enum {ITU-R BT.709 YCbCr, ITU-R BT.2020 YCbCr} = ITU-R BT.2020 YCbCr' property COLOR_ENCODING
	is 'enum {YCbCr full range} = YCbCr full range' property COLOR_RANGE
	is 'mapped=1' sh -c "sed -n 's/^\t*\(mapped=.\)/\1/p' /sys/kernel/debug/dri/dev/state"
	is 'layers=1' sh -c "sed -n 's/^\t*\(layers=.\)/\1/p' /sys/kernel/debug/dri/dev/state"
	is 'edid=0 bytes' sh -c "sed -n 's/^\t*\(edid=.\)/\1/p' /sys/kernel/debug/dri/dev/state"
	is 'range [3, 9] = 7' property zpos
	is 'lowest' sh -c "sed -n 's/^plane\[[0-9]*\]: //p' /sys/kernel/debug/dri/dev/state"
	is 'NV12 (0x3231564e) XRGB8888 (0x34325258) ' sh -c "drm_info /dev/dri/$(card dev) |
		sed -n '/Planes/,$ s/.*[^A-Z0-9]\([A-Z0-9]* (0x[0-9a-f]\{8\})\).*/\1/p' | sort -u | tr '\n' ' '"
	put 0 $top/dev/enabled
	# The console sets the rotation of the planes.
	console=/sys/module/drm_kms_helper/parameters/fbdev_emulation
	put N $console
	put 1 $top/dev/enabled
	is 'bitmask {rotate-0, rotate-180} = (rotate-180)' property rotation
	put 0 $top/dev/enabled
	put Y $console
	put 0 $plane/zpos_mutable
	put 0 $plane/supported_rotations
	put 0 $plane/supported_color_encodings
	invalid
	put 0 $plane/supported_color_ranges
	put 1 $top/dev/enabled
	is 'range [7, 7] = 7' property zpos
	is '' property rotation
	is '' property COLOR_ENCODING
	is '' property COLOR_RANGE
	put 0 $top/dev/enabled
	put 0 $plane/zpos_enabled
	put 1 $top/dev/enabled
	is '' property zpos
	put 0 $top/dev/enabled
	no_device dev

	about "types of connectors and EDID"
	device dev
	connector=$top/dev/connectors/connector
	is 15 cat $connector/type
	for value in 18 21 -1 x; do
		fails "$EINVAL" put "$value" $connector/type
	done
	for pair in 0:Unknown 1:VGA 3:DVI-D 10:DP 11:HDMI-A 14:eDP 16:DSI 20:USB; do
		put ${pair%%:*} $connector/type
		put 1 $top/dev/enabled
		is ${pair#*:}-1 sh -c "cd /sys/class/drm && ls -d $(card dev)-* | sed 's/^card[0-9]*-//'"
		put 0 $top/dev/enabled
	done
	# modes: those of the only connector.
	modes() {
		local sys
		sys=$(echo /sys/class/drm/"$(card dev)"-*)
		echo detect >"$sys/status"
		sort -u "$sys/modes" | tr '\n' ' '
	}
	for type in 15 11; do
		put $type $connector/type
		put 0 $connector/edid_enabled
		put 1 $top/dev/enabled
		is 0 sh -c "cat /sys/class/drm/$(card dev)-*/edid | wc -c"
		fails "$EBUSY" put 1 $connector/edid_enabled
		fails "$EBUSY" put 1 $connector/type
		put 0 $top/dev/enabled
		does put 1 $connector/edid_enabled
		does put 1 $top/dev/enabled
		is '1024x768 640x480 800x600 ' modes
		does cmp $connector/edid /sys/class/drm/"$(card dev)"-*/edid
		is rvkms sh -c "tail -c +78 $connector/edid | head -c 5"
		put 0 $top/dev/enabled
	done
	# An EDID of a display with 1280x720 at 60 Hz: another first detailed timing.
	display() {
		/rvkms/tools/guest/edid $connector/edid \
			54:01,1d,00,72,51,d0,1e,20,6e,28,55,00,00,00,00,00,00
	}
	display >/tmp/edid
	put 1 $top/dev/enabled
	for size in 1 127 129 255; do
		fails "$EINVAL" sh -c "head -c $size /dev/zero >$connector/edid"
	done
	does sh -c "cat /tmp/edid >$connector/edid"
	does cmp /tmp/edid $connector/edid
	is '1024x768 1280x720 640x480 800x600 ' modes
	is '1280x720 59.94' sh -c "echo \$(modetest -M $driver -c 2>/dev/null |
		awk '/preferred/ { print \$2, \$3; exit }' | sed 's/60.00/59.94/')"
	does sh -c "head -c 256 /dev/urandom >$connector/edid"
	modes >/dev/null
	does sh -c "cat /tmp/edid >$connector/edid"
	is '1024x768 1280x720 640x480 800x600 ' modes
	# Another one that user space has set in debugfs is used in its place.
	name=$(cd /sys/class/drm && echo "$(card dev)"-*)
	minor=${name%%-*}
	override=/sys/kernel/debug/dri/${minor#card}/${name#*-}/edid_override
	/rvkms/tools/guest/edid /tmp/edid small >/tmp/small
	does sh -c "cat /tmp/small >$override"
	is '800x600 ' modes
	does sh -c "echo -n reset >$override"
	is '1024x768 1280x720 640x480 800x600 ' modes
	# A block with a wrong checksum is left out; if it is the first one then there is no EDID.
	{ /rvkms/tools/guest/edid /tmp/edid 126:01 && head -c 128 /dev/zero | tr '\0' '\1'; } >/tmp/broken
	does sh -c "cat /tmp/broken >$connector/edid"
	is '1024x768 1280x720 640x480 800x600 ' modes
	is 128 sh -c "cat /sys/class/drm/$name/edid | wc -c"
	{ head -c 127 /tmp/edid && head -c 1 /dev/zero; } >/tmp/broken
	cmp -s /tmp/edid /tmp/broken && fail "no checksum is wrong"
	does sh -c "cat /tmp/broken >$connector/edid"
	is '1024x768 640x480 800x600 848x480 ' modes
	is 0 sh -c "cat /sys/class/drm/$name/edid | wc -c"
	does sh -c "cat /tmp/edid >$connector/edid"
	modes >/dev/null
	/rvkms/tools/guest/edid $connector/edid variable >/tmp/edid
	does sh -c "cat /tmp/edid >$connector/edid"
	modes >/dev/null
	does /rvkms/build/client/rvkms-client vrr --card $driver
	no_device dev
fi

about "numbers of objects"
device dev
for i in $(seq 30); do
	mkdir $top/dev/planes/$i
	link dev/crtcs/crtc dev/planes/$i/possible_crtcs
done
valid
mkdir $top/dev/planes/31
link dev/crtcs/crtc dev/planes/31/possible_crtcs
invalid
no_device dev
mkdir $top/dev
invalid
for i in $(seq 31); do
	mkdir $top/dev/{planes,crtcs,encoders,connectors}/$i
	put 1 $top/dev/planes/$i/type
	link dev/crtcs/$i dev/planes/$i/possible_crtcs
	link dev/crtcs/$i dev/encoders/$i/possible_crtcs
	link dev/encoders/$i dev/connectors/$i/possible_encoders
done
does put 1 $top/dev/enabled
is 31 sh -c "ls -d /sys/class/drm/$(card dev)-* | wc -l"
put 0 $top/dev/enabled
mkdir $top/dev/connectors/32
link dev/encoders/1 dev/connectors/32/possible_encoders
invalid
no_device dev
# The in-kernel clients must not try all combinations of 31 connected connectors and 8 CRTCs.
mkdir $top/dev
for i in $(seq 8); do
	mkdir $top/dev/{planes,crtcs}/$i
	put 1 $top/dev/planes/$i/type
	link dev/crtcs/$i dev/planes/$i/possible_crtcs
done
for i in $(seq 31); do
	mkdir $top/dev/{encoders,connectors}/$i
	ln -s $top/dev/crtcs/* $top/dev/encoders/$i/possible_crtcs
	link dev/encoders/$i dev/connectors/$i/possible_encoders
done
does put 1 $top/dev/enabled
no_device dev

about "an enabled device"
device dev
device other
does put 1 $top/dev/enabled
is 1 cards
does put 1 $top/dev/enabled
is 1 cards
does put 1 $top/other/enabled
is 2 cards
does put 0 $top/other/enabled
does put 0 $top/other/enabled
is 1 cards
is 1 enabled dev
no_device other
for path in planes crtcs encoders; do
	fails "$EBUSY" mkdir $top/dev/$path/new
done
[ "$driver" = rvkms ] || fails "$EBUSY" mkdir $top/dev/connectors/new
fails "$EBUSY" put 0 $top/dev/planes/primary/type
fails "$EBUSY" put 1 $top/dev/crtcs/crtc/writeback
fails "$EBUSY" link dev/crtcs/crtc dev/planes/primary/possible_crtcs/new
fails "$EBUSY" link dev/crtcs/crtc dev/encoders/encoder/possible_crtcs/new
fails "$EBUSY" link dev/encoders/encoder dev/connectors/connector/possible_encoders/new
is 1 cat $top/dev/planes/primary/type
fails "is in use." modprobe -r "$driver"

about "hotplug"
connector=/sys/class/drm/$(card dev)-Virtual-1
probe() {
	echo detect >"$connector/status"
	cat "$connector/status"
}
is connected probe
does put 2 $top/dev/connectors/connector/status
soon grep -qx disconnected "$connector/status"
is disconnected probe
does put 3 $top/dev/connectors/connector/status
is unknown probe
does put 1 $top/dev/connectors/connector/status
is connected probe
if command -v udevadm >/dev/null; then
	udevadm monitor --kernel --subsystem-match=drm >/tmp/uevents &
	monitor=$!
	soon grep -q KERNEL /tmp/uevents
	put 2 $top/dev/connectors/connector/status
	soon grep -q "change.*/$(card dev) " /tmp/uevents
	kill $monitor
	wait $monitor 2>/dev/null
	put 1 $top/dev/connectors/connector/status
fi
does put 0 $top/dev/enabled
is 0 cards
does put 2 $top/dev/connectors/connector/status
does put 1 $top/dev/enabled
connector=/sys/class/drm/$(card dev)-Virtual-1
is disconnected probe
does put 1 $top/dev/connectors/connector/status

if [ "$driver" = rvkms ]; then
	about "connectors that come and go"
	new=$top/dev/connectors/new
	connectors() {
		(cd /sys/class/drm && printf '%s\n' "$(card dev)"-* | sed 's/^card[0-9]*-//' | tr '\n' ' ')
	}
	id_of() {
		modetest -M "$driver" -c 2>/dev/null | awk -v name="$1" '$4 == name { print $1 }'
	}
	fails "$EINVAL" put 0 $top/dev/connectors/connector/enabled
	fails "$EBUSY" put 1 $top/dev/connectors/connector/dynamic
	does mkdir $new
	is '1 0' echo "$(cat $new/dynamic) $(cat $new/enabled)"
	is 'Virtual-1 ' connectors
	fails "$EINVAL" put 1 $new/enabled
	does put 11 $new/type
	does put 1 $new/edid_enabled
	does link dev/encoders/encoder dev/connectors/new/possible_encoders
	does put 1 $new/enabled
	is 'HDMI-A-1 Virtual-1 ' connectors
	does put 1 $new/enabled
	is 'HDMI-A-1 Virtual-1 ' connectors
	fails "$EBUSY" put 10 $new/type
	fails "$EBUSY" put 0 $new/edid_enabled
	fails "$EBUSY" put 0 $new/dynamic
	echo detect >"/sys/class/drm/$(card dev)-HDMI-A-1/status"
	is '1024x768 640x480 800x600 ' sh -c "sort -u /sys/class/drm/$(card dev)-HDMI-A-1/modes | tr '\n' ' '"
	# It goes while it is shown on, and comes back with another type.
	mkfifo /tmp/flipping
	exec 5<>/tmp/flipping
	rm -f /tmp/flips
	modetest -M "$driver" -s "$(id_of HDMI-A-1):1024x768" -v <&5 >/tmp/flips 2>&1 &
	tester=$!
	soon grep -q freq /tmp/flips
	does put 0 $new/enabled
	is 'Virtual-1 ' connectors
	does put 10 $new/type
	does put 1 $new/enabled
	is 'DP-1 Virtual-1 ' connectors
	kill $tester
	wait $tester
	exec 5>&-
	rm $new/possible_encoders/encoder
	is 'DP-1 Virtual-1 ' connectors
	does rmdir $new
	is 'Virtual-1 ' connectors
	# One that was there is there again when the device is enabled again.
	mkdir $new
	link dev/encoders/encoder dev/connectors/new/possible_encoders
	put 1 $new/enabled
	is 'Virtual-1 Virtual-2 ' connectors
	put 0 $top/dev/enabled
	is 1 cat $new/enabled
	does put 1 $top/dev/enabled
	is 'Virtual-1 Virtual-2 ' connectors
	put 0 $new/enabled
	put 0 $top/dev/enabled
	put 1 $top/dev/enabled
	is 'Virtual-1 ' connectors
	put 0 $top/dev/enabled
	does put 0 $new/dynamic
	is '0 1' echo "$(cat $new/dynamic) $(cat $new/enabled)"
	put 1 $top/dev/enabled
	is 'Virtual-1 Virtual-2 ' connectors
	put 0 $top/dev/enabled
	rm $new/possible_encoders/encoder
	rmdir $new

	about "cursors with hotspots"
	device other
	for name in dev other; do
		mkdir $top/$name/planes/cursor
		put 2 $top/$name/planes/cursor/type
		link $name/crtcs/crtc $name/planes/cursor/possible_crtcs
	done
	is 0 cat $top/dev/cursor_hotspot
	for value in 2 -1 invalid '\n'; do
		fails "$EINVAL" put "$value" $top/dev/cursor_hotspot
	done
	does put 1 $top/dev/cursor_hotspot
	is 1 cat $top/dev/cursor_hotspot
	does put 1 $top/dev/enabled
	does put 1 $top/other/enabled
	fails "$EBUSY" put 0 $top/dev/cursor_hotspot
	is 1 cat $top/dev/cursor_hotspot
	# Only the cursor has one, and only that of the one device.
	is 'hotspot=0,0' sh -c "sed -n 's/^\t*\(hotspot=\)/\1/p' /sys/kernel/debug/dri/dev/state"
	is '' sh -c "sed -n 's/^\t*\(hotspot=\)/\1/p' /sys/kernel/debug/dri/other/state"
	put 0 $top/other/enabled
	no_device other
	does put 0 $top/dev/enabled
	does put 0 $top/dev/cursor_hotspot
	rm $top/dev/planes/cursor/possible_crtcs/crtc
	rmdir $top/dev/planes/cursor

	about "no vertical blanks"
	is 1 cat $top/dev/vblank
	does put 0 $top/dev/vblank
	does put 1 $top/dev/enabled
	fails "$EBUSY" put 1 $top/dev/vblank
	exec 5<>/tmp/flipping
	rm -f /tmp/flips
	modetest -M "$driver" -s "$(id_of Virtual-1):1024x768" -v <&5 >/tmp/flips 2>&1 &
	tester=$!
	soon grep -q freq /tmp/flips
	kill $tester
	wait $tester
	exec 5>&-
	rm /tmp/flipping
	is yes awk '/freq/ { print ($2 + 0 > 150) ? "yes" : "only " $0; exit }' /tmp/flips
	does put 0 $top/dev/enabled
	does put 1 $top/dev/vblank
	does put 1 $top/dev/enabled
fi

about "a device that is used while it is disabled"
exec 3<>"/dev/dri/$(card dev)"
does put 0 $top/dev/enabled
is 0 cards
does put 1 $top/dev/enabled
is 1 cards
exec 3>&-
does put 0 $top/dev/enabled
does put 1 $top/dev/enabled

about "files and directories of what is removed"
exec 3<$top/dev/connectors/connector/status 4<$top/dev/planes/primary/possible_crtcs
find $top/dev -type l -delete
does rmdir $top/dev/{connectors/connector,planes/primary,encoders/encoder,crtcs/crtc}
fails "$ENOENT" cat <&3
exec 3<&- 4<&-
is 1 enabled dev
is 1 cards
is connected probe
fails "$EBUSY" mkdir $top/dev/planes/new
exec 3<$top/dev/enabled
does rmdir $top/dev
is 0 cards
fails "$ENOENT" cat <&3
exec 3<&-

about "a graph of objects"
mkdir $top/dev $top/dev/planes/{p1,p2,o,c1} $top/dev/crtcs/{1,2} $top/dev/encoders/{1,2} $top/dev/connectors/{1,2,3}
put 1 $top/dev/planes/p1/type
put 1 $top/dev/planes/p2/type
put 2 $top/dev/planes/c1/type
put 1 $top/dev/crtcs/2/writeback
link dev/crtcs/1 dev/planes/p1/possible_crtcs
link dev/crtcs/2 dev/planes/p2/possible_crtcs
link dev/crtcs/1 dev/planes/c1/possible_crtcs
link dev/crtcs/1 dev/planes/o/possible_crtcs
link dev/crtcs/2 dev/planes/o/possible_crtcs
link dev/crtcs/1 dev/encoders/1/possible_crtcs
link dev/crtcs/1 dev/encoders/2/possible_crtcs
link dev/crtcs/2 dev/encoders/2/possible_crtcs
link dev/encoders/1 dev/connectors/1/possible_encoders
link dev/encoders/1 dev/connectors/2/possible_encoders
link dev/encoders/2 dev/connectors/2/possible_encoders
link dev/encoders/2 dev/connectors/3/possible_encoders
does put 1 $top/dev/enabled
# rows SECTION OPTION: the ids of a kind of object, as modetest prints them, with one column.
rows() {
	modetest -M "$driver" "$1" 2>/dev/null | awk -v column="$2" '/^[0-9]+\t/ { printf "%s ", $column }'
}
is '0x00000001 0x00000002 0x00000003 0x00000001' echo "$(modetest -M "$driver" -p 2>/dev/null |
	awk '/^Planes:/ { on = 1 } on && /^[0-9]+\t/ { printf "%s%s", sep, $NF; sep = " " }' |
	tr -d '\n')"
is '0x00000001 0x00000002 0x00000003' echo "$(modetest -M "$driver" -e 2>/dev/null |
	awk '/^[0-9]+\t/ { print $4 }' | sort -u | tr '\n' ' ' | sed 's/ $//')"
no_device dev

about "$rounds rounds of enabling and disabling under page flips"
# modetest flips until its input can be read.
rm -f /tmp/quiet
mkfifo /tmp/quiet
exec 5<>/tmp/quiet
device dev
flip() {
	exec modetest -M "$driver" -s "$1:1024x768" -v <&5 >/tmp/flips 2>&1
}
connector_id() {
	modetest -M "$driver" -c 2>/dev/null | awk '/^[0-9]+\t/ { print $1; exit }'
}
put 1 $top/dev/enabled
flip "$(connector_id)" &
tester=$!
soon grep -q freq /tmp/flips
put 0 $top/dev/enabled
kill $tester 2>/dev/null
wait
used=0
for _ in $(seq "$rounds"); do
	put 1 $top/dev/enabled || fail "cannot be enabled"
	flip "$(connector_id)" &
	tester=$!
	sleep "0.$((RANDOM % 20 + 10))"
	kill -0 $tester 2>/dev/null && ! grep -q failed /tmp/flips && used=$((used + 1))
	{
		put 2 $top/dev/connectors/connector/status
		put 1 $top/dev/connectors/connector/status
	} &
	put 0 $top/dev/enabled || fail "cannot be disabled"
	kill $tester 2>/dev/null
	wait
done
exec 5>&-
is 0 cards
echo "# $used of $rounds times it was flipping"
[ $used -gt $((rounds / 2)) ] || fail "modetest did not flip"

if [ "$driver" = rvkms ] && [ -e /proc/self/fail-nth ] && [ -d /sys/kernel/debug/failslab ]; then
	about "allocations that fail"
	echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
	echo 0 >/sys/kernel/debug/failslab/verbose
	fail_nth() {
		local line
		if line=$("$(dirname "$0")/fail-nth" "$@" 2>&1); then
			pass
			echo "# ${line//$top\//}"
		else
			fail "$* with failing allocations: $line"
		fi
	}
	fail_nth mkdir $top/a-name-that-does-not-fit-into-twenty-bytes
	for path in planes crtcs encoders connectors; do
		mkdir $top/new
		fail_nth mkdir $top/new/$path/x
		fail_nth mkdir $top/new/$path/a-name-that-does-not-fit-into-twenty-bytes
		mkdir $top/new/$path/x
		no_device new
	done
	mkdir $top/dev/{planes,encoders,connectors}/x
	fail_nth link $top/dev/crtcs/crtc $top/dev/planes/x/possible_crtcs/x
	fail_nth link $top/dev/crtcs/crtc $top/dev/encoders/x/possible_crtcs/x
	fail_nth link $top/dev/encoders/encoder $top/dev/connectors/x/possible_encoders/x
	rmdir $top/dev/{planes,encoders,connectors}/x
	# The console of the core leaks its connectors and its buffer when it cannot be set up.
	console=/sys/module/drm_kms_helper/parameters/fbdev_emulation
	does put N $console
	mkdir $top/dev/planes/cursor
	put 2 $top/dev/planes/cursor/type
	link dev/crtcs/crtc dev/planes/cursor/possible_crtcs
	put 1 $top/dev/cursor_hotspot
	fail_nth put 1 $top/dev/enabled 0
	does put Y $console
	valid
fi

about "everybody at once"
end=$((SECONDS + 5))
for i in 1 2 3 4; do
	while [ $SECONDS -lt $end ]; do
		put $((RANDOM % 2)) $top/dev/enabled
		put $((1 + RANDOM % 3)) $top/dev/connectors/connector/status
		cat $top/dev/{enabled,planes/primary/type,crtcs/crtc/writeback}
		device own$i && put 1 $top/own$i/enabled
		rm $top/dev/planes/primary/possible_crtcs/crtc
		link dev/crtcs/crtc dev/planes/primary/possible_crtcs
		mkdir $top/dev/planes/$i && rmdir $top/dev/planes/$i
		no_device own$i
	done >/dev/null 2>&1 &
done
wait
no_device dev
is '' ls $top
is 0 cards
does modprobe -r "$driver"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
