/* SPDX-License-Identifier: Apache-2.0
 *
 * Shake-Shake (Gastaldi: "Shake-Shake regularization", 2017) and ShakeDrop (Yamada, Iwamura, Akiba,
 * Kise: "ShakeDrop regularization for deep residual learning", 2018), per image. */
#include "nn/draw.h"

#include "core/rng.h"

#include <math.h>

bool nn_is_random(const nn_node *node)
{
    return node->kind == NN_MIX || node->kind == NN_SCALE;
}

/* The numbers are in (0, 1], so that their sum is never 0. */
static void draw_shares(rng *draws, double shares[2])
{
    double a = 1 - rng_unit(draws), b = 1 - rng_unit(draws);
    shares[0] = a / (a + b);
    shares[1] = b / (a + b);
}

static nn_factors draw_mix(rng *draws)
{
    nn_factors factors;
    draw_shares(draws, factors.forward);
    draw_shares(draws, factors.backward);
    return factors;
}

static nn_factors draw_scale(rng *draws, double keep)
{
    bool b = floor(keep + rng_unit(draws)) > 0;
    double a = 2 * rng_unit(draws) - 1, c = rng_unit(draws);
    return (nn_factors){.forward = {b ? 1 : a}, .backward = {b ? 1 : c}};
}

static nn_factors expected(const nn_node *node)
{
    double share = node->kind == NN_MIX ? 0.5 : node->keep;
    return (nn_factors){{share, share}, {share, share}};
}

void nn_draw_factors(const nn_graph *graph, int number, int batch, const nn_draw *draw,
                     nn_factors *factors)
{
    const nn_node *node = &graph->nodes[number];
    rng draws = {0};
    if (draw) {
        draws = rng_at(draw->seed, RNG_BRANCH, draw->member, draw->step, (uint32_t)number);
    }
    for (int n = 0; n < batch; n++) {
        factors[n] = !draw                  ? expected(node)
                     : node->kind == NN_MIX ? draw_mix(&draws)
                                            : draw_scale(&draws, node->keep);
        for (int k = 0; draw && draw->tied && k < 2; k++) {
            factors[n].backward[k] = factors[n].forward[k];
        }
    }
}
