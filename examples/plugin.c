/* SPDX-License-Identifier: Apache-2.0
 * Two operations as a plug-in: grain as of an X-ray at low dose, and SamplePairing (Inoue 2018).
 *   cc -O2 -shared -fPIC plugin.c -o example.so $(pkg-config --cflags pba)
 *   pba ops --plugin ./example.so */
#include <pba.h>

static int values(const pba_image *image)
{
    return image->width * image->height * image->channels;
}

static void grain(pba_image *dst, const pba_image *src, double strength, pba_op_context *context)
{
    int most = (int)strength;
    for (int i = 0; i < values(src); i++) {
        int value = src->pixels[i] + (int)context->below(context, 2 * most + 1) - most;
        dst->pixels[i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
}

static void pair(pba_image *dst, const pba_image *src, double share, pba_op_context *context)
{
    int part = (int)(share * 256);
    for (int i = 0; i < values(src); i++) {
        dst->pixels[i] = (src->pixels[i] * (256 - part) + context->partner->pixels[i] * part) >> 8;
    }
}

/* clang-format off */
static const pba_plugin_op ops[] = {
    {.name = "Grain", .sentence = "Adds noise, uniform to both sides.", .parameter = "grey values",
     .max = 128, .level_10 = 100, .flags = PBA_OP_IDENTITY, .version = 1, .apply = grain},
    {.name = "SamplePairing", .sentence = "Mixes in another image.", .parameter = "share",
     .max = 0.5, .level_10 = 0.4, .flags = PBA_OP_IDENTITY | PBA_OP_PARTNER, .version = 1,
     .apply = pair},
};
PBA_PLUGIN("example", ops)
