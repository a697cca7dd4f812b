#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What in a schedule matters (Ho et al. 2019, the schedule's ablations), on generated data: three
# searches, each schedule trained as it is and taken apart in five ways; and three searches without
# selection, for what drift alone gives. Search and training share the seed. Usage:
# scripts/ablations.sh PBA
set -eu
. "$(dirname "$0")/table.sh"

SEEDS="1 2 3"
ORDERS="in-order last shuffled flattened random-policy random-schedule"
sizes="--model wrn-10-1 --train-size 1000 --val-size 500"

pba=$1
out=$(fresh runs/ablations)

# train NAME SEED OPTION...
train() {
    name=$1 seed=$2
    shift 2
    # shellcheck disable=SC2086
    "$pba" train demo $sizes --epochs 20 --seed "$seed" --out "$out/train-$name-$seed" \
        --quiet --json "$@" >"$out/$name-$seed.json"
}

# files NAME: the summaries of all seeds, with commas between.
files() {
    list=
    for seed in $SEEDS; do list=${list:+$list,}$out/$1-$seed.json; done
    echo "$list"
}

for seed in $SEEDS; do
    for selection in truncation none; do
        echo "== seed $seed, selection $selection"
        search=$out/search-$selection-$seed
        # shellcheck disable=SC2086
        "$pba" search demo $sizes --population 8 --epochs 12 --interval 2 --seed "$seed" \
            --selection "$selection" --out "$search" --quiet
    done
    train baseline "$seed" --augment baseline
    train drift "$seed" --augment "$out/search-none-$seed"
    for order in $ORDERS; do
        train "$order" "$seed" --augment "$out/search-truncation-$seed" --schedule-order "$order"
    done
done

echo
echo "== test error, the search's validation images apart (seeds $SEEDS)"
set -- "baseline=$(files baseline)"
for order in $ORDERS; do set -- "$@" "schedule, $order=$(files "$order")"; done
table "$@" "search without selection=$(files drift)"
echo
echo "runs: $out"
