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

# monitor REQUEST: sends a request to QEMU's monitor, and prints the answer.
#
# The requests are those of QMP, e.g. `monitor '{"execute": "query-status"}'`.
monitor() {
	local answer
	if [ -z "${monitor_port:-}" ]; then
		exec {monitor_port}<>"$(echo /dev/vport*p1)"
		monitor '{"execute": "qmp_capabilities"}' >/dev/null
	fi
	printf '%s\n' "$1" >&"$monitor_port"
	while read -r -u "$monitor_port" answer; do
		case $answer in
		'{"return"'*)
			printf '%s\n' "$answer"
			return
			;;
		'{"error"'*)
			printf '%s\n' "$answer" >&2
			return 1
			;;
		esac
	done
	echo "QEMU's monitor is gone" >&2
	return 1
}

# screendump FILE: saves what the first display scans out, as a PNG.
screendump() {
	monitor "{\"execute\": \"screendump\", \"arguments\": {\"filename\": \"$1\", \"format\": \"png\"}}" >/dev/null
}
