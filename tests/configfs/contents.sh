# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2154
# What directories and attributes there are, and what can be written to them. Sourced by run.sh.

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
