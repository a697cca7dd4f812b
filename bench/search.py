#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a search costs, by `pba bench search`.

    search.py PBA rounds     members that do not divide by the workers: what waiting costs
    search.py PBA linear     three sizes of images, members and epochs: time grows with each in proportion

`rounds` runs each population with and without selection: without it every member changes its policy
at every decision, so that nobody can go on before all are scored, and the cores that are left over
wait; with it (PBA) members that will neither copy nor be copied go on. The work is the same. The
table gives the wall time per member, the share of the workers' time spent waiting, and the share
that would wait if whoever finds no task waited: 1 - members / (workers * turns), over the rounds.
"""
import argparse
import json
import subprocess

BASE = ["--model", "wrn-10-1", "--interval", "1"]


def search(options, **settings):
    command = [options.pba, "bench", "search", "demo", "--json"] + BASE
    for name, value in settings.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def rounds(options):
    print("| members | selection | s per member | waiting | waiting, were it not for early tasks | early |")
    print("|---|---|---|---|---|---|")
    for members in (8, 9, 15, 16):
        for selection in ("truncation", "none"):
            result = search(options, population=members, epochs=4, train_size=512, val_size=250,
                            selection=selection)
            workers = result["workers"]
            turns = -(-members // workers)
            whole = workers * result["seconds"]
            print("| %d | %s | %.3f | %.1f %% | %.1f %% | %d |" % (
                members, selection, result["seconds"] / members,
                100 * result["parts"]["idle"] / whole, 100 * (1 - members / (workers * turns)),
                result["early_tasks"]), flush=True)


GROWING = {"images": ("train_size", (256, 512, 1024)), "members": ("population", (4, 8, 16)),
           "epochs": ("epochs", (2, 4, 8))}


def linear(options):
    """The fastest of three searches of each size, the sizes in turn."""
    plain = {"population": 4, "epochs": 4, "train_size": 512, "val_size": 250}
    print("| what grows | sizes | s | s per further one: first step | second step |")
    print("|---|---|---|---|---|")
    for what in [options.of] if options.of else GROWING:
        name, sizes = GROWING[what]
        runs = [[search(options, **{**plain, name: size})["seconds"] for size in sizes]
                for _ in range(3)]
        seconds = [min(each) for each in zip(*runs)]
        slopes = [(seconds[k + 1] - seconds[k]) / (sizes[k + 1] - sizes[k]) for k in (0, 1)]
        print("| %s | %s | %s | %.4f | %.4f |" % (
            what, ", ".join(map(str, sizes)), ", ".join("%.2f" % each for each in seconds),
            *slopes), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pba")
    parser.add_argument("what", choices=("rounds", "linear"))
    parser.add_argument("--of", choices=sorted(GROWING), help="linear: only this")
    options = parser.parse_args()
    {"rounds": rounds, "linear": linear}[options.what](options)


main()
