/* SPDX-License-Identifier: Apache-2.0
 * Population Based Augmentation: its space, and how a policy is drawn from (the paper's algorithm 2
 * and the reference implementation, which agree). */
#include "augment/space.h"

#include <assert.h>
#include <string.h>

/* parameter = base + direction * (range * level / 10), cut to a whole number where `whole`. */
static const struct {
    const char *op;
    double base, range;
    int direction;
    bool whole;
} ranges[] = {
    {"Rotate", 0, 30, 1, true},       {"TranslateX", 0, 10, 1, true},
    {"TranslateY", 0, 10, 1, true},   {"Brightness", 0.1, 1.8, 1, false},
    {"Color", 0.1, 1.8, 1, false},    {"Sharpness", 0.1, 1.8, 1, false},
    {"Contrast", 0.1, 1.8, 1, false}, {"Posterize", 4, 4, -1, true},
    {"ShearX", 0, 0.3, 1, false},     {"ShearY", 0, 0.3, 1, false},
    {"Solarize", 256, 256, -1, true}, {"Cutout", 0, 20, 1, true},
    {"CropBilinear", 0, 10, 1, true},
};

/* The order of the arithmetic is the reference's: level * range / 10, then the base. A plug-in's
 * row says itself what the levels are. */
static double pba_parameter(const augment_op *op, int level)
{
    if (op->row) {
        double range = op->row->level_10 - op->row->level_0;
        return op->row->level_0 + (double)level * range / 10.0;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (!strcmp(ranges[i].op, op->name)) {
            double value = (double)level * ranges[i].range / 10.0;
            value = ranges[i].whole ? (double)(int)value : value;
            return ranges[i].base + ranges[i].direction * value;
        }
    }
    return 0.0; /* an operation without a parameter */
}

const augment_space augment_space_pba = {.name = "pba",
                                         .paper = "Ho et al., Population Based Augmentation, 2019",
                                         .side = 32,
                                         .ops = schedule_pba_ops,
                                         .op_count = SCHEDULE_PBA_OPS,
                                         .parameter = pba_parameter};

augment_step augment_step_of(const augment_space *space, const augment_op *op, double scale)
{
    augment_step step = {.op = op};
    for (int level = 0; level < AUGMENT_LEVELS; level++) {
        double factor = op->flags & AUGMENT_PIXELS ? scale : 1.0;
        step.parameter[level] = space->parameter(op, level) * factor;
    }
    return step;
}

/* How many operations an image gets at most. */
static int draw_count(const schedule_counts *counts, rng *rng)
{
    uint32_t unit = rng_below(rng, counts->total);
    int count = 0;
    while (count < counts->count - 1 && unit >= counts->weights[count]) {
        unit -= counts->weights[count++];
    }
    return count;
}

static void fire(const augment_step *step, int level, augment_frame *frame,
                 augment_context *context)
{
    double parameter = step->parameter[level];
    if (step->op->flags & AUGMENT_SIGN && rng_below(context->rng, 2)) {
        parameter = -parameter;
    }
    augment_frame_apply(frame, step->op, parameter, context);
}

/* The shuffle is done while walking, so that entries which are never reached cost nothing. An entry
 * at level 0 counts as fired like any other. */
void augment_pba_apply(const augment_step *steps, int count, const schedule_counts *counts,
                       const pba_policy *policy, augment_frame *frame, augment_context *context)
{
    uint8_t order[PBA_POLICY_MAX];
    assert(policy->entries >= 0 && policy->entries <= PBA_POLICY_MAX);
    for (int i = 0; i < policy->entries; i++) {
        order[i] = (uint8_t)i;
    }
    int left = draw_count(counts, context->rng);
    for (int i = 0; i < policy->entries && left; i++) {
        int j = i + (int)rng_below(context->rng, (uint32_t)(policy->entries - i));
        int entry = order[j];
        order[j] = order[i];
        int tenths = policy->values[2 * entry], level = policy->values[2 * entry + 1];
        assert(level < AUGMENT_LEVELS);
        if ((int)rng_below(context->rng, 10) < tenths) {
            fire(&steps[entry % count], level, frame, context);
            left--;
        }
    }
}

/* shares[k]: the probability that k of the entries fire, entry `without` left out. */
static void share_counts(const pba_policy *policy, int without, double shares[PBA_POLICY_MAX + 1])
{
    memset(shares, 0, (PBA_POLICY_MAX + 1) * sizeof *shares);
    shares[0] = 1;
    for (int i = 0; i < policy->entries; i++) {
        double p = i == without ? 0 : policy->values[2 * i] / 10.0;
        for (int k = i + 1; k > 0; k--) {
            shares[k] = shares[k] * (1 - p) + shares[k - 1] * p;
        }
        shares[0] *= 1 - p;
    }
}

/* Of k + 1 entries that would fire, any one is among the first n of a shuffle with probability
 * min(n, k + 1) / (k + 1). */
void augment_pba_expect(const pba_policy *policy, const schedule_counts *counts,
                        double expected[PBA_POLICY_MAX])
{
    double shares[PBA_POLICY_MAX + 1];
    for (int i = 0; i < policy->entries; i++) {
        double reached = 0;
        share_counts(policy, i, shares);
        for (int n = 1; n < counts->count; n++) {
            double weight = (double)counts->weights[n] / counts->total;
            for (int k = 0; k < policy->entries; k++) {
                double among = n < k + 1 ? (double)n / (k + 1) : 1;
                reached += weight * shares[k] * among;
            }
        }
        expected[i] = policy->values[2 * i] / 10.0 * reached;
    }
}
