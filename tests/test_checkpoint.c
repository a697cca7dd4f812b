/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints and weights: round trips; damage anywhere is an error and leaves the block alone; the
 * weights' file is read here a second time, by the description of safetensors. */
#include "check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/rng.h"
#include "faults.h"
#include "nn/model.h"
#include "train/checkpoint.h"

static const checkpoint_place somewhere = {
    .round = 7, .epoch = 21, .step = 3, .correct = 99, .loss_sum = 1.25};

static char folder[64], path[PBA_PATH_MAX];

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-test-checkpoint-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static void put(const void *data, size_t size)
{
    FILE *file = fopen(path, "wb"); /* file_write would wait for the disk each time */
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static char *take(size_t *size)
{
    char *data;
    assert_ok(file_read(path, 1 << 28, &data, size));
    return data;
}

static void assert_message(const char *part)
{
    if (!strstr(pba_error_message(), part) || !strstr(pba_error_message(), path)) {
        fail_msg("\"%s\" does not contain \"%s\"", pba_error_message(), part);
    }
}

/* -------------------------------------------------------------- checkpoints */

enum { FLOATS = 100 };

static void random_floats(float *block, size_t count, uint32_t stream)
{
    rng rng = rng_at(1, RNG_INIT, 0, 0, stream);
    for (size_t i = 0; i < count; i++) {
        block[i] = (float)rng_normal(&rng);
    }
}

static void test_checkpoint_round_trip(void **state)
{
    float written[FLOATS], read[FLOATS] = {0};
    checkpoint_place place = {0};
    random_floats(written, FLOATS, 1);
    assert_ok(checkpoint_write(path, NULL, written, FLOATS, &somewhere));
    assert_ok(checkpoint_read(path, read, FLOATS, 7, &place));
    assert_memory_equal(written, read, sizeof read);
    assert_int_equal(place.round, 7);
    assert_int_equal(place.epoch, 21);
    assert_int_equal(place.step, 3);
    assert_int_equal(place.correct, 99);
    assert_true(place.loss_sum == 1.25);
    assert_ok(checkpoint_read(path, read, FLOATS, -1, &place));
}

static void refuse_checkpoint(size_t floats, int round, const char *part)
{
    float *block = malloc((FLOATS + 1) * sizeof *block);
    memset(block, 0x7b, (FLOATS + 1) * sizeof *block);
    checkpoint_place place = {.epoch = -5};
    assert_int_equal(checkpoint_read(path, block, floats, round, &place), PBA_FORMAT);
    assert_message(part);
    assert_int_equal(place.epoch, -5);
    for (size_t i = 0; i < (FLOATS + 1) * sizeof *block; i++) {
        assert_int_equal(((unsigned char *)block)[i], 0x7b);
    }
    free(block);
}

static void test_checkpoint_refused(void **state)
{
    float block[FLOATS];
    random_floats(block, FLOATS, 2);
    assert_ok(checkpoint_write(path, NULL, block, FLOATS, &somewhere));
    refuse_checkpoint(FLOATS, 8, "is of round 7, not 8");
    refuse_checkpoint(FLOATS + 1, 7, "holds 100 numbers, the network has 101");
    refuse_checkpoint(FLOATS - 1, 7, "");
    size_t size;
    char *data = take(&size);
    data[8] = 3;
    put(data, size);
    refuse_checkpoint(FLOATS, 7, "checkpoint format 3");
    free(data);
    unlink(path);
    checkpoint_place place;
    assert_int_equal(checkpoint_read(path, block, FLOATS, 7, &place), PBA_NOT_FOUND);
    put("x", 1);
}

static void test_checkpoint_damaged(void **state)
{
    float block[FLOATS];
    random_floats(block, FLOATS, 3);
    assert_ok(checkpoint_write(path, NULL, block, FLOATS, &somewhere));
    size_t size;
    char *data = take(&size);
    for (size_t i = 0; i < size; i++) {
        data[i] ^= (char)(1 << i % 8);
        put(data, size);
        refuse_checkpoint(FLOATS, -1, "");
        data[i] ^= (char)(1 << i % 8);
    }
    for (size_t cut = 0; cut < size; cut += 3) {
        put(data, cut);
        refuse_checkpoint(FLOATS, -1, "");
    }
    free(data);
}

/* Signals before every call, and reads and writes that do a part. */
static void test_checkpoint_interrupted(void **state)
{
    const fault_mode modes[] = {FAULT_INTERRUPT, FAULT_SHORT};
    float written[FLOATS], read[FLOATS];
    random_floats(written, FLOATS, 4);
    faults_open(folder, "");
    for (int i = 0; i < 2; i++) {
        checkpoint_place place = {0};
        faults_arm(modes[i], 0, 0);
        assert_ok(checkpoint_write(path, NULL, written, FLOATS, &somewhere));
        assert_ok(checkpoint_read(path, read, FLOATS, 7, &place));
        assert_memory_equal(written, read, sizeof read);
        assert_ok(checkpoint_peek(path, &place));
        assert_int_equal(place.epoch, 21);
        assert_true(faults_disturbed() > 3);
    }
    faults_arm(FAULT_COUNT, 0, 0);
    assert_ok(file_write(path, "short", 5));
    checkpoint_place place;
    assert_int_equal(checkpoint_peek(path, &place), PBA_FORMAT);
    unlink(path);
    assert_int_equal(checkpoint_peek(path, &place), PBA_NOT_FOUND);
}

/* ------------------------------------------------------------------ weights */

static nn_graph *build(const char *model, int classes)
{
    nn_graph *graph;
    assert_ok(nn_model_build(model, 32, 32, 3, classes, &graph));
    return graph;
}

/* Everything random, padding and momentum included: neither may reach the file. */
static float *random_block(const nn_graph *graph)
{
    float *block = memory_aligned(graph->block, sizeof *block);
    assert_non_null(block);
    random_floats(block, graph->block, 4);
    return block;
}

static const float *tensor_of(const nn_graph *graph, const float *block, int index)
{
    const nn_tensor *tensor = &graph->tensors[index];
    return block + tensor->offset + (tensor->role == NN_RUNNING ? 2 * graph->trainable : 0);
}

static void test_weights_round_trip(void **state)
{
    nn_graph *graph = build("wrn-10-1", 10);
    float *written = random_block(graph), *read = random_block(graph);
    const char *metadata[] = {"model", "wrn-10-1", "classes", "10", NULL};
    assert_ok(weights_save(path, graph, written, metadata));
    assert_ok(weights_load(path, graph, read));
    size_t used = 0, kept = 0;
    for (int i = 0; i < graph->tensor_count; i++) {
        size_t count = graph->tensors[i].count;
        assert_memory_equal(tensor_of(graph, written, i), tensor_of(graph, read, i), count * 4);
        used += count;
    }
    for (size_t i = 0; i < graph->block; i++) {
        kept += read[i] != 0;
    }
    assert_int_equal(kept, used); /* momentum and padding are zero */
    free(written);
    free(read);
    nn_graph_free(graph);
}

static void test_weights_layout(void **state)
{
    nn_graph *graph = build("wrn-10-1", 10);
    float *block = random_block(graph);
    const char *metadata[] = {"model", "wrn-10-1", NULL};
    assert_ok(weights_save(path, graph, block, metadata));
    size_t size, end = 0;
    char *data = take(&size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) {
        length = length << 8 | (unsigned char)data[i];
    }
    assert_int_equal(length % 8, 0);
    json_t *header = json_loadb(data + 8, length, 0, NULL);
    assert_int_equal(json_object_size(header), graph->tensor_count + 1);
    const char *model = NULL, *type;
    assert_int_equal(json_unpack(header, "{s:{s:s}}", "__metadata__", "model", &model), 0);
    assert_string_equal(model, "wrn-10-1");
    for (int i = 0; i < graph->tensor_count; i++) {
        const nn_tensor *tensor = &graph->tensors[i];
        json_t *shape;
        json_int_t from, to, count = 1;
        assert_int_equal(json_unpack(header, "{s:{s:s,s:o,s:[I,I]}}", tensor->name, "dtype", &type,
                                     "shape", &shape, "data_offsets", &from, &to),
                         0);
        assert_string_equal(type, "F32");
        for (size_t d = 0; d < json_array_size(shape); d++) {
            count *= json_integer_value(json_array_get(shape, d));
        }
        assert_int_equal(to - from, count * 4);
        assert_int_equal(from, end);
        assert_memory_equal(data + 8 + length + from, tensor_of(graph, block, i), count * 4);
        end = (size_t)to;
    }
    assert_int_equal(8 + length + end, size);
    json_decref(header);
    free(data);
    free(block);
    nn_graph_free(graph);
}

static void refuse_weights(const nn_graph *graph, const char *part)
{
    float *block = random_block(graph), *before = random_block(graph);
    assert_int_equal(weights_load(path, graph, block), PBA_FORMAT);
    assert_message(part);
    assert_null(strchr(pba_error_message(), '\n'));
    assert_memory_equal(block, before, graph->block * sizeof *block);
    free(block);
    free(before);
}

static void test_weights_of_another_network(void **state)
{
    nn_graph *graph = build("wrn-10-1", 10), *wide = build("wrn-10-2", 10),
             *deep = build("wrn-16-1", 10), *classes = build("wrn-10-1", 11);
    float *block = random_block(graph);
    assert_ok(weights_save(path, graph, block, NULL));
    refuse_weights(wide, "has another shape");
    refuse_weights(deep, "is missing");
    refuse_weights(classes, "has another shape");
    free(block);
    block = random_block(deep);
    assert_ok(weights_save(path, deep, block, NULL));
    refuse_weights(graph, "is not one of the network's");
    free(block);
    nn_graph_free(graph);
    nn_graph_free(wide);
    nn_graph_free(deep);
    nn_graph_free(classes);
}

/* One 2-class linear layer on a 1 x 1 grey image: "fc.weight" (2 x 1), "fc.bias" (2). */
static nn_graph *tiny(void)
{
    nn_graph *graph;
    assert_ok(nn_graph_create(1, 1, 1, 2, &graph));
    nn_linear(graph, "fc", nn_mean(graph, nn_input(graph)), 2);
    assert_ok(graph->status);
    return graph;
}

static void put_header(const char *header, uint64_t length, size_t data_bytes)
{
    char bytes[2048] = {0};
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, strlen(header));
    put(bytes, 8 + strlen(header) + data_bytes);
}

#define WEIGHT "\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":"
#define BIAS "\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"

static void test_weights_hostile_header(void **state)
{
    nn_graph *graph = tiny();
    static const struct {
        const char *header, *part;
        size_t bytes;
    } cases[] = {
        {"", "no JSON object", 16},
        {"[]", "no JSON object", 16},
        {"{\"a", "no JSON object", 16},
        {"{}", "fc.weight is missing", 16},
        {"{\"x\\n\\u001b\":1}", "tensor x?? is not one", 16},
        {"{" WEIGHT "[0,8]}}", "fc.bias is missing", 16},
        {"{" WEIGHT "[0,8]}," WEIGHT "[0,8]}," BIAS "[8,16]}}", "no JSON object", 16},
        {"{" WEIGHT "[0,8]}," BIAS "[8,17]}}", "fc.bias has offsets", 17},
        {"{" WEIGHT "[0,8]}," BIAS "[8,16]}}", "fc.bias has offsets", 15},
        {"{" WEIGHT "[0,8]}," BIAS "[8,16]}}", "1 bytes belong to no tensor", 17},
        {"{" WEIGHT "[0,8]}," BIAS "[9,17]}}", "gap or overlaps", 17},
        {"{" WEIGHT "[0,8]}," BIAS "[4,12]}}", "gap or overlaps", 16},
        {"{" WEIGHT "[-8,0]}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{" WEIGHT "[8,0]}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{" WEIGHT "[0,9223372036854775807]}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{" WEIGHT "[0.0,8.0]}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{" WEIGHT "[0]}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{" WEIGHT "8}," BIAS "[8,16]}}", "fc.weight has offsets", 16},
        {"{\"fc.weight\":7," BIAS "[8,16]}}", "fc.weight is missing", 16},
        {"{\"fc.weight\":{}," BIAS "[8,16]}}", "fc.weight is not of type F32", 16},
        {"{\"fc.weight\":{\"dtype\":\"F64\"}," BIAS "[8,16]}}", "not of type F32", 16},
        {"{\"fc.weight\":{\"dtype\":\"F32\"}," BIAS "[8,16]}}", "has another shape", 16},
        {"{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}," BIAS
         "[8,16]}}",
         "fc.weight has another shape", 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_header(cases[i].header, strlen(cases[i].header), cases[i].bytes);
        refuse_weights(graph, cases[i].part);
    }
    const char *good = "{" BIAS "[0,8]}," WEIGHT "[8,16]}}"; /* any order will do */
    float block[256] = {0};
    assert_true(graph->block <= 256);
    put_header(good, strlen(good), 16);
    assert_ok(weights_load(path, graph, block));
    const uint64_t lengths[] = {strlen(good) + 17, 1ull << 32, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put_header(good, lengths[i], 16);
        refuse_weights(graph, "cut off in its header");
    }
    put("1234567", 7);
    refuse_weights(graph, "is no safetensors file");
    nn_graph_free(graph);
}

static void test_weights_cut_off(void **state)
{
    nn_graph *graph = tiny();
    float block[256] = {1};
    assert_ok(weights_save(path, graph, block, NULL));
    size_t size;
    char *data = take(&size);
    for (size_t cut = 0; cut < size; cut++) {
        put(data, cut);
        refuse_weights(graph, "");
    }
    free(data);
    nn_graph_free(graph);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_checkpoint_round_trip),
        IN_FOLDER(test_checkpoint_refused),
        IN_FOLDER(test_checkpoint_damaged),
        IN_FOLDER(test_checkpoint_interrupted),
        IN_FOLDER(test_weights_round_trip),
        IN_FOLDER(test_weights_layout),
        IN_FOLDER(test_weights_of_another_network),
        IN_FOLDER(test_weights_hostile_header),
        IN_FOLDER(test_weights_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
