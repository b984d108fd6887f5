# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2154
# Which devices can be enabled. Sourced by run.sh.

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
	is Y cat /sys/module/rvkms/parameters/enable_overlay
	is Y cat /sys/module/rvkms/parameters/enable_cursor
	is 444 stat -c %a /sys/module/rvkms/parameters/enable_cursor

	about "what a plane offers"
	device dev
	plane=$top/dev/planes/primary
	is '' cat $plane/name
	does put 'lowest\n' $plane/name
	is lowest cat $plane/name
	fails "$EINVAL" put 'a\tb' $plane/name
	is 64 sh -c "wc -l <$plane/supported_formats"
	# As many as a plane can have.
	fails "$ENOSPC" put '+BX30' $plane/supported_formats
	is 64 sh -c "wc -l <$plane/supported_formats"
	does put '+BX30-C8' $plane/supported_formats
	is BX30 grep -x BX30 $plane/supported_formats
	is 64 sh -c "wc -l <$plane/supported_formats"
	fails "$ENOSPC" put '+*' $plane/supported_formats
	is BX30 grep -x BX30 $plane/supported_formats
	does put '-BX30+*' $plane/supported_formats
	is C8 grep -ow C8 $plane/supported_formats
	is 64 sh -c "wc -l <$plane/supported_formats"
	does put '-*' $plane/supported_formats
	is '' cat $plane/supported_formats
	invalid
	does put '+XR24+R8 \n+NV12' $plane/supported_formats
	is $'XR24\nR8  \nNV12' sh -c "sort -r $plane/supported_formats"
	does put '-R8' $plane/supported_formats
	is $'XR24\nNV12' sh -c "sort -r $plane/supported_formats"
	for value in XR24 + - +XX99 +XR245 '+XR24 +' '\n+'; do
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
	for bound in initial min max; do
		fails "$EINVAL" put 2147483648 $plane/zpos_$bound
	done
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

	# A plain composer judges what is shown of them. What no plane can show cannot be written to.
	about "formats that planes do not have by default"
	device dev
	put 1 $top/dev/crtcs/crtc/writeback
	rare=+RX30+BX30+AB15+RA15+BA15+XB15+RX15+BX15+AR12+AB12+RA12+BA12+XR12+XB12+RX12+BX12
	does put "-*$rare" $top/dev/planes/primary/supported_formats
	invalid
	does put "+XR48" $top/dev/planes/primary/supported_formats
	does put 1 $top/dev/enabled
	is XRGB16161616 sh -c "drm_info /dev/dri/$(card dev) | sed -n '/WRITEBACK_PIXEL_FORMATS/,/Connector/ \
		s/.*[^A-Z0-9]\([A-Z0-9]*\) (0x[0-9a-f]\{8\}).*/\1/p'"
	does sh -c "/rvkms/build/client/rvkms-client reference --card /dev/dri/$(card dev) --seed 1 --seconds 10 \
		>/tmp/judged"
	does grep ' scenes judged, 0 wrong' /tmp/judged
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
	# So is one that is not there.
	does sh -c "/rvkms/tools/guest/edid /tmp/edid 126:03 >$connector/edid"
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
	# A display that is gone can do nothing.
	vrr_capable() {
		drm_info "/dev/dri/$(card dev)" | sed -n 's/.*"vrr_capable".* = //p'
	}
	is 1 vrr_capable
	put 2 $connector/status
	is 0 vrr_capable
	put 1 $connector/status
	is 1 vrr_capable
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
