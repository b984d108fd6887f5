# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Configures and makes the kernel in $TREE; expects $flavour: uml, debug, time-travel or qemu.

state=$TREE/.rvkms
arch=um

case $flavour in
uml) fragments=(uml smp) ;;
debug) fragments=(uml smp debug) ;;
time-travel) fragments=(uml time-travel) ;;
qemu)
	arch=x86_64
	fragments=(qemu smp)
	;;
*) die "no such flavour: $flavour" ;;
esac

fragments+=(common)
if grep -qs RUST_DRM_KMS_HELPER "$TREE/drivers/gpu/drm/Kconfig"; then
	fragments+=(rvkms)
fi

kernel_make() {
	"$TOOLS/enter" build make -C /linux LLVM=1 ARCH="$arch" CC="ccache clang" LOCALVERSION= \
		-j"$(jobs_count)" "$@"
}

fragment_files() { printf "$TOOLS/config/%s.config\n" "${fragments[@]}"; }

# What a configuration is made of.
config_key() {
	{
		fragment_files | xargs cat "$TOOLS/kernel-lib.sh"
		git -c safe.directory='*' -C "$TREE" ls-tree -r HEAD | grep -F Kconfig
		git -c safe.directory='*' -C "$TREE" diff HEAD -- '*Kconfig*'
		cat "$TREE/.config"
	} 2>/dev/null | sha256sum
}

configured() { [ "$(cat "$state/configured" 2>/dev/null)" = "$(config_key)" ]; }

# Writes .config only if it really differs: everything is built again after that.
configure() {
	local lost
	mkdir -p "$state"
	fragment_files | xargs cat >"$state/fragments.config"
	kernel_make KCONFIG_ALLCONFIG=.rvkms/fragments.config KCONFIG_CONFIG=.rvkms/config allnoconfig
	lost=$(grep '^CONFIG_' "$state/fragments.config" | grep -vxFf "$state/config" || true)
	if [ -n "$lost" ]; then
		printf 'The kernel has no such options, or they depend on something that is off:\n%s\n' "$lost"
		return 1
	fi
	cmp -s "$state/config" "$TREE/.config" || cp "$state/config" "$TREE/.config"
	config_key >"$state/configured"
}
