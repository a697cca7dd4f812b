/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss, step and learning rate. The order (decay, clipping, momentum, step) is the reference
 * implementation's: decay is part of the loss there, so that clipping acts on the sum. */
#include "nn/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One row. Returns its loss; `best`: the first of the largest logits, -1 among NaNs. */
static double optimizer_row(const float *logits, int label, int classes, double weight,
                            float *gradient, int *best)
{
    *best = 0;
    for (int c = 1; c < classes; c++) {
        *best = logits[c] > logits[*best] ? c : *best;
    }
    double largest = (double)logits[*best], sum = 0;
    for (int c = 0; c < classes; c++) {
        sum += exp((double)logits[c] - largest);
    }
    for (int c = 0; c < classes && gradient != NULL; c++) {
        double share = exp((double)logits[c] - largest) / sum;
        gradient[c] = (float)(weight * (share - (c == label ? 1.0 : 0.0)));
    }
    *best = isnan(sum) ? -1 : *best;
    return log(sum) - ((double)logits[label] - largest);
}

double nn_cross_entropy(const float *logits, const int *labels, int count, int classes,
                        float *gradient, int *correct)
{
    double loss = 0;
    *correct = 0;
    for (int i = 0; i < count; i++) {
        size_t row = (size_t)i * (size_t)classes;
        int best;
        loss += optimizer_row(logits + row, labels[i], classes, 1.0 / count,
                              gradient != NULL ? gradient + row : NULL, &best);
        *correct += best == labels[i];
    }
    return count > 0 ? loss / count : 0;
}

/* Sums of squares in as many lanes as a tensor's padding has floats: the order of additions is
 * fixed, and the compiler may still take several at a time. */
enum { LANES = 16 };

/* gradient += decay * weights; returns the norm. */
static double optimizer_decay(const float *restrict weights, float *restrict gradient, size_t count,
                              float decay)
{
    double lanes[LANES] = {0};
    for (size_t i = 0; i < count; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            float g = gradient[i + k] + decay * weights[i + k];
            gradient[i + k] = g;
            lanes[k] += (double)g * (double)g;
        }
    }
    double sum = 0;
    for (int k = 0; k < LANES; k++) {
        sum += lanes[k];
    }
    return sqrt(sum);
}

static void optimizer_move(float *restrict weights, float *restrict speed,
                           const float *restrict gradient, size_t count, float scale, float lr,
                           float momentum)
{
    for (size_t i = 0; i < count; i++) {
        float g = scale * gradient[i];
        speed[i] = momentum * speed[i] + g;
        weights[i] -= lr * (g + momentum * speed[i]);
    }
}

double nn_optimize(const nn_graph *graph, float *block, float *gradient, const nn_step *step)
{
    size_t count = graph->trainable;
    double norm = optimizer_decay(block, gradient, count, (float)step->weight_decay);
    double scale = step->clip > 0 && norm > step->clip ? step->clip / norm : 1.0;
    optimizer_move(block, block + count, gradient, count, (float)scale, (float)step->lr,
                   (float)step->momentum);
    return norm;
}

static pba_status rate_refuse(const char *text)
{
    return status_set(PBA_USAGE,
                      "learning-rate schedule %s: unknown; there are: cosine, constant, step:E,E "
                      "with up to 8 rising epochs from 1 (such as step:80,120)",
                      text);
}

/* "80,120" into marks. */
static bool rate_marks(const char *text, nn_rate *rate)
{
    const int limit = (int)(sizeof rate->marks / sizeof rate->marks[0]);
    int last = 0;
    for (;;) {
        if (*text < '0' || *text > '9' || rate->mark_count == limit) {
            return false;
        }
        char *end;
        long mark = strtol(text, &end, 10);
        if (mark <= last || mark > 1000000000) {
            return false;
        }
        rate->marks[rate->mark_count++] = last = (int)mark;
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1;
    }
}

pba_status nn_rate_parse(const char *text, nn_rate *rate)
{
    memset(rate, 0, sizeof *rate);
    if (strcmp(text, "cosine") == 0) {
        rate->kind = NN_RATE_COSINE;
        return PBA_OK;
    }
    if (strcmp(text, "constant") == 0) {
        rate->kind = NN_RATE_CONSTANT;
        return PBA_OK;
    }
    rate->kind = NN_RATE_STEP;
    bool known = strncmp(text, "step:", 5) == 0 && rate_marks(text + 5, rate);
    return known ? PBA_OK : rate_refuse(text);
}

double nn_rate_at(const nn_rate *rate, double lr, int epoch, int epochs, int step, int steps)
{
    /* Written out, because 0.1 * 0.1 is not 0.01. */
    static const double tenths[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};
    int passed = 0;
    switch (rate->kind) {
    case NN_RATE_COSINE:
        return 0.5 * lr *
               (1 + cos(M_PI * ((double)epoch * steps + step + 1) / ((double)epochs * steps)));
    case NN_RATE_STEP:
        while (passed < rate->mark_count && epoch >= rate->marks[passed]) {
            passed++;
        }
        return lr * tenths[passed];
    case NN_RATE_CONSTANT:
        break;
    }
    return lr;
}
