/* SPDX-License-Identifier: Apache-2.0 */
#include "search/budget.h"

#include <stddef.h>
#include <string.h>

/* Plans from the least to the paper's search on reduced CIFAR-10 (Ho et al. 2019: 16 x WRN-40-2,
 * 200 epochs, 4,000 images). Of those that fit the time the last one is taken, and what is left
 * goes into its epochs. A quarter, rounded up, is one network of up to 4 members and two of 5 to 8:
 * below 8, one network decides, or more than half of them copy or are copied. 20 epochs are six
 * decisions. Where there is time for less than that, it is refused.
 * Small networks tell policies apart almost as well as large ones, so members, images and epochs
 * grow before them. To change the rules, change the rows; each must cost more than the one above
 * it. */
static const struct {
    const char *model;
    int population, epochs, train_size;
} rows[] = {
    {"wrn-10-1", 8, 20, 1000},   {"wrn-16-1", 8, 20, 1000},   {"wrn-16-1", 8, 20, 2000},
    {"wrn-16-1", 8, 30, 2000},   {"wrn-16-1", 12, 30, 2000},  {"wrn-16-1", 16, 30, 2000},
    {"wrn-16-1", 16, 30, 3000},  {"wrn-16-1", 16, 30, 4000},  {"wrn-16-1", 16, 60, 4000},
    {"wrn-16-2", 16, 60, 4000},  {"wrn-16-2", 16, 100, 4000}, {"wrn-28-2", 16, 100, 4000},
    {"wrn-40-2", 16, 100, 4000}, {"wrn-40-2", 16, 200, 4000},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Images to score on: half as many as are trained on, within these bounds, and where they come out
 * of the same images at most a fifth of all. */
enum { VAL_LEAST = 500, VAL_MOST = 5000, VAL_SHARE = 5 };

const char *budget_model(int index)
{
    for (int i = 0, found = -1; i < ROWS; i++) {
        found += i == 0 || strcmp(rows[i].model, rows[i - 1].model) != 0;
        if (found == index) {
            return rows[i].model;
        }
    }
    return NULL;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int turns_of(const budget_question *question, int population)
{
    int workers = question->workers < population ? question->workers : population;
    return (population + workers - 1) / workers;
}

double budget_cost(const budget_question *question, const budget_answer *answer)
{
    const budget_speed *speed = answer->speed;
    int rounds = (answer->epochs - 1) / question->interval + 1;
    int steps = answer->train_size / question->batch;
    double member = (double)answer->epochs * steps * speed->step +
                    rounds * (answer->val_size * speed->evaluation + speed->checkpoint);
    return speed->start + turns_of(question, answer->population) * member;
}

static double memory_of(const budget_question *question, const budget_answer *answer)
{
    return answer->population * answer->speed->member_bytes +
           smaller(question->workers, answer->population) * answer->speed->worker_bytes;
}

static bool fits(const budget_question *question, const budget_answer *answer)
{
    return budget_cost(question, answer) <= question->seconds &&
           memory_of(question, answer) <= question->memory;
}

int budget_val_size(const budget_question *question, int train_size)
{
    int most = question->val_images ? question->val_images : question->images / VAL_SHARE;
    int size = train_size / 2;
    size = size < VAL_LEAST ? VAL_LEAST : smaller(size, VAL_MOST);
    size = smaller(size, most);
    return size > 1 ? size : 1;
}

/* Images to train and to score on; `wanted` to train on where they are not given. */
static void set_sizes(const budget_question *question, int wanted, budget_answer *answer)
{
    int train = question->train_size ? question->train_size : smaller(wanted, question->images);
    int val = question->val_size ? question->val_size : budget_val_size(question, train);
    if (!question->val_images && !question->train_size) {
        train = smaller(train, question->images - val);
        train = train > 1 ? train : 1;
    } else if (!question->val_images && !question->val_size && val > question->images - train) {
        val = question->images > train ? question->images - train : 1;
    }
    answer->train_size = train;
    answer->val_size = val;
}

/* Members that cost no time, since some workers would be idle without them, are taken too. */
static int fill_workers(const budget_question *question, int population)
{
    int full = turns_of(question, population) * question->workers;
    int most = question->workers > BUDGET_POPULATION_PAPER ? BUDGET_POPULATION_MOST
                                                           : BUDGET_POPULATION_PAPER;
    return full > population ? smaller(full, most) : population;
}

static const budget_speed *speed_of(const budget_question *question, const char *model)
{
    for (int i = 0; i < question->speed_count && question->speed_count > 1; i++) {
        if (strcmp(question->speeds[i].model, model) == 0) {
            return &question->speeds[i];
        }
    }
    return question->speed_count == 1 ? question->speeds : NULL;
}

/* A row, where its network is to be had; what is given stands. */
static bool take_row(const budget_question *question, int row, budget_answer *answer)
{
    *answer = (budget_answer){.speed = speed_of(question, rows[row].model)};
    answer->population =
        question->population ? question->population : fill_workers(question, rows[row].population);
    answer->epochs = question->epochs ? question->epochs : rows[row].epochs;
    set_sizes(question, rows[row].train_size, answer);
    return answer->speed != NULL;
}

/* What is left goes into epochs; then, where those are given or as many as PBA ever takes, into
 * training images, a batch at a time. */
static void grow(const budget_question *question, budget_answer *answer)
{
    budget_answer more = *answer;
    for (more.epochs++; !question->epochs && more.epochs <= BUDGET_EPOCHS_MOST; more.epochs++) {
        if (!fits(question, &more)) {
            return;
        }
        *answer = more;
    }
    more = *answer;
    while (!question->train_size) {
        int before = more.train_size;
        set_sizes(question, before - before % question->batch + question->batch, &more);
        if (more.train_size <= before) {
            break;
        }
        if (!fits(question, &more)) {
            return;
        }
        *answer = more;
    }
    answer->most = true;
}

/* What the first row above would take that is larger in one way. */
static void look_up(const budget_question *question, int row, budget_answer *answer)
{
    budget_next *next = &answer->next;
    for (int above = row + 1; above < ROWS; above++) {
        budget_answer more;
        if (!take_row(question, above, &more)) {
            continue;
        }
        double seconds = budget_cost(question, &more);
        if (!next->model && more.speed != answer->speed) {
            next->model = more.speed->model;
            next->model_seconds = seconds;
        }
        if (!next->population && more.population > answer->population) {
            next->population = more.population;
            next->population_seconds = seconds;
        }
        if (!next->train_size && more.train_size > answer->train_size) {
            next->train_size = more.train_size;
            next->train_seconds = seconds;
        }
    }
}

budget_answer budget_find(const budget_question *question)
{
    budget_answer answer, least = {0};
    for (int row = ROWS - 1; row >= 0; row--) {
        if (!take_row(question, row, &answer)) {
            continue;
        }
        least = answer;
        if (fits(question, &answer)) {
            answer.fits = true;
            grow(question, &answer);
            look_up(question, row, &answer);
            answer.seconds = budget_cost(question, &answer);
            return answer;
        }
    }
    least.seconds = least.speed ? budget_cost(question, &least) : 0;
    return least;
}
