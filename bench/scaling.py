#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From one network to several at once, beside what bare oneDNN primitives scale by.

    scaling.py PBA PRIMITIVES [--model NAME] [--batch N] [--at-once N] [--rounds N]

A round is four runs in turn: `pba bench train` with one member and with several, and bench/primitives
the same. Processors slow down when more cores work and share their memory: what a program adds to
that shows in the ratio of the two, taken round by round.
"""
import argparse
import json
import re
import statistics
import subprocess


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_pba(options, members):
    result = json.loads(output([options.pba, "bench", "train", "demo", "--model", options.model,
                                "--batch", str(options.batch), "--members", str(members),
                                "--repeat", "1", "--seconds", "0.5", "--json"]))
    return [result[what]["images_per_second"]["median"] for what in ("training", "evaluation")]


def run_primitives(options, members):
    text = output([options.primitives, options.model, str(options.batch), str(members)])
    return [float(each) for each in re.search(r"train ([\d.]+).*forward ([\d.]+)", text).groups()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pba")
    parser.add_argument("primitives")
    parser.add_argument("--model", default="wrn-16-1")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        rounds.append([run(options, members) for run in (run_pba, run_primitives)
                       for members in (1, options.at_once)])
    print("%s, batch %d, 1 and %d at once" % (options.model, options.batch, options.at_once))
    for k, what in enumerate(("training", "evaluation")):
        ours = [each[1][k] / each[0][k] for each in rounds]
        bare = [each[3][k] / each[2][k] for each in rounds]
        print("%-11s pba %.1f -> %.1f img/s, %.2fx; primitives %.1f -> %.1f img/s, %.2fx; "
              "ratio of the two %.3f" % (
                  (what,) + tuple(statistics.median(each[i][k] for each in rounds) for i in (0, 1)) +
                  (statistics.median(ours),) +
                  tuple(statistics.median(each[i][k] for each in rounds) for i in (2, 3)) +
                  (statistics.median(bare),
                   statistics.median(a / b for a, b in zip(ours, bare)))))


main()
