#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The two ends of scripts/own-operation.sh: a data set with a nuisance, and what was found.

    own-operation.py data OUT.npz TRAIN VAL TEST [MNIST]   images whose validation and test have grain
    own-operation.py weigh OPERATION NAME=RUN,RUN... ...   its share in the schedules of these runs

Without the folder MNIST (IDX files, plain or .gz), digits are drawn. Needs NumPy.
"""
import gzip
import json
import math
import pathlib
import sys

SIDE = 28
STRENGTHS = (20, 100)  # grey values of the grain, uniform; training images have none

# Rows of 5 bits.
GLYPHS = ["0e11131519110e", "040c040404040e", "0e11010204081f", "1f02040201110e", "02060a121f0202",
          "1f101e0101110e", "0608101e11110e", "1f010204080808", "0e11110e11110e", "0e11110f01020c"]

# 97.5 % quantiles of Student's t for 1, 2 ... degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


def draw(count, rng):
    """Digits of a 5 x 7 font, each turned, slanted, scaled and moved a little; interpolated."""
    import numpy
    font = numpy.zeros((10, 9, 7))
    for digit, rows in enumerate(GLYPHS):
        for y in range(7):
            bits = int(rows[2 * y:2 * y + 2], 16)
            font[digit, y + 1, 1:6] = [bits >> (4 - x) & 1 for x in range(5)]
    labels = numpy.arange(count) % 10
    rng.shuffle(labels)
    angle, slant = rng.uniform(-0.3, 0.3, count), rng.uniform(-0.3, 0.3, count)
    scale, move = rng.uniform(2.4, 3.4, count), rng.uniform(-3, 3, (count, 2))
    y, x = numpy.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2
    images = numpy.empty((count, SIDE, SIDE), numpy.uint8)
    for i in range(count):
        cosine, sine = math.cos(angle[i]) / scale[i], math.sin(angle[i]) / scale[i]
        u, v = x - move[i, 0], y - move[i, 1]
        column = numpy.clip(cosine * u + sine * v + slant[i] * v / scale[i] + 3, 0, 5.999)
        row = numpy.clip(cosine * v - sine * u + 4, 0, 7.999)
        left, top = column.astype(int), row.astype(int)
        a, b = column - left, row - top
        glyph = font[labels[i]]
        value = ((1 - b) * ((1 - a) * glyph[top, left] + a * glyph[top, left + 1]) +
                 b * ((1 - a) * glyph[top + 1, left] + a * glyph[top + 1, left + 1]))
        images[i] = value * rng.uniform(140, 230) + 20
    return images, labels


def read_idx(folder, name):
    import numpy
    for path in (folder / name, folder / (name + ".gz")):
        if path.exists():
            data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
            dimensions = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
            return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(dimensions)
    sys.exit(f"{folder}: there is no {name}")


def add_grain(images, rng):
    import numpy
    grainy = images.astype(int)
    for image, strength in zip(grainy, rng.integers(*STRENGTHS, len(images), endpoint=True)):
        image += rng.integers(-strength, strength, image.shape, endpoint=True)
    return numpy.clip(grainy, 0, 255).astype(numpy.uint8)


def make_data(out, sizes, folder):
    import numpy
    rng = numpy.random.default_rng(1)
    if folder:
        images = read_idx(pathlib.Path(folder), "train-images-idx3-ubyte")
        labels = read_idx(pathlib.Path(folder), "train-labels-idx1-ubyte")
        chosen = rng.permutation(len(images))[:sum(sizes)]
        images, labels = images[chosen], labels[chosen]
    else:
        images, labels = draw(sum(sizes), rng)
    arrays, first = {}, 0
    for part, size in zip(("train", "val", "test"), sizes):
        own = images[first:first + size]
        arrays["x_" + part] = own if part == "train" else add_grain(own, rng)
        arrays["y_" + part] = labels[first:first + size]
        first += size
    numpy.savez_compressed(out, **arrays)


def share(run, operation):
    """Of all probability that the schedule gives to operations, over its epochs; None: it gives none."""
    schedule = json.loads((pathlib.Path(run) / "schedule.json").read_text())
    ops, mass = schedule["ops"], {}
    for segment in schedule["segments"]:
        for entry, tenths in enumerate(segment["policy"][::2]):
            op = ops[entry % len(ops)]
            mass[op] = mass.get(op, 0) + segment["epochs"] * tenths
    total = sum(mass.values())
    return mass[operation] / total if total else None


def interval(values):
    """Mean and half the width of its 95 % interval; None for a single value."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, T[min(len(values) - 2, len(T) - 1)] * math.sqrt(variance / len(values))


def weigh(operation, arms):
    for arm in arms:
        name, runs = arm.split("=")
        runs = runs.split(",")
        shares = [share(run, operation) for run in runs]
        known = [value for value in shares if value is not None]
        each = " ".join("none" if value is None else f"{100 * value:.1f}" for value in shares)
        if known:
            mean, half = interval(known)
            width = "" if half is None else f"+- {100 * half:.1f}"
            print(f"{name:<22} {100 * mean:5.1f} % {width:<9} each: {each}")
        else:
            print(f"{name:<22} no schedule applies anything")
    ops = json.loads((pathlib.Path(runs[0]) / "schedule.json").read_text())["ops"]
    print(f"{'uniform chance':<22} {100 / len(ops):5.1f} %           one of {len(ops)} operations")


def main(arguments):
    if len(arguments) in (5, 6) and arguments[0] == "data":
        make_data(arguments[1], [int(text) for text in arguments[2:5]], (arguments + [None])[5])
    elif len(arguments) > 2 and arguments[0] == "weigh":
        weigh(arguments[1], arguments[2:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
