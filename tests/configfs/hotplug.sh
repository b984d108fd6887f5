# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2154
# An enabled device: what stays as it is, and what can be plugged in. Sourced by run.sh.

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

about "a hotplug that waits for a flip"
device other
does put 1 $top/other/enabled
/rvkms/build/client/rvkms-client hold --card "/dev/dri/$(card dev)" >/tmp/held 2>&1 &
holder=$!
soon grep -q held /tmp/held
put 2 $top/dev/connectors/connector/status &
hotplug=$!
sleep 1
put 0 $top/other/enabled &
other=$!
# Nobody else waits for it, too.
ended() { ! kill -0 $other; }
soon ended
kill $holder
wait $holder $hotplug $other 2>/dev/null
is 0 enabled other

if [ "$driver" = rvkms ]; then
	about "a device that waits for a flip until it goes"
	does put 1 $top/other/enabled
	rm -f /tmp/held
	timeout 10 /rvkms/build/client/rvkms-client hold --card "/dev/dri/$(card other)" >/tmp/held 2>&1 &
	holder=$!
	soon grep -q held /tmp/held
	put 0 $top/other/enabled &
	other=$!
	going() { ! compgen -G '/sys/bus/faux/devices/other/drm/card*'; }
	soon going
	# Nobody waits for it but who wants it to go.
	is 1 enabled other
	is 1 cat $top/other/planes/primary/type
	fails "$EBUSY" put 0 $top/other/planes/primary/type
	fails "$EBUSY" put 0 $top/other/enabled
	fails "$EBUSY" put 1 $top/other/enabled
	fails "$EBUSY" mkdir $top/other/connectors/new
	fails "$EBUSY" put 1 $top/other/connectors/connector/edid_enabled
	kill $holder
	wait $holder $other 2>/dev/null
	is 0 enabled other
	does put 1 $top/other/enabled
	is 1 enabled other
fi
no_device other

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
	statuses() {
		objects | sed -n 's/^\tstatus=//p' | tr -d '\n'
	}
	is 1 statuses
	does put 1 $new/enabled
	is 'HDMI-A-1 Virtual-1 ' connectors
	is 11 statuses
	does put 2 $new/status
	is 12 statuses
	does put 1 $new/status
	does put 1 $new/enabled
	is 'HDMI-A-1 Virtual-1 ' connectors
	is 11 statuses
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
	is 1 statuses
	does put 10 $new/type
	does put 1 $new/enabled
	is 'DP-1 Virtual-1 ' connectors
	kill $tester
	wait $tester
	exec 5>&-
	rm $new/possible_encoders/encoder
	is 'DP-1 Virtual-1 ' connectors
	is 11 statuses
	does rmdir $new
	is 'Virtual-1 ' connectors
	is 1 statuses
	# One that was there is there again when the device is enabled again.
	mkdir $new
	link dev/encoders/encoder dev/connectors/new/possible_encoders
	put 1 $new/enabled
	is 'Virtual-1 Virtual-2 ' connectors
	put 0 $top/dev/enabled
	is 1 cat $new/enabled
	does put 1 $top/dev/enabled
	is 'Virtual-1 Virtual-2 ' connectors
	is 11 statuses
	put 0 $new/enabled
	put 0 $top/dev/enabled
	# What it is already changes nothing.
	does put 1 $new/dynamic
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
