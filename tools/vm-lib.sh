# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which guest the tools boot: VM, DRIVER, DEVICE and KDIR as the Makefile documents them.

VM=${VM:-uml}
DEVICE=${DEVICE:-}

case $DEVICE in
'') ;;
bochs) DEVICE=VGA ;;&
bochs | VGA* | secondary-vga* | bochs-display*) DRIVER=${DRIVER:-rvkms_bochs} ;;
*) die "DEVICE is bochs, or VGA, secondary-vga or bochs-display as QEMU calls them, not $DEVICE" ;;
esac
DRIVER=${DRIVER:-rvkms}

case $VM in
uml) FLAVOUR=uml ;;
qemu) FLAVOUR=qemu ;;
debug) FLAVOUR=debug ;;
time-travel) FLAVOUR=time-travel ;;
*) die "VM is uml, qemu, debug or time-travel, not $VM" ;;
esac

# A tree of its own for each flavour and each KDIR, so that none throws away what another built.
if [ -n "${KDIR:-}" ]; then
	TREE=$BUILD/linux-$(realpath "$KDIR" | sha256sum | cut -c-8)
fi
# Tools call each other, so this may have been said already.
UML_TREE=${UML_TREE:-$TREE}
case $FLAVOUR in
uml) TREE=$UML_TREE ;;
*) TREE=$UML_TREE-$FLAVOUR ;;
esac
export UML_TREE VM DRIVER DEVICE TREE FLAVOUR

# Fetches, applies and builds all that a guest needs.
prepare() {
	"$TOOLS/prepare"
	if [ "$VM" = qemu ]; then
		"$TOOLS/fetch" qemu
	fi
	"$TOOLS/build" "$FLAVOUR"
}
