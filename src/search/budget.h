/* SPDX-License-Identifier: Apache-2.0
 * How a time budget becomes the settings of a search: rules as rows, and a pure function of
 * measured speeds, of the time, and of how many images there are. docs/steering.md says the same in
 * prose. */
#ifndef SEARCH_BUDGET_H
#define SEARCH_BUDGET_H

#include <stdbool.h>

/* What a network costs on this machine, with all workers at work. */
typedef struct budget_speed {
    const char *model;
    double start;      /* seconds until the workers' networks are compiled */
    double step;       /* of a training step */
    double evaluation; /* of scoring one image */
    double checkpoint; /* of writing one member */
    double member_bytes, worker_bytes;
    bool measured; /* false: worked out from another network's */
} budget_speed;

typedef struct budget_question {
    double seconds; /* that the search may take */
    double memory;  /* bytes that it may take */
    int workers, batch, interval;
    int images; /* to train on, and to score on where val_images is 0: all but the test images */
    int val_images;                               /* to score on, beside those */
    int population, epochs, train_size, val_size; /* given; 0: to be chosen */
    const budget_speed *speeds;                   /* of the networks to choose from, or the one */
    int speed_count;
} budget_question;

/* Where the time went, if not into this: seconds that the next larger value would take at the
 * least; 0: there is none. */
typedef struct budget_next {
    const char *model;
    int population, train_size;
    double model_seconds, population_seconds, train_seconds;
} budget_next;

typedef struct budget_answer {
    const budget_speed *speed;
    int population, epochs, train_size, val_size;
    double seconds;
    bool fits; /* false: this is the least, and takes too long or too much memory */
    bool most; /* nothing can be made larger any more: time may be left */
    budget_next next;
} budget_answer;

/* The networks of the rules, the smallest first; NULL behind the end. */
const char *budget_model(int index);

/* Images to score on, of networks that train on so many, where their number is not given. */
int budget_val_size(const budget_question *question, int train_size);

/* Seconds of a search; the answer's `seconds` is this. */
double budget_cost(const budget_question *question, const budget_answer *answer);

/* PBA's longest search: more epochs are never chosen. */
enum { BUDGET_EPOCHS_MOST = 200, BUDGET_POPULATION_PAPER = 16, BUDGET_POPULATION_MOST = 32 };

budget_answer budget_find(const budget_question *question);

#endif
