// SPDX-License-Identifier: GPL-2.0

#ifdef CONFIG_X86_64

#include <asm/fpu/api.h>
#include <asm/simd.h>

__rust_helper bool rust_helper_may_use_simd(void)
{
	return may_use_simd();
}

__rust_helper void rust_helper_kernel_fpu_begin(void)
{
	kernel_fpu_begin();
}

#ifdef CONFIG_UML
__rust_helper void rust_helper_kernel_fpu_end(void)
{
	kernel_fpu_end();
}
#endif

#endif /* CONFIG_X86_64 */
