/* SPDX-License-Identifier: Apache-2.0
 *
 * libpba: Population Based Augmentation (Ho, Liang, Stoica, Abbeel, Chen: "Population Based
 * Augmentation: Efficient Learning of Augmentation Policy Schedules", ICML 2019).
 *
 * This is the only public header. Nothing here prints, exits or aborts. Every function that can
 * fail returns a pba_status; the detail of the last failure on the calling thread is
 * pba_error_message(). Objects are created and destroyed by the caller; passing NULL to a
 * *_free function is allowed.
 *
 * NULL where an object, a text or a place for a result is needed is PBA_USAGE, and so is a number
 * outside its range. Functions that return no status take NULL for an object that holds nothing:
 * they return 0, "" or NULL.
 *
 * Threads: there is no state outside of objects but the calling thread's message and the list of
 * operations, which plug-ins add to under a lock. So every function may be called from any thread,
 * and different objects be used by different threads at the same time; one object by one thread at
 * a time, unless its section says more. What other libraries decode (image files, archives, .npz,
 * .mat) is decoded in a child process, by fork: in a host that uses libvips, libarchive or matio
 * itself, no other thread may be inside of them then. Settings that libvips has for a whole process
 * (threads, cache, vector code, blocked loaders, log) are made in that child alone: the host keeps
 * its own.
 *
 * Signals: none is handled. A host whose files may be limited in size (ulimit -f) ignores SIGXFSZ;
 * then a file that grows too large is PBA_IO.
 */
#ifndef PBA_H
#define PBA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PBA_API __attribute__((visibility("default")))
#define PBA_NAME_MAX 64   /* bytes of a name (operation, model, space), the final 0 included */
#define PBA_CLASS_MAX 256 /* bytes of a class's name, as of a folder's, the final 0 included */
#define PBA_PATH_MAX 4096 /* bytes of a path, the final 0 included */

/* ------------------------------------------------------------------ status */

/* Threads: any. A message belongs to the thread whose call failed. */
/* X(code, text). One list gives the enum, the names and the texts. */
#define PBA_STATUS_LIST(X)                                                                         \
    X(PBA_OK, "done")                                                                              \
    X(PBA_USAGE, "wrong usage: an unknown name, or an argument outside its range")                 \
    X(PBA_NOT_FOUND, "not found")                                                                  \
    X(PBA_IO, "a file could not be read or written")                                               \
    X(PBA_FORMAT, "damaged or unknown content")                                                    \
    X(PBA_UNSUPPORTED, "not supported by this build")                                              \
    X(PBA_MEMORY, "out of memory")                                                                 \
    X(PBA_EXISTS, "exists already")                                                                \
    X(PBA_INTERRUPTED, "interrupted")                                                              \
    X(PBA_DIVERGED, "training diverged")                                                           \
    X(PBA_INTERNAL, "a mistake in this library")

#define PBA_STATUS_ENUM(code, text) code,
typedef enum pba_status { PBA_STATUS_LIST(PBA_STATUS_ENUM) PBA_STATUS_COUNT } pba_status;
#undef PBA_STATUS_ENUM

/* "PBA_IO" and "a file could not be read or written". Any value is allowed. */
PBA_API const char *pba_status_name(pba_status status);
PBA_API const char *pba_status_text(pba_status status);

/* One line, without a final newline: what the last failing call on this thread had to say, with
 * file, place and remedy. Valid until the next call into the library on this thread. Never NULL. */
PBA_API const char *pba_error_message(void);

/* ----------------------------------------------------------------- version */

/* Threads: any. Texts are constant, or the calling thread's until its next call. */
#define PBA_VERSION_MAJOR 0
#define PBA_VERSION_MINOR 1
#define PBA_VERSION_PATCH 0

PBA_API const char *pba_version(void);

/* Several lines: version, libraries and their versions, instruction set, cores. */
PBA_API const char *pba_build_info(void);

/* Cores that this process may use (affinity and cgroup quota), at least 1. */
PBA_API int pba_cores(void);

/* ------------------------------------------------------------ measurements */

/* Threads: any, but what else runs on the machine takes from what is measured. */
/* The most floating point operations a second that `threads` threads do at once, a multiply-add
 * counted as two: loops on registers alone, no memory. */
typedef struct pba_peak {
    const char *f32, *bf16; /* instruction sets that were used; NULL: the processor has none */
    double f32_flops, bf16_flops;
} pba_peak;

/* Takes about half a second. */
PBA_API pba_status pba_peak_measure(int threads, pba_peak *peak);

/* Of several repetitions. */
typedef struct pba_spread {
    double median, min, max;
} pba_spread;

/* The most memory that this process had in use at any time, in bytes; 0 where the system does not
 * tell. */
PBA_API double pba_memory_peak(void);

/* ---------------------------------------------------------------- observer */

/* What a long job reports. Fields that do not apply are 0 or NULL. Texts are valid during the
 * call only. Events of one job are delivered one at a time, from any of its threads. */
typedef enum pba_event_kind {
    PBA_EVENT_NOTE,     /* text: something worth saying once */
    PBA_EVENT_PROGRESS, /* done of total (image passes), seconds left */
    PBA_EVENT_EPOCH,    /* a network finished an epoch (0-based): member, epoch, loss, accuracy */
    PBA_EVENT_SCORE,    /* a member was scored: member, round, error */
    PBA_EVENT_EXPLOIT,  /* member copied source, then explored */
    PBA_EVENT_ROUND,    /* a round ended: round, error of the best member */
    PBA_EVENT_OPENING   /* the data set is read: done of total (0: not known) of what text says */
} pba_event_kind;

typedef struct pba_event {
    pba_event_kind kind;
    const char *text;
    int member, source, round, rounds, epoch, epochs;
    double loss, accuracy, error; /* fractions 0..1 except loss */
    double done, total;           /* units of work: image passes; of an opening, what text says */
    double seconds, seconds_left; /* wall clock since the start; estimate, negative: unknown */
} pba_event;

typedef struct pba_observer {
    void (*event)(void *user, const pba_event *event); /* may be NULL */
    /* May be NULL. Asked at least once a training step, from any thread and by several at once; the
     * first true ends the job. */
    bool (*stop)(void *user);
    void *user;
} pba_observer;

/* ---------------------------------------------------------------- settings */

/* Threads: any; rows are constant, an options struct is used by one thread at a time. */
/* Options are rows: the command line, its help and config.json follow from them. */
typedef enum pba_setting_type {
    PBA_SETTING_INT,  /* int */
    PBA_SETTING_SEED, /* uint64_t */
    PBA_SETTING_REAL, /* double */
    PBA_SETTING_FLAG, /* bool; given on the command line without a value */
    PBA_SETTING_TEXT, /* char[size] */
    PBA_SETTING_LIST  /* the same, items with commas between; given again on a command line, adds */
} pba_setting_type;

typedef struct pba_setting {
    const char *name; /* "train-size" */
    pba_setting_type type;
    size_t offset, size; /* where in the options struct; size of a text field */
    double min, max;     /* inclusive, for numbers */
    const char *initial; /* the default as text; "" for an empty text */
    const char *value;   /* what the help calls the value: "N", "FILE", "none|baseline" */
    const char *choices; /* for texts: "a|b|c", nothing else allowed; NULL: free */
    const char *help;    /* a sentence or more */
    bool place;          /* says where or how fast, not what: kept out of config.json's recipe */
} pba_setting;

/* Every field of `options` to its row's default. */
PBA_API void pba_settings_init(void *options, const pba_setting *rows, size_t count);

/* Sets the named field from text. PBA_USAGE for an unknown name (the message proposes the nearest
 * one), a text that is no number of that type, or a value out of range or choice. */
PBA_API pba_status pba_settings_set(void *options, const pba_setting *rows, size_t count,
                                    const char *name, const char *text);

/* The named field as text that pba_settings_set accepts; writes at most `size` bytes. */
PBA_API pba_status pba_settings_get(const void *options, const pba_setting *rows, size_t count,
                                    const char *name, char *text, size_t size);

/* ------------------------------------------------------------------ images */

/* Threads: any; an image is written by one thread at a time, read by any number. */
/* A view of pixels owned by somebody else. uint8, interleaved: pixels[(y*width + x)*channels + c];
 * channels 1 or 3. mask[y*width + x] is 255 where there is content and exactly 0 where there is
 * none (brought in from outside, or cut out); values between arise from filtered masks. */
typedef struct pba_image {
    uint8_t *pixels;
    uint8_t *mask;
    int width, height, channels;
} pba_image;

/* Reads any image file that libvips' trusted loaders read, as 1 or 3 channels (16 bit is reduced to
 * 8, alpha becomes the mask, EXIF orientation is applied). The caller frees with pba_image_free. */
PBA_API pba_status pba_image_read(const char *path, pba_image *image);

/* Writes by the file name's suffix, whole or not at all. `mask` true: an alpha channel is added. */
PBA_API pba_status pba_image_write(const char *path, const pba_image *image, bool mask);

/* A fresh image, pixels 0, mask 255. */
PBA_API pba_status pba_image_create(int width, int height, int channels, pba_image *image);
PBA_API void pba_image_free(pba_image *image);

/* -------------------------------------------------------------- operations */

/* Threads: any; the list of operations grows under a lock, its rows are constant; an image in place
 * is one thread's. */
typedef struct pba_op_info {
    const char *name;      /* "Rotate" */
    const char *sentence;  /* what it does */
    const char *parameter; /* "degrees", "pixels", "factor", "bits", "threshold", "side", "" */
    double min, max;       /* range of the physical parameter */
    bool has_sign;         /* in the PBA space the parameter is negated with probability 1/2 */
    bool searched;         /* by default: the fifteen of the PBA space, and those of plug-ins */
    bool pixels;           /* the parameter is a length in pixels of a 32-pixel image */
    const char *source;    /* function or paper it follows; a plug-in's: its file */
    bool partner;          /* mixes the image with another one */
    bool has_identity;     /* at `identity` it changes nothing (but may reset the mask) */
    double identity;
    const char *plugin; /* the plug-in that it comes from; "": built in */
    int version;        /* of a plug-in's operation; else 0 */
} pba_op_info;

/* The built-in ones, and behind them those of plug-ins in the order of their loading. */
PBA_API size_t pba_op_count(void);
PBA_API pba_status pba_op_get(size_t index, pba_op_info *info);

/* The PBA space's parameter for an operation and level 0..10 (facts: 0..9 are searched), before the
 * sign: degrees for Rotate, and so on. */
PBA_API pba_status pba_op_parameter(const char *name, int level, double *parameter);

/* Applies one operation in place, with the PBA space's 32-pixel table as it stands: level 0..10,
 * sign +1 or -1 (only for operations that have one), randomness (Cutout's centre) from the seed.
 * mask NULL: all of the image is content before, and what is content afterwards is not told. The
 * partner, where one is needed, is the image itself turned by 180 degrees. */
PBA_API pba_status pba_op_apply(pba_image *image, const char *name, int level, int sign,
                                uint64_t seed);

/* The same to `count` images by the physical parameter, already signed and scaled. `first`
 * describes the first image, the others follow it in memory, pixels and masks alike; its mask may
 * be NULL (all content). The results go to `out` (count x height x width x channels) and, where it
 * is not NULL, `out_masks` (count x height x width); neither may overlap the images. Image i draws
 * from (seed, i), its partner too: one of the others. PBA_USAGE for a parameter outside the
 * operation's range; lengths in pixels may be longer, up to the sides of the image. */
PBA_API pba_status pba_op_apply_images(const char *name, double parameter, const pba_image *first,
                                       size_t count, uint64_t seed, uint8_t *out,
                                       uint8_t *out_masks);

/* ---------------------------------------------------------------- plug-ins */

/* Operations of your own: a shared object that exports a table of rows, which this header is enough
 * to write (docs/own-operation.md, examples/plugin.c):
 *
 *     static const pba_plugin_op ops[] = {{.name = "Grain", ... .apply = grain}};
 *     PBA_PLUGIN("mine", ops)
 *
 *     cc -O2 -shared -fPIC mine.c -o mine.so $(pkg-config --cflags pba)
 */
#define PBA_PLUGIN_ABI 1 /* changes with the layout of what follows */
#define PBA_PLUGIN_OPS_MAX 64

typedef enum pba_op_flags {
    PBA_OP_SIGN = 1,   /* the parameter is negated with probability 1/2 */
    PBA_OP_PIXELS = 4, /* the parameter is a length in pixels of a 32-pixel image, and is scaled by
                          min(width, height)/32 */
    PBA_OP_RESETS_MASK = 16, /* everything counts as content afterwards */
    PBA_OP_PARTNER = 64,     /* mixes the image with another one, context->partner */
    PBA_OP_MASKS = 1024,     /* writes dst->mask itself, every byte */
    PBA_OP_IDENTITY = 2048   /* at the parameter `identity` it changes nothing */
} pba_op_flags;

typedef struct pba_op_context {
    /* With PBA_OP_PARTNER another image of the same shape, mask NULL (all of it is content); else
     * NULL. */
    const pba_image *partner;
    uint8_t *scratch; /* width x height x channels bytes, 64-byte aligned, any contents */
    /* The only source of randomness: uniform in 0..bound-1 (bound at least 1), and in [0, 1). */
    uint32_t (*below)(struct pba_op_context *context, uint32_t bound);
    double (*unit)(struct pba_op_context *context);
} pba_op_context;

typedef struct pba_plugin_op {
    const char *name; /* letters, digits, - and _; no other operation's */
    const char *sentence;
    const char *parameter; /* what the number is: "degrees". "": none, and the five below are 0 */
    double min, max;       /* its range */
    double level_0, level_10; /* the parameter at these levels of the PBA space, before the sign; in
                                 even steps between */
    double identity;          /* with PBA_OP_IDENTITY */
    unsigned flags;
    int version; /* from 1. Schedules record it: change it when the pixels that come out change */
    /* Called by any thread, several at a time. dst and src have the same shape and share no byte;
     * masks are never NULL. Every byte of dst->pixels has to be written, and nothing else;
     * dst->mask is filled in already (kept, or all 255 with PBA_OP_RESETS_MASK) but with
     * PBA_OP_MASKS. The same arguments and draws give the same bytes. Cannot fail. */
    void (*apply)(pba_image *dst, const pba_image *src, double parameter, pba_op_context *context);
} pba_plugin_op;

typedef struct pba_plugin {
    int abi, count;
    const char *name; /* of the plug-in, which schedules record: best that of its file */
    const pba_plugin_op *ops;
} pba_plugin;

#define PBA_PLUGIN(NAME, OPS)                                                                      \
    extern PBA_API const pba_plugin pba_plugin_table;                                              \
    const pba_plugin pba_plugin_table = {PBA_PLUGIN_ABI, (int)(sizeof(OPS) / sizeof *(OPS)), NAME, \
                                         OPS};

/* Loads a plug-in; its operations are known from then on, until the process ends. Before that each
 * is tried on test images in a child process (see pba_op_test), so that one which crashes does no
 * harm. A file that is loaded already is fine. PBA_NOT_FOUND; PBA_UNSUPPORTED for another ABI;
 * PBA_FORMAT for a file that is no plug-in, or an operation that breaks a rule (the message names
 * it and the rule). Any thread may call this; the child is forked, so best before others run. */
PBA_API pba_status pba_plugin_load(const char *path);

/* X(check, name, sentence): what every operation has to keep to. */
#define PBA_OP_CHECK_LIST(X)                                                                       \
    X(BOUNDS, "bounds", "writes and reads nothing outside its images")                             \
    X(COMPLETE, "complete", "writes every byte of the result")                                     \
    X(DETERMINISM, "determinism", "same image, parameter and draws: same bytes")                   \
    X(MASK, "mask", "keeps, resets or writes the mask as its flags say")                           \
    X(IDENTITY, "identity", "changes nothing at its identity parameter")                           \
    X(GREY, "grey", "treats one channel as the red of a grey image of three")                      \
    X(SETS, "sets", "same bytes from every instruction set of this processor")

#define PBA_OP_CHECK_ENUM(check, name, sentence) PBA_OP_CHECK_##check,
typedef enum pba_op_check { PBA_OP_CHECK_LIST(PBA_OP_CHECK_ENUM) PBA_OP_CHECKS } pba_op_check;
#undef PBA_OP_CHECK_ENUM

typedef enum pba_op_verdict { PBA_OP_PASSED, PBA_OP_FAILED, PBA_OP_SKIPPED } pba_op_verdict;

typedef struct pba_op_finding {
    const char *name, *sentence;
    pba_op_verdict verdict;
    char detail[256]; /* failed: where, and what; skipped: why */
} pba_op_finding;

typedef struct pba_op_report {
    char name[PBA_NAME_MAX], plugin[PBA_NAME_MAX]; /* plugin "": built in */
    int version;
    pba_op_finding findings[PBA_OP_CHECKS];
    bool passed;              /* none failed, and nothing crashed */
    char crash[256];          /* "": none */
    int applications;         /* to images of several shapes, grey and colour, 1xN among them */
    double images_per_second; /* of 32 x 32 x 3 at level 7 on one thread */
} pba_op_report;

/* Checks an operation, in a child process. plugins: files with commas between, which need not be
 * loaded, and are not loaded by this; NULL: the operations that are known. PBA_OK where the checks
 * could be made, whatever they found. PBA_USAGE for an unknown name. */
PBA_API pba_status pba_op_test(const char *name, const char *plugins, pba_op_report *report);

/* --------------------------------------------------------- kinds of policy */

/* Threads: any. */
/* How images are augmented is chosen by a text: "baseline", "autoaugment:cifar10",
 * "randaugment:2,9", the path of a schedule. A kind is what such a text names. */
typedef struct pba_augment_kind_info {
    const char *pattern;  /* "randaugment:N,M[,BINS]" */
    const char *example;  /* "randaugment:2,9" */
    const char *sentence; /* what it does */
    const char *source;   /* the paper it follows; "" where there is none */
} pba_augment_kind_info;

PBA_API size_t pba_augment_kind_count(void);
PBA_API pba_status pba_augment_kind_get(size_t index, pba_augment_kind_info *info);

/* --------------------------------------------------------------- schedules */

/* Threads: a schedule never changes between its making and pba_schedule_free: any number of threads
 * may use one. */
typedef struct pba_schedule pba_schedule;

/* A policy: `copies` times the list of operations; per entry a probability in tenths 0..10 and a
 * level 0..9, flattened p0 m0 p1 m1 ... (facts: first copy of all operations, then the second). */
#define PBA_POLICY_MAX 128
typedef struct pba_policy {
    int entries; /* copies * operations, at most PBA_POLICY_MAX */
    uint8_t values[2 * PBA_POLICY_MAX];
} pba_policy;

/* Reads schedule.json or the reference's log, recognized by content. A log does not say how many
 * epochs its search had: `epochs` gives them; it must be 0 for schedule.json. */
PBA_API pba_status pba_schedule_load(const char *path, int epochs, pba_schedule **schedule);
PBA_API void pba_schedule_free(pba_schedule *schedule);

/* Writes schedule.json, or the reference's log where the path ends in .txt. Whole or not at all.
 * PBA_UNSUPPORTED where it would be longer than what is read back, 64 MiB. */
PBA_API pba_status pba_schedule_save(const pba_schedule *schedule, const char *path);

/* One constant policy for all epochs. ops: names in the order of the vector. */
PBA_API pba_status pba_schedule_constant(const pba_policy *policy, const char *const *ops,
                                         int op_count, int epochs, pba_schedule **schedule);

/* The schedule for a run of `epochs` epochs: epoch e uses the policy of floor(e * own / epochs), in
 * exact integers. The lineage, which tells of the search's epochs, is not carried over. */
PBA_API pba_status pba_schedule_stretch(const pba_schedule *schedule, int epochs,
                                        pba_schedule **stretched);

/* The same by the reference implementation's rule: each segment lasts floor(len * epochs / own)
 * epochs, and what is left over goes to the last one. (In exact integers: the reference computes
 * in doubles and is one epoch short for some lengths, such as 29 or 57 of 200.) */
PBA_API pba_status pba_schedule_stretch_reference(const pba_schedule *schedule, int epochs,
                                                  pba_schedule **stretched);

PBA_API int pba_schedule_epochs(const pba_schedule *schedule);
PBA_API int pba_schedule_segments(const pba_schedule *schedule);
PBA_API int pba_schedule_op_count(const pba_schedule *schedule);
PBA_API const char *pba_schedule_op(const pba_schedule *schedule, int index);
/* Segment i: its length in epochs and its policy. Zero-length segments are possible. */
PBA_API pba_status pba_schedule_segment(const pba_schedule *schedule, int index, int *epochs,
                                        pba_policy *policy);
/* Whether all of its operations are known here, those of plug-ins in the version that the schedule
 * was made with: else PBA_FORMAT, naming the operation, and the plug-in where the schedule tells.
 */
PBA_API pba_status pba_schedule_check(const pba_schedule *schedule);
/* The policy of an epoch 0..epochs-1. */
PBA_API pba_status pba_schedule_at(const pba_schedule *schedule, int epoch, pba_policy *policy);

/* -------------------------------------------------------------------- data */

/* Threads: any number may use one data set at the same time, while none is in pba_dataset_split. */
typedef struct pba_dataset pba_dataset;
typedef enum pba_split { PBA_TRAIN, PBA_VALIDATION, PBA_TEST } pba_split;

typedef struct pba_dataset_info {
    const char *format;   /* "cifar-10", "idx", "demo" ... */
    const char *notes;    /* said aloud: which files were found, which were not; may be "" */
    const char *baseline; /* default baseline augmentation: "crop:4,flip,cutout:16" */
    int width, height, channels, classes;
    /* As stored; validation or test 0: the format has none, they are drawn from training. */
    int train_images, val_images, test_images;
} pba_dataset_info;

/* All fields zero: the defaults. */
typedef struct pba_dataset_options {
    /* "WxH": what the images of a folder, of any size on disk, become. "": as stored where all have
     * one size of at most 96 x 96, else 64x64, which a note says. Other formats keep the size of
     * their images: "" or exactly that one, else PBA_USAGE. */
    char size[PBA_NAME_MAX];
    /* How they become it. "" or "crop": resized to cover, the middle cut out. "pad": resized to
     * fit, black borders. */
    char fit[PBA_NAME_MAX];
    bool skip_bad; /* broken image files are counted and named in the notes; else they fail */
    /* May be NULL. Called now and then while files are read, on the calling thread: `done` of
     * `total` (0: not known) of what `what` says. False: stop, PBA_INTERRUPTED. */
    bool (*progress)(void *user, const char *what, int64_t done, int64_t total);
    void *user;
} pba_dataset_options;

/* Rows for the struct above. */
PBA_API const pba_setting *pba_dataset_settings(size_t *count);

/* DATASET is a path, recognized by content, or "demo". options NULL: the defaults. */
PBA_API pba_status pba_dataset_open_with(const char *path, const pba_dataset_options *options,
                                         pba_dataset **dataset);
PBA_API pba_status pba_dataset_open(const char *path, pba_dataset **dataset);
PBA_API void pba_dataset_free(pba_dataset *dataset);
PBA_API pba_status pba_dataset_describe(const pba_dataset *dataset, pba_dataset_info *info);
/* The name of a class, of less than PBA_CLASS_MAX bytes; "" where there is none. */
PBA_API const char *pba_dataset_class(const pba_dataset *dataset, int label);

/* Draws the splits, stratified by class, from split_seed alone: test (one image in six, where the
 * format has none), then validation, then training; the first two do not depend on train_size.
 * train_size 0: all that is left. val_size 0: one in five of what test left, at most 5,000; where
 * the format stores validation images, all of those; val_size -1: none. PBA_NOT_FOUND where more is
 * asked than there is or a class would be left without a training image; the splits drawn before
 * are then kept. May be called again. */
PBA_API pba_status pba_dataset_split(pba_dataset *dataset, int train_size, int val_size,
                                     uint64_t split_seed);
/* 0 before the splits are drawn. */
PBA_API int pba_dataset_count(const pba_dataset *dataset, pba_split split);
/* Image i of a split: pixels stay owned by the data set, mask is NULL. */
PBA_API pba_status pba_dataset_image(const pba_dataset *dataset, pba_split split, int index,
                                     pba_image *view, int *label);
/* Per-channel mean and standard deviation (of the population, not the sample) of the training
 * split, in 0..1 units. Channels that do not exist or never vary have deviation 1. */
PBA_API pba_status pba_dataset_statistics(const pba_dataset *dataset, double mean[3],
                                          double deviation[3]);

/* --------------------------------------------------------------- augmenter */

/* Threads: any number may use one augmenter at the same time. */
typedef struct pba_augmenter pba_augmenter;

typedef struct pba_augmenter_options {
    const pba_schedule *schedule; /* NULL: no policy; copied, need not outlive the call */
    const char *augment;          /* a kind of policy instead of `schedule`; NULL: none */
    const char *baseline;         /* "none" or "crop:P,flip,cutout:S"; NULL: "none" */
    int width, height, channels;  /* of the images */
    double mean[3], deviation[3]; /* for float output; all 0: mean 0, deviation 1 */
    bool scale_pixels;            /* scale pixel parameters by min(width, height)/32 */
    uint64_t seed;
    bool interleaved; /* batches are height x width x channels (NHWC); otherwise NCHW */
    bool bf16;        /* batches are bfloat16, rounded to nearest even; otherwise float32 */
    /* The images that partners are drawn from (pixels of each, as those of a batch), for operations
     * that mix an image with another one, and their numbers in the data set (NULL: 0, 1, 2 ...).
     * Must outlive the augmenter. count 0: the images of the call; where there is only one, itself,
     * turned by 180 degrees. */
    const uint8_t *const *partners;
    const uint32_t *partner_ids;
    size_t partner_count;
} pba_augmenter_options;

PBA_API pba_status pba_augmenter_create(const pba_augmenter_options *options,
                                        pba_augmenter **augmenter);
PBA_API void pba_augmenter_free(pba_augmenter *augmenter);

/* Augments `count` images of epoch `epoch`: image i is images + i*width*height*channels
 * (interleaved uint8); ids[i] is its number in the data set (with seed and epoch it determines the
 * draws; NULL: 0,1,2...). out: `count` normalized images in the options' layout and type (count x
 * channels x height x width float32), 0 without content. Any number of threads may call this on one
 * augmenter at the same time; a call allocates nothing once as many have run together before. */
PBA_API pba_status pba_augment_batch(const pba_augmenter *augmenter, const uint8_t *images,
                                     const uint32_t *ids, size_t count, int epoch, void *out);

/* The same draws as uint8 images with masks, for looking at and for other trainers. out: `count`
 * images, interleaved, mask (count x height x width) may be NULL. */
PBA_API pba_status pba_augment_images(const pba_augmenter *augmenter, const uint8_t *images,
                                      const uint32_t *ids, size_t count, int epoch, uint8_t *out,
                                      uint8_t *mask);

/* The first `count` images (0: all) of a split, as an `.npz` file that numpy.load reads: images
 * (count, height, width, channels) uint8, labels (count) int64, class_names (classes) texts, and
 * with `masks` masks (count, height, width) uint8, 0 where there is no content. Images are what
 * pba_augment_images makes of them in `epoch`; their ids are those of a training run with the same
 * split seed, so that they are what that run is shown (with its seed: its first network). Of the
 * options, width, height and channels are the data set's, partners its training images, and
 * baseline "auto" stands for its format's. Nothing but one image is in memory beside the data set.
 * Whole or not at all. */
PBA_API pba_status pba_augment_write(const pba_dataset *dataset, pba_split split, int count,
                                     const pba_augmenter_options *options, int epoch, bool masks,
                                     const char *path);

/* A contact sheet of up to `images` images of the training split, the classes in turn, by the file
 * name's suffix. With a schedule: a row per image: as it is, then in `columns` (0: 5) epochs from
 * the first to the last, evenly spaced, augmented by policy and the format's baseline as a training
 * run with this seed (its first one) does it; a checkerboard where there is no content. Without
 * (NULL): `columns` (0: 10) images a row, as they are. Captions name classes and epochs. */
PBA_API pba_status pba_preview_write(const pba_dataset *dataset, const pba_schedule *schedule,
                                     const char *path, int images, int columns, uint64_t seed);

/* ------------------------------------------------------------------ models */

/* Threads: any. */
typedef struct pba_model_info {
    char name[PBA_NAME_MAX];
    int64_t parameters;   /* trainable */
    double forward_macs;  /* of one image: multiply-adds of convolutions and linear layers */
    double training_macs; /* the same for a step: three times that, the first layer's twice */
} pba_model_info;

/* A sentence per family: "wrn-D-K[:standard]  Wide-ResNet ..." */
PBA_API size_t pba_model_family_count(void);
PBA_API pba_status pba_model_family(size_t index, const char **pattern, const char **sentence,
                                    const char **example);
/* PBA_USAGE for a name that no family knows or a size that the model does not take. */
PBA_API pba_status pba_model_describe(const char *name, int width, int height, int channels,
                                      int classes, pba_model_info *info);

/* -------------------------------------------------------------- population */

/* Threads: one at a time for each population; a trainer of several threads asks and tells under a
 * lock of its own. */
/* The search alone, as a pure state machine: it knows no network, no data and no thread, and holds
 * no weights. Drive it from any trainer:
 *
 *   while ask(&task) gives PBA_TASK_TRAIN: bring the weights of task.weights_from (as they were at
 *   the end of the last round) to task.member, train epochs [from, until) under task.policy, score
 *   on validation data, tell(member, error).
 *   PBA_TASK_WAIT: other members are still out. PBA_TASK_DONE: pba_population_schedule.
 */
typedef struct pba_population pba_population;

typedef enum pba_selection {
    PBA_SELECTION_TRUNCATION, /* the bottom copies the top, and explores: PBA */
    PBA_SELECTION_NONE        /* nobody copies; all explore, whatever their scores: what drift alone
                                 gives, to compare with. The schedule is the best final member's. */
} pba_selection;

typedef struct pba_population_options {
    int population;       /* 2..10000 */
    int epochs, interval; /* 1.. */
    uint64_t seed;
    int copies;      /* of the operation list; PBA: 2 */
    double quantile; /* share copied and share replaced, each ceil(population * quantile) and at
                        most half; PBA: 0.25, at most 0.5; 0: nobody copies, nobody explores */
    double resample; /* probability of a uniform redraw of a parameter; PBA: 0.2 */
    const char *const *ops; /* NULL: the fifteen of PBA */
    int op_count;
    pba_selection selection; /* NONE: `quantile` has no meaning */
    int burn_in; /* epochs: at the end of rounds before it nobody copies or explores; PBA: 0 */
    /* Where the members start from; NULL: all from the policy of zeros (PBA). Of the same
     * operations and copies. Member i of N starts with the policy of epoch i * (epochs - 1) /
     * (N - 1), rounded down, of the schedule; those of odd numbers explore once from it. Copied. */
    const pba_schedule *start;
} pba_population_options;

typedef enum pba_task_kind { PBA_TASK_TRAIN, PBA_TASK_WAIT, PBA_TASK_DONE } pba_task_kind;

typedef struct pba_task {
    pba_task_kind kind;
    int member, round;
    int from_epoch, until_epoch;
    int weights_from; /* == member: its own */
    pba_policy policy;
} pba_task;

PBA_API void pba_population_defaults(pba_population_options *options);
PBA_API pba_status pba_population_create(const pba_population_options *options,
                                         pba_population **population);
PBA_API void pba_population_free(pba_population *population);
PBA_API pba_status pba_population_ask(pba_population *population, pba_task *task);
/* error: validation error 0..1 (any measure will do), lower is better, ties go to the lower member;
 * NaN or infinity counts as worst, and such a member is never copied; where it is not replaced, it
 * is asked for again with its own weights. PBA_USAGE: not asked for. */
PBA_API pba_status pba_population_tell(pba_population *population, int member, double error);
/* After the end: the best member, its error, and the policies along its lineage. */
PBA_API pba_status pba_population_best(const pba_population *population, int *member,
                                       double *error);
PBA_API pba_status pba_population_schedule(const pba_population *population,
                                           pba_schedule **schedule);
/* The whole state as JSON text (malloc'd, free it) and back, between any two calls. Whoever reads
 * it asks again for the members that were out. PBA_FORMAT for a text that no population can be in.
 */
PBA_API pba_status pba_population_to_json(const pba_population *population, char **text);
PBA_API pba_status pba_population_from_json(const char *text, pba_population **population);

/* --------------------------------------------------------- search and train */

/* Threads: a search or training is created, run and freed by one thread, and starts those it needs.
 * While it runs, other threads may call its _directory, _dataset and _options. To stop it from any
 * thread, let observer->stop return true: every worker ends within the step that it is in. */
/* What a search and a training run have in common. */
typedef struct pba_recipe {
    char model[PBA_NAME_MAX];
    char size[PBA_NAME_MAX], fit[PBA_NAME_MAX]; /* as in pba_dataset_options */
    bool skip_bad;
    int train_size, val_size; /* 0: as pba_dataset_split says */
    int batch;
    double lr, weight_decay;
    char lr_schedule[PBA_NAME_MAX]; /* "cosine" or "step:80,120" */
    char baseline[PBA_NAME_MAX];    /* "auto": the data format's */
    int epochs;
    uint64_t seed, split_seed;
    char backend[PBA_NAME_MAX]; /* "onednn" or "reference" */
    char precision[8];          /* "f32", "bf16" or "auto": bf16 where the processor has it */
} pba_recipe;

typedef struct pba_search_options {
    pba_recipe recipe;
    char dataset[PBA_PATH_MAX];
    int population, interval;
    char selection[PBA_NAME_MAX]; /* "truncation" or "none" */
    char plugin[PBA_PATH_MAX];    /* files for pba_plugin_load, with commas between */
    char ops[2048]; /* names of the operations, with commas between; each behind a "-": the default
                       without these. "": the fifteen of PBA and those of all loaded plug-ins */
    char count_probs[128]; /* "0.2,0.3,0.5": probabilities of 0, 1, 2 ... operations on an image */
    int burn_in;           /* these three as in pba_population_options */
    double quantile, resample;
    char val[PBA_PATH_MAX];  /* a data set whose images members are scored on; "": `dataset` */
    char from[PBA_PATH_MAX]; /* a run's folder or a schedule file that members start from; "": none
                              */
    int workers;             /* 0: one per core */
    char out[PBA_PATH_MAX];  /* run directory; "": runs/search-N chosen by the caller */
    bool tensorboard;        /* event files in the run directory's tensorboard/ */
    char preset[PBA_NAME_MAX]; /* what the settings started from, for the record; "": none */
    char budget[PBA_NAME_MAX]; /* what they were chosen for, for the record; see pba_search_fit */
} pba_search_options;

typedef struct pba_train_options {
    pba_recipe recipe;
    char dataset[PBA_PATH_MAX];
    char augment[PBA_PATH_MAX];        /* a kind of policy, as pba_augment_kind_get lists them */
    char plugin[PBA_PATH_MAX];         /* files for pba_plugin_load, with commas between */
    char schedule_order[PBA_NAME_MAX]; /* "in-order", "flattened" ...; "": in-order */
    int seeds;                         /* recipe.seed, recipe.seed + 1, ... */
    int workers; /* networks at the same time; 0: as many as there are cores for */
    int threads; /* of each network; 0: one per core where seeds is 1, else one. Weights depend on
                    it: settled at the beginning, and kept when the run is resumed */
    char out[PBA_PATH_MAX];
    bool tensorboard;          /* event files in out/tensorboard/ */
    char preset[PBA_NAME_MAX]; /* what the settings started from, for the record; "": none */
    char budget[PBA_NAME_MAX]; /* what they were chosen for, for the record; see pba_training_fit */
} pba_train_options;

/* Rows for the structs above (the recipe's rows come first, offsets from the start of the struct).
 */
PBA_API const pba_setting *pba_search_settings(size_t *count);
PBA_API const pba_setting *pba_train_settings(size_t *count);

/* Published experiments: settings by name, and what came out of them. */
typedef struct pba_preset_setting {
    const char *name, *value; /* for pba_settings_set */
} pba_preset_setting;

typedef struct pba_preset {
    const char *name;       /* "rcifar10/wrn-28-10" */
    const char *job;        /* "search" or "train": whose settings these are */
    const char *dataset;    /* the data that it was published for */
    const char *table;      /* where it was published */
    double published_error; /* test error 0..1, with the augmentation that was published; negative:
                               none */
    const pba_preset_setting *settings;
    size_t setting_count;
} pba_preset;

PBA_API size_t pba_preset_count(void);
PBA_API pba_status pba_preset_get(size_t index, pba_preset *preset);
/* PBA_USAGE for an unknown name (the message lists those of the job). */
PBA_API pba_status pba_preset_find(const char *job, const char *name, pba_preset *preset);
/* Sets what the preset names, and the field "preset". The rows are those of its job. */
PBA_API pba_status pba_preset_apply(const pba_preset *preset, void *options,
                                    const pba_setting *rows, size_t count);

/* What a job will do, measured on a few steps that touch no state. */
typedef struct pba_plan {
    int members, rounds, epochs, workers, threads; /* threads: of each network */
    int train_images, val_images, test_images;
    int64_t parameters;
    double image_passes, seconds, bytes;              /* forward+backward passes; estimates */
    const char *model, *baseline, *precision, *notes; /* precision: never "auto" */
} pba_plan;

typedef struct pba_search pba_search;

/* Opens data, checks every option, builds the network; writes nothing. PBA_EXISTS where `out` holds
 * a run or a file that the search would overwrite. PBA_USAGE, too, where its journal or schedule
 * could become longer than what is read back (docs/limits.md). */
PBA_API pba_status pba_search_create(const pba_search_options *options, pba_search **search);
/* The same; the observer, which may be NULL, is told of PBA_EVENT_OPENING, and its stop ends the
 * opening (PBA_INTERRUPTED). It need not outlive the call. */
PBA_API pba_status pba_search_create_with(const pba_search_options *options,
                                          const pba_observer *observer, pba_search **search);
/* The options of an existing run come from its config.json; workers 0: one per core. The result is
 * that of an undisturbed run. PBA_EXISTS while another process is at work on it; a finished run is
 * opened too, and has nothing left to do. */
PBA_API pba_status pba_search_resume(const char *run, int workers, pba_search **search);
PBA_API pba_status pba_search_resume_with(const char *run, int workers,
                                          const pba_observer *observer, pba_search **search);
PBA_API pba_status pba_search_plan(pba_search *search, pba_plan *plan);
/* The same, and of the next ones: the observer, which may be NULL, is asked whether to stop
 * (PBA_INTERRUPTED; the search can be run as if it had not been planned). */
PBA_API pba_status pba_search_plan_with(pba_search *search, const pba_observer *observer,
                                        pba_plan *plan);
/* Runs to the end, or until observer->stop says so (PBA_INTERRUPTED: members scored by then are
 * saved; go on by pba_search_resume after pba_search_free). PBA_DIVERGED: every member's loss
 * became infinite or no number in one round; docs/steering.md tells what becomes of single ones.
 * Once per object. */
PBA_API pba_status pba_search_run(pba_search *search, const pba_observer *observer);
/* After the end. The schedule stays owned by the search. */
PBA_API pba_status pba_search_result(const pba_search *search, const pba_schedule **schedule,
                                     double *val_error);
/* Where the time of a search goes: X(part, kernel, name, text). kernel: it is spent in the
 * convolutions, normalizations and the optimizer, which no search can do without. */
#define PBA_SEARCH_PART_LIST(X)                                                                    \
    X(FORWARD, true, "forward", "forward passes of training")                                      \
    X(BACKWARD, true, "backward", "backward passes of training")                                   \
    X(OPTIMIZE, true, "optimize", "clipping, decay and step")                                      \
    X(EVALUATE, true, "evaluate", "forward passes on validation images")                           \
    X(AUGMENT, false, "augment", "augmentation and normalization of training images")              \
    X(NORMALIZE, false, "normalize", "normalization of validation images")                         \
    X(LOAD, false, "load", "weights into the layouts of the kernels")                              \
    X(LOSS, false, "loss", "cross-entropy and counting of answers")                                \
    X(CHECKPOINT, false, "checkpoint", "writing of checkpoints")                                   \
    X(JOURNAL, false, "journal", "decisions, and lines of the journal, synced")                    \
    X(COPY, false, "copy", "copies of members by members")                                         \
    X(IDLE, false, "idle", "waiting for other workers")                                            \
    X(OTHER, false, "other", "everything else")

#define PBA_SEARCH_PART_ENUM(part, kernel, name, text) PBA_SEARCH_##part,
typedef enum pba_search_part {
    PBA_SEARCH_PART_LIST(PBA_SEARCH_PART_ENUM) PBA_SEARCH_PARTS
} pba_search_part;
#undef PBA_SEARCH_PART_ENUM

typedef struct pba_search_times {
    int workers;
    double start_seconds; /* compiling the networks; before the parts */
    double seconds;       /* wall time from then to the end: the parts sum to workers times it */
    double parts[PBA_SEARCH_PARTS]; /* seconds of all workers together */
    double trained, evaluated;      /* images */
    int copies, early; /* exploits; tasks that began before the round before was decided */
} pba_search_times;

/* Of this object's run, once it has ended. */
PBA_API pba_status pba_search_spent(const pba_search *search, pba_search_times *times);
PBA_API const char *pba_search_directory(const pba_search *search);
/* The data set with the search's splits; NULL where a finished run was opened. */
PBA_API const pba_dataset *pba_search_dataset(const pba_search *search);
PBA_API void pba_search_free(pba_search *search);

/* A time budget, "90s", "45m", "1h30m" or "2h", as seconds. PBA_USAGE for any other text. */
PBA_API pba_status pba_budget_parse(const char *text, double *seconds);

/* A setting under a budget: what it is, and a clause that says why. */
typedef struct pba_budget_choice {
    const char *name; /* of the setting: "train-size" */
    char value[PBA_NAME_MAX];
    char why[160];
} pba_budget_choice;

#define PBA_BUDGET_CHOICES_MAX 8
typedef struct pba_budget {
    double seconds;  /* asked for, from the call on to the end, a report included */
    double spent;    /* of them before the settings stood: opening the data, measuring */
    double expected; /* of the whole */
    pba_budget_choice choices[PBA_BUDGET_CHOICES_MAX];
    int choice_count;
} pba_budget;

/* Fits a search into options->budget: opens the data, measures this machine for some seconds, then
 * chooses model, population, epochs, train_size and val_size by the rules of docs/steering.md, and
 * the precision. What is named in `kept` ("model", "train-size" ...: as the settings' rows have
 * them) stays as it is in `options`, as does everything else. The search is as if it had been
 * created with the options as they are afterwards. PBA_USAGE where the time is too short: the
 * message tells the least. The observer is told of the opening; its stop ends that and the
 * measuring (PBA_INTERRUPTED, and `options` are as they were). Nothing is written. */
PBA_API pba_status pba_search_fit(pba_search_options *options, const char *const *kept,
                                  size_t kept_count, const pba_observer *observer,
                                  pba_budget *budget, pba_search **search);

typedef struct pba_training pba_training;

typedef struct pba_measure_options {
    int members; /* networks at once; 0: one per core */
    int threads; /* of each */
    int repetitions;
    double seconds; /* of training, and again of evaluation, in a repetition; at least a step */
} pba_measure_options;

/* What a network's training and evaluation do per second, on this machine: `members` networks at
 * once, `threads` threads each. */
typedef struct pba_training_speed {
    const char *model, *baseline, *precision; /* valid as long as the training is */
    int members, threads, repetitions;
    int batch, evaluation_batch;
    pba_spread training;   /* images per second of all members together, from stored bytes to the
                              changed weights */
    pba_spread network;    /* the same steps without the time of augmentation */
    pba_spread evaluation; /* images per second, normalization included */
    double training_flops, evaluation_flops; /* operations per image: two per multiply-add */
    pba_peak peak;     /* of members x threads threads, measured just before */
    double plan_bytes; /* of each member's executor; its weights, momentum and statistics beside */
    double block_bytes;
} pba_training_speed;

typedef struct pba_training_result {
    uint64_t seed;
    double test_error, train_accuracy, train_loss; /* of the last epoch; fractions */
    double seconds;
} pba_training_result;

PBA_API pba_status pba_training_create(const pba_train_options *options, pba_training **training);
/* The same, and of the next one; the observer is told as pba_search_create_with says. */
PBA_API pba_status pba_training_create_with(const pba_train_options *options,
                                            const pba_observer *observer, pba_training **training);
/* The options of an existing run come from its config.json, but for workers. Goes on where
 * checkpoints are, with as many threads as it began with, whatever cores there are: to the same
 * bytes as an undisturbed run, on a processor of the same kind. A finished run is reported as it
 * is. */
PBA_API pba_status pba_training_resume(const char *run, int workers, pba_training **training);
PBA_API pba_status pba_training_resume_with(const char *run, int workers,
                                            const pba_observer *observer, pba_training **training);
/* Fits a training into options->budget: as pba_search_fit, but only epochs and precision are
 * chosen; all seeds count. PBA_USAGE where not even one epoch fits, or where epochs are to be kept.
 */
PBA_API pba_status pba_training_fit(pba_train_options *options, const char *const *kept,
                                    size_t kept_count, const pba_observer *observer,
                                    pba_budget *budget, pba_training **training);
PBA_API pba_status pba_training_plan(pba_training *training, pba_plan *plan);
PBA_API pba_status pba_training_plan_with(pba_training *training, const pba_observer *observer,
                                          pba_plan *plan);
/* Trains and evaluates fresh networks, under a policy in which every operation is as likely as
 * another (probability 0.5, level 4), and throws them away: nothing of the training is touched, and
 * nothing is written. PBA_INTERRUPTED when observer->stop says so. */
PBA_API pba_status pba_training_measure(pba_training *training, const pba_measure_options *options,
                                        const pba_observer *observer, pba_training_speed *speed);
/* Runs to the end, or until observer->stop says so (PBA_INTERRUPTED, everything saved).
 * PBA_DIVERGED: a network's loss became infinite or no number; those that train beside it are
 * finished, and what is finished is kept, but no other one begins. */
PBA_API pba_status pba_training_run(pba_training *training, const pba_observer *observer);
PBA_API size_t pba_training_results(const pba_training *training,
                                    const pba_training_result **results);
PBA_API const char *pba_training_directory(const pba_training *training);
/* What the run was started with; paths are absolute. */
PBA_API const pba_train_options *pba_training_options(const pba_training *training);
PBA_API void pba_training_free(pba_training *training);

/* ------------------------------------------------------------- comparisons */

/* Threads: as a training. */

/* Training runs that differ in how images are augmented alone, and what they say. */
typedef struct pba_compare_options {
    pba_recipe recipe;
    char dataset[PBA_PATH_MAX];
    /* Kinds of policy (pba_augment_kind_get), 2 to 32, with commas between them. Digits between
     * two commas belong to the kind before: "baseline,randaugment:2,9,runs/search-demo-1" are three
     * arms. A comma in a path is written "\,". */
    char arms[PBA_PATH_MAX];
    char plugin[PBA_PATH_MAX]; /* files for pba_plugin_load, with commas between */
    int seeds;                 /* of each arm: recipe.seed, recipe.seed + 1, ... */
    int workers, threads;      /* as of pba_train_options */
    char out[PBA_PATH_MAX];
    bool tensorboard; /* of each arm */
} pba_compare_options;

PBA_API const pba_setting *pba_compare_settings(size_t *count);

/* An arm when all is done. Errors are shares 0..1. */
typedef struct pba_arm {
    char augment[PBA_PATH_MAX];
    char run[PBA_PATH_MAX]; /* its training run's folder */
    int seeds;
    const double *errors;    /* test error of each seed, in order */
    double mean, half_width; /* half of the mean's 95 % interval (Student's t over the seeds);
                                negative for a single seed */
    double core_seconds;     /* cores held times seconds: of its training */
    double search_seconds; /* the same of the search whose run the arm is; negative: it is none, or
                              does not tell */
    /* Of a schedule beside the arm of the least mean error that is none: that one's error minus the
     * schedule's, by Student's t over seeds in pairs; half negative: a single seed. */
    double gain, gain_half_width;
    const char *rival;   /* NULL: the arm is no schedule, or all others are */
    const char *verdict; /* a sentence: whether the search paid; NULL as above */
} pba_arm;

typedef struct pba_comparison pba_comparison;

/* As of searches and training runs. Each arm's run lies in a folder of its own below `out`, as
 * pba_training_run makes it; seeds of all arms are shared out over the workers. */
PBA_API pba_status pba_comparison_create_with(const pba_compare_options *options,
                                              const pba_observer *observer,
                                              pba_comparison **comparison);
/* Arms that are finished stay as they are, one that was begun goes on. */
PBA_API pba_status pba_comparison_resume_with(const char *folder, int workers,
                                              const pba_observer *observer,
                                              pba_comparison **comparison);
/* members: the networks of all arms. */
PBA_API pba_status pba_comparison_plan(pba_comparison *comparison, pba_plan *plan);
PBA_API pba_status pba_comparison_plan_with(pba_comparison *comparison,
                                            const pba_observer *observer, pba_plan *plan);
/* Runs to the end and writes report.html, comparison.svg and result.json beside the arms; or until
 * observer->stop says so (PBA_INTERRUPTED, everything saved). PBA_DIVERGED: a network's loss became
 * infinite or no number; all others are saved. Networks are numbered through all arms in events.
 * Once per object. */
PBA_API pba_status pba_comparison_run(pba_comparison *comparison, const pba_observer *observer);
/* After the end; 0 before. Arms belong to the comparison. */
PBA_API size_t pba_comparison_arms(const pba_comparison *comparison, const pba_arm **arms);
PBA_API const char *pba_comparison_directory(const pba_comparison *comparison);
PBA_API const pba_compare_options *pba_comparison_options(const pba_comparison *comparison);
PBA_API void pba_comparison_free(pba_comparison *comparison);

/* Weights that a training run saved, on images that it did not train on. */
typedef struct pba_evaluate_options {
    char dataset[PBA_PATH_MAX];
    char weights[PBA_PATH_MAX]; /* a .safetensors file of pba_training_run */
    char model[PBA_NAME_MAX];   /* "": the one that the file names */
    char split[PBA_NAME_MAX];   /* "test", "validation" or "training" */
    /* As in pba_dataset_options; size "": both as the training of the weights had them. */
    char size[PBA_NAME_MAX], fit[PBA_NAME_MAX];
    bool skip_bad;
    int train_size, val_size; /* as for the training, where the split is drawn */
    uint64_t split_seed;
    char backend[PBA_NAME_MAX];
    char precision[8]; /* as in pba_recipe */
} pba_evaluate_options;

/* Figures are shares 0..1. Arrays belong to the evaluation. */
typedef struct pba_evaluation {
    char model[PBA_NAME_MAX];
    int images, classes;
    double error;          /* share of wrong answers */
    double balanced_error; /* mean of the classes' errors, over the classes that have images */
    double loss;           /* mean cross-entropy */
    int *confusion;        /* classes x classes counts: row the label, column the answer */
    int *labels, *answers; /* of each image, in the split's order */
    float *confidence;     /* softmax share of the answer */
    char (*class_names)[PBA_CLASS_MAX];
} pba_evaluation;

PBA_API const pba_setting *pba_evaluate_settings(size_t *count);

/* PBA_FORMAT where the weights are not the model's or the data set's shape and classes are not the
 * network's. Images are normalized by the training's mean and deviation, which the file holds. */
PBA_API pba_status pba_evaluate(const pba_evaluate_options *options, const pba_observer *observer,
                                pba_evaluation **evaluation);
PBA_API void pba_evaluation_free(pba_evaluation *evaluation);

/* A line per image in the split's order: index,label,answer,confidence,label_name,answer_name.
 * Whole or not at all. */
PBA_API pba_status pba_evaluation_write_csv(const pba_evaluation *evaluation, const char *path);

/* ----------------------------------------------------------------- reports */

/* Threads: any. A run that another process is writing may be read. */
#define PBA_REPORT_RUNS_MAX 64

typedef struct pba_report_options {
    /* 1 to PBA_REPORT_RUNS_MAX folders of searches and training runs, in any state (going on,
     * killed), and schedule files; a comparison's folder stands for those of its arms. Nothing in
     * them is changed. */
    const char *const *runs;
    size_t run_count;
    const char *dataset; /* where the images come from; NULL: the data set that each run names */
    const pba_dataset *opened; /* the same, open already and with its splits drawn; may be NULL */
    int epochs;                /* of schedules in the log format; else 0 */
} pba_report_options;

/* One HTML file that needs no other and no network: schedules as pictures, family tree, validation
 * errors, the data set's images under the schedule (left out, with a sentence, where the data
 * cannot be opened), the training runs' test errors with 95 % intervals, settings and command.
 * Whole or not at all. */
PBA_API pba_status pba_report_write(const pba_report_options *options, const char *path);

/* The same pictures as SVG files in a folder, which is made: RUN-probabilities.svg and so on. */
PBA_API pba_status pba_report_charts(const pba_report_options *options, const char *folder);

/* A contact sheet by the file name's suffix: every operation in a row, the image as it is, then at
 * rising levels of the PBA space (pixel parameters scaled by min(width, height)/32, positive where
 * there is a sign), the parameter under each. Larger images are shrunk to at most 128 pixels a
 * side first. */
PBA_API pba_status pba_ops_preview_write(const pba_image *image, const char *path);

/* ---------------------------------------------------------------- watching */

/* Threads: one at a time for each watch; the process whose run it is does not notice. */

/* A run as its folder shows it, in any state, beside a process that is at work on it: nothing is
 * locked or written, and a last line that is only half there is left out. */
typedef enum pba_run_state {
    PBA_RUN_GOING,   /* a process holds it, in whatever container; also where that is not told */
    PBA_RUN_STOPPED, /* nobody does, and it is not finished: it was interrupted or killed */
    PBA_RUN_FINISHED
} pba_run_state;

typedef struct pba_watch_op {
    const char *name;
    int probability, level; /* tenths 1..10; 0..9 */
} pba_watch_op;

#define PBA_WATCH_TREND 8
#define PBA_WATCH_OPS 8

/* A member of a search, or a network of a training run. Errors are shares 0..1; NaN: none yet,
 * infinity: the loss became no number. */
typedef struct pba_watch_row {
    int member;    /* from 0 */
    uint64_t seed; /* of a training run */
    int epochs;    /* trained, as far as scores and checkpoints tell */
    double error;  /* search: the newest validation error of the network that the member has now,
                      which may be a copy's; training run: the test error, at the end */
    /* On training images, of the newest epoch that is known of; NaN: not known. */
    double loss, accuracy;
    /* Of a search: newest validation errors along the network's ancestry, the oldest first. */
    double trend[PBA_WATCH_TREND];
    int trend_count;
    int generation; /* how often it was copied on its way here */
    int source;     /* from which member last; -1: never */
    int copied;     /* how often other members copied this one */
    /* Of its policy, those with the highest probability first, ties by level. */
    pba_watch_op ops[PBA_WATCH_OPS];
    int op_count;
} pba_watch_row;

typedef struct pba_watch_picture {
    bool search; /* else a training run */
    pba_run_state state;
    const char *run, *dataset, *model;
    int members, epochs; /* rows; epochs that each trains */
    int rounds, ended;   /* of a search: all of them; those with all of their scores */
    int scored;          /* members that have one in the round after */
    int best;            /* of the last round that ended; -1: none has */
    double best_error;   /* its validation error; of a training run: the mean test error so far */
    double done;         /* share of all epochs */
    /* Of a search that goes on, from the times of its checkpoints; negative: not known. Of images
     * only where the run was told how many to train on. */
    double seconds_left, epochs_per_second, images_per_second;
    const pba_watch_row *rows; /* search: the lowest error first; training run: in order */
} pba_watch_picture;

typedef struct pba_watch pba_watch;

/* PBA_NOT_FOUND where the folder holds no run (yet). */
PBA_API pba_status pba_watch_open(const char *run, pba_watch **watch);
/* Reads what has changed. The picture is valid until the next look that succeeds; after one that
 * did not (a file was just being replaced, say) the next may. */
PBA_API pba_status pba_watch_look(pba_watch *watch, const pba_watch_picture **picture);
PBA_API void pba_watch_free(pba_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
