/* SPDX-License-Identifier: Apache-2.0
 * The rows of a recipe, which both searches and training runs have: one list, each job with its own
 * defaults. The recipe is the first member of both options structs, so that offsets agree. */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include <stddef.h>

#include "data/settings.h"
#include "schedule/schedule.h"

enum { TRAIN_SEEDS_MAX = 1000 };

#define SETTING_FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* clang-format off */
#define PLUGIN_SETTING(type)                                                                         \
    {"plugin", PBA_SETTING_LIST, SETTING_FIELD(type, plugin), 0, 0, "", "FILE.so", NULL,             \
     "A plug-in, whose operations are known then; several: give it again, or commas between. "       \
     "docs/own-operation.md tells how to write one.", false}

#define RECIPE_ROWS(MODEL, EPOCHS, VAL_HELP)                                                         \
    {"model", PBA_SETTING_TEXT, SETTING_FIELD(pba_recipe, model), 0, 0, MODEL, "NAME", NULL,         \
     "The network; pba models lists the families.", false},                                          \
    {"epochs", PBA_SETTING_INT, SETTING_FIELD(pba_recipe, epochs), 1, SCHEDULE_EPOCHS_MAX,           \
     EPOCHS, "N", NULL, "Epochs that every network trains.", false},                                 \
    DATASET_ROWS(pba_recipe),                                                                        \
    {"train-size", PBA_SETTING_INT, SETTING_FIELD(pba_recipe, train_size), 0, 1e9, "0", "N", NULL,   \
     "Training images, drawn with every class in proportion; 0: all that are left.", false},         \
    {"val-size", PBA_SETTING_INT, SETTING_FIELD(pba_recipe, val_size), 0, 1e9, "0", "N", NULL,       \
     VAL_HELP, false},                                                                               \
    {"batch", PBA_SETTING_INT, SETTING_FIELD(pba_recipe, batch), 1, 65536, "128", "N", NULL,         \
     "Images per step.", false},                                                                     \
    {"lr", PBA_SETTING_REAL, SETTING_FIELD(pba_recipe, lr), 0, 1000, "0.1", "X", NULL,               \
     "Learning rate at the start.", false},                                                          \
    {"wd", PBA_SETTING_REAL, SETTING_FIELD(pba_recipe, weight_decay), 0, 1000, "0.0005", "X", NULL,  \
     "Weight decay, of all trainable numbers.", false},                                              \
    {"lr-schedule", PBA_SETTING_TEXT, SETTING_FIELD(pba_recipe, lr_schedule), 0, 0, "cosine",        \
     "cosine|step:E,E|constant", NULL,                                                               \
     "How the learning rate falls: along a cosine to 0, or by 10 at each of these epochs.", false},  \
    {"baseline", PBA_SETTING_TEXT, SETTING_FIELD(pba_recipe, baseline), 0, 0, "auto", "LIST", NULL,  \
     "Augmentation that always applies, behind the policy: none, or a list of crop:P (pad by P, "    \
     "crop at random), flip, cutout:S. auto: what the data format's row says.", false},              \
    {"seed", PBA_SETTING_SEED, SETTING_FIELD(pba_recipe, seed), 0, 0, "0", "N", NULL,                \
     "Decides everything that is drawn but the splits.", false},                                     \
    {"split-seed", PBA_SETTING_SEED, SETTING_FIELD(pba_recipe, split_seed), 0, 0, "0", "N", NULL,    \
     "Decides which images are for training, validation and test; keep it the same for a search "   \
     "and the training that follows, so that the search has seen no test image.", false},            \
    {"backend", PBA_SETTING_TEXT, SETTING_FIELD(pba_recipe, backend), 0, 0, "onednn",                \
     "onednn|reference", "onednn|reference",                                                         \
     "What computes the networks: oneDNN's kernels, or plain loops to check them by.", false},       \
    {"precision", PBA_SETTING_TEXT, SETTING_FIELD(pba_recipe, precision), 0, 0, "f32",               \
     "f32|bf16|auto", "f32|bf16|auto",                                                               \
     "Numbers that the networks compute in. bf16: activations in 16 bits, weights, their gradients " \
     "and the loss in 32; needs AVX512-BF16 or AMX. auto: bf16 where the processor has it.", false}

/* Of the jobs that train one network for each seed. */
#define THREADS_ROWS(TYPE)                                                                           \
    {"workers", PBA_SETTING_INT, SETTING_FIELD(TYPE, workers), 0, 1024, "0", "N", NULL,              \
     "Networks that train at the same time; 0: as many as there are cores for, which is the most "   \
     "where each has several threads. The result does not depend on it.", true},                     \
    {"threads", PBA_SETTING_INT, SETTING_FIELD(TYPE, threads), 0, 1024, "0", "N", NULL,              \
     "Threads of each network; 0: one per core where --seeds is 1, else one. Settled when the run "  \
     "begins, and kept by --resume on whatever machine: another number adds up in another order, "   \
     "and gives other weights. --threads 1 makes seeds comparable that are trained apart.", false}

/* Of the jobs that train. */
#define TENSORBOARD_ROW(TYPE)                                                                        \
    {"tensorboard", PBA_SETTING_FLAG, SETTING_FIELD(TYPE, tensorboard), 0, 0, "false", "", NULL,     \
     "Writes losses, errors and learning rates by epoch as TensorBoard's event files, too: "         \
     "tensorboard --logdir RUN shows them. Kept by --resume.", false}
/* clang-format on */

#endif
