/* SPDX-License-Identifier: Apache-2.0
 * The operations that a search draws from, by name. */
#include <stdio.h>
#include <string.h>

#include "augment/space.h"

typedef struct choice {
    const char **ops; /* of PBA_POLICY_MAX */
    int count;
} choice;

static int find(const choice *choice, const char *name)
{
    int i = 0;
    while (i < choice->count && strcmp(choice->ops[i], name) != 0) {
        i++;
    }
    return i < choice->count ? i : -1;
}

static pba_status add(choice *choice, const char *name)
{
    if (choice->count == PBA_POLICY_MAX) {
        return status_set(PBA_USAGE, "ops: more than %d operations", PBA_POLICY_MAX);
    }
    choice->ops[choice->count++] = name;
    return PBA_OK;
}

/* In the order of the published vectors, and behind them what plug-ins add. */
static pba_status set_default(choice *choice)
{
    pba_status status = PBA_OK;
    const augment_op *op;
    for (int i = 0; i < augment_space_pba.op_count && status == PBA_OK; i++) {
        status = add(choice, augment_space_pba.ops[i]);
    }
    for (size_t i = 0; status == PBA_OK && (op = augment_op_at(i)); i++) {
        status = op->plugin ? add(choice, op->name) : PBA_OK;
    }
    return status;
}

static pba_status exclude(choice *choice, const char *name)
{
    int index = find(choice, name);
    if (index < 0) {
        return status_set(PBA_USAGE, "ops: -%s: %s is not in the default list", name, name);
    }
    choice->count--;
    memmove(choice->ops + index, choice->ops + index + 1,
            (size_t)(choice->count - index) * sizeof *choice->ops);
    return choice->count ? PBA_OK : status_set(PBA_USAGE, "ops: nothing is left");
}

static pba_status include(choice *choice, const char *name)
{
    const augment_op *op;
    pba_status status = augment_op_require(name, &op);
    if (status != PBA_OK) {
        return status_prefix(status, "ops");
    }
    return find(choice, name) < 0 ? add(choice, op->name)
                                  : status_set(PBA_USAGE, "ops: %s is named twice", name);
}

static pba_status choose_item(choice *choice, const char *item, bool excluding)
{
    if ((item[0] == '-') != excluding) {
        return status_set(PBA_USAGE,
                          "ops: name either what to search or, each behind a \"-\", what to leave "
                          "out");
    }
    return excluding ? exclude(choice, item + 1) : include(choice, item);
}

pba_status augment_ops_choose(const char *text, const char *ops[PBA_POLICY_MAX], int *count)
{
    choice choice = {.ops = ops};
    bool excluding = text[0] == '-';
    pba_status status = !text[0] || excluding ? set_default(&choice) : PBA_OK;
    while (status == PBA_OK && *text) {
        char item[PBA_NAME_MAX + 1];
        size_t length = strcspn(text, ",");
        if (!length || length >= sizeof item) {
            return status_set(PBA_USAGE, "ops: an item is empty or too long");
        }
        snprintf(item, sizeof item, "%.*s", (int)length, text);
        text += length;
        if (*text == ',' && !*++text) {
            return status_set(PBA_USAGE, "ops: ends with a comma");
        }
        status = choose_item(&choice, item, excluding);
    }
    *count = choice.count;
    return status;
}
