#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Builds the composer of C vkms for user space, from the kernel tree given as argument, as
# build/liboracle.a beside this script. Nothing of the tree is changed or kept.

set -eu

tree=$(cd "$1" && pwd)
cd "$(dirname "$0")"
rm -rf build
mkdir -p build/include/drm build/include/linux build/include/kunit build/include/uapi

# Headers that are used as they are.
ln -s "$tree/include/uapi/drm" build/include/uapi/drm
for header in drm_fixed drm_fourcc drm_rect; do
	ln -s "$tree/include/drm/$header.h" build/include/drm/
done
printf '#include <uapi/drm/drm.h>\n' > build/include/drm/drm.h

# Headers of which shim.h holds what is needed.
{ echo linux/bits.h; sed -n 's/^#include <\(.*\)>$/\1/p' \
	"$tree"/drivers/gpu/drm/drm_fourcc.c "$tree"/drivers/gpu/drm/drm_rect.c \
	"$tree"/drivers/gpu/drm/vkms/vkms_drv.h "$tree"/drivers/gpu/drm/vkms/vkms_luts.c \
	"$tree"/drivers/gpu/drm/vkms/vkms_formats.[ch] "$tree"/drivers/gpu/drm/vkms/vkms_composer.[ch] \
	"$tree"/include/drm/drm_fixed.h "$tree"/include/drm/drm_fourcc.h; } |
	sort -u | while read -r header; do
	case $header in
	linux/types.h | linux/errno.h | uapi/*) continue ;;
	esac
	[ -e "build/include/$header" ] || printf '#include "shim.h"\n' > "build/include/$header"
done

# The kernel's optimisation, and no vector registers, which it does not have.
${CC:-gcc} -std=gnu11 -O2 -fno-strict-aliasing -fwrapv -fno-tree-vectorize -mgeneral-regs-only -w -Werror=implicit-function-declaration \
	-Ibuild/include -I. -I"$tree"/drivers/gpu/drm -I"$tree"/drivers/gpu/drm/vkms \
	-c oracle.c -o build/oracle.o
ar rcs build/liboracle.a build/oracle.o
