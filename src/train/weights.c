/* SPDX-License-Identifier: Apache-2.0
 * Weights as safetensors: 8 bytes with the length of a JSON header, the header, the tensors without
 * gaps. The header maps a name to {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]},
 * offsets counted from the header's end, and "__metadata__" to texts. Everything is little-endian.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/printable.h"
#include "schedule/fields.h"
#include "train/checkpoint.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors are written as in memory");

enum { LENGTH_BYTES = 8, HEADER_LIMIT = 1 << 24 };
static const char metadata_key[] = "__metadata__";

static size_t tensor_bytes(const nn_tensor *tensor)
{
    return tensor->count * sizeof(float);
}

static size_t tensor_place(const nn_graph *graph, const nn_tensor *tensor)
{
    return tensor->offset + (tensor->role == NN_RUNNING ? 2 * graph->trainable : 0);
}

static size_t total_bytes(const nn_graph *graph)
{
    size_t bytes = 0;
    for (int i = 0; i < graph->tensor_count; i++) {
        bytes += tensor_bytes(&graph->tensors[i]);
    }
    return bytes;
}

/* ------------------------------------------------------------------ writing */

static json_t *describe(const nn_tensor *tensor, size_t begin)
{
    json_t *shape = json_array();
    for (int d = 0; d < tensor->dims; d++) {
        if (json_array_append_new(shape, json_integer(tensor->shape[d])) != 0) {
            json_decref(shape);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tensor_bytes(tensor)));
}

static pba_status add_metadata(json_t *header, const char *const *metadata)
{
    json_t *texts = json_object(), *value;
    pba_status status = PBA_OK;
    int failed = json_object_set_new(header, metadata_key, texts);
    for (; metadata && metadata[0] && status == PBA_OK; metadata += 2) {
        status = schedule_text_json(metadata[1], &value);
        failed |= status == PBA_OK && json_object_set_new(texts, metadata[0], value) != 0;
    }
    return status == PBA_USAGE ? status_set(PBA_USAGE, "weights: metadata must be text in UTF-8")
           : failed            ? status_set(PBA_MEMORY, "weights: out of memory")
                               : status;
}

/* The header's JSON, filled up with spaces to a multiple of 8 bytes. */
static pba_status header_text(const nn_graph *graph, const char *const *metadata, char **text)
{
    json_t *header = json_object();
    pba_status status =
        header ? add_metadata(header, metadata) : status_set(PBA_MEMORY, "weights: out of memory");
    size_t begin = 0;
    for (int i = 0; i < graph->tensor_count && status == PBA_OK; i++) {
        const nn_tensor *tensor = &graph->tensors[i];
        if (json_object_set_new(header, tensor->name, describe(tensor, begin)) != 0) {
            status = status_set(PBA_MEMORY, "weights: out of memory");
        }
        begin += tensor_bytes(tensor);
    }
    char *packed;
    if (status == PBA_OK) {
        status = schedule_json_dump(header, JSON_COMPACT, "weights", &packed);
    }
    json_decref(header);
    if (status != PBA_OK) {
        return status;
    }
    size_t length = strlen(packed), padded = (length + 7) / 8 * 8;
    *text = memory_new(padded + 1, 1);
    if (*text) {
        memset(*text, ' ', padded);
        memcpy(*text, packed, length);
    }
    free(packed);
    return *text ? PBA_OK : PBA_MEMORY;
}

pba_status weights_save(const char *path, const nn_graph *graph, const float *block,
                        const char *const *metadata)
{
    char *text = NULL;
    pba_status status = header_text(graph, metadata, &text);
    size_t count = (size_t)graph->tensor_count + 2;
    file_part *parts = status == PBA_OK ? memory_new(count, sizeof *parts) : NULL;
    if (!parts) {
        free(text);
        return status == PBA_OK ? PBA_MEMORY : status_prefix(status, "%s", path);
    }
    uint64_t length = strlen(text);
    parts[0] = (file_part){&length, LENGTH_BYTES};
    parts[1] = (file_part){text, length};
    for (int i = 0; i < graph->tensor_count; i++) {
        const nn_tensor *tensor = &graph->tensors[i];
        parts[i + 2] = (file_part){block + tensor_place(graph, tensor), tensor_bytes(tensor)};
    }
    status = file_write_parts(path, parts, count);
    free(parts);
    free(text);
    return status;
}

/* ------------------------------------------------------------------ reading */

typedef struct range {
    size_t begin, end; /* bytes from the header's end */
    const nn_tensor *tensor;
} range;

typedef struct source {
    const char *path;
    json_t *header;
    const char *data; /* behind the header */
    size_t bytes;     /* of data */
    range *ranges;    /* graph->tensor_count */
} source;

static pba_status refuse(const source *source, const char *tensor, const char *what)
{
    char name[PBA_NAME_MAX * 2]; /* it may come from the file: nothing that a terminal obeys */
    snprintf(name, sizeof name, "%s", tensor);
    printable_make(name);
    return status_set(PBA_FORMAT,
                      "%s: tensor %s %s; these are weights of another network, or damaged",
                      source->path, name, what);
}

static bool same_shape(const json_t *shape, const nn_tensor *tensor)
{
    if (!json_is_array(shape) || json_array_size(shape) != (size_t)tensor->dims) {
        return false;
    }
    for (int d = 0; d < tensor->dims; d++) {
        const json_t *size = json_array_get(shape, (size_t)d);
        if (!json_is_integer(size) || json_integer_value(size) != tensor->shape[d]) {
            return false;
        }
    }
    return true;
}

static bool read_range(const json_t *offsets, size_t bytes, range *range)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end)) {
        return false;
    }
    json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from || (uint64_t)to > bytes) {
        return false;
    }
    range->begin = (size_t)from;
    range->end = (size_t)to;
    return true;
}

static pba_status check_tensor(const source *source, const nn_tensor *tensor, range *range)
{
    const json_t *entry = json_object_get(source->header, tensor->name);
    if (!json_is_object(entry)) {
        return refuse(source, tensor->name, "is missing");
    }
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    if (!type || strcmp(type, "F32") != 0) {
        return refuse(source, tensor->name, "is not of type F32");
    }
    if (!same_shape(json_object_get(entry, "shape"), tensor)) {
        return refuse(source, tensor->name, "has another shape");
    }
    range->tensor = tensor;
    if (!read_range(json_object_get(entry, "data_offsets"), source->bytes, range) ||
        range->end - range->begin != tensor_bytes(tensor)) {
        return refuse(source, tensor->name, "has offsets that do not fit");
    }
    return PBA_OK;
}

static int by_begin(const void *a, const void *b)
{
    const range *left = a, *right = b;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* The tensors cover the data without gaps and overlaps. */
static pba_status check_cover(source *source, int count)
{
    qsort(source->ranges, (size_t)count, sizeof *source->ranges, by_begin);
    size_t end = 0;
    for (int i = 0; i < count; i++) {
        if (source->ranges[i].begin != end) {
            return refuse(source, source->ranges[i].tensor->name, "leaves a gap or overlaps");
        }
        end = source->ranges[i].end;
    }
    if (end != source->bytes) {
        return status_set(PBA_FORMAT, "%s: %zu bytes belong to no tensor: it is damaged",
                          source->path, source->bytes - end);
    }
    return PBA_OK;
}

static const nn_tensor *find_tensor(const nn_graph *graph, const char *name)
{
    for (int i = 0; i < graph->tensor_count; i++) {
        if (strcmp(graph->tensors[i].name, name) == 0) {
            return &graph->tensors[i];
        }
    }
    return NULL;
}

static pba_status check_tensors(source *source, const nn_graph *graph)
{
    const char *name;
    json_t *entry;
    json_object_foreach(source->header, name, entry)
    {
        if (strcmp(name, metadata_key) != 0 && !find_tensor(graph, name)) {
            return refuse(source, name, "is not one of the network's");
        }
    }
    for (int i = 0; i < graph->tensor_count; i++) {
        pba_status status = check_tensor(source, &graph->tensors[i], &source->ranges[i]);
        if (status != PBA_OK) {
            return status;
        }
    }
    return check_cover(source, graph->tensor_count);
}

static pba_status read_header(source *source, const char *data, size_t size)
{
    uint64_t length = 0;
    if (size >= LENGTH_BYTES) {
        memcpy(&length, data, LENGTH_BYTES);
    }
    if (size < LENGTH_BYTES || length > size - LENGTH_BYTES || length > HEADER_LIMIT) {
        return status_set(PBA_FORMAT, "%s: is no safetensors file, or is cut off in its header",
                          source->path);
    }
    pba_status status = schedule_json_parse(data + LENGTH_BYTES, length, &source->header);
    if (status != PBA_OK) {
        return status == PBA_MEMORY
                   ? status_prefix(status, "%s", source->path)
                   : status_prefix(status,
                                   "%s: is no safetensors file: its header is no JSON object",
                                   source->path);
    }
    source->data = data + LENGTH_BYTES + length;
    source->bytes = size - LENGTH_BYTES - length;
    return PBA_OK;
}

static void fill(const source *source, const nn_graph *graph, float *block)
{
    memset(block, 0, graph->block * sizeof *block); /* momentum and padding */
    for (int i = 0; i < graph->tensor_count; i++) {
        const range *range = &source->ranges[i];
        memcpy(block + tensor_place(graph, range->tensor), source->data + range->begin,
               range->end - range->begin);
    }
}

pba_status weights_load(const char *path, const nn_graph *graph, float *block)
{
    source source = {.path = path};
    char *data = NULL;
    size_t size, most = LENGTH_BYTES + HEADER_LIMIT + total_bytes(graph);
    pba_status status = file_read(path, most, &data, &size);
    if (status == PBA_OK) {
        source.ranges = memory_new((size_t)graph->tensor_count, sizeof *source.ranges);
        status = source.ranges ? read_header(&source, data, size) : PBA_MEMORY;
    }
    if (status == PBA_OK) {
        status = check_tensors(&source, graph);
    }
    if (status == PBA_OK) {
        fill(&source, graph, block);
    }
    json_decref(source.header);
    free(source.ranges);
    free(data);
    return status;
}

pba_status weights_metadata(const char *path, const char *key, char *text, size_t size)
{
    source source = {.path = path};
    char *data = NULL;
    size_t bytes;
    pba_status status = file_read(path, SIZE_MAX / 2, &data, &bytes);
    if (status == PBA_OK) {
        status = read_header(&source, data, bytes);
    }
    if (status == PBA_OK) {
        const char *found =
            json_string_value(json_object_get(json_object_get(source.header, metadata_key), key));
        if (!found || strlen(found) >= size) {
            status = status_set(PBA_NOT_FOUND, "%s: does not say its %s", path, key);
        } else {
            memcpy(text, found, strlen(found) + 1);
        }
    }
    json_decref(source.header);
    free(data);
    return status;
}
