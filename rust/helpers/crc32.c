// SPDX-License-Identifier: GPL-2.0

#include <linux/crc32.h>

#ifndef CONFIG_CRC32_ARCH
__rust_helper u32 rust_helper_crc32_optimizations(void)
{
	return crc32_optimizations();
}
#endif
