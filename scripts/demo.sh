#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole path on generated data: learn a schedule, train the same network with it and with what
# it is to be compared with, print the test errors. Usage: scripts/demo.sh PBA
set -eu
. "$(dirname "$0")/table.sh"

MODEL=wrn-10-1
TRAIN_SIZE=1000
VAL_SIZE=500
POPULATION=8
SEARCH_EPOCHS=12
INTERVAL=2
TRAIN_EPOCHS=20
SEEDS=3

pba=$1
out=$(fresh runs/demo)

echo "== 1. search: a population of $POPULATION learns a schedule in $SEARCH_EPOCHS epochs"
"$pba" search demo --model "$MODEL" --train-size "$TRAIN_SIZE" --val-size "$VAL_SIZE" \
    --population "$POPULATION" --epochs "$SEARCH_EPOCHS" --interval "$INTERVAL" --out "$out/search"

echo
echo "== 2. training: the same network, $TRAIN_EPOCHS epochs, $SEEDS seeds each; test errors on rotated,"
echo "==    sheared, shifted, relit and partly inverted digits"
"$pba" compare demo --model "$MODEL" --train-size "$TRAIN_SIZE" --val-size "$VAL_SIZE" \
    --epochs "$TRAIN_EPOCHS" --arms "none,baseline,random,$out/search" --seeds "$SEEDS" \
    --out "$out/compare"

"$pba" preview demo --schedule "$out/search/schedule.json" --out "$out/preview.png"
echo "schedule: $out/search/schedule.json   images: $out/preview.png"
