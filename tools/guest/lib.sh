# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by scripts that run in the guest.

# card_of DRIVER: the device node of the first card that DRIVER made.
card_of() {
	local dir
	for dir in /sys/kernel/debug/dri/[0-9]*; do
		if [[ $(cat "$dir/name" 2>/dev/null) == "$1 "* && -e /dev/dri/card${dir##*/} ]]; then
			echo "/dev/dri/card${dir##*/}"
			return
		fi
	done
	echo "no card of $1" >&2
	return 1
}
