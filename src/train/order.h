/* SPDX-License-Identifier: Apache-2.0
 * What remains of a schedule when its order, or all of it, is taken away: the ablations of Ho et
 * al. 2019 (section "Ablation study") and two of our own. */
#ifndef TRAIN_ORDER_H
#define TRAIN_ORDER_H

#include "train/trainer.h"

typedef struct order {
    const char *name, *sentence;
    /* The schedule that a network of this seed trains under, of any length: it is stretched. NULL:
     * there is none, each image draws from the schedule as found (order_pick). */
    pba_status (*build)(const pba_schedule *found, uint64_t seed, pba_schedule **built);
} order;

#define ORDER_NAMES "in-order|last|shuffled|flattened|random-policy|random-schedule"

const order *order_at(size_t index);       /* NULL behind the end */
const order *order_find(const char *name); /* NULL where there is none */

/* The policies of one network. */
typedef struct order_policies {
    pba_schedule *own;        /* the policies of its epochs */
    const pba_schedule *pool; /* its images draw from */
    bool constant;            /* `policy` holds throughout */
    pba_policy policy;        /* of the epoch */
} order_policies;

/* `choice` has to outlive the policies. */
pba_status order_begin(const order *order, const augment_choice *choice, uint64_t seed, int epochs,
                       order_policies *policies);
void order_end(order_policies *policies);

/* Fills in the policy, or the pool, of an epoch, which points into `policies`. */
pba_status order_epoch(order_policies *policies, trainer_epoch *epoch);

/* The policy of an epoch of `found`, each as likely as another, for one image in one epoch. */
pba_policy order_pick(const pba_schedule *found, pipeline_key key, uint32_t image);

#endif
