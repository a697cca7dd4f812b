/* SPDX-License-Identifier: Apache-2.0
 * Splits. Each class is a shuffled pile, in an order that depends on split_seed alone; test, then
 * validation, then training take from the top of every pile. So the splits are disjoint, test and
 * validation do not depend on the training size, and a smaller training split of the same seed is
 * drawn from the same piles. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/rng.h"
#include "data/dataset.h"

/* Images of one stored split, sorted into shuffled piles. */
typedef struct deck {
    uint32_t *cards; /* image numbers, pile behind pile */
    int *start;      /* classes + 1: where each pile starts */
    int *next;       /* classes: the first card that is still there */
    int classes, left;
} deck;

typedef struct share {
    uint64_t remainder;
    int label, take;
} share;

static void deck_free(deck *deck)
{
    free(deck->cards);
    free(deck->start);
    free(deck->next);
}

static pba_status deck_allocate(deck *deck, int classes, int count)
{
    *deck = (struct deck){.classes = classes, .left = count};
    deck->cards = memory_new((size_t)count, sizeof *deck->cards);
    deck->start = memory_new((size_t)classes + 1, sizeof *deck->start);
    deck->next = memory_new((size_t)classes, sizeof *deck->next);
    return deck->cards && deck->start && deck->next ? PBA_OK : PBA_MEMORY;
}

static pba_status deck_build(deck *deck, const data_content *content, pba_split stored,
                             uint64_t seed)
{
    int count = content->counts[stored];
    uint32_t first = stored == PBA_VALIDATION ? (uint32_t)content->counts[PBA_TRAIN] : 0;
    pba_status status = deck_allocate(deck, content->classes, count);
    if (status != PBA_OK) {
        return status;
    }
    for (int i = 0; i < count; i++) {
        deck->start[content->labels[first + (uint32_t)i] + 1]++;
    }
    for (int label = 0; label < deck->classes; label++) {
        deck->start[label + 1] += deck->start[label];
        deck->next[label] = deck->start[label];
    }
    for (int i = 0; i < count; i++) {
        uint32_t number = first + (uint32_t)i;
        deck->cards[deck->next[content->labels[number]]++] = number;
    }
    for (int label = 0; label < deck->classes; label++) {
        int begin = deck->start[label];
        rng rng = rng_at(seed, RNG_SPLIT, (uint32_t)stored, 0, (uint32_t)label);
        rng_shuffle(&rng, deck->cards + begin, (uint32_t)(deck->start[label + 1] - begin));
        deck->next[label] = begin;
    }
    return PBA_OK;
}

static int pile_left(const deck *deck, int label)
{
    return deck->start[label + 1] - deck->next[label];
}

static int by_remainder(const void *a, const void *b)
{
    const share *left = a, *right = b;
    if (left->remainder != right->remainder) {
        return left->remainder < right->remainder ? 1 : -1;
    }
    return left->label - right->label;
}

static int ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Largest remainders: every pile gives size * its share, rounded down; the images still missing
 * come from the piles with the largest remainders, as long as `keep` cards stay in each. Returns
 * how many could not be dealt so. */
static int shares_compute(const deck *deck, int size, int keep, share *shares)
{
    int missing = size;
    for (int label = 0; label < deck->classes; label++) {
        uint64_t scaled = (uint64_t)size * (uint64_t)pile_left(deck, label);
        shares[label] = (share){.remainder = deck->left ? scaled % (uint64_t)deck->left : 0,
                                .label = label,
                                .take = deck->left ? (int)(scaled / (uint64_t)deck->left) : 0};
        missing -= shares[label].take;
    }
    qsort(shares, (size_t)deck->classes, sizeof *shares, by_remainder);
    for (bool given = true; missing && given;) {
        given = false;
        for (int i = 0; i < deck->classes && missing; i++) {
            if (shares[i].take + keep < pile_left(deck, shares[i].label)) {
                shares[i].take++;
                missing--;
                given = true;
            }
        }
    }
    return missing;
}

/* Takes `size` cards, stratified; size <= deck->left. The list is ascending. */
static pba_status deck_deal(deck *deck, int size, int keep, uint32_t **list)
{
    *list = memory_new((size_t)size, sizeof **list);
    share *shares = memory_new((size_t)deck->classes, sizeof *shares);
    if (!*list || !shares) {
        free(shares);
        return PBA_MEMORY;
    }
    int missing = shares_compute(deck, size, keep, shares);
    uint32_t *end = *list;
    for (int i = 0; i < deck->classes && !missing; i++) {
        memcpy(end, deck->cards + deck->next[shares[i].label],
               (size_t)shares[i].take * sizeof *end);
        end += shares[i].take;
        deck->next[shares[i].label] += shares[i].take;
    }
    free(shares);
    if (missing) {
        return status_set(
            PBA_NOT_FOUND,
            "split: %d images cannot be set apart from %d and leave one of each of %d "
            "classes for training; ask for fewer",
            size, deck->left, deck->classes);
    }
    deck->left -= size;
    qsort(*list, (size_t)size, sizeof **list, ascending);
    return PBA_OK;
}

/* A split in the making; replaces the data set's only when it is whole. */
typedef struct draft {
    uint32_t *lists[DATA_SPLITS];
    int counts[DATA_SPLITS];
} draft;

static pba_status draw_test(const pba_dataset *dataset, deck *pool, draft *draft)
{
    const int *stored = dataset->content.counts;
    if (!stored[PBA_TEST]) {
        int size = pool->left / dataset->format->test_share;
        draft->counts[PBA_TEST] = size;
        return deck_deal(pool, size, 1, &draft->lists[PBA_TEST]);
    }
    uint32_t first = (uint32_t)stored[PBA_TRAIN] + (uint32_t)stored[PBA_VALIDATION];
    uint32_t *list = memory_new((size_t)stored[PBA_TEST], sizeof *list);
    if (!list) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < stored[PBA_TEST]; i++) {
        list[i] = first + (uint32_t)i;
    }
    draft->lists[PBA_TEST] = list;
    draft->counts[PBA_TEST] = stored[PBA_TEST];
    return PBA_OK;
}

static int default_validation(const data_format *format, int left)
{
    int size = left / format->val_share;
    size = size < format->val_max ? size : format->val_max;
    return size ? size : 1;
}

static pba_status draw_stored_validation(const pba_dataset *dataset, int size, uint64_t seed,
                                         draft *draft)
{
    int stored = dataset->content.counts[PBA_VALIDATION];
    if (size > stored) {
        return status_set(PBA_NOT_FOUND,
                          "split: %d validation images were asked for, there are %d; ask for fewer",
                          size, stored);
    }
    draft->counts[PBA_VALIDATION] = size ? size : stored;
    deck own;
    pba_status status = deck_build(&own, &dataset->content, PBA_VALIDATION, seed);
    if (status == PBA_OK) {
        status = deck_deal(&own, draft->counts[PBA_VALIDATION], 0, &draft->lists[PBA_VALIDATION]);
    }
    deck_free(&own);
    return status;
}

static pba_status draw_validation(const pba_dataset *dataset, deck *pool, int size, uint64_t seed,
                                  draft *draft)
{
    if (size < 0) { /* none */
        draft->lists[PBA_VALIDATION] = memory_new(0, sizeof(uint32_t));
        return draft->lists[PBA_VALIDATION] ? PBA_OK : PBA_MEMORY;
    }
    if (dataset->content.counts[PBA_VALIDATION]) {
        return draw_stored_validation(dataset, size, seed, draft);
    }
    if (size >= pool->left) {
        return status_set(PBA_NOT_FOUND,
                          "split: %d validation images were asked for; of %d images, %d are left "
                          "beside %d for test, and training needs some; ask for fewer",
                          size, dataset->content.counts[PBA_TRAIN], pool->left,
                          dataset->content.counts[PBA_TEST] ? 0 : draft->counts[PBA_TEST]);
    }
    size = size ? size : default_validation(dataset->format, pool->left);
    draft->counts[PBA_VALIDATION] = size;
    return deck_deal(pool, size, 1, &draft->lists[PBA_VALIDATION]);
}

/* Every class must be there to be learnt. */
static pba_status check_classes(const pba_dataset *dataset, const deck *pool, const int *before,
                                int size)
{
    for (int label = 0; label < pool->classes; label++) {
        int stored = pool->start[label + 1] - pool->start[label];
        if (!stored) {
            return status_set(PBA_FORMAT,
                              "split: class %d (%s) has no image among the %d for training; every "
                              "class needs one",
                              label, dataset->content.names[label],
                              dataset->content.counts[PBA_TRAIN]);
        }
        if (pool->next[label] == before[label]) {
            return status_set(PBA_NOT_FOUND,
                              "split: class %d (%s) gets none of %d training images (it has %d of "
                              "%d); ask for more training images",
                              label, dataset->content.names[label], size, stored,
                              dataset->content.counts[PBA_TRAIN]);
        }
    }
    return PBA_OK;
}

static pba_status draw_training(const pba_dataset *dataset, deck *pool, int size, draft *draft)
{
    if (size > pool->left) {
        return status_set(PBA_NOT_FOUND,
                          "split: %d training images were asked for; of %d images, %d are left "
                          "beside %d for validation and %d for test; ask for fewer",
                          size, dataset->content.counts[PBA_TRAIN], pool->left,
                          dataset->content.counts[PBA_VALIDATION] ? 0
                                                                  : draft->counts[PBA_VALIDATION],
                          dataset->content.counts[PBA_TEST] ? 0 : draft->counts[PBA_TEST]);
    }
    size = size ? size : pool->left;
    int *before = memory_new((size_t)pool->classes, sizeof *before);
    if (!before) {
        return PBA_MEMORY;
    }
    memcpy(before, pool->next, (size_t)pool->classes * sizeof *before);
    draft->counts[PBA_TRAIN] = size;
    pba_status status = deck_deal(pool, size, 0, &draft->lists[PBA_TRAIN]);
    if (status == PBA_OK) {
        status = check_classes(dataset, pool, before, size);
    }
    free(before);
    return status;
}

static pba_status draw_all(const pba_dataset *dataset, int train_size, int val_size, uint64_t seed,
                           draft *draft)
{
    deck pool;
    pba_status status = deck_build(&pool, &dataset->content, PBA_TRAIN, seed);
    if (status == PBA_OK) {
        status = draw_test(dataset, &pool, draft);
    }
    if (status == PBA_OK) {
        status = draw_validation(dataset, &pool, val_size, seed, draft);
    }
    if (status == PBA_OK) {
        status = draw_training(dataset, &pool, train_size, draft);
    }
    deck_free(&pool);
    return status;
}

pba_status pba_dataset_split(pba_dataset *dataset, int train_size, int val_size,
                             uint64_t split_seed)
{
    if (!dataset) {
        return status_null(__func__);
    }
    if (train_size < 0 || val_size < -1) {
        return status_set(PBA_USAGE, "split: %d images is no size; give 0 (default) or more",
                          train_size < 0 ? train_size : val_size);
    }
    draft draft = {0};
    pba_status status = draw_all(dataset, train_size, val_size, split_seed, &draft);
    for (int split = 0; split < DATA_SPLITS; split++) {
        free(status == PBA_OK ? dataset->lists[split] : draft.lists[split]);
        if (status == PBA_OK) {
            dataset->lists[split] = draft.lists[split];
            dataset->counts[split] = draft.counts[split];
        }
    }
    return status;
}
