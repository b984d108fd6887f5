// SPDX-License-Identifier: GPL-2.0

/*
 * The composer of C vkms, taken unchanged from a kernel tree, behind a function that a program can call.
 */

#include "shim.h"
#include <drm/drm_fourcc.h>

#include "drm_fourcc.c"
#include "drm_rect.c"
#include "vkms_luts.c"
#include "vkms_formats.c"
#include "vkms_composer.c"

#define MAX_LAYERS 32
#define MAX_OPS 8

/* A colour operation: 0 and 1 are the sRGB curves, 2 is a matrix. */
struct oracle_op {
	u32 type;
	const u64 *matrix;
};

struct oracle_layer {
	u32 fourcc;
	u32 rotation;
	u32 encoding;
	u32 range;
	u32 width, height;
	u32 src[4];
	s32 dst[4];
	u32 pitches[4];
	u32 offsets[4];
	const void *data;
	u32 n_ops;
	struct oracle_op ops[MAX_OPS];
};

struct oracle_frame {
	u32 width, height;
	u64 background;
	u32 n_layers;
	u32 n_gamma;
	const struct oracle_layer *layers;
	const struct drm_color_lut *gamma;
	u32 writeback_fourcc;
	u32 writeback_pitch;
	void *writeback;
};

u32 oracle_compose(const struct oracle_frame *frame);

u32 oracle_compose(const struct oracle_frame *frame)
{
	static struct drm_colorop colorops[MAX_LAYERS][MAX_OPS];
	static struct drm_colorop_state colorop_states[MAX_LAYERS][MAX_OPS];
	static struct drm_property_blob blobs[MAX_LAYERS][MAX_OPS];
	static struct vkms_plane_state planes[MAX_LAYERS];
	static struct vkms_frame_info infos[MAX_LAYERS];
	static struct drm_framebuffer fbs[MAX_LAYERS];
	struct vkms_plane_state *active[MAX_LAYERS];
	struct vkms_crtc_state crtc = {};
	struct vkms_writeback_job job = {};
	struct drm_framebuffer job_fb = {};
	u32 crc = 0;

	assert(frame->n_layers <= MAX_LAYERS);
	for (u32 i = 0; i < frame->n_layers; i++) {
		const struct oracle_layer *layer = &frame->layers[i];
		struct drm_colorop **next = &planes[i].base.base.color_pipeline;

		fbs[i].format = drm_format_info(layer->fourcc);
		fbs[i].width = layer->width;
		fbs[i].height = layer->height;
		memcpy(fbs[i].pitches, layer->pitches, sizeof(layer->pitches));
		memcpy(fbs[i].offsets, layer->offsets, sizeof(layer->offsets));

		infos[i].fb = &fbs[i];
		infos[i].src.x1 = layer->src[0];
		infos[i].src.y1 = layer->src[1];
		infos[i].src.x2 = layer->src[0] + layer->src[2];
		infos[i].src.y2 = layer->src[1] + layer->src[3];
		infos[i].dst.x1 = layer->dst[0];
		infos[i].dst.y1 = layer->dst[1];
		infos[i].dst.x2 = layer->dst[0] + layer->dst[2];
		infos[i].dst.y2 = layer->dst[1] + layer->dst[3];
		infos[i].map[0].vaddr = (void *)layer->data;
		infos[i].rotation = layer->rotation;

		planes[i].frame_info = &infos[i];
		planes[i].pixel_read_line = get_pixel_read_line_function(layer->fourcc);
		get_conversion_matrix_to_argb_u16(layer->fourcc, layer->encoding, layer->range,
						  &planes[i].conversion_matrix);

		assert(layer->n_ops <= MAX_OPS);
		for (u32 k = 0; k < layer->n_ops; k++) {
			const struct oracle_op *op = &layer->ops[k];

			colorops[i][k].state = &colorop_states[i][k];
			colorops[i][k].type = op->type == 2 ? DRM_COLOROP_CTM_3X4 : DRM_COLOROP_1D_CURVE;
			/* Bypassed operations still cost a step in the list. */
			colorop_states[i][k].bypass = op->type > 2;
			colorop_states[i][k].curve_1d_type =
				op->type == 1 ? DRM_COLOROP_1D_CURVE_SRGB_INV_EOTF : DRM_COLOROP_1D_CURVE_SRGB_EOTF;
			colorop_states[i][k].data = &blobs[i][k];
			blobs[i][k].data = (void *)op->matrix;
			*next = &colorops[i][k];
			next = &colorops[i][k].next;
		}
		*next = NULL;
		active[i] = &planes[i];
	}

	crtc.base.mode.hdisplay = frame->width;
	crtc.base.mode.vdisplay = frame->height;
	crtc.base.background_color = frame->background;
	crtc.num_active_planes = frame->n_layers;
	crtc.active_planes = active;
	if (frame->gamma) {
		crtc.gamma_lut.base = (struct drm_color_lut *)frame->gamma;
		crtc.gamma_lut.lut_length = frame->n_gamma;
		crtc.gamma_lut.channel_value2index_ratio =
			drm_fixp_div(drm_int2fixp(frame->n_gamma - 1), drm_int2fixp(0xffff));
	}

	if (frame->writeback) {
		job_fb.format = drm_format_info(frame->writeback_fourcc);
		job_fb.width = frame->width;
		job_fb.height = frame->height;
		job_fb.pitches[0] = frame->writeback_pitch;
		job.wb_frame_info.fb = &job_fb;
		job.wb_frame_info.map[0].vaddr = frame->writeback;
		job.wb_frame_info.dst.x2 = frame->width;
		job.wb_frame_info.dst.y2 = frame->height;
		job.pixel_write = get_pixel_write_function(frame->writeback_fourcc);
	}

	if (compose_active_planes(frame->writeback ? &job : NULL, &crtc, &crc))
		abort();
	return crc;
}
