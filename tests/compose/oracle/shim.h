/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The few kernel declarations that the composer of C vkms needs, cut down to what it uses of them.
 * build.sh makes each kernel header that is not wanted for itself include this one.
 */

#ifndef RVKMS_ORACLE_SHIM_H
#define RVKMS_ORACLE_SHIM_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef s64 ktime_t;

#define __printf(a, b)
#define __maybe_unused __attribute__((unused))
#define __user
#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#define VISIBLE_IF_KUNIT static __maybe_unused
#define IS_ENABLED(option) 0
#define BIT(n) (1UL << (n))
#define U16_MAX 0xffff
#define UINT_MAX (~0U)
#define INT_MAX ((int)(~0U >> 1))
#define INT_MIN (-INT_MAX - 1)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BUG() abort()
#define WARN_ON(condition) ({ bool shim_warn = !!(condition); if (shim_warn) abort(); shim_warn; })
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#define drm_WARN_ONCE(dev, condition, ...) ((void)(dev), WARN_ON(condition))
#define DRM_ERROR(...) fprintf(stderr, __VA_ARGS__)
#define DRM_DEBUG_KMS(...) do { } while (0)
#define DRM_DEBUG_DRIVER(...) do { } while (0)
#define pr_err(...) fprintf(stderr, __VA_ARGS__)
#define pr_warn(...) fprintf(stderr, __VA_ARGS__)

#define min(a, b) ({ \
	typeof(a) shim_a = (a); \
	typeof(b) shim_b = (b); \
	shim_a < shim_b ? shim_a : shim_b; })
#define max(a, b) ({ \
	typeof(a) shim_a = (a); \
	typeof(b) shim_b = (b); \
	shim_a > shim_b ? shim_a : shim_b; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(value, low, high) ({ \
	typeof(value) shim_v = (value); \
	shim_v < (low) ? (typeof(shim_v))(low) : shim_v > (high) ? (typeof(shim_v))(high) : shim_v; })
#define clamp_val(value, low, high) clamp(value, low, high)
#define swap(a, b) do { typeof(a) shim_t = (a); (a) = (b); (b) = shim_t; } while (0)
#define DIV_ROUND_UP(a, b) (((a) + (b) - 1) / (b))
#define DIV_ROUND_UP_ULL(a, b) DIV_ROUND_UP((unsigned long long)(a), b)
/* All operands here are unsigned, or positive. */
#define DIV_ROUND_CLOSEST(a, b) (((a) + (b) / 2) / (b))
#define le16_to_cpu(value) (value)
#define cpu_to_le16(value) (value)
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static inline s64 div64_s64(s64 a, s64 b) { return a / b; }
static inline u64 div64_u64(u64 a, u64 b) { return a / b; }
static inline u64 div64_u64_rem(u64 a, u64 b, u64 *rem) { *rem = a % b; return a / b; }
#define do_div(a, b) ({ u32 shim_rem = (a) % (b); (a) /= (b); shim_rem; })
#define lower_32_bits(value) ((u32)(value))
#define mul_u32_u32(a, b) ((u64)(u32)(a) * (u32)(b))
#define DIV_ROUND_DOWN_ULL(a, b) ((unsigned long long)(a) / (b))
#define __GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (63 - (high))))

#define GFP_KERNEL 0
#define kvmalloc(size, flags) malloc(size)
#define kvfree(pointer) free(pointer)

/* Given by the program that links this. */
u32 crc32_le(u32 crc, const void *bytes, size_t len);

typedef struct { int unused; } spinlock_t;
#define spin_lock_irq(lock) ((void)(lock))
#define spin_unlock_irq(lock) ((void)(lock))

struct faux_device;
struct hrtimer { int unused; };
struct workqueue_struct;
struct work_struct { int unused; };
struct iosys_map { void *vaddr; };
#define iosys_map_is_null(map) (!(map)->vaddr)

#include <uapi/drm/drm_fourcc.h>
#include <uapi/drm/drm_mode.h>
#include <drm/drm_rect.h>

#define DRM_FORMAT_MAX_PLANES 4U
#define DRM_MODE_ROTATE_MASK 0x0f

struct drm_mode_config_funcs {
	const struct drm_format_info *(*get_format_info)(u32 pixel_format, u64 modifier);
};

struct drm_device {
	struct {
		const struct drm_mode_config_funcs *funcs;
		bool quirk_addfb_prefer_host_byte_order;
		bool quirk_addfb_prefer_xbgr_30bpp;
	} mode_config;
};

struct drm_framebuffer {
	const struct drm_format_info *format;
	unsigned int pitches[4];
	unsigned int offsets[4];
	unsigned int width, height;
};

struct drm_property_blob { void *data; size_t length; };
struct drm_display_mode { u16 hdisplay, vdisplay; };

enum drm_color_encoding {
	DRM_COLOR_YCBCR_BT601,
	DRM_COLOR_YCBCR_BT709,
	DRM_COLOR_YCBCR_BT2020,
	DRM_COLOR_ENCODING_MAX,
};

enum drm_color_range {
	DRM_COLOR_YCBCR_LIMITED_RANGE,
	DRM_COLOR_YCBCR_FULL_RANGE,
	DRM_COLOR_RANGE_MAX,
};

enum drm_colorop_curve_1d_type {
	DRM_COLOROP_1D_CURVE_SRGB_EOTF,
	DRM_COLOROP_1D_CURVE_SRGB_INV_EOTF,
};

struct drm_colorop_state {
	bool bypass;
	enum drm_colorop_curve_1d_type curve_1d_type;
	struct drm_property_blob *data;
};

struct drm_colorop {
	struct drm_device *dev;
	enum drm_colorop_type type;
	struct drm_colorop_state *state;
	struct drm_colorop *next;
};

struct drm_crtc;

struct drm_crtc_state {
	struct drm_crtc *crtc;
	struct drm_display_mode mode;
	u64 background_color;
	struct drm_property_blob *gamma_lut;
};

struct drm_crtc { struct drm_crtc_state *state; };
struct drm_plane { int unused; };
struct drm_plane_state { struct drm_colorop *color_pipeline; };
struct drm_shadow_plane_state { struct drm_plane_state base; };
struct drm_encoder { int unused; };
struct drm_writeback_connector { int unused; };

static inline int drm_crtc_vblank_get(struct drm_crtc *crtc) { return 0; }
static inline void drm_crtc_vblank_put(struct drm_crtc *crtc) { }
static inline void drm_writeback_signal_completion(struct drm_writeback_connector *connector,
						   int status)
{
}

static inline void drm_crtc_add_crc_entry(struct drm_crtc *crtc, bool frame, u32 n, u32 *crcs) { }

#endif
