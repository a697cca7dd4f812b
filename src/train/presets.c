/* SPDX-License-Identifier: Apache-2.0
 * Presets: the settings of the paper's experiments by name, with the error that it reports.
 *
 * Ho, Liang, Stoica, Abbeel, Chen, "Population Based Augmentation", ICML 2019: the two searches,
 * and one row for each network and data set of its table of test errors, with the learning rates
 * and weight decays of its appendix. To add a preset, add a row. Settings are those of
 * pba_search_settings and pba_train_settings; what a preset does not name keeps its default.
 *
 * The reduced data sets keep the validation images of the search out of training, so that with the
 * same split seed a search and the training behind it have the same training images. The schedule
 * is not part of a preset: --augment names it. CIFAR-100 uses the one found on CIFAR-10. */
#include <stdio.h>
#include <string.h>

#include "core/status.h"

typedef pba_preset_setting setting;

/* clang-format off */
#define CROP_FLIP_CUTOUT {"baseline", "crop:4,flip,cutout:16"}
#define CUTOUT_20 {"baseline", "cutout:20"}
#define BARE {"baseline", "none"}
#define COSINE {"lr-schedule", "cosine"}
#define SVHN_STEPS {"lr-schedule", "step:80,120"}
#define WRN_28_10 {"model", "wrn-28-10"}, {"batch", "128"}
#define SHAKE_SHAKE(width) {"model", "shake-shake-26-2x" width "d"}, {"batch", "128"}
#define PYRAMID_NET {"model", "pyramid-272-200"}, {"batch", "64"}
#define REDUCED_CIFAR {"train-size", "4000"}, {"val-size", "46000"}
#define REDUCED_SVHN {"train-size", "1000"}, {"val-size", "7325"}
#define RATE(rate, decay) {"lr", rate}, {"wd", decay}
#define EPOCHS(count) {"epochs", count}
#define SEARCH {"model", "wrn-40-2"}, {"batch", "128"}, {"population", "16"}, {"interval", "3"}

#define PRESET(NAME, JOB, DATASET, TABLE, ERROR, ...)                                              \
    {.name = NAME,                                                                                 \
     .job = JOB,                                                                                   \
     .dataset = DATASET,                                                                           \
     .table = "Ho et al. 2019, " TABLE,                                                            \
     .published_error = ERROR,                                                                     \
     .settings = (const setting[]){__VA_ARGS__},                                                   \
     .setting_count = sizeof((const setting[]){__VA_ARGS__}) / sizeof(setting)}
#define NO_ERROR (-1)

/* name, job, data, table, error, settings */
static const pba_preset presets[] = {
    PRESET("rcifar10", "search", "CIFAR-10", "search on reduced CIFAR-10", NO_ERROR,
           SEARCH, EPOCHS("200"), RATE("0.1", "0.0005"), COSINE, CROP_FLIP_CUTOUT, REDUCED_CIFAR),
    PRESET("rsvhn", "search", "SVHN", "search on reduced SVHN", NO_ERROR,
           SEARCH, EPOCHS("160"), RATE("0.1", "0.005"), SVHN_STEPS, BARE, REDUCED_SVHN),
    PRESET("cifar10/wrn-28-10", "train", "CIFAR-10", "test errors on CIFAR-10", 0.0258,
           WRN_28_10, EPOCHS("200"), RATE("0.1", "0.0005"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar10/shake-shake-26-2x32d", "train", "CIFAR-10", "test errors on CIFAR-10", 0.0254,
           SHAKE_SHAKE("32"), EPOCHS("1800"), RATE("0.01", "0.001"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar10/shake-shake-26-2x96d", "train", "CIFAR-10", "test errors on CIFAR-10", 0.0203,
           SHAKE_SHAKE("96"), EPOCHS("1800"), RATE("0.01", "0.001"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar10/shake-shake-26-2x112d", "train", "CIFAR-10", "test errors on CIFAR-10", 0.0203,
           SHAKE_SHAKE("112"), EPOCHS("1800"), RATE("0.01", "0.001"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar10/pyramid-272-200", "train", "CIFAR-10", "test errors on CIFAR-10", 0.0146,
           PYRAMID_NET, EPOCHS("1800"), RATE("0.05", "0.00005"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("rcifar10/wrn-28-10", "train", "CIFAR-10", "test errors on reduced CIFAR-10", 0.1282,
           WRN_28_10, EPOCHS("200"), RATE("0.05", "0.005"), COSINE, CROP_FLIP_CUTOUT,
           REDUCED_CIFAR),
    PRESET("rcifar10/shake-shake-26-2x96d", "train", "CIFAR-10",
           "test errors on reduced CIFAR-10", 0.1064,
           SHAKE_SHAKE("96"), EPOCHS("1800"), RATE("0.025", "0.0025"), COSINE, CROP_FLIP_CUTOUT,
           REDUCED_CIFAR),
    PRESET("cifar100/wrn-28-10", "train", "CIFAR-100", "test errors on CIFAR-100", 0.1673,
           WRN_28_10, EPOCHS("200"), RATE("0.1", "0.0005"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar100/shake-shake-26-2x96d", "train", "CIFAR-100", "test errors on CIFAR-100",
           0.1531,
           SHAKE_SHAKE("96"), EPOCHS("1800"), RATE("0.01", "0.0025"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("cifar100/pyramid-272-200", "train", "CIFAR-100", "test errors on CIFAR-100", 0.1094,
           PYRAMID_NET, EPOCHS("1800"), RATE("0.025", "0.0005"), COSINE, CROP_FLIP_CUTOUT),
    PRESET("svhn/wrn-28-10", "train", "SVHN with its extra images", "test errors on SVHN", 0.0118,
           WRN_28_10, EPOCHS("160"), RATE("0.005", "0.001"), SVHN_STEPS, CUTOUT_20),
    PRESET("svhn/shake-shake-26-2x96d", "train", "SVHN with its extra images",
           "test errors on SVHN", 0.0113,
           SHAKE_SHAKE("96"), EPOCHS("160"), RATE("0.01", "0.00015"), COSINE, CUTOUT_20),
    PRESET("rsvhn/wrn-28-10", "train", "SVHN", "test errors on reduced SVHN", 0.0783,
           WRN_28_10, EPOCHS("160"), RATE("0.05", "0.01"), SVHN_STEPS, BARE, REDUCED_SVHN),
    PRESET("rsvhn/shake-shake-26-2x96d", "train", "SVHN", "test errors on reduced SVHN", 0.0646,
           SHAKE_SHAKE("96"), EPOCHS("160"), RATE("0.025", "0.005"), COSINE, BARE, REDUCED_SVHN),
};
/* clang-format on */
enum { PRESETS = sizeof presets / sizeof *presets };

size_t pba_preset_count(void)
{
    return PRESETS;
}

pba_status pba_preset_get(size_t index, pba_preset *preset)
{
    if (!preset) {
        return status_null(__func__);
    }
    if (index >= PRESETS) {
        return status_set(PBA_USAGE, "preset %zu: there are %d", index, PRESETS);
    }
    *preset = presets[index];
    return PBA_OK;
}

static pba_status refuse(const char *job, const char *name)
{
    char known[1024] = "";
    size_t used = 0;
    for (int i = 0; i < PRESETS && used < sizeof known; i++) {
        if (strcmp(presets[i].job, job) == 0) {
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                     presets[i].name);
        }
    }
    return status_set(PBA_USAGE, "preset '%.*s': no preset for %s; use %s", PBA_NAME_MAX, name, job,
                      known);
}

pba_status pba_preset_find(const char *job, const char *name, pba_preset *preset)
{
    if (!job || !name || !preset) {
        return status_null(__func__);
    }
    for (int i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].job, job) == 0 && strcmp(presets[i].name, name) == 0) {
            *preset = presets[i];
            return PBA_OK;
        }
    }
    return refuse(job, name);
}

pba_status pba_preset_apply(const pba_preset *preset, void *options, const pba_setting *rows,
                            size_t count)
{
    if (!preset || !options || !rows || (preset->setting_count && !preset->settings)) {
        return status_null(__func__);
    }
    pba_status status = pba_settings_set(options, rows, count, "preset", preset->name);
    for (size_t i = 0; i < preset->setting_count && status == PBA_OK; i++) {
        status = pba_settings_set(options, rows, count, preset->settings[i].name,
                                  preset->settings[i].value);
    }
    return status;
}
