# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2154
# Devices that come and go while they are used. Sourced by run.sh.

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

# vkms takes the first encoder of a connector.
if [ "$driver" = rvkms ]; then
	about "connectors that share encoders"
	mkdir $top/dev $top/dev/planes/{1,2} $top/dev/crtcs/{1,2} $top/dev/encoders/{1,2} $top/dev/connectors/{1,2}
	for output in 1 2; do
		put 1 $top/dev/planes/$output/type
		link dev/crtcs/$output dev/planes/$output/possible_crtcs
		link dev/crtcs/1 dev/encoders/$output/possible_crtcs
		link dev/crtcs/2 dev/encoders/$output/possible_crtcs
	done
	# The first has to leave the first encoder to the second.
	link dev/encoders/1 dev/connectors/1/possible_encoders
	link dev/encoders/2 dev/connectors/1/possible_encoders
	link dev/encoders/1 dev/connectors/2/possible_encoders
	# routes: the CRTCs of the connectors that are on.
	routes() {
		sed -n '/^connector/,$ s/^\tcrtc=\(crtc-.*\)/\1/p' /sys/kernel/debug/dri/dev/state | tr '\n' ' '
	}
	route() {
		/rvkms/build/client/rvkms-client route --card "/dev/dri/$(card dev)" "$@"
	}
	# Whoever closes the device leaves it to the console, which turns both on in one update.
	put 1 $top/dev/enabled
	read -r -a connector <<<"$(rows -c 1)"
	read -r -a crtc <<<"$(modetest -M rvkms -p 2>/dev/null |
		awk '/^Planes:/ { exit } /^[0-9]+\t/ { printf "%s ", $1 }')"
	is 'crtc-0 crtc-1 ' routes
	put 0 $top/dev/enabled
	does put N /sys/module/drm_kms_helper/parameters/fbdev_emulation
	put 1 $top/dev/enabled
	does route 0@0,1@1 0@1,1@0
	put 0 $top/dev/enabled
	# With a choice for both: each keeps what it has.
	link dev/encoders/2 dev/connectors/2/possible_encoders
	put 1 $top/dev/enabled
	does route 1@0 0@1 0@-,1@1 0@0
	does route 0@-,1@-
	# One after the other, and then the other way round. modetest flips until its input can be read.
	is '' routes
	rm -f /tmp/quiet
	mkfifo /tmp/quiet
	exec 5<>/tmp/quiet
	for order in '0 1' '1 0'; do
		read -r one other <<<"$order"
		rm -f /tmp/modes
		modetest -M rvkms -s ${connector[0]}@${crtc[one]}:1024x768 \
			-s ${connector[1]}@${crtc[other]}:1024x768 -v <&5 >/tmp/modes 2>&1 &
		tester=$!
		soon grep -q freq /tmp/modes
		is "crtc-$one crtc-$other " routes
		is '' grep -i fail /tmp/modes
		kill $tester
		wait
	done
	exec 5>&-
	put 0 $top/dev/enabled
	# Who goes to another CRTC takes the first encoder again, and leaves its own to others.
	rm $top/dev/encoders/1/possible_crtcs/1 $top/dev/connectors/2/possible_encoders/1
	put 1 $top/dev/enabled
	does route 0@0 0@1 1@0
	put 0 $top/dev/enabled
	put Y /sys/module/drm_kms_helper/parameters/fbdev_emulation
	no_device dev
fi

about "the objects of a device in debugfs"
outputs() {
	mkdir $1/dev $1/dev/planes/{p1,o,p2,c} $1/dev/crtcs/{1,2} $1/dev/encoders/{1,2} $1/dev/connectors/{1,2}
	put 1 $1/dev/planes/p1/type
	put 1 $1/dev/planes/p2/type
	put 2 $1/dev/planes/c/type
	put 1 $1/dev/crtcs/2/writeback
	put 2 $1/dev/connectors/2/status
	ln -s $1/dev/crtcs/1 $1/dev/planes/p1/possible_crtcs
	ln -s $1/dev/crtcs/1 $1/dev/planes/c/possible_crtcs
	ln -s $1/dev/crtcs/{1,2} $1/dev/planes/o/possible_crtcs
	ln -s $1/dev/crtcs/2 $1/dev/planes/p2/possible_crtcs
	ln -s $1/dev/crtcs/1 $1/dev/encoders/1/possible_crtcs
	ln -s $1/dev/crtcs/2 $1/dev/encoders/2/possible_crtcs
	ln -s $1/dev/encoders/1 $1/dev/connectors/1/possible_encoders
	ln -s $1/dev/encoders/2 $1/dev/connectors/2/possible_encoders
	put 1 $1/dev/enabled
}
# listed FIRST SECOND: the lines for these statuses of the connectors.
listed() {
	printf '%s\n' dev_name=dev plane: '	type=1' plane: '	type=0' plane: '	type=1' plane: '	type=2' \
		crtc: '	writeback=0' crtc: '	writeback=1' encoder encoder \
		connector: "	status=$1" connector: "	status=$2"
}
does outputs $top
is "$(listed 1 2)" objects
put 3 $top/dev/connectors/1/status
is "$(listed 3 2)" objects
# Who still has it open when the device goes reads nothing.
exec 3<"/sys/kernel/debug/dri/dev/${driver}_config"
does put 0 $top/dev/enabled
fails "$ENOENT" objects
fails "$EIO" cat <&3
exec 3<&-
no_device dev
# vkms has the same lines. What is called vkms may not be that driver.
if [ "$driver" != vkms ] && modprobe vkms create_default_dev=0; then
	does outputs /sys/kernel/config/vkms
	is "$(listed 1 2)" objects vkms
	put 3 /sys/kernel/config/vkms/dev/connectors/1/status
	is "$(listed 3 2)" objects vkms
	put 0 /sys/kernel/config/vkms/dev/enabled
	top=/sys/kernel/config/vkms no_device dev
	does modprobe -r vkms
fi

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
		if line=$("$here/fail-nth" "$@" 2>&1); then
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
		[ "$driver" != rvkms ] || objects
		device own$i && put 1 $top/own$i/enabled
		rm $top/dev/planes/primary/possible_crtcs/crtc
		link dev/crtcs/crtc dev/planes/primary/possible_crtcs
		mkdir $top/dev/planes/$i && rmdir $top/dev/planes/$i
		no_device own$i
	done >/dev/null 2>&1 &
done
wait
no_device dev
