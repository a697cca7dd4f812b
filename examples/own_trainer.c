/* SPDX-License-Identifier: Apache-2.0
 * Drives the population from a trainer of one's own, with operations of one's own, through pba.h
 * alone.
 *
 * The toy: points belong to an inner or an outer ring, and a logistic model of (1, x*x, y*y) tells
 * which. The training points all lie near the x axis, the validation points everywhere, so that a
 * model learns what y is for only from points that are turned. "Turn" is therefore worth finding
 * and "Stretch", which blurs the rings, is not.
 *
 * Usage: own_trainer [SCHEDULE.json] */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "pba.h"

enum { MEMBERS = 8, EPOCHS = 24, INTERVAL = 2, POINTS = 200, FEATURES = 3 };
static const char *const ops[] = {"Turn", "Stretch"};
enum { TURN, STRETCH, OPS };

typedef struct model {
    double weights[FEATURES];
} model;

typedef struct point {
    double radius, angle;
    int outer;
} point;

/* A small generator: the example is the same on every run. */
static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53;
}

static point draw(uint64_t *state, double spread)
{
    int outer = uniform(state) < 0.5;
    double radius = (outer ? 1.25 : 0.75) + 0.3 * (uniform(state) - 0.5);
    return (point){radius, spread * (2 * uniform(state) - 1), outer};
}

static double predict(const model *model, const point *point, double *features)
{
    double x = point->radius * cos(point->angle), y = point->radius * sin(point->angle);
    features[0] = 1;
    features[1] = x * x;
    features[2] = y * y;
    double sum = 0;
    for (int i = 0; i < FEATURES; i++) {
        sum += model->weights[i] * features[i];
    }
    return 1 / (1 + exp(-sum));
}

/* An entry of the policy fires with its probability (in tenths); its level says how strongly. */
static void augment(const pba_policy *policy, uint64_t *state, point *point)
{
    for (int op = 0; op < OPS; op++) {
        double probability = policy->values[2 * op] / 10.0,
               level = policy->values[2 * op + 1] / 9.0;
        double sign = uniform(state) < 0.5 ? -1 : 1;
        if (uniform(state) >= probability) {
            continue;
        }
        if (op == TURN) {
            point->angle += sign * level * 1.5707963;
        } else {
            point->radius *= 1 + sign * level * 0.5;
        }
    }
}

static void train_epoch(model *model, const pba_policy *policy, int epoch)
{
    uint64_t data = 1, state = 1000 + (uint64_t)epoch;
    for (int i = 0; i < POINTS; i++) {
        point point = draw(&data, 0.1);
        augment(policy, &state, &point);
        double features[FEATURES], error = predict(model, &point, features) - point.outer;
        for (int j = 0; j < FEATURES; j++) {
            model->weights[j] -= 0.2 * error * features[j];
        }
    }
}

static double validation_error(const model *model)
{
    uint64_t data = 2;
    int wrong = 0;
    for (int i = 0; i < POINTS; i++) {
        double features[FEATURES];
        point point = draw(&data, 3.1415926);
        wrong += (predict(model, &point, features) > 0.5) != point.outer;
    }
    return (double)wrong / POINTS;
}

/* The loop that any trainer needs. Weights are copied as they were at the end of the last round. */
static pba_status search(pba_population *population)
{
    model models[MEMBERS] = {0}, last[MEMBERS] = {0};
    int round = 0;
    for (;;) {
        pba_task task;
        pba_status status = pba_population_ask(population, &task);
        if (status != PBA_OK || task.kind == PBA_TASK_DONE) {
            return status;
        }
        if (task.round != round) {
            round = task.round;
            for (int i = 0; i < MEMBERS; i++) {
                last[i] = models[i];
            }
        }
        model *model = &models[task.member];
        *model = last[task.weights_from];
        for (int epoch = task.from_epoch; epoch < task.until_epoch; epoch++) {
            train_epoch(model, &task.policy, epoch);
        }
        status = pba_population_tell(population, task.member, validation_error(model));
        if (status != PBA_OK) {
            return status;
        }
    }
}

/* A fresh model under the schedule; NULL: without augmentation. */
static double train(const pba_schedule *schedule)
{
    model model = {0};
    pba_policy policy = {.entries = OPS};
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        if (schedule && pba_schedule_at(schedule, epoch, &policy) != PBA_OK) {
            return 1;
        }
        train_epoch(&model, &policy, epoch);
    }
    return validation_error(&model);
}

static void print(const pba_schedule *schedule)
{
    int begin = 0, epochs;
    pba_policy policy;
    for (int i = 0; i < pba_schedule_segments(schedule); i++) {
        if (pba_schedule_segment(schedule, i, &epochs, &policy) == PBA_OK) {
            printf("epochs %2d to %2d: Turn %d/10 level %d, Stretch %d/10 level %d\n", begin,
                   begin + epochs - 1, policy.values[0], policy.values[1], policy.values[2],
                   policy.values[3]);
            begin += epochs;
        }
    }
}

int main(int argc, char **argv)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = MEMBERS;
    options.epochs = EPOCHS;
    options.interval = INTERVAL;
    options.ops = ops;
    options.op_count = OPS;
    options.copies = 1;

    pba_population *population = NULL;
    pba_schedule *schedule = NULL;
    pba_status status = pba_population_create(&options, &population);
    if (status == PBA_OK) {
        status = search(population);
    }
    if (status == PBA_OK) {
        status = pba_population_schedule(population, &schedule);
    }
    if (status == PBA_OK && argc > 1) {
        status = pba_schedule_save(schedule, argv[1]);
    }
    int code = 1;
    if (status == PBA_OK) {
        double plain = train(NULL), found = train(schedule);
        print(schedule);
        printf("validation error without augmentation %.3f, under the schedule %.3f\n", plain,
               found);
        code = found < plain ? 0 : 1;
    } else {
        fprintf(stderr, "own_trainer: %s\n", pba_error_message());
    }
    pba_schedule_free(schedule);
    pba_population_free(population);
    return code;
}
