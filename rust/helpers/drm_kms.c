// SPDX-License-Identifier: GPL-2.0

#include <drm/clients/drm_client_setup.h>
#include <drm/drm_atomic.h>
#include <drm/drm_client_event.h>
#include <drm/drm_debugfs_crc.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_panic.h>

#ifdef CONFIG_RUST_DRM_KMS_HELPER

__rust_helper void rust_helper_drm_atomic_commit_put(struct drm_atomic_commit *state)
{
	drm_atomic_commit_put(state);
}

__rust_helper bool
rust_helper_drm_atomic_crtc_needs_modeset(const struct drm_crtc_state *state)
{
	return drm_atomic_crtc_needs_modeset(state);
}

__rust_helper void rust_helper_drm_client_dev_hotplug(struct drm_device *dev)
{
	drm_client_dev_hotplug(dev);
}

__rust_helper void rust_helper_drm_client_dev_resume(struct drm_device *dev)
{
	drm_client_dev_resume(dev);
}

#ifndef CONFIG_DRM_CLIENT_SETUP
__rust_helper void rust_helper_drm_client_setup(struct drm_device *dev,
						const struct drm_format_info *format)
{
	drm_client_setup(dev, format);
}
#endif

#ifndef CONFIG_DEBUG_FS
__rust_helper int rust_helper_drm_crtc_add_crc_entry(struct drm_crtc *crtc, bool has_frame,
						     u32 frame, u32 *crcs)
{
	return drm_crtc_add_crc_entry(crtc, has_frame, frame, crcs);
}
#endif

__rust_helper int
rust_helper_drm_format_info_plane_height(const struct drm_format_info *info, int height, int plane)
{
	return drm_format_info_plane_height(info, height, plane);
}

__rust_helper int
rust_helper_drm_format_info_plane_width(const struct drm_format_info *info, int width, int plane)
{
	return drm_format_info_plane_width(info, width, plane);
}

__rust_helper void rust_helper_drm_framebuffer_get(struct drm_framebuffer *fb)
{
	drm_framebuffer_get(fb);
}

__rust_helper void rust_helper_drm_framebuffer_put(struct drm_framebuffer *fb)
{
	drm_framebuffer_put(fb);
}

__rust_helper unsigned long rust_helper_drm_panic_lock(struct drm_device *dev)
{
	unsigned long flags = 0;

	drm_panic_lock(dev, flags);
	return flags;
}

__rust_helper void rust_helper_drm_panic_unlock(struct drm_device *dev, unsigned long flags)
{
	drm_panic_unlock(dev, flags);
}

#endif
