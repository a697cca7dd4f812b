/* SPDX-License-Identifier: Apache-2.0
 * Row kernels by hand for AVX-512 with byte permutes (VBMI: Ice Lake, Zen 4 and later), part of
 * rows.c, whose plain functions they must equal byte for byte. Only what was measured to be worth
 * it: a table of 256 is four registers, pixels of three bytes are taken apart by one permute.
 * Masked lanes are neither read nor written, so that nothing needs a loop for what is left over. */
#ifndef AUGMENT_VBMI_H
#define AUGMENT_VBMI_H

#include <immintrin.h>

static inline __mmask64 vbmi_first(size_t count)
{
    return count >= 64 ? ~0ULL : (1ULL << count) - 1;
}

static inline __m512i vbmi_lanes(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* ------------------------------------------------------------------------------- tables */

typedef struct vbmi_lut {
    __m512i quarter[4];
} vbmi_lut;

static inline vbmi_lut vbmi_lut_of(const uint8_t *table)
{
    vbmi_lut lut;
    for (int i = 0; i < 4; i++) {
        lut.quarter[i] = _mm512_loadu_si512(table + 64 * i);
    }
    return lut;
}

static inline __m512i vbmi_look_up(const vbmi_lut *lut, __m512i v)
{
    __m512i low = _mm512_permutex2var_epi8(lut->quarter[0], v, lut->quarter[1]);
    __m512i high = _mm512_permutex2var_epi8(lut->quarter[2], v, lut->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high);
}

static void vbmi_table(uint8_t *restrict dst, const uint8_t *restrict src, size_t bytes,
                       const uint8_t *restrict table)
{
    const vbmi_lut lut = vbmi_lut_of(table);
    for (size_t i = 0; i < bytes; i += 64) {
        __mmask64 here = vbmi_first(bytes - i);
        __m512i v = _mm512_maskz_loadu_epi8(here, src + i);
        _mm512_mask_storeu_epi8(dst + i, here, vbmi_look_up(&lut, v));
    }
}

/* Byte j of the vector that starts at byte `at` belongs to channel (at + j) % 3. */
static void vbmi_tables(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                        const uint8_t (*restrict tables)[256])
{
    const vbmi_lut red = vbmi_lut_of(tables[0]), green = vbmi_lut_of(tables[1]),
                   blue = vbmi_lut_of(tables[2]);
    static const __mmask64 third[3] = {0x9249249249249249, 0x2492492492492492, 0x4924924924924924};
    for (size_t i = 0, at = 0; i < 3 * pixels; i += 64, at = at == 2 ? 0 : at + 1) {
        __mmask64 here = vbmi_first(3 * pixels - i);
        __m512i v = _mm512_maskz_loadu_epi8(here, src + i);
        __m512i out = vbmi_look_up(&red, v);
        out = _mm512_mask_mov_epi8(out, third[(4 - at) % 3], vbmi_look_up(&green, v));
        out = _mm512_mask_mov_epi8(out, third[(5 - at) % 3], vbmi_look_up(&blue, v));
        _mm512_mask_storeu_epi8(dst + i, here, out);
    }
}

/* --------------------------------------------------------------------------------- luma */

/* Of 16 pixels, in 32 bits each. 38470, the weight of green, is no signed 16-bit number: half of it
 * goes with red, half with blue. */
static inline __m512i vbmi_luma(__m512i rgb)
{
    const __mmask64 low_bytes = 0x5555555555555555;
    const __m512i lanes = vbmi_lanes();
    const __m512i red = _mm512_add_epi32(lanes, _mm512_add_epi32(lanes, lanes));
    const __m512i pair = _mm512_add_epi32(red, _mm512_slli_epi32(red, 16));
    __m512i rg = _mm512_maskz_permutexvar_epi8(
        low_bytes, _mm512_add_epi32(pair, _mm512_set1_epi32(0x10000)), rgb);
    __m512i gb = _mm512_maskz_permutexvar_epi8(
        low_bytes, _mm512_add_epi32(pair, _mm512_set1_epi32(0x20001)), rgb);
    __m512i sum = _mm512_add_epi32(_mm512_madd_epi16(rg, _mm512_set1_epi32(19235 << 16 | 19595)),
                                   _mm512_madd_epi16(gb, _mm512_set1_epi32(7471 << 16 | 19235)));
    return _mm512_srli_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(32768)), 16);
}

static uint64_t vbmi_luma_sum(const uint8_t *rgb, size_t pixels)
{
    uint64_t total = 0;
    for (size_t start = 0; start < pixels; start += RUN) {
        size_t count = pixels - start < RUN ? pixels - start : RUN;
        __m512i part = _mm512_setzero_si512();
        for (size_t i = 0; i < count; i += 16) { /* what is not read counts as black */
            __mmask64 here = vbmi_first(3 * (count - i)) & 0xFFFFFFFFFFFF;
            __m512i v = _mm512_maskz_loadu_epi8(here, rgb + 3 * (start + i));
            part = _mm512_add_epi32(part, vbmi_luma(v));
        }
        total += (uint32_t)_mm512_reduce_add_epi32(part);
    }
    return total;
}

/* ------------------------------------------------------------------------------- blends */

/* augment_blend of the 16-bit halves' lower or upper four numbers a lane. */
#define VBMI_BLEND_PART(half)                                                                      \
    static inline __m512i vbmi_blend_##half(__m512i d, __m512i difference, __m512 factor)          \
    {                                                                                              \
        __m512i sign = _mm512_srai_epi16(difference, 15);                                          \
        __m512 from = _mm512_cvtepi32_ps(_mm512_unpack##half##_epi16(d, _mm512_setzero_si512()));  \
        __m512 way = _mm512_cvtepi32_ps(_mm512_unpack##half##_epi16(difference, sign));            \
        return _mm512_cvttps_epi32(_mm512_add_ps(from, _mm512_mul_ps(factor, way)));               \
    }
VBMI_BLEND_PART(lo)
VBMI_BLEND_PART(hi)

/* augment_blend of 64 bytes. Numbers are taken apart and packed within lanes, which keeps their
 * order; packing saturates, which is the clamping. */
static inline __m512i vbmi_blend_bytes(__m512i d, __m512i s, __m512 factor)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i d_low = _mm512_unpacklo_epi8(d, zero), d_high = _mm512_unpackhi_epi8(d, zero);
    __m512i low = _mm512_sub_epi16(_mm512_unpacklo_epi8(s, zero), d_low);
    __m512i high = _mm512_sub_epi16(_mm512_unpackhi_epi8(s, zero), d_high);
    low = _mm512_packs_epi32(vbmi_blend_lo(d_low, low, factor), vbmi_blend_hi(d_low, low, factor));
    high = _mm512_packs_epi32(vbmi_blend_lo(d_high, high, factor),
                              vbmi_blend_hi(d_high, high, factor));
    return _mm512_packus_epi16(low, high);
}

static void vbmi_blend(uint8_t *restrict dst, const uint8_t *restrict from,
                       const uint8_t *restrict src, size_t bytes, float factor)
{
    const __m512 f = _mm512_set1_ps(factor);
    for (size_t i = 0; i < bytes; i += 64) {
        __mmask64 here = vbmi_first(bytes - i);
        __m512i d = _mm512_maskz_loadu_epi8(here, from + i);
        __m512i s = _mm512_maskz_loadu_epi8(here, src + i);
        _mm512_mask_storeu_epi8(dst + i, here, vbmi_blend_bytes(d, s, f));
    }
}

/* Where vbmi_pack_luma puts pixel t of 64. */
#define VBMI_AT(t) ((t & 3) | (t >> 4 & 3) << 2 | (t >> 2 & 3) << 4)
#define VBMI_THRICE(t) VBMI_AT(t), VBMI_AT(t), VBMI_AT(t)
#define VBMI_THRICE_4(t)                                                                           \
    VBMI_THRICE(t), VBMI_THRICE((t + 1)), VBMI_THRICE((t + 2)), VBMI_THRICE((t + 3))
#define VBMI_THRICE_16(t)                                                                          \
    VBMI_THRICE_4(t), VBMI_THRICE_4((t + 4)), VBMI_THRICE_4((t + 8)), VBMI_THRICE_4((t + 12))
static const uint8_t vbmi_thrice[192] = {VBMI_THRICE_16(0), VBMI_THRICE_16(16), VBMI_THRICE_16(32),
                                         VBMI_THRICE_16(48)};

/* The grey of up to 64 pixels. */
static inline __m512i vbmi_pack_luma(const uint8_t *rgb, size_t pixels)
{
    __m512i part[4];
    for (size_t q = 0; q < 4; q++) {
        size_t left = pixels > 16 * q ? pixels - 16 * q : 0;
        __mmask64 here = vbmi_first(3 * left) & 0xFFFFFFFFFFFF;
        part[q] = vbmi_luma(_mm512_maskz_loadu_epi8(here, rgb + 48 * q));
    }
    return _mm512_packus_epi16(_mm512_packs_epi32(part[0], part[1]),
                               _mm512_packs_epi32(part[2], part[3]));
}

static void vbmi_blend_luma(uint8_t *restrict dst, const uint8_t *restrict rgb, size_t pixels,
                            float factor)
{
    const __m512 f = _mm512_set1_ps(factor);
    for (size_t i = 0; i < pixels; i += 64) {
        size_t left = pixels - i;
        __m512i grey = vbmi_pack_luma(rgb + 3 * i, left);
        for (size_t v = 0; v < 3; v++) {
            size_t at = 64 * v;
            __mmask64 here = vbmi_first(3 * left > at ? 3 * left - at : 0);
            __m512i d = _mm512_permutexvar_epi8(_mm512_loadu_si512(vbmi_thrice + at), grey);
            __m512i s = _mm512_maskz_loadu_epi8(here, rgb + 3 * i + at);
            _mm512_mask_storeu_epi8(dst + 3 * i + at, here, vbmi_blend_bytes(d, s, f));
        }
    }
}

/* ------------------------------------------------------------------------------- gather */

/* The last of the four bytes that end at each offset; where there are no four before it, the first
 * four are read. So nothing behind the source is read, and it must have four bytes. */
static inline __m512i vbmi_bytes_at(const uint8_t *src, __m512i offset, int bytes, __mmask16 lanes)
{
    __m512i start = _mm512_max_epi32(_mm512_sub_epi32(offset, _mm512_set1_epi32(4 - bytes)),
                                     _mm512_setzero_si512());
    __m512i shift = _mm512_slli_epi32(_mm512_sub_epi32(offset, start), 3);
    __m512i four = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, start, src, 1);
    return _mm512_srlv_epi32(four, shift);
}

static inline void vbmi_store_pixels(uint8_t *dst, __m512i pixels, size_t count)
{
    const __m512i drop = _mm512_setr_epi32(
        0x04020100, 0x09080605, 0x0E0D0C0A, 0x14121110, 0x19181615, 0x1E1D1C1A, 0x24222120,
        0x29282625, 0x2E2D2C2A, 0x34323130, 0x39383635, 0x3E3D3C3A, 0, 0, 0, 0);
    __mmask64 here = vbmi_first(3 * count) & 0xFFFFFFFFFFFF;
    _mm512_mask_storeu_epi8(dst, here, _mm512_permutexvar_epi8(drop, pixels));
}

static void vbmi_gather(uint8_t *restrict dst, uint8_t *restrict dst_mask, size_t count,
                        const pba_image *src, augment_walk walk)
{
    size_t channels = (size_t)src->channels, area = (size_t)src->width * (size_t)src->height;
    if (area < 4 || area > INT32_MAX / 3) {
        gather_row(dst, dst_mask, count, src, walk);
        return;
    }
    const __m512i lanes = vbmi_lanes(), width = _mm512_set1_epi32(src->width);
    const __m512i right = _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)walk.step_x));
    const __m512i down = _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)walk.step_y));
    for (size_t i = 0; i < count; i += 16, walk.x += 16 * walk.step_x, walk.y += 16 * walk.step_y) {
        size_t left = count - i;
        __mmask16 here = (__mmask16)vbmi_first(left);
        __m512i x = _mm512_add_epi32(_mm512_set1_epi32((int)walk.x), right);
        __m512i y = _mm512_add_epi32(_mm512_set1_epi32((int)walk.y), down);
        __m512i at = _mm512_add_epi32(_mm512_mullo_epi32(_mm512_srai_epi32(y, 16), width),
                                      _mm512_srai_epi32(x, 16));
        if (channels == 3) {
            __m512i offset = _mm512_add_epi32(at, _mm512_add_epi32(at, at));
            vbmi_store_pixels(dst + 3 * i, vbmi_bytes_at(src->pixels, offset, 3, here), left);
        } else {
            _mm512_mask_cvtepi32_storeu_epi8(dst + i, here,
                                             vbmi_bytes_at(src->pixels, at, 1, here));
        }
        __m512i mask = src->mask ? vbmi_bytes_at(src->mask, at, 1, here) : _mm512_set1_epi8(-1);
        _mm512_mask_cvtepi32_storeu_epi8(dst_mask + i, here, mask);
    }
}

/* Short runs by short registers: a store that crosses a line costs twice, even where it is masked.
 */
static void vbmi_slide(uint8_t *restrict dst, const uint8_t *restrict src, size_t line,
                       const augment_run *runs, size_t count, size_t step)
{
    for (const augment_run *run = runs; run < runs + count; run++) {
        size_t at = (size_t)run->x * step, bytes = (size_t)run->count * step;
        const uint8_t *from = src + (ptrdiff_t)run->dy * (ptrdiff_t)line + at;
        if (bytes <= 16) {
            __mmask16 here = (__mmask16)vbmi_first(bytes);
            _mm_mask_storeu_epi8(dst + at, here, _mm_maskz_loadu_epi8(here, from));
            continue;
        }
        for (size_t i = 0; i < bytes; i += 64) {
            __mmask64 here = vbmi_first(bytes - i);
            _mm512_mask_storeu_epi8(dst + at + i, here, _mm512_maskz_loadu_epi8(here, from + i));
        }
    }
}

/* 16 pixels of an enlargement come from at most 18 neighbours, which two registers hold. */
static void vbmi_across(uint8_t *restrict dst, const uint8_t *restrict src,
                        const augment_columns *columns, size_t pixels, size_t planes)
{
    const __mmask64 low_bytes = 0x1111111111111111;
    const __m512i half = _mm512_set1_epi32(1 << (AUGMENT_PRECISION - 1));
    for (size_t x = 0; x < pixels; x += 16) {
        size_t left = pixels - x, base = (size_t)columns->start[x];
        size_t bytes = ((size_t)columns->in - base) * planes;
        const uint8_t *from = src + base * planes;
        __mmask16 here = (__mmask16)vbmi_first(left);
        __m512i low = _mm512_maskz_loadu_epi8(vbmi_first(bytes), from);
        __m512i high = _mm512_maskz_loadu_epi8(vbmi_first(bytes > 64 ? bytes - 64 : 0), from + 64);
        __m512i start = _mm512_sub_epi32(_mm512_maskz_loadu_epi32(here, columns->start + x),
                                         _mm512_set1_epi32((int)base));
        start = _mm512_mullo_epi32(start, _mm512_set1_epi32((int)planes));
        __m512i out = _mm512_setzero_si512();
        for (size_t p = 0; p < planes; p++) {
            __m512i sum = half;
            for (size_t t = 0; t < AUGMENT_TAPS; t++) {
                __m512i at = _mm512_add_epi32(start, _mm512_set1_epi32((int)(p + t * planes)));
                __m512i v = _mm512_maskz_permutex2var_epi8(low_bytes, low, at, high);
                __m512i tap = _mm512_maskz_loadu_epi32(here, columns->tap[t] + x);
                sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(v, tap));
            }
            sum = _mm512_srli_epi32(sum, AUGMENT_PRECISION);
            out = _mm512_or_epi32(out, _mm512_sllv_epi32(sum, _mm512_set1_epi32((int)(8 * p))));
        }
        if (planes == 4) {
            _mm512_mask_storeu_epi32(dst + 4 * x, here, out);
        } else if (planes == 3) {
            vbmi_store_pixels(dst + 3 * x, out, left);
        } else if (planes == 2) {
            _mm512_mask_cvtepi32_storeu_epi16(dst + 2 * x, here, out);
        } else {
            _mm512_mask_cvtepi32_storeu_epi8(dst + x, here, out);
        }
    }
}

/* ------------------------------------------------------------------------------- finish */

/* What does not change from row to row: where the numbers of a vector come from, and what becomes
 * of them. A chunk is 16 pixels of a row: as many vectors as channels, planes or interleaved. */
typedef struct vbmi_form {
    __m512i from[3]; /* byte of the chunk, a number each */
    __m512 scale[3], shift[3];
    size_t channels, apart, pixel; /* numbers between a chunk's vectors, and from pixel to pixel */
    bool interleaved, mirror;
} vbmi_form;

/* The columns of a chunk. Bits are pixels, or their numbers where interleaved; which of them to
 * write, have content, have content beside the hole; and which bytes and mask bytes to read. */
typedef struct vbmi_chunk {
    uint64_t write, content, beside, bytes;
    __mmask16 masks;
    ptrdiff_t source, column; /* its first pixel in the source's row and the result's */
} vbmi_chunk;

enum { VBMI_CHUNKS = 64 };

static inline uint64_t vbmi_triple(uint64_t pixels)
{
    return _pdep_u64(pixels, 0x249249249249) * 7;
}

static vbmi_form vbmi_form_of(const pba_image *src, const augment_tail *tail,
                              const augment_form *form)
{
    static const int third[18] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
    int channels = src->channels;
    bool interleaved = form->interleaved && channels == 3; /* one channel is both */
    vbmi_form made; /* not cleared: that would take as long as two rows */
    made.channels = (size_t)channels;
    made.apart = interleaved ? 16 : (size_t)src->width * (size_t)src->height;
    made.pixel = interleaved ? 3 : 1;
    made.interleaved = interleaved;
    made.mirror = tail->mirror;
    const __m512i lanes = vbmi_lanes();
    const __m512i order = tail->mirror ? _mm512_sub_epi32(_mm512_set1_epi32(15), lanes) : lanes;
    const __m512i start = _mm512_mullo_epi32(order, _mm512_set1_epi32(channels));
    for (int v = 0; v < channels; v++) {
        if (!interleaved) {
            made.from[v] = _mm512_add_epi32(start, _mm512_set1_epi32(v));
            made.scale[v] = _mm512_set1_ps(form->scale[v]);
            made.shift[v] = _mm512_set1_ps(form->shift[v]);
            continue;
        }
        /* number e is channel c = e % 3 of pixel e / 3; mirrored, of pixel 15 - e / 3 */
        __m512i e = _mm512_add_epi32(lanes, _mm512_set1_epi32(16 * v));
        __m512i c = _mm512_loadu_si512(third + v);
        __m512i mirrored =
            _mm512_sub_epi32(_mm512_add_epi32(_mm512_add_epi32(c, c), _mm512_set1_epi32(45)), e);
        made.from[v] = tail->mirror ? mirrored : e;
        made.scale[v] = _mm512_permutexvar_ps(c, _mm512_maskz_loadu_ps(7, form->scale));
        made.shift[v] = _mm512_permutexvar_ps(c, _mm512_maskz_loadu_ps(7, form->shift));
    }
    return made;
}

/* Bits from..to-1 of the 16 that stand for columns x and on. */
static inline uint64_t vbmi_columns(int from, int to, int x)
{
    uint64_t bits = vbmi_first((size_t)(to > x ? to - x : 0));
    return bits & ~vbmi_first((size_t)(from > x ? from - x : 0)) & 0xFFFF;
}

static vbmi_chunk vbmi_chunk_at(const vbmi_form *form, const augment_tail *tail, int width, int x)
{
    int least = tail->dx < 0 ? -tail->dx : 0, most = width - (tail->dx > 0 ? tail->dx : 0);
    int source = tail->mirror ? width - 1 - x - 15 : x; /* in the window */
    uint64_t content =
        tail->mirror ? vbmi_columns(width - most, width - least, x) : vbmi_columns(least, most, x);
    uint64_t read = vbmi_columns(least, most, source);
    uint64_t write = vbmi_columns(0, width, x);
    uint64_t beside = content & ~vbmi_columns(tail->left, tail->right, x);
    vbmi_chunk chunk = {.write = write,
                        .content = content,
                        .beside = beside,
                        .bytes = form->channels == 3 ? vbmi_triple(read) : read,
                        .masks = (__mmask16)read,
                        .source = source + tail->dx,
                        .column = x};
    if (form->interleaved) {
        chunk.write = vbmi_triple(write);
        chunk.content = vbmi_triple(content);
        chunk.beside = vbmi_triple(beside);
    }
    return chunk;
}

static inline __m256i vbmi_bf16(__m512 value)
{
    __m512i bits = _mm512_castps_si512(value);
    __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    bits = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
}

static inline void vbmi_put(void *out, size_t at, __m512 value, __mmask16 write, bool bf16)
{
    if (bf16) {
        _mm256_mask_storeu_epi16((uint16_t *)out + at, write, vbmi_bf16(value));
    } else {
        _mm512_mask_storeu_ps((float *)out + at, write, value);
    }
}

/* Which of the chunk's numbers have a mask that is not 0. */
static inline uint64_t vbmi_masked(const vbmi_form *form, const vbmi_chunk *chunk,
                                   const uint8_t *mask)
{
    const __m128i back = _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m128i bytes = _mm_maskz_loadu_epi8(chunk->masks, mask);
    bytes = form->mirror ? _mm_shuffle_epi8(bytes, back) : bytes;
    uint64_t pixels = _mm_test_epi8_mask(bytes, bytes);
    return form->interleaved ? vbmi_triple(pixels) : pixels;
}

/* Up to VBMI_CHUNKS chunks of row y; channels and type known where this is compiled. */
static inline __attribute__((always_inline)) void
vbmi_finish_row(void *restrict out, const pba_image *src, const augment_tail *tail,
                const vbmi_form *form, const vbmi_lut *lut, const vbmi_chunk *chunks, int count,
                int y, size_t channels, bool bf16)
{
    const __mmask64 low_bytes = 0x1111111111111111;
    size_t width = (size_t)src->width, to = (size_t)y * width;
    bool inside = y + tail->dy >= 0 && y + tail->dy < src->height;
    bool hole = y >= tail->top && y < tail->bottom;
    ptrdiff_t from = inside ? (ptrdiff_t)(y + tail->dy) * (ptrdiff_t)width : 0;
    for (const vbmi_chunk *chunk = chunks; chunk < chunks + count; chunk++) {
        uint64_t content = !inside ? 0 : hole ? chunk->beside : chunk->content;
        ptrdiff_t first = from + chunk->source;
        __m512i bytes = _mm512_maskz_loadu_epi8(inside ? chunk->bytes : 0,
                                                src->pixels + first * (ptrdiff_t)channels);
        if (lut) {
            bytes = vbmi_look_up(lut, bytes);
        }
        if (src->mask && inside) {
            content &= vbmi_masked(form, chunk, src->mask + first);
        }
        size_t at = (to + (size_t)chunk->column) * form->pixel;
        for (size_t v = 0; v < channels; v++) {
            size_t skip = form->interleaved ? 16 * v : 0;
            __m512 value =
                _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi8(low_bytes, form->from[v], bytes));
            value = _mm512_maskz_add_ps((__mmask16)(content >> skip),
                                        _mm512_mul_ps(value, form->scale[v]), form->shift[v]);
            vbmi_put(out, at + v * form->apart, value, (__mmask16)(chunk->write >> skip), bf16);
        }
    }
}

static inline __attribute__((always_inline)) void
vbmi_finish_rows(void *restrict out, const pba_image *src, const augment_tail *tail,
                 const vbmi_form *form, const vbmi_lut *lut, const vbmi_chunk *chunks, int count,
                 size_t channels, bool bf16)
{
    for (int y = 0; y < src->height; y++) {
        vbmi_finish_row(out, src, tail, form, lut, chunks, count, y, channels, bf16);
    }
}

static void vbmi_finish(void *restrict out, const pba_image *src, const augment_tail *tail,
                        const augment_form *form)
{
    const vbmi_form made = vbmi_form_of(src, tail, form);
    vbmi_chunk chunks[VBMI_CHUNKS];
    vbmi_lut table, *lut = NULL;
    if (tail->table) {
        table = vbmi_lut_of(tail->table);
        lut = &table;
    }
    for (int x = 0; x < src->width;) {
        int count = 0;
        for (; count < VBMI_CHUNKS && x < src->width; count++, x += 16) {
            chunks[count] = vbmi_chunk_at(&made, tail, src->width, x);
        }
        if (made.channels == 3 && !form->bf16) {
            vbmi_finish_rows(out, src, tail, &made, lut, chunks, count, 3, false);
        } else {
            vbmi_finish_rows(out, src, tail, &made, lut, chunks, count, made.channels, form->bf16);
        }
    }
}

#endif
