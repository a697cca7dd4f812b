/* SPDX-License-Identifier: Apache-2.0
 * The kinds of policies in one list, and their public view: pba_augment_kind_*. */
#include "augment/kind.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"

extern const augment_kind augment_none, augment_baseline_alone, augment_random, augment_cutout,
    augment_autoaugment, augment_randaugment, augment_trivialaugment, augment_constant,
    augment_schedule;

static const augment_kind *const kinds[] = {
    &augment_none,           &augment_baseline_alone, &augment_random,
    &augment_cutout,         &augment_autoaugment,    &augment_randaugment,
    &augment_trivialaugment, &augment_constant,       &augment_schedule};
enum { KINDS = sizeof kinds / sizeof *kinds };

const augment_kind *augment_kind_at(size_t index)
{
    return index < KINDS ? kinds[index] : NULL;
}

size_t pba_augment_kind_count(void)
{
    return KINDS;
}

pba_status pba_augment_kind_get(size_t index, pba_augment_kind_info *info)
{
    if (!info) {
        return status_null(__func__);
    }
    const augment_kind *kind = augment_kind_at(index);
    if (!kind) {
        return status_set(PBA_USAGE, "kind %zu of augmentation: there are %d", index, KINDS);
    }
    *info = (pba_augment_kind_info){.pattern = kind->pattern,
                                    .example = kind->example,
                                    .sentence = kind->sentence,
                                    .source = kind->source};
    return PBA_OK;
}

/* Something that is no path can only be a name: then a list of the names helps. */
static pba_status refuse_unknown(const char *text)
{
    char known[512] = "";
    size_t used = 0;
    for (int i = 0; i < KINDS && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 kinds[i]->pattern);
    }
    bool path = strchr(text, '/') || strchr(text, '.');
    return path
               ? status_set(PBA_NOT_FOUND, "%s: there is no such run folder or schedule file", text)
               : status_set(PBA_USAGE,
                            "'%s': no kind of augmentation, run folder or schedule file; use %s",
                            text, known);
}

const augment_kind *augment_kind_find(const char *text)
{
    size_t length = strcspn(text, ":");
    int i = 0;
    while (kinds[i]->name &&
           (strlen(kinds[i]->name) != length || memcmp(kinds[i]->name, text, length) != 0)) {
        i++;
    }
    return kinds[i];
}

pba_status augment_choice_parse(const char *text, augment_choice *choice)
{
    size_t length = strcspn(text, ":");
    const char *arguments = text[length] ? text + length + 1 : NULL;
    *choice = (augment_choice){.kind = augment_kind_find(text)};
    arguments = choice->kind->name ? arguments : text;
    pba_status status = PBA_OK;
    if (!choice->kind->name && !file_exists(text)) {
        status = refuse_unknown(text);
    } else if (choice->kind->parse) {
        status = choice->kind->parse(arguments, choice);
    } else if (arguments) {
        status =
            status_set(PBA_USAGE, "%s: nothing may follow; use %s", text, choice->kind->pattern);
    }
    if (status != PBA_OK) {
        augment_choice_free(choice);
    }
    return status;
}

void augment_choice_free(augment_choice *choice)
{
    pba_schedule_free(choice->schedule);
    *choice = (augment_choice){0};
}

int augment_read_numbers(const char *text, int least, int most, int *numbers)
{
    int count = 0;
    if (!text) {
        return least == 0 ? 0 : -1;
    }
    while (count < most) {
        size_t digits = strspn(text, "0123456789");
        if (digits < 1 || digits > 4) {
            return -1;
        }
        for (numbers[count] = 0; digits; digits--) {
            numbers[count] = numbers[count] * 10 + (*text++ - '0');
        }
        count++;
        if (*text != ',') {
            break;
        }
        text++;
    }
    return *text || count < least ? -1 : count;
}
