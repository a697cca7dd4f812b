/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "augment/plugin.h"
#include "core/file.h"
#include "schedule/fields.h"
#include "train/fingerprint.h"

enum { CONFIG_VERSION = 1, SMALL_FILE = 1 << 20 };

/* The deepest part of `path` that exists; "." and "/" always do. */
static void existing_part(const char *path, char part[PBA_PATH_MAX])
{
    snprintf(part, PBA_PATH_MAX, "%s", path);
    while (access(part, F_OK) != 0) {
        char *slash = strrchr(part, '/');
        if (!slash) {
            snprintf(part, PBA_PATH_MAX, ".");
            return;
        }
        slash[slash == part] = 0;
        if (slash == part) {
            return;
        }
    }
}

pba_status run_check(const char *path)
{
    char config[PBA_PATH_MAX], part[PBA_PATH_MAX];
    pba_status status = file_join(config, path, "config.json");
    if (status != PBA_OK) {
        return status;
    }
    if (file_exists(config)) {
        return status_set(PBA_EXISTS,
                          "%s: holds a run already; give another --out, or go on with it by "
                          "--resume %s",
                          path, path);
    }
    existing_part(path, part);
    if (!file_is_folder(part)) {
        return status_set(PBA_IO, "%s: cannot be created, since %s is a file; give another --out",
                          path, part);
    }
    if (access(part, W_OK | X_OK) != 0) {
        return status_set(PBA_IO, "%s: the folder %s cannot be written (%s); give another --out",
                          path, part, strerror(errno));
    }
    return PBA_OK;
}

pba_status run_read_json(const char *folder, const char *name, json_t **root)
{
    char path[PBA_PATH_MAX], *text;
    size_t size;
    *root = NULL;
    pba_status status = file_join(path, folder, name);
    if (status == PBA_OK) {
        status = file_read(path, SMALL_FILE, &text, &size);
    }
    if (status != PBA_OK) {
        return status;
    }
    status = schedule_json_parse(text, size, root);
    free(text);
    return status == PBA_OK ? PBA_OK : status_prefix(status, "%s", path);
}

pba_status run_write_json(const char *folder, const char *name, json_t *object)
{
    char path[PBA_PATH_MAX], *text = NULL;
    pba_status status = file_join(path, folder, name);
    if (status == PBA_OK) {
        status = schedule_json_dump(object, JSON_INDENT(2) | JSON_REAL_PRECISION(17), path, &text);
    }
    json_decref(object);
    if (status == PBA_OK) {
        file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
        status = file_write_parts(path, parts, 2);
    }
    free(text);
    return status;
}

/* Without settings that could not be read back nobody could run the job again. */
static pba_status add_setting(json_t *settings, const void *options, const pba_setting *rows,
                              size_t count, const char *name)
{
    char text[PBA_PATH_MAX];
    json_t *value = NULL;
    pba_status status = pba_settings_get(options, rows, count, name, text, sizeof text);
    if (status != PBA_OK) {
        return status;
    }
    status = schedule_text_json(text, &value);
    if (status == PBA_USAGE) {
        return status_set(status,
                          "setting %s: is no text in UTF-8, which config.json holds; rename what "
                          "it names",
                          name);
    }
    return status == PBA_OK && json_object_set_new(settings, name, value) != 0
               ? status_set(PBA_MEMORY, "setting %s: out of memory", name)
               : status;
}

/* The operations of all plug-ins that are loaded; NULL: no memory. */
static json_t *plugins_json(void)
{
    json_t *list = json_array();
    const augment_op *op;
    int failed = 0;
    for (size_t i = 0; (op = augment_op_at(i)); i++) {
        if (op->plugin) {
            failed |= json_array_append_new(
                list, json_pack("{s:s, s:i, s:s, s:I}", "op", op->name, "version", op->row->version,
                                "plugin", op->plugin, "sum", (json_int_t)fingerprint_op(op)));
        }
    }
    if (failed) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

pba_status run_write_config(const char *folder, const char *kind, const void *options,
                            const pba_setting *rows, size_t count, const task *task)
{
    json_t *settings = json_object();
    pba_status status = PBA_OK;
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        status = rows[i].place ? PBA_OK : add_setting(settings, options, rows, count, rows[i].name);
    }
    if (status != PBA_OK) {
        json_decref(settings);
        return status_prefix(status, "%s/config.json", folder);
    }
    json_t *config = json_pack("{s:s, s:i, s:s, s:s, s:s, s:o}", "format", "pba-run", "version",
                               CONFIG_VERSION, "kind", kind, "pba", pba_version(), "build",
                               pba_build_info(), "settings", settings);
    json_t *plugins = plugins_json();
    if (json_object_set_new(config, "made_of", fingerprint_of(task)) != 0 || !plugins ||
        (json_array_size(plugins) && json_object_set(config, "plugins", plugins) != 0)) {
        json_decref(config);
        config = NULL; /* which is told as out of memory */
    }
    json_decref(plugins);
    return run_write_json(folder, "config.json", config);
}

static pba_status read_settings(const char *path, json_t *config, void *options,
                                const pba_setting *rows, size_t count)
{
    const char *name;
    json_t *value, *settings = json_object_get(config, "settings");
    if (!json_is_object(settings)) {
        return status_set(PBA_FORMAT, "%s: has no \"settings\"", path);
    }
    json_object_foreach(settings, name, value)
    {
        const char *text = json_string_value(value);
        if (!text || pba_settings_set(options, rows, count, name, text) != PBA_OK) {
            return text ? status_prefix(PBA_FORMAT, "%s", path)
                        : status_set(PBA_FORMAT, "%s: setting %s is no text", path, name);
        }
    }
    return PBA_OK;
}

/* Whether an operation is as it was when the run began; says what is not. */
static pba_status check_plugin_row(const char *path, const json_t *item, const augment_op *op)
{
    json_int_t version = json_integer_value(json_object_get(item, "version"));
    if (op->row->version != version) {
        return status_set(PBA_FORMAT,
                          "%s: the run needs version %lld of operation %s of plug-in %s; %s has "
                          "version %d",
                          path, (long long)version, op->name, op->plugin, op->source,
                          op->row->version);
    }
    return json_integer_value(json_object_get(item, "sum")) == fingerprint_op(op)
               ? PBA_OK
               : status_set(PBA_FORMAT,
                            "%s: the run cannot go on: operation %s of plug-in %s in %s has other "
                            "levels, limits or flags than when it began; put the plug-in back as "
                            "it was, or start a new run",
                            path, op->name, op->plugin, op->source);
}

/* Whether an operation that the run knew of is here, as it was; says what is missing. */
static pba_status check_plugin_op(const char *path, const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "op"));
    const char *plugin = json_string_value(json_object_get(item, "plugin"));
    const augment_op *op = name ? augment_op_find(name) : NULL;
    if (!name || !plugin || !json_is_integer(json_object_get(item, "sum"))) {
        return status_set(PBA_FORMAT, "%s: \"plugins\" are damaged; start a new run", path);
    }
    if (!op || !op->plugin || strcmp(op->plugin, plugin) != 0) {
        return status_set(PBA_FORMAT,
                          "%s: the run needs operation %s of plug-in %s, which is not loaded; give "
                          "its file by --plugin (%s.so)",
                          path, name, plugin, plugin);
    }
    return check_plugin_row(path, item, op);
}

static pba_status check_plugins(const char *path, const json_t *list)
{
    pba_status status = PBA_OK;
    for (size_t i = 0; i < json_array_size(list) && status == PBA_OK; i++) {
        status = check_plugin_op(path, json_array_get(list, i));
    }
    return status;
}

/* Plug-ins that are loaded already do: their files may have moved. */
static pba_status open_plugins(const char *path, const json_t *config, const void *options,
                               const pba_setting *rows, size_t count)
{
    char files[PBA_PATH_MAX];
    const json_t *list = json_object_get(config, "plugins");
    if (check_plugins(path, list) == PBA_OK) {
        return PBA_OK;
    }
    pba_status status = pba_settings_get(options, rows, count, "plugin", files, sizeof files);
    if (status == PBA_OK) {
        status = augment_plugins_load(files);
        if (status == PBA_NOT_FOUND) {
            status_set(status, "%s; where it has moved, give it by --plugin", pba_error_message());
        }
        status = status == PBA_OK ? check_plugins(path, list) : status_prefix(status, "%s", path);
    }
    return status;
}

static pba_status check_config(const char *path, json_t *config, const char *kind)
{
    const char *format = json_string_value(json_object_get(config, "format"));
    const char *found = json_string_value(json_object_get(config, "kind"));
    json_int_t version = json_integer_value(json_object_get(config, "version"));
    if (!format || strcmp(format, "pba-run") != 0 || !found || version < 1) {
        return status_set(PBA_FORMAT, "%s: is no run's config.json", path);
    }
    if (version > CONFIG_VERSION) {
        return status_set(PBA_FORMAT,
                          "%s: version %lld is newer than this program reads (%d); update pba",
                          path, (long long)version, CONFIG_VERSION);
    }
    if (strcmp(found, kind) != 0) {
        return status_set(PBA_FORMAT, "%s: belongs to a run of kind %s, not %s", path, found, kind);
    }
    return PBA_OK;
}

pba_status run_read_config(const char *folder, const char *kind, void *options,
                           const pba_setting *rows, size_t count)
{
    char path[PBA_PATH_MAX];
    json_t *config;
    pba_status status = run_read_json(folder, "config.json", &config);
    if (status != PBA_OK) {
        return status;
    }
    status = file_join(path, folder, "config.json");
    if (status == PBA_OK) {
        status = check_config(path, config, kind);
    }
    if (status == PBA_OK) {
        status = read_settings(path, config, options, rows, count);
    }
    if (status == PBA_OK) {
        status = open_plugins(path, config, options, rows, count);
    }
    json_decref(config);
    return status;
}

pba_status run_hold(const char *folder, int *descriptor)
{
    char path[PBA_PATH_MAX];
    *descriptor = -1;
    pba_status status = file_join(path, folder, "checkpoint");
    if (status == PBA_OK) {
        status = file_make_folder(path);
    }
    if (status == PBA_OK) {
        status = file_join(path, folder, RUN_LOCK);
    }
    if (status != PBA_OK) {
        return status;
    }
    *descriptor = file_descriptor(path, O_RDWR | O_CREAT);
    if (*descriptor < 0) {
        return file_error(path, "cannot be opened");
    }
    status = file_hold(*descriptor, path);
    if (status != PBA_OK) {
        run_let_go(descriptor);
    }
    return status;
}

void run_drop_lock(const char *folder)
{
    char path[PBA_PATH_MAX];
    if (file_join(path, folder, RUN_LOCK) == PBA_OK) {
        unlink(path);
    }
    if (file_join(path, folder, "checkpoint") == PBA_OK) {
        rmdir(path);
    }
}

void run_let_go(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

/* What differs between the build that the config tells and this one, but for its last line: the
 * number of cores, on which no numbers depend. */
static const char *other_build(const json_t *config)
{
    const char *theirs = json_string_value(json_object_get(config, "build"));
    const char *ours = pba_build_info(), *end = strstr(ours, "cores ");
    return theirs && end && strncmp(theirs, ours, (size_t)(end - ours)) == 0
               ? NULL
               : "this run was started by another build or on another kind of processor: its "
                 "numbers may differ from those of an undisturbed run";
}

pba_status run_check_made_of(const char *folder, const task *task, const char **note)
{
    char path[PBA_PATH_MAX];
    json_t *config;
    *note = NULL;
    pba_status status = run_read_json(folder, "config.json", &config);
    if (status == PBA_OK) {
        status = file_join(path, folder, "config.json");
        status = status == PBA_OK ? fingerprint_check(path, config, task) : status;
        *note = other_build(config);
        json_decref(config);
    }
    return status;
}

pba_status run_check_settings(const void *options, void *scratch, const pba_setting *rows,
                              size_t count)
{
    char text[PBA_PATH_MAX];
    pba_status status = PBA_OK;
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        status = pba_settings_get(options, rows, count, rows[i].name, text, sizeof text);
        if (status == PBA_OK) {
            status = pba_settings_set(scratch, rows, count, rows[i].name, text);
        }
    }
    return status;
}

static const char spent_file[] = "checkpoint/spent.json";

pba_status run_read_spent(const char *folder, run_spent *spent)
{
    json_t *root;
    *spent = (run_spent){0};
    pba_status status = run_read_json(folder, spent_file, &root);
    if (status == PBA_OK) {
        status = schedule_field_real(root, "seconds", 0, 1e12, &spent->seconds);
        if (status == PBA_OK) {
            status = schedule_field_real(root, "core_seconds", 0, 1e15, &spent->core_seconds);
        }
        json_decref(root);
    }
    if (status == PBA_MEMORY || status == PBA_OK) {
        return status;
    }
    *spent = (run_spent){0};
    return PBA_OK;
}

pba_status run_write_spent(const char *folder, const run_spent *spent)
{
    return run_write_json(
        folder, spent_file,
        json_pack("{s:f, s:f}", "seconds", spent->seconds, "core_seconds", spent->core_seconds));
}

void run_drop_spent(const char *folder)
{
    char path[PBA_PATH_MAX], temporary[PBA_PATH_MAX];
    if (file_join(path, folder, spent_file) == PBA_OK) {
        unlink(path);
        if (file_temporary(path, temporary) == PBA_OK) {
            unlink(temporary); /* of a process that died while it wrote */
        }
    }
}

pba_status run_kept(pba_status status, const char *folder)
{
    return status == PBA_IO
               ? status_set(status, "%s; what was saved is kept, go on with --resume %s",
                            pba_error_message(), folder)
               : status;
}
