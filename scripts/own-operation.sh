#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Does a search find the operation that matters? Training images are clean, validation and test images
# have grain, which none of the paper's fifteen operations makes and the plug-in of examples/ does.
# Searches with selection beside ones without, in which only chance decides; what share of all that
# their schedules apply is Grain. About twelve minutes on two cores. Usage:
# scripts/own-operation.sh PBA [MNIST]   (a folder of IDX files; without it digits are drawn)
# From the environment: SEEDS, POPULATION, EPOCHS, TRAIN, VAL, CC, PYTHON (which needs NumPy).
set -eu
. "$(dirname "$0")/table.sh"

: "${SEEDS=1 2 3 4 5}" "${POPULATION=8}" "${EPOCHS=24}" "${TRAIN=1000}" "${VAL=500}"

pba=$1
here=$(dirname "$0")
for python in "${PYTHON:-python3}" /usr/bin/python3; do # the first may be one without NumPy
    "$python" -c 'import numpy' 2>/dev/null && break
done
out=$(fresh runs/own-operation)

"${CC:-cc}" -O2 -shared -fPIC "$here/../examples/plugin.c" -o "$out/example.so" -I "$here/../include"
"$pba" ops test Grain --plugin "$out/example.so"
# shellcheck disable=SC2086
"$python" "$here/own-operation.py" data "$out/data.npz" "$TRAIN" "$VAL" "$VAL" ${2:+"$2"}
"$pba" data info "$out/data.npz"

# runs SELECTION: the folders of all seeds, with commas between.
runs() {
    list=
    for seed in $SEEDS; do list=${list:+$list,}$out/$1-$seed; done
    echo "$list"
}

for seed in $SEEDS; do
    for selection in truncation none; do
        echo "== seed $seed, selection $selection"
        "$pba" search "$out/data.npz" --model wrn-10-1 --batch 64 --population "$POPULATION" \
            --epochs "$EPOCHS" --interval 2 --seed "$seed" --selection "$selection" \
            --plugin "$out/example.so" --ops -SamplePairing --out "$out/$selection-$seed" -q
    done
done

echo
echo "== share of Grain in all that the schedules apply, 95 % intervals (seeds $SEEDS)"
"$python" "$here/own-operation.py" weigh Grain "with selection=$(runs truncation)" \
    "without selection=$(runs none)"
echo
echo "runs: $out"
