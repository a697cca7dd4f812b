/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 1 << 14, DESCRIPTORS = 256, UNDO = 1024, PATH = 512 };

/* Shared with the process that looks on. */
static struct shared {
    atomic_long count, disturbed;
    fault_record records[RECORDS];
} * shared;

static char root[PATH], lost[PATH];
static fault_mode mode;
static long place;
static int error;
static bool armed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all of what follows */

static struct {
    char path[PATH]; /* "": not ours */
    bool written;    /* open for writing */
} opened[DESCRIPTORS];

/* What a power cut takes: bytes behind `synced`, by the file's present name ... */
static struct dirty {
    char path[PATH];
    off_t synced;
} dirty[DESCRIPTORS];
static int dirty_count;

/* ... and changes of names, undone from the last to the first. */
static struct change {
    enum { CREATED, RENAMED, REMOVED, FOLDER_MADE, FOLDER_REMOVED } kind;
    char path[PATH], from[PATH]; /* from: of a renamed file */
    char kept[PATH];             /* what had the name before; "": nothing */
} changes[UNDO];
static int change_count, kept_count;

int __real_open(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __real_memfd_create(const char *name, unsigned flags);
ssize_t __real_write(int descriptor, const void *data, size_t size);
ssize_t __real_read(int descriptor, void *data, size_t size);
int __real_fsync(int descriptor);
int __real_close(int descriptor);
int __real_rename(const char *from, const char *to);
int __real_ftruncate(int descriptor, off_t size);
int __real_ftruncate64(int descriptor, off_t size);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t bits);
int __real_rmdir(const char *path);

int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_memfd_create(const char *name, unsigned flags);
ssize_t __wrap_write(int descriptor, const void *data, size_t size);
ssize_t __wrap_read(int descriptor, void *data, size_t size);
int __wrap_fsync(int descriptor);
int __wrap_close(int descriptor);
int __wrap_rename(const char *from, const char *to);
int __wrap_ftruncate(int descriptor, off_t size);
int __wrap_ftruncate64(int descriptor, off_t size);
int __wrap_unlink(const char *path);
int __wrap_mkdir(const char *path, mode_t bits);
int __wrap_rmdir(const char *path);

void faults_open(const char *of, const char *for_lost)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        abort();
    }
    snprintf(root, sizeof root, "%s/", of);
    snprintf(lost, sizeof lost, "%s", for_lost);
}

void faults_arm(fault_mode how, long where, int number)
{
    mode = how;
    place = where;
    error = number;
    shared->count = shared->disturbed = 0;
    armed = true;
}

long faults_count(void)
{
    return shared->count;
}

long faults_disturbed(void)
{
    return shared->disturbed;
}

const fault_record *faults_record(long at)
{
    static const fault_record none = {"nothing", ""};
    return at >= 1 && at <= RECORDS ? &shared->records[at - 1] : &none;
}

/* ------------------------------------------------------------------- power cuts */

static void set_path(char out[PATH], const char *path)
{
    if (snprintf(out, PATH, "%s", path) >= PATH) {
        abort(); /* the test's own folder is short */
    }
}

static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           !strchr(path + length + 1, '/');
}

static struct dirty *find_dirty(const char *path)
{
    for (int i = 0; i < dirty_count; i++) {
        if (strcmp(dirty[i].path, path) == 0) {
            return &dirty[i];
        }
    }
    return NULL;
}

static void set_clean(const char *path)
{
    struct dirty *found = find_dirty(path);
    if (found) {
        *found = dirty[--dirty_count];
    }
}

static void set_dirty(const char *path, off_t synced)
{
    struct dirty *found = find_dirty(path);
    if (found) {
        found->synced = synced < found->synced ? synced : found->synced;
        return;
    }
    if (dirty_count == DESCRIPTORS) {
        abort();
    }
    set_path(dirty[dirty_count].path, path);
    dirty[dirty_count++].synced = synced;
}

static struct change *add_change(int kind, const char *path)
{
    if (change_count == UNDO) {
        abort();
    }
    struct change *fresh = &changes[change_count++];
    *fresh = (struct change){.kind = kind};
    set_path(fresh->path, path);
    return fresh;
}

/* What has the name is kept by another one. */
static void keep(struct change *change)
{
    snprintf(change->kept, sizeof change->kept, "%.480s/%d-%d", lost, getpid(), kept_count++);
    if (!lost[0] || link(change->path, change->kept) != 0) {
        change->kept[0] = 0;
    }
}

static void folder_synced(const char *folder)
{
    int left = 0;
    for (int i = 0; i < change_count; i++) {
        if (!lies_in(changes[i].path, folder)) {
            changes[left++] = changes[i];
        } else if (changes[i].kept[0]) {
            __real_unlink(changes[i].kept);
        }
    }
    change_count = left;
}

static void undo(const struct change *change)
{
    char away[PATH];
    switch (change->kind) {
    case CREATED:
        __real_unlink(change->path);
        break;
    case RENAMED:
        __real_rename(change->path, change->from);
        break;
    case FOLDER_MADE: /* with all that is in it */
        snprintf(away, sizeof away, "%.480s/%d-%d", lost, getpid(), kept_count++);
        __real_rename(change->path, away);
        break;
    case FOLDER_REMOVED:
        __real_mkdir(change->path, 0777);
        break;
    case REMOVED:
        break;
    }
    if (change->kept[0]) {
        __real_rename(change->kept, change->path);
    }
}

static void cut_power(void)
{
    for (int i = 0; i < dirty_count; i++) {
        if (truncate(dirty[i].path, dirty[i].synced) != 0) {
            abort();
        }
    }
    while (change_count) {
        undo(&changes[--change_count]);
    }
}

/* --------------------------------------------------------------- the operation */

static bool is_ours(const char *path)
{
    return armed && strncmp(path, root, strlen(root)) == 0;
}

static const char *path_of(int descriptor)
{
    return armed && descriptor >= 0 && descriptor < DESCRIPTORS ? opened[descriptor].path : "";
}

static bool fails_at(const char *call, long count)
{
    switch (mode) {
    case FAULT_ERROR:
        return count >= place;
    case FAULT_ONCE:
        return count == place;
    case FAULT_FULL:
        return count > place && strstr("create write mkdir", call);
    default:
        return false;
    }
}

/* Takes the lock. False, with errno: the operation fails instead. */
static bool begin(const char *call, const char *path)
{
    pthread_mutex_lock(&lock);
    long count = ++shared->count;
    if (count <= RECORDS) {
        const char *slash = strrchr(path, '/');
        fault_record *record = &shared->records[count - 1];
        snprintf(record->call, sizeof record->call, "%s", call);
        snprintf(record->name, sizeof record->name, "%s", slash ? slash + 1 : path);
    }
    if (fails_at(call, count)) {
        errno = error;
        pthread_mutex_unlock(&lock);
        return false;
    }
    return true;
}

static void end(void)
{
    int held = errno;
    if ((mode == FAULT_KILL || mode == FAULT_HALF || mode == FAULT_POWER) &&
        shared->count == place) {
        if (mode == FAULT_POWER) {
            cut_power();
        }
        kill(getpid(), SIGKILL);
        pause();
    }
    pthread_mutex_unlock(&lock);
    errno = held;
}

/* Every second time; who does not ask again has failed. */
static bool interrupted(void)
{
    static _Thread_local bool done;
    done = mode == FAULT_INTERRUPT && !done;
    if (done) {
        shared->disturbed++;
        errno = EINTR;
    }
    return done;
}

static size_t part_of(size_t size)
{
    static atomic_uint turn;
    size_t half = size / 2;
    if (mode != FAULT_SHORT || !half) {
        return size;
    }
    shared->disturbed++;
    return 1 + turn++ * 7919u % half;
}

/* -------------------------------------------------------------------- the calls */

static void note_opened(int descriptor, const char *path, int flags, bool existed)
{
    if (descriptor < 0) {
        return;
    }
    if (descriptor >= DESCRIPTORS) {
        abort();
    }
    set_path(opened[descriptor].path, path);
    opened[descriptor].written = (flags & O_ACCMODE) != O_RDONLY;
    if (opened[descriptor].written && !existed) {
        add_change(CREATED, path);
        set_dirty(path, 0);
    } else if (flags & O_TRUNC) {
        set_dirty(path, 0);
    }
}

static int open_ours(const char *path, int flags, mode_t bits)
{
    struct stat info;
    bool counts = flags & (O_CREAT | O_DIRECTORY), existed = stat(path, &info) == 0;
    if (interrupted()) {
        return -1;
    }
    if (!counts) {
        pthread_mutex_lock(&lock);
    } else if (!begin(existed ? "open" : "create", path)) {
        return -1;
    }
    int descriptor = __real_open(path, flags, bits);
    note_opened(descriptor, path, flags, existed);
    if (counts) {
        end();
    } else {
        pthread_mutex_unlock(&lock);
    }
    return descriptor;
}

static mode_t bits_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t bits = bits_of(flags, arguments);
    va_end(arguments);
    return is_ours(path) ? open_ours(path, flags, bits) : __real_open(path, flags, bits);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t bits = bits_of(flags, arguments);
    va_end(arguments);
    return is_ours(path) ? open_ours(path, flags, bits) : __real_open64(path, flags, bits);
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
    int descriptor = __real_memfd_create(name, flags);
    if (armed && (mode == FAULT_INTERRUPT || mode == FAULT_SHORT)) {
        note_opened(descriptor, name, O_RDONLY, true);
    }
    return descriptor;
}

ssize_t __wrap_read(int descriptor, void *data, size_t size)
{
    if (!path_of(descriptor)[0]) {
        return __real_read(descriptor, data, size);
    }
    return interrupted() ? -1 : __real_read(descriptor, data, part_of(size));
}

ssize_t __wrap_write(int descriptor, const void *data, size_t size)
{
    const char *path = path_of(descriptor);
    struct stat info;
    if (!path[0]) {
        return __real_write(descriptor, data, size);
    }
    if (interrupted() || !begin("write", path)) {
        return -1;
    }
    if (fstat(descriptor, &info) == 0) {
        set_dirty(path, info.st_size);
    }
    bool half = (mode == FAULT_HALF || mode == FAULT_FULL) && shared->count == place;
    ssize_t done = __real_write(descriptor, data, half ? size / 2 : part_of(size));
    end();
    return done;
}

int __wrap_fsync(int descriptor)
{
    const char *path = path_of(descriptor);
    struct stat info;
    if (!path[0]) {
        return __real_fsync(descriptor);
    }
    if (interrupted() || !begin("fsync", path)) {
        return -1;
    }
    if (fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
        folder_synced(path);
    } else {
        set_clean(path);
    }
    end(); /* nobody pulls the plug: the disk need not be waited for */
    return 0;
}

/* It lets go of the descriptor whatever it says. */
int __wrap_close(int descriptor)
{
    const char *path = path_of(descriptor);
    bool counts = path[0] && opened[descriptor].written, fails = counts && !begin("close", path);
    int held = errno;
    if (path[0]) {
        opened[descriptor].path[0] = 0;
    }
    int code = __real_close(descriptor);
    if (fails) {
        errno = held;
        return -1;
    }
    if (counts) {
        end();
    }
    return code;
}

static void note_renamed(const char *from, const char *to)
{
    set_clean(to);
    struct dirty *bytes = find_dirty(from);
    if (bytes) {
        set_path(bytes->path, to);
    }
}

int __wrap_rename(const char *from, const char *to)
{
    if (!is_ours(to)) {
        return __real_rename(from, to);
    }
    if (!begin("rename", to)) {
        return -1;
    }
    struct change *change = add_change(RENAMED, to);
    set_path(change->from, from);
    keep(change);
    int code = __real_rename(from, to);
    if (code == 0) {
        note_renamed(from, to);
    } else {
        change_count--;
    }
    end();
    return code;
}

static int truncate_ours(int descriptor, const char *path, off_t size)
{
    if (interrupted() || !begin("ftruncate", path)) {
        return -1;
    }
    int code = __real_ftruncate(descriptor, size);
    end();
    return code;
}

int __wrap_ftruncate(int descriptor, off_t size)
{
    const char *path = path_of(descriptor);
    return path[0] ? truncate_ours(descriptor, path, size) : __real_ftruncate(descriptor, size);
}

int __wrap_ftruncate64(int descriptor, off_t size)
{
    const char *path = path_of(descriptor);
    return path[0] ? truncate_ours(descriptor, path, size) : __real_ftruncate64(descriptor, size);
}

/* A file system says that a name is taken, or that there is none, before it looks for space. */
static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

int __wrap_unlink(const char *path)
{
    if (!is_ours(path) || !exists(path)) {
        return __real_unlink(path);
    }
    if (!begin("unlink", path)) {
        return -1;
    }
    struct change *change = add_change(REMOVED, path);
    keep(change);
    int code = __real_unlink(path);
    if (code == 0) {
        set_clean(path);
    } else {
        change_count--;
    }
    end();
    return code;
}

int __wrap_mkdir(const char *path, mode_t bits)
{
    if (!is_ours(path) || exists(path)) {
        return __real_mkdir(path, bits);
    }
    if (!begin("mkdir", path)) {
        return -1;
    }
    int code = __real_mkdir(path, bits);
    if (code == 0) {
        add_change(FOLDER_MADE, path);
    }
    end();
    return code;
}

int __wrap_rmdir(const char *path)
{
    if (!is_ours(path) || !exists(path)) {
        return __real_rmdir(path);
    }
    if (!begin("rmdir", path)) {
        return -1;
    }
    int code = __real_rmdir(path);
    if (code == 0) {
        add_change(FOLDER_REMOVED, path);
    }
    end();
    return code;
}
