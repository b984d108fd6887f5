# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which guest the tools boot: VM, DRIVER and KDIR as the Makefile documents them.

VM=${VM:-uml}
DRIVER=${DRIVER:-rvkms}

case $VM in
uml) FLAVOUR=uml ;;
qemu) FLAVOUR=qemu ;;
debug) FLAVOUR=debug ;;
*) die "VM is uml, qemu or debug, not $VM" ;;
esac

# A tree of its own for each flavour and each KDIR, so that none throws away what another built.
if [ -n "${KDIR:-}" ]; then
	TREE=$BUILD/linux-$(realpath "$KDIR" | sha256sum | cut -c-8)
fi
case $FLAVOUR in
uml) ;;
*) TREE=$TREE-$FLAVOUR ;;
esac
export VM DRIVER TREE FLAVOUR

# Fetches, applies and builds all that a guest needs.
prepare() {
	"$TOOLS/prepare"
	if [ "$VM" = qemu ]; then
		"$TOOLS/fetch" qemu
	fi
	"$TOOLS/build" "$FLAVOUR"
}
