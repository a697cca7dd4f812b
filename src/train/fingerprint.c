/* SPDX-License-Identifier: Apache-2.0 */
#include "train/fingerprint.h"

#include <string.h>
#include <zlib.h>

#include "augment/ranges.h"
#include "augment/space.h"

static void add(uLong *sum, const void *bytes, size_t size)
{
    *sum = crc32_z(*sum, bytes, size);
}

static void add_int(uLong *sum, int64_t value)
{
    add(sum, &value, sizeof value);
}

static void add_real(uLong *sum, double value)
{
    add(sum, &value, sizeof value);
}

static void add_text(uLong *sum, const char *text)
{
    add(sum, text, strlen(text) + 1);
}

static uLong data_sum(const task *task)
{
    uLong sum = 0;
    const pba_dataset_info *info = &task->info;
    size_t size = (size_t)info->width * (size_t)info->height * (size_t)info->channels;
    const int shape[] = {info->width, info->height, info->channels, info->classes};
    add(&sum, shape, sizeof shape);
    for (int split = 0; split < 3; split++) {
        size_t count = (size_t)task->counts[split];
        add_int(&sum, task->counts[split]);
        if (count) {
            add(&sum, task->labels[split], count * sizeof **task->labels);
            add(&sum, task->ids[split], count * sizeof **task->ids);
        }
        for (size_t i = 0; i < count; i++) {
            add(&sum, task->images[split][i], size);
        }
    }
    return sum;
}

static void add_node(uLong *sum, const nn_node *node)
{
    const int numbers[] = {(int)node->kind,   node->inputs[0],    node->inputs[1],
                           node->shape.width, node->shape.height, node->shape.channels,
                           node->kernel,      node->stride,       node->pad_before,
                           node->pad_after,   node->pad_left,     node->pad_right,
                           node->before,      node->shift,        node->relu};
    add(sum, numbers, sizeof numbers);
    add(sum, node->tensors, sizeof node->tensors);
    add_real(sum, node->keep);
}

static uLong network_sum(const task *task)
{
    uLong sum = 0;
    const nn_graph *graph = task->graph;
    for (int i = 0; i < graph->node_count; i++) {
        add_node(&sum, &graph->nodes[i]);
    }
    for (int i = 0; i < graph->tensor_count; i++) {
        const nn_tensor *tensor = &graph->tensors[i];
        add_text(&sum, tensor->name);
        add_int(&sum, (int64_t)tensor->count);
        add_int(&sum, (int64_t)tensor->offset);
        add_int(&sum, tensor->init);
    }
    return sum;
}

/* What it is, and its value at every level, on an image of the space's own side; that half of them
 * are negated is a flag. */
static void add_op(uLong *sum, const augment_op *op)
{
    const augment_step step = augment_step_of(&augment_space_pba, op, 1);
    add_text(sum, op->name);
    add_text(sum, op->parameter);
    add_real(sum, op->min);
    add_real(sum, op->max);
    add_int(sum, op->flags);
    add(sum, step.parameter, sizeof step.parameter);
}

int64_t fingerprint_op(const augment_op *op)
{
    uLong sum = 0;
    add_op(&sum, op);
    return (int64_t)sum;
}

static void add_space(uLong *sum, const augment_space *space)
{
    add_int(sum, space->side);
    for (int i = 0; i < space->op_count; i++) {
        add_text(sum, space->ops[i]);
    }
}

static void add_ranges(uLong *sum, const augment_ranges *ranges, const augment_canvas *canvas)
{
    for (int i = 0; i < ranges->count * ranges->levels; i++) {
        const augment_shot shot =
            augment_shot_of(ranges, i / ranges->levels, i % ranges->levels, ranges->levels, canvas);
        add_text(sum, shot.op ? shot.op->name : "");
        add_real(sum, shot.centre);
        add_real(sum, shot.swing);
    }
}

static void add_sub_policies(uLong *sum)
{
    const augment_sub_policy *table;
    for (size_t t = 0; (table = augment_autoaugment_at(t)); t++) {
        for (int i = 0; i < 2 * AUGMENT_SUB_POLICIES; i++) {
            const augment_entry *entry = &table[i / 2][i % 2];
            add_text(sum, entry->op);
            add_int(sum, entry->tenths);
            add_int(sum, entry->level);
        }
    }
}

/* The same whatever the task's augmentation is: the arms of a comparison differ in that alone. */
static uLong operations_sum(const task *task)
{
    static const augment_ranges *const others[] = {
        &augment_ranges_autoaugment, &augment_ranges_randaugment, &augment_ranges_trivialaugment};
    const augment_canvas canvas = {task->info.width, task->info.height, true};
    uLong sum = 0;
    const augment_op *op;
    add_space(&sum, &augment_space_pba);
    for (size_t i = 0; (op = augment_op_at(i)); i++) {
        if (!op->plugin) {
            add_op(&sum, op);
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        add_ranges(&sum, others[i], &canvas);
    }
    add_sub_policies(&sum);
    return sum;
}

static const struct part {
    const char *name;
    uLong (*sum)(const task *task);
    const char *changed, *remedy;
} parts[] = {
    {"data", data_sum, "the images or labels of its data set are not those that it began with",
     "put them back as they were"},
    {"network", network_sum, "its network is not built as it was when it began",
     "go on with the build that began it"},
    {"operations", operations_sum,
     "the operations here, or their values at some level, are not those that it began with",
     "go on with the build that began it"},
};
enum { PARTS = sizeof parts / sizeof *parts };

json_t *fingerprint_of(const task *task)
{
    json_t *sums = json_object();
    int failed = !sums;
    for (int i = 0; i < PARTS && !failed; i++) {
        failed = json_object_set_new(sums, parts[i].name,
                                     json_integer((json_int_t)parts[i].sum(task))) != 0;
    }
    if (failed) {
        json_decref(sums);
        return NULL;
    }
    return sums;
}

static pba_status refuse_key(const char *path, const char *key)
{
    return status_set(PBA_FORMAT,
                      "%s: \"%s\" is missing or damaged: it tells what the run was begun with; "
                      "put the file back as it was, or start a new run",
                      path, key);
}

static pba_status check_version(const char *path, const char *version)
{
    if (!version) {
        return refuse_key(path, "pba");
    }
    return strcmp(version, pba_version()) == 0
               ? PBA_OK
               : status_set(PBA_FORMAT,
                            "%s: the run was begun by pba %s and this is %s, whose numbers may be "
                            "others; go on with pba %s, or start a new run",
                            path, version, pba_version(), version);
}

static pba_status check_part(const char *path, const struct part *part, const json_t *sum,
                             const task *task)
{
    if (!json_is_integer(sum)) {
        return refuse_key(path, part->name);
    }
    return json_integer_value(sum) == (json_int_t)part->sum(task)
               ? PBA_OK
               : status_set(PBA_FORMAT, "%s: the run cannot go on: %s; %s, or start a new run",
                            path, part->changed, part->remedy);
}

pba_status fingerprint_check(const char *path, const json_t *config, const task *task)
{
    const json_t *sums = json_object_get(config, "made_of");
    pba_status status = check_version(path, json_string_value(json_object_get(config, "pba")));
    if (status == PBA_OK && !json_is_object(sums)) {
        status = refuse_key(path, "made_of");
    }
    for (int i = 0; i < PARTS && status == PBA_OK; i++) {
        status = check_part(path, &parts[i], json_object_get(sums, parts[i].name), task);
    }
    return status;
}
