#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests the configfs interface of a virtual KMS driver. Runs as root in a guest.
#
#   tests/configfs/run.sh [DRIVER]
#
# DRIVER is rvkms (default) or vkms. What vkms lacks or does wrong is asked of rvkms only.
# ROUNDS is the number of rounds of enabling and disabling (default 20).
# Neither $driver nor the paths made of it have blanks in them.
# shellcheck disable=SC2034,SC2086
set -u
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
driver=${1:-rvkms}
rounds=${ROUNDS:-20}
top=/sys/kernel/config/$driver
# shellcheck source-path=SCRIPTDIR
source "$here/lib.sh"

modprobe -r rvkms vkms 2>/dev/null
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config || exit 1
modprobe "$driver" create_default_dev=0 enable_overlay || exit 1
cd / || exit 1

source "$here/contents.sh"
source "$here/validity.sh"
# This one leaves a device to the next.
source "$here/hotplug.sh"
source "$here/life.sh"

is '' ls $top
is 0 cards
does modprobe -r "$driver"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
