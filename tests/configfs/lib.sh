# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2034,SC2154
# What the checks of configfs are written with. Sourced by run.sh, which sets $driver and $top.

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
EIO='Input/output error'
ENOENT='No such file or directory'
ENOSPC='No space left on device'
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

# objects [DRIVER]: what the enabled device `dev` is made of, as its driver says in debugfs.
objects() {
	cat "/sys/kernel/debug/dri/dev/${1:-$driver}_config"
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
