#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every table of docs/performance.md's sections on training and search, as Markdown on standard
# output, to be pasted there. Takes half an hour on two cores.
#
#     bench/all.sh BUILD [SECTION...]
#
# Sections: machine, training, pytorch, scaling, search, rounds, linear; all of them without one.
# PREFIX in the environment is a command under which each measurement runs (nice, taskset ...).
# DATA is a CIFAR-10 folder for the memory of a search; without it the demo data stand in.
# PYTHON is one that has PyTorch.
set -eu
build=$1
shift
here=$(dirname "$0")
pba=$build/pba
sections=${*:-machine training pytorch scaling search rounds linear}

show() { # a command and what it prints
    echo
    echo '```'
    echo "\$ $*" | sed "s|$build/||g; s|$here/|bench/|g; s|${DATA:-demo}|DATA|g; s|/usr/bin/||"
    # shellcheck disable=SC2086
    ${PREFIX:-} "$@" || echo "(ended with status $?)"
    echo '```'
}

table() { # a command that prints a table
    echo
    # shellcheck disable=SC2086
    ${PREFIX:-} "$@" || echo "(ended with status $?)"
}

section() {
    case $1 in
    machine)
        echo "Commit $(git -C "$here" rev-parse --short HEAD), $(nproc) cores of" \
            "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
        show "$pba" --version
        ;;
    training)
        for model in wrn-40-2 wrn-16-2 wrn-16-1; do
            for precision in f32 bf16; do
                show "$pba" bench train --model "$model" --precision "$precision"
            done
        done
        show "$pba" bench train --model wrn-40-2 --members 1 --threads "$(nproc)"
        ;;
    pytorch)
        for model in wrn-40-2 wrn-16-2 wrn-16-1; do
            show "${PYTHON:-/usr/bin/python3}" "$here/train.py" "$pba" --model "$model" --seconds 0
        done
        for way in one threads; do
            show "${PYTHON:-/usr/bin/python3}" "$here/train.py" "$pba" --model wrn-16-2 --way "$way"
        done
        ;;
    scaling)
        show python3 "$here/scaling.py" "$pba" "$build/bench/primitives" --model wrn-40-2 --rounds 3
        show python3 "$here/scaling.py" "$pba" "$build/bench/primitives" --model wrn-16-1
        ;;
    search)
        show "$pba" bench search "${DATA:-demo}" --model wrn-40-2 --population 16 --epochs 2 \
            --interval 1 --train-size 256 --val-size 250
        show "$pba" bench search --model wrn-16-1 --train-size 2000 --val-size 500 --population 8 \
            --epochs 3 --interval 3
        ;;
    rounds) table python3 "$here/search.py" "$pba" rounds ;;
    linear)
        for what in images members epochs; do
            table python3 "$here/search.py" "$pba" linear --of "$what"
        done
        ;;
    *)
        echo "all.sh: $1: no such section" >&2
        exit 2
        ;;
    esac
}

for name in $sections; do
    echo
    echo "### $name"
    section "$name"
done
