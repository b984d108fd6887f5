#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Puts a virtual KMS driver under load through configfs. Runs as root in a guest.
#
#   tests/configfs/load.sh DEVICES SECONDS
#
# Enables 48 devices with a console, and DEVICES devices of 4 outputs each at the same time, puts the
# composing of a device with 31 planes under load, then lets 8 processes create, enable, plug, disable
# and remove devices, and connectors of enabled ones, for SECONDS, while that device composes.
# The paths have no blanks in them.
# shellcheck disable=SC2086
set -u
export LC_ALL=C

devices=$1
seconds=$2
top=/sys/kernel/config/rvkms
failed=0

check() {
	local name=$1
	shift
	if "$@"; then echo "ok   $name"; else
		echo "FAIL $name"
		failed=1
	fi
}

# device NAME OUTPUTS: makes a device, of which the first output is plugged in.
device() {
	local dev=$top/$1 i
	mkdir $dev || return
	for ((i = 1; i <= $2; i++)); do
		mkdir $dev/{planes,crtcs,encoders,connectors}/$i || return
		echo 1 >$dev/planes/$i/type
		[ $i -eq 1 ] || echo 2 >$dev/connectors/$i/status
		ln -s $dev/crtcs/$i $dev/planes/$i/possible_crtcs
		ln -s $dev/crtcs/$i $dev/encoders/$i/possible_crtcs
		ln -s $dev/encoders/$i $dev/connectors/$i/possible_encoders
	done
}

no_device() {
	local dev=$top/$1
	rm $dev/*/*/possible_*/*
	rmdir $dev/{planes,connectors,encoders,crtcs}/* $dev
}

client=/rvkms/build/client/rvkms-client
# composing NAME SECONDS [FILTER]: the tests of a device under load, as results of this script.
composing() {
	$client load --card $card --seconds $2 --filter "${3:-}" >/tmp/composing
	local status=$?
	sed -E "s,^(ok|FAIL|skip) +,&$1/," /tmp/composing
	[ $status -eq 0 ]
}

cards() {
	find /sys/class/drm -name 'card[0-9]*' ! -name '*-*' | wc -l
}

# KiB of memory that is used by the kernel.
used() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemTotal/ { total = $2 } /^MemFree/ { free = $2 } END { print total - free }' /proc/meminfo
}

modprobe rvkms create_default_dev=0 || exit 1
cd / || exit 1

# all DEVICES OUTPUTS
all() {
	local i
	for ((i = 0; i < $1; i++)); do
		device many$i $2 && echo 1 >$top/many$i/enabled || return
	done
	[ "$(cards)" -eq $1 ]
}
# none DEVICES
none() {
	local i
	for ((i = 0; i < $1; i++)); do
		no_device many$i || return
	done
	[ "$(cards)" -eq 0 ] && [ -z "$(ls $top)" ]
}

# The framebuffer core has 32 devices at most; the others do without a console.
consoles=48
check consoles/first all 1 1
check consoles/first-removed none 1
before=$(used)
check consoles/enabled all $consoles 1
check consoles/removed none $consoles
# One that is forgotten has 3 MiB. Some memory is given back a while later.
little=$(((consoles - 32) * 1024))
for ((i = 0; i < 60; i++)); do
	left=$(($(used) - before))
	[ $left -ge $little ] || break
	sleep 1
done
echo "# $consoles consoles: $left KiB left after $i s"
check consoles/nothing-left [ $left -lt $little ]

# The others would be in the way of what a device itself takes.
modprobe drm_kms_helper 2>/dev/null
console=/sys/module/drm_kms_helper/parameters/fbdev_emulation
[ ! -e $console ] || echo N >$console
before=$(used)
check many-devices/enabled all $devices 4
echo "# $devices devices of 4 outputs: $((($(used) - before) / devices)) KiB each"
check many-devices/removed none $devices

# All the planes that a CRTC can have.
device steady 1
for ((i = 2; i <= 31; i++)); do
	mkdir $top/steady/planes/$i && ln -s $top/steady/crtcs/1 $top/steady/planes/$i/possible_crtcs
done
# The last one is the cursor.
echo 2 >$top/steady/planes/31/type
echo 1 >$top/steady/crtcs/1/writeback
check composing/enabled sh -c "echo 1 >$top/steady/enabled"
udevadm settle
card=/dev/dri/$(basename "$(find /sys/class/drm -name 'card[0-9]*' ! -name '*-*')")
check composing/all composing composing $((seconds < 10 ? 2 : 20))

# rounds NAME: what one process does; prints how often.
rounds() {
	local count=0 i
	while [ $SECONDS -lt $end ]; do
		device $1 2 && echo 1 >$top/$1/enabled || return
		for i in 2 3 1; do
			echo $i >$top/$1/connectors/1/status || return
			echo $i >$top/$1/connectors/2/status || return
		done
		mkdir $top/$1/connectors/3 && ln -s $top/$1/encoders/1 $top/$1/connectors/3/possible_encoders &&
			echo 1 >$top/$1/connectors/3/enabled || return
		# Sometimes it goes with its directory, and that sometimes with the device.
		[ $((RANDOM % 2)) -eq 0 ] || echo 0 >$top/$1/connectors/3/enabled || return
		[ $((RANDOM % 2)) -eq 0 ] || { rm $top/$1/connectors/3/*/* && rmdir $top/$1/connectors/3; } || return
		# Sometimes a device is removed that is still enabled.
		[ $((RANDOM % 2)) -eq 0 ] || echo 0 >$top/$1/enabled || return
		no_device $1 || return
		count=$((count + 1))
	done
	echo $count
}
end=$((SECONDS + seconds))
for i in 1 2 3 4 5 6 7 8; do
	rounds own$i >/tmp/rounds$i &
done
check threads/composing composing threads $((seconds / 2)) starved
wait
echo "# rounds of the 8 processes in $seconds s: $(cat /tmp/rounds? | paste -sd' ')"
check threads/all-went-on [ "$(cat /tmp/rounds? | grep -c '^[1-9]')" -eq 8 ]
no_device steady
check threads/nothing-left [ "$(cards)" -eq 0 ]
check threads/unloaded modprobe -r rvkms
exit $failed
