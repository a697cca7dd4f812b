/* SPDX-License-Identifier: Apache-2.0
 * Plug-ins: shared objects with rows of operations, as pba.h describes. What they say and do is
 * tried in a child process first (core/child.h); only then are they taken into this one. */
#define _GNU_SOURCE
#include "augment/plugin.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "augment/check.h"
#include "core/child.h"
#include "core/file.h"
#include "core/memory.h"
#include "schedule/policy.h"

enum {
    FLAGS = PBA_OP_SIGN | PBA_OP_PIXELS | PBA_OP_RESETS_MASK | PBA_OP_PARTNER | PBA_OP_MASKS |
            PBA_OP_IDENTITY,
    VERSION_MAX = 1000000
};
static const char SYMBOL[] = "pba_plugin_table";

/* ------------------------------------------------------------------ applying */

/* The plug-in's view of a context, and what is behind it. */
typedef struct call {
    pba_op_context context;
    rng *rng;
} call;

static uint32_t below(pba_op_context *context, uint32_t bound)
{
    return rng_below(((call *)context)->rng, bound ? bound : 1);
}

static double unit(pba_op_context *context)
{
    return rng_unit(((call *)context)->rng);
}

void augment_plugin_apply(const augment_op *op, pba_image *dst, const pba_image *src,
                          double parameter, augment_context *context)
{
    size_t pixels = augment_pixels(src);
    pba_image from = *src;
    call call = {.context = {.partner = op->flags & AUGMENT_PARTNER ? context->partner : NULL,
                             .scratch = context->scratch + (pixels + 63) / 64 * 64,
                             .below = below,
                             .unit = unit},
                 .rng = context->rng};
    if (!from.mask) {
        from.mask = context->scratch;
        memset(from.mask, 255, pixels);
    }
    if (op->flags & AUGMENT_RESETS_MASK) {
        memset(dst->mask, 255, pixels);
    } else if (!(op->flags & AUGMENT_MASKS)) {
        augment_copy_mask(dst, src);
    }
    op->row->apply(dst, &from, parameter, &call.context);
}

/* ------------------------------------------------------------------- reading */

/* A row's text: none may be missing, and all of it is one line. */
static bool is_line(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ') {
            return false;
        }
    }
    return text && length < 512;
}

/* NULL: all numbers of the row are fine. */
static const char *wrong_number(const pba_plugin_op *row)
{
    const double numbers[] = {row->min, row->max, row->level_0, row->level_10, row->identity};
    if (row->parameter[0] && !(row->min < row->max)) {
        return "min must be less than max";
    }
    for (int i = 0; i < 5; i++) {
        if (!isfinite(numbers[i])) {
            return "a number of its row is not finite";
        }
        if (!row->parameter[0] && numbers[i] != 0) {
            return "without a parameter its numbers must be 0";
        }
        if (i >= 2 && (numbers[i] < row->min || numbers[i] > row->max)) {
            return "level_0, level_10 and identity must lie in min..max";
        }
    }
    if (row->flags & PBA_OP_SIGN && (-row->level_0 < row->min || -row->level_0 > row->max ||
                                     -row->level_10 < row->min || -row->level_10 > row->max)) {
        return "with PBA_OP_SIGN the levels' negatives must lie in min..max, too";
    }
    return NULL;
}

static const char *wrong_row(const pba_plugin_op *row)
{
    if (!is_line(row->sentence) || !row->sentence[0]) {
        return "it needs a sentence of one line";
    }
    if (!is_line(row->parameter) || strlen(row->parameter) >= 32) {
        return "its parameter needs a text of one line, at most 31 letters, \"\" for none";
    }
    if (row->flags & ~(unsigned)FLAGS) {
        return "it has a flag that is none of pba_op_flags";
    }
    if (row->flags & PBA_OP_RESETS_MASK && row->flags & PBA_OP_MASKS) {
        return "PBA_OP_RESETS_MASK and PBA_OP_MASKS exclude each other";
    }
    if (row->flags & (PBA_OP_SIGN | PBA_OP_PIXELS) && !row->parameter[0]) {
        return "PBA_OP_SIGN and PBA_OP_PIXELS need a parameter";
    }
    if (row->version < 1 || row->version > VERSION_MAX) {
        return "its version must be 1 to 1000000";
    }
    return !row->apply ? "it has no apply" : wrong_number(row);
}

static pba_status check_row(const char *file, const pba_plugin *table, int index)
{
    const pba_plugin_op *row = &table->ops[index];
    if (!row->name || !schedule_name_is_legal(row->name)) {
        return status_set(PBA_FORMAT,
                          "%s: operation %d: its name needs 1 to %d letters, digits, - and _", file,
                          index + 1, PBA_NAME_MAX - 1);
    }
    if (row->name[0] == '-') { /* which means "without" where operations are chosen */
        return status_set(PBA_FORMAT, "%s: operation %s: its name begins with a -", file,
                          row->name);
    }
    for (int i = 0; i < index; i++) {
        if (strcmp(table->ops[i].name, row->name) == 0) {
            return status_set(PBA_FORMAT, "%s: operation %s: is there twice", file, row->name);
        }
    }
    const char *wrong = wrong_row(row);
    return wrong ? status_set(PBA_FORMAT, "%s: operation %s: %s", file, row->name, wrong) : PBA_OK;
}

/* The table of a file, which stays loaded as long as the process lives. */
static pba_status open_table(const char *file, const pba_plugin **table)
{
    *table = NULL;
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        return status_set(PBA_FORMAT, "%s: cannot be loaded: %s", file, dlerror());
    }
    *table = dlsym(library, SYMBOL);
    if (!*table) {
        return status_set(PBA_FORMAT, "%s: is no plug-in, it lacks PBA_PLUGIN(name, operations)",
                          file);
    }
    if ((*table)->abi != PBA_PLUGIN_ABI) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: was built for plug-in interface %d, this program has %d; build it "
                          "again with this version's pba.h",
                          file, (*table)->abi, PBA_PLUGIN_ABI);
    }
    if (!(*table)->name || !schedule_name_is_legal((*table)->name)) {
        return status_set(PBA_FORMAT,
                          "%s: the plug-in's name needs 1 to %d letters, digits, - and _", file,
                          PBA_NAME_MAX - 1);
    }
    if ((*table)->count < 1 || (*table)->count > PBA_PLUGIN_OPS_MAX || !(*table)->ops) {
        return status_set(PBA_FORMAT, "%s: has %d operations, 1 to %d are possible", file,
                          (*table)->count, PBA_PLUGIN_OPS_MAX);
    }
    pba_status status = PBA_OK;
    for (int i = 0; i < (*table)->count && status == PBA_OK; i++) {
        status = check_row(file, *table, i);
    }
    return status;
}

/* The mask is kept where the operation neither resets nor writes it. */
static augment_op op_of(const char *file, const pba_plugin *table, int index)
{
    const pba_plugin_op *row = &table->ops[index];
    bool kept = !(row->flags & (PBA_OP_RESETS_MASK | PBA_OP_MASKS));
    return (augment_op){.name = row->name,
                        .sentence = row->sentence,
                        .parameter = row->parameter,
                        .min = row->min,
                        .max = row->max,
                        .identity = row->identity,
                        .flags = row->flags | AUGMENT_SEARCHED | AUGMENT_DRAWS | AUGMENT_SCRATCH |
                                 (kept ? AUGMENT_KEEPS_FULL : 0),
                        .source = file,
                        .row = row,
                        .plugin = table->name};
}

/* ------------------------------------------------------------- in a child */

/* What the child tells, in memory that both share. */
typedef struct board {
    char what[PBA_PATH_MAX];   /* the file that is being tried, or the operation's name */
    char place[AUGMENT_PLACE]; /* what is at work */
    bool found;
    pba_op_report report;
} board;

typedef struct trial {
    char (*files)[PBA_PATH_MAX]; /* of plug-ins, by full path; none: the registry */
    int file_count;
    const char *op; /* the only one; NULL: all of the file */
    bool timed;
    board *board;
} trial;

static board *board_create(void)
{
    board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        status_set(PBA_MEMORY, "out of memory for the trial of an operation");
        return NULL;
    }
    return board;
}

static pba_status try_op(const augment_op *op, trial *trial)
{
    trial->board->found = true;
    pba_status status = augment_check(op, trial->timed, trial->board->place, &trial->board->report);
    trial->board->found = status == PBA_OK; /* else nothing was found out */
    return status;
}

/* The first rule that an operation breaks, as a failure of the file. */
static pba_status judge(const char *file, const pba_op_report *report)
{
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        if (report->findings[i].verdict == PBA_OP_FAILED) {
            return status_set(PBA_FORMAT,
                              "%s: operation %s: broken rule \"%s\" (%s): %s; pba ops test tells "
                              "more",
                              file, report->name, report->findings[i].name,
                              report->findings[i].sentence, report->findings[i].detail);
        }
    }
    return PBA_OK;
}

static pba_status try_file(const char *file, trial *trial)
{
    const pba_plugin *table;
    snprintf(trial->board->what, PBA_PATH_MAX, "%s", file);
    snprintf(trial->board->place, AUGMENT_PLACE, "what runs at its loading");
    pba_status status = open_table(file, &table);
    for (int i = 0; status == PBA_OK && i < table->count; i++) {
        augment_op op = op_of(file, table, i);
        if (trial->op && strcmp(op.name, trial->op) != 0) {
            continue;
        }
        status = try_op(&op, trial);
        if (status == PBA_OK && !trial->op) {
            status = judge(file, &trial->board->report);
        }
    }
    return status;
}

static pba_status work(void *context, child_stream *out)
{
    trial *trial = context;
    pba_status status = PBA_OK;
    const augment_op *known = trial->op ? augment_op_find(trial->op) : NULL;
    for (int i = 0; i < trial->file_count && status == PBA_OK && !trial->board->found; i++) {
        status = try_file(trial->files[i], trial);
    }
    if (status == PBA_OK && !trial->board->found && known) {
        snprintf(trial->board->what, PBA_PATH_MAX, "%s", trial->op);
        status = try_op(known, trial);
    }
    if (status == PBA_OK && !trial->board->found && trial->op) {
        status = augment_op_require(trial->op, &known);
    }
    return status == PBA_OK ? child_write(out, "", 1) : status;
}

static pba_status wait_for_end(void *context, child_stream *in)
{
    char end;
    trial *trial = context;
    pba_status status = child_read(in, &end, 1);
    trial->board->what[PBA_PATH_MAX - 1] = 0; /* nothing of the child's is trusted */
    trial->board->place[AUGMENT_PLACE - 1] = 0;
    return status;
}

static pba_status try_in_child(const char *what, trial *trial)
{
    static const child_limits limits = {.memory = (size_t)1 << 30, .silence = 300, .processor = 60};
    snprintf(trial->board->what, PBA_PATH_MAX, "%s", what);
    const child_job job = {.what = trial->board->what,
                           .who = trial->board->place,
                           .advice = "the plug-in has to be mended",
                           .limits = limits,
                           .work = work,
                           .reader = wait_for_end,
                           .context = trial};
    return child_run(&job);
}

/* ------------------------------------------------------------------- loading */

static pba_status full_path(const char *path, char full[PBA_PATH_MAX])
{
    pba_status status = file_full_path(path, full);
    return status == PBA_NOT_FOUND ? status_set(status, "%s: there is no such plug-in", path)
                                   : status;
}

static bool is_loaded(const char *file)
{
    const augment_op *op;
    for (size_t i = 0; (op = augment_op_at(i)); i++) {
        if (op->plugin && strcmp(op->source, file) == 0) {
            return true;
        }
    }
    return false;
}

/* The rows stay until the process ends: schedules, pipelines and workers point at them. */
static pba_status take_in(const char *file)
{
    const pba_plugin *table;
    pba_status status = open_table(file, &table);
    if (status != PBA_OK) {
        return status;
    }
    augment_op *ops = memory_new((size_t)table->count, sizeof *ops);
    char *source = memory_text(file);
    if (!ops || !source) {
        free(ops);
        free(source);
        return PBA_MEMORY;
    }
    for (int i = 0; i < table->count; i++) {
        ops[i] = op_of(source, table, i);
    }
    status = augment_registry_add(ops, (size_t)table->count);
    if (status != PBA_OK) {
        status_prefix(status, "%s", file);
        free(ops);
        free(source);
    }
    return status;
}

static pba_status load(char full[PBA_PATH_MAX])
{
    if (is_loaded(full)) {
        return PBA_OK;
    }
    trial trial = {.files = (char(*)[PBA_PATH_MAX])full, .file_count = 1, .board = board_create()};
    if (!trial.board) {
        return PBA_MEMORY;
    }
    pba_status status = try_in_child(full, &trial);
    munmap(trial.board, sizeof *trial.board);
    return status == PBA_OK ? take_in(full) : status;
}

pba_status pba_plugin_load(const char *path)
{
    if (!path) {
        return status_null(__func__);
    }
    char full[PBA_PATH_MAX];
    pba_status status = full_path(path, full);
    if (status == PBA_OK) {
        augment_registry_lock();
        status = load(full);
        augment_registry_unlock();
    }
    return status;
}

/* The item of a list that begins at *at, or false at its end; moves behind it. */
static bool next_item(const char **at, char item[PBA_PATH_MAX])
{
    while (**at == ',') {
        (*at)++;
    }
    size_t length = strcspn(*at, ",");
    snprintf(item, PBA_PATH_MAX, "%.*s", (int)length, *at);
    *at += length;
    return length > 0;
}

pba_status augment_plugins_load(const char *list)
{
    char item[PBA_PATH_MAX];
    pba_status status = PBA_OK;
    while (status == PBA_OK && next_item(&list, item)) {
        status = pba_plugin_load(item);
    }
    return status;
}

pba_status augment_plugins_settle(char *list, size_t size)
{
    char item[PBA_PATH_MAX], full[PBA_PATH_MAX], joined[PBA_PATH_MAX] = "";
    const char *at = list;
    size_t used = 0;
    while (next_item(&at, item)) {
        pba_status status = full_path(item, full);
        if (status == PBA_OK && strchr(full, ',')) {
            status = status_set(PBA_USAGE,
                                "plugin: %s: its path has a comma, which is what separates several "
                                "of them in a run; move it to where there is none",
                                full);
        }
        if (status != PBA_OK) {
            return status;
        }
        used +=
            (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", used ? "," : "", full);
        if (used >= sizeof joined || used >= size) {
            return status_set(PBA_USAGE, "plugin: the paths of all plug-ins together are too long");
        }
    }
    memcpy(list, joined, used + 1);
    return PBA_OK;
}

/* ------------------------------------------------------------------- testing */

static pba_status list_files(const char *plugins, trial *trial)
{
    char item[PBA_PATH_MAX];
    const char *at = plugins;
    pba_status status = PBA_OK;
    while (status == PBA_OK && next_item(&at, item)) {
        size_t count = (size_t)trial->file_count + 1;
        void *more = memory_grow(trial->files, count, sizeof *trial->files);
        if (!more) {
            return PBA_MEMORY;
        }
        trial->files = more;
        status = full_path(item, trial->files[trial->file_count++]);
    }
    return status;
}

/* A child that died while it tried the operation is a finding, not a failure. */
static pba_status conclude(trial *trial, pba_status status, pba_op_report *report)
{
    if (!trial->board->found) {
        return status;
    }
    *report = trial->board->report;
    augment_check_name(report); /* the child's pointers are not this process's */
    if (status != PBA_OK) {
        report->passed = false;
        snprintf(report->crash, sizeof report->crash, "%s", pba_error_message());
    }
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        if (status != PBA_OK && report->findings[i].verdict == PBA_OP_PASSED) {
            report->findings[i].verdict = PBA_OP_SKIPPED;
            snprintf(report->findings[i].detail, sizeof report->findings[i].detail, "not finished");
        }
        report->findings[i].detail[sizeof report->findings[i].detail - 1] = 0;
    }
    report->name[PBA_NAME_MAX - 1] = report->plugin[PBA_NAME_MAX - 1] = 0;
    return PBA_OK;
}

pba_status pba_op_test(const char *name, const char *plugins, pba_op_report *report)
{
    if (!name || !report) {
        return status_null(__func__);
    }
    trial trial = {.op = name, .timed = true, .board = board_create()};
    if (!trial.board) {
        return PBA_MEMORY;
    }
    pba_status status = plugins ? list_files(plugins, &trial) : PBA_OK;
    if (status == PBA_OK) {
        status = try_in_child(trial.file_count ? trial.files[0] : name, &trial);
        status = conclude(&trial, status, report);
    }
    munmap(trial.board, sizeof *trial.board);
    free(trial.files);
    return status;
}
