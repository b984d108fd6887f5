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
	local port answer status=1
	exec {port}<>"$(echo /dev/vport*p1)"
	# The monitor has a greeting, once, which must be answered; later that is an error.
	printf '{"execute": "qmp_capabilities", "id": "hello"}\n%s\n' "$1" >&"$port"
	while read -r -u "$port" answer; do
		case $answer in
		*'"id": "hello"'*) ;;
		'{"return"'*)
			printf '%s\n' "$answer"
			status=0
			break
			;;
		'{"error"'*)
			printf '%s\n' "$answer" >&2
			break
			;;
		esac
	done
	exec {port}<&-
	return "$status"
}

# screendump FILE: saves what the first display scans out, as a PNG.
screendump() {
	monitor "{\"execute\": \"screendump\", \"arguments\": {\"filename\": \"$1\", \"format\": \"png\"}}" >/dev/null
}
