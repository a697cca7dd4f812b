#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Augmentation side by side: `pba bench augment` and pillow_ops.py in turn, on one core.

    augment.py PBA --schedule FILE --epochs N --epoch E [--pairs 5] [--seconds S] [--python PYTHON]
               [--part NAME]... [--core C]

Parts: whole-32, whole-224 (policy, crop, flip, cutout, normalization), trivialaugment (torchvision's
against the same whole), ops-32, ops-400. Prints a Markdown table a part: medians over the pairs and
the median of the pairs' ratios. PYTHON is one that has Pillow 9.4, numpy and torchvision.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

PILLOW = pathlib.Path(__file__).with_name("pillow_ops.py")
COPIES = {"FlipLR", "FlipUD", "Cutout"}  # copy pixels and compute none; Pillow's are copies too


def rates(command):
    """Name -> images a second, the median of the command's repetitions."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return {row["name"]: row["images_per_second"]["median"] for row in json.loads(done.stdout)}


def table(part, pairs):
    print(f"\n### {part}\n\n| what | pba, images/s | peer, images/s | ratio |\n|---|---|---|---|")
    ratios = []
    for name in pairs[0][0]:
        if name not in pairs[0][1]:
            continue
        ours, theirs = [a[name] for a, _ in pairs], [b[name] for _, b in pairs]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        note = " (a copy)" if name in COPIES else ""
        ratios += [] if name in COPIES else [ratio]
        print(f"| {name}{note} | {statistics.median(ours):,.0f} | {statistics.median(theirs):,.0f} "
              f"| {ratio:.1f} |")
    if len(ratios) > 1:
        print(f"\nLeast ratio {min(ratios):.1f}, median {statistics.median(ratios):.1f} "
              "(copies left out).")


def main():
    parser = argparse.ArgumentParser(description="pba bench augment against Pillow")
    parser.add_argument("pba")
    parser.add_argument("--schedule", required=True)
    parser.add_argument("--epochs", default="0")
    parser.add_argument("--epoch", default="0")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", default="0.2")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--core", type=int)
    parser.add_argument("--part", action="append")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    policy = ["--op", "none", "--schedule", options.schedule, "--epochs", options.epochs,
              "--epoch", options.epoch]
    parts = {"whole-32": (policy, policy),
             "trivialaugment": (policy, ["--op", "none", "--trivialaugment"]),
             "whole-224": (policy + ["--size", "224x224"],) * 2,
             "ops-32": (["--op", "all"],) * 2,
             "ops-400": (["--op", "all", "--size", "400x400"],) * 2}
    common = ["--repeat", "1", "--seconds", options.seconds]
    for part in options.part or parts:
        ours = [options.pba, "bench", "augment", "--json"] + parts[part][0] + common
        theirs = [options.python, str(PILLOW)] + parts[part][1] + common
        table(part, [(rates(ours), rates(theirs)) for _ in range(options.pairs)])


if __name__ == "__main__":
    main()
