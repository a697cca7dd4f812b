/* SPDX-License-Identifier: Apache-2.0
 * The list of arms: kinds of policy with commas between, some of which have commas themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/kind.h"
#include "compare/compare.h"
#include "core/file.h"

enum { ARMS_MAX = 32 };

/* The end of what stands before the next comma that is not escaped. */
static const char *piece_end(const char *at)
{
    while (*at && *at != ',') {
        at += at[0] == '\\' && at[1] == ',' ? 2 : 1;
    }
    return at;
}

/* Pieces of digits alone belong to the arm before them. */
static const char *arm_end(const char *at)
{
    const char *end = piece_end(at);
    while (*end) {
        size_t digits = strspn(end + 1, "0123456789");
        if (!digits || (end[1 + digits] && end[1 + digits] != ',')) {
            break;
        }
        end += 1 + digits;
    }
    return end;
}

static void unescape(const char *from, const char *end, char *out)
{
    while (from < end) {
        from += from[0] == '\\' && from[1] == ',';
        *out++ = *from++;
    }
    *out = 0;
}

/* "3-randaugment-2-9": the number keeps names apart, the rest is what a file's name may hold. */
static void name_arm(compare_arm *arm, int index)
{
    const char *slash = strrchr(arm->augment, '/');
    snprintf(arm->name, sizeof arm->name, "%d-%s", index + 1,
             slash && slash[1] ? slash + 1 : arm->augment);
    for (char *at = arm->name; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("-_.", *at);
        *at = plain ? *at : '-';
    }
}

static pba_status check_unique(const compare_arm *arms, int index)
{
    for (int i = 0; i < index; i++) {
        if (strcmp(arms[i].augment, arms[index].augment) == 0) {
            return status_set(PBA_USAGE, "arms: \"%s\" is there twice", arms[index].augment);
        }
    }
    return PBA_OK;
}

pba_status compare_check_arm(const compare_arm *arm)
{
    augment_choice choice;
    pba_status status = augment_choice_parse(arm->augment, &choice);
    augment_choice_free(&choice);
    return status == PBA_OK ? PBA_OK : status_prefix(status, "arms");
}

/* A path in full, so that the comparison can be resumed from another folder and a run has one name.
 */
static void settle(compare_arm *arm)
{
    if (!augment_kind_find(arm->augment)->name) {
        file_full_path(arm->augment, arm->augment); /* what is no path stays as it is */
    }
}

static pba_status read_arms(const char *text, compare_arm *arms, int *count)
{
    pba_status status = PBA_OK;
    for (const char *at = text, *end; *at && status == PBA_OK; at = *end ? end + 1 : end) {
        if (*count == ARMS_MAX) {
            return status_set(PBA_USAGE, "arms: more than %d", ARMS_MAX);
        }
        compare_arm *arm = &arms[*count];
        end = arm_end(at);
        unescape(at, end, arm->augment);
        settle(arm);
        status = arm->augment[0] ? check_unique(arms, *count)
                                 : status_set(PBA_USAGE, "arms: one of \"%s\" is empty", text);
        name_arm(arm, *count);
        arm->index = (*count)++;
    }
    return status;
}

pba_status compare_read_arms(const char *text, compare_arm **arms, int *count)
{
    *count = 0;
    *arms = memory_new(ARMS_MAX, sizeof **arms);
    if (!*arms) {
        return PBA_MEMORY;
    }
    pba_status status = read_arms(text, *arms, count);
    return status == PBA_OK && *count < 2
               ? status_set(PBA_USAGE,
                            "arms: \"%s\": name two or more, with commas between: "
                            "baseline,trivialaugment,RUN",
                            text)
               : status;
}

pba_status compare_arms_text(const compare_arm *arms, int count, char text[PBA_PATH_MAX])
{
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        bool escape = *arm_end(arms[i].augment); /* would end too early */
        for (const char *at = arms[i].augment; *at && used + 4 < PBA_PATH_MAX; at++) {
            if (*at == ',' && escape) {
                text[used++] = '\\';
            }
            text[used++] = *at;
        }
        if (used + 4 >= PBA_PATH_MAX) {
            return status_set(PBA_USAGE, "arms: the list is too long with full paths");
        }
        text[used++] = ',';
    }
    text[used - 1] = 0;
    return PBA_OK;
}
