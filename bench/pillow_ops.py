#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `pba bench augment` measures, done with Pillow on one thread.

    pillow_ops.py [--size WxH] [--level L] [--op NAME|all|none] [--schedule FILE --epochs N --epoch E]
                  [--trivialaugment] [--repeat N] [--seconds S]

Prints JSON of the same shape as `pba bench augment --json`. Images, sizes, levels and parameters are
those of src/cli/bench_augment.c. An operation alone works on RGB, or on RGBA where its result has
parts without content; the whole is the reference implementation's: an RGBA image whose alpha is the
validity mask, operations that go through RGB, alpha 0 becomes 0 after normalization. Arithmetic on
whole images (normalization, crop, flip, cutout) is numpy's.
"""
import argparse
import ast
import json
import random
import statistics
import sys
import time

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

MEAN = np.array([0.491, 0.482, 0.447], np.float32)
DEVIATION = np.array([0.247, 0.243, 0.262], np.float32)
SEARCHED = ["Rotate", "TranslateX", "TranslateY", "Brightness", "Color", "Invert", "Sharpness",
            "Posterize", "ShearX", "Solarize", "ShearY", "Equalize", "AutoContrast", "Cutout",
            "Contrast"]
SIGNED = {"Rotate", "TranslateX", "TranslateY", "ShearX", "ShearY"}
FILL = (125, 122, 113, 0)


def paint(width, height, count):
    """The images of bench_augment.c."""
    i, y, x, c = np.ogrid[0:count, 0:height, 0:width, 0:3]
    ramp = 100 * x // width + 60 * y // height
    blocks = (8 * x // width + 8 * y // height + i + c) % 3 * 25
    state, noise = 1, np.empty(count * height * width * 3, np.uint8)
    multiply, add, size = 1, 0, 1  # a jump by `size` steps of the generator
    words = np.array([(state * 1664525 + 1013904223) % 2**32], np.uint64)
    multiply, add = 1664525, 1013904223
    while len(words) < len(noise):
        words = np.concatenate([words, (words * multiply + add) % 2**32])
        add = (multiply * add + add) % 2**32
        multiply = multiply * multiply % 2**32
    noise = (words[:len(noise)] >> 28).astype(np.int64).reshape(count, height, width, 3)
    return (20 + ramp + blocks + noise).astype(np.uint8)


def level_parameter(name, level, scale):
    """The PBA space, lengths in pixels scaled."""
    factor = level * 1.8 / 10 + 0.1
    return {"Rotate": int(level * 30 / 10), "TranslateX": int(level * 10 / 10) * scale,
            "TranslateY": int(level * 10 / 10) * scale, "Brightness": factor, "Color": factor,
            "Sharpness": factor, "Contrast": factor, "Posterize": 4 - int(level * 4 / 10),
            "ShearX": level * 0.3 / 10, "ShearY": level * 0.3 / 10,
            "Solarize": 256 - int(level * 256 / 10), "Cutout": int(level * 20 / 10) * scale,
            "CropBilinear": int(level * 10 / 10) * scale}.get(name, 0)


def affine(coefficients):
    return lambda image, p: image.transform(image.size, Image.AFFINE, coefficients(round(p)))


def shear(coefficients):
    return lambda image, p: image.transform(image.size, Image.AFFINE, coefficients(p))


def cutout(image, side):
    width, height = image.size
    x, y, side = random.randrange(width), random.randrange(height), round(side)
    left, top = x - side // 2, y - side // 2
    box = (max(left, 0), max(top, 0), min(left + side, width), min(top + side, height))
    image = image.copy()
    if box[0] < box[2] and box[1] < box[3]:
        image.paste(FILL, box)
    return image


def crop_bilinear(image, p):
    width, height = image.size
    p = round(p)
    return image.crop((p, p, width - p, height - p)).resize((width, height), Image.BILINEAR)


OPERATIONS = {
    "Rotate": lambda image, p: image.rotate(p),
    "TranslateX": affine(lambda p: (1, 0, p, 0, 1, 0)),
    "TranslateY": affine(lambda p: (1, 0, 0, 0, 1, p)),
    "ShearX": shear(lambda p: (1, p, 0, 0, 1, 0)),
    "ShearY": shear(lambda p: (1, 0, 0, p, 1, 0)),
    "FlipLR": lambda image, p: image.transpose(Image.FLIP_LEFT_RIGHT),
    "FlipUD": lambda image, p: image.transpose(Image.FLIP_TOP_BOTTOM),
    "Brightness": lambda image, p: ImageEnhance.Brightness(image).enhance(p),
    "Contrast": lambda image, p: ImageEnhance.Contrast(image).enhance(p),
    "Invert": lambda image, p: ImageOps.invert(image),
    "Posterize": lambda image, p: ImageOps.posterize(image, p),
    "Solarize": lambda image, p: ImageOps.solarize(image, p),
    "Equalize": lambda image, p: ImageOps.equalize(image),
    "AutoContrast": lambda image, p: ImageOps.autocontrast(image),
    "Color": lambda image, p: ImageEnhance.Color(image).enhance(p),
    "Sharpness": lambda image, p: ImageEnhance.Sharpness(image).enhance(p),
    "Blur": lambda image, p: image.filter(ImageFilter.BLUR),
    "Smooth": lambda image, p: image.filter(ImageFilter.SMOOTH),
    "Cutout": cutout,
    "CropBilinear": crop_bilinear,
}
WITH_ALPHA = SIGNED | {"FlipLR", "FlipUD", "Blur", "Smooth", "Cutout", "CropBilinear"}
THROUGH_RGB = {"Invert", "Posterize", "Solarize", "Equalize", "AutoContrast"}


def measure(work, count, repeat, seconds):
    """`work` once to warm up, then as bench_measure of bench.c: by the thread's processor time."""
    work()
    rates = []
    for _ in range(repeat):
        done, start = 0, time.thread_time()
        while True:
            work()
            done += count
            now = time.thread_time()
            if now - start >= seconds:
                break
        rates.append(done / (now - start))
    return {"median": statistics.median(rates), "min": min(rates), "max": max(rates)}


def one_operation(name, images, level, scale):
    parameter = level_parameter(name, level, scale)
    mode = "RGBA" if name in WITH_ALPHA else "RGB"
    pictures = [Image.fromarray(image).convert(mode) for image in images]
    apply = OPERATIONS[name]

    def work():
        for picture in pictures:
            apply(picture, parameter)
    return work


def read_policy(path, epochs, epoch):
    """The policy of an epoch, from the reference's log."""
    policy, lines = None, [ast.literal_eval(line) for line in open(path) if line.strip()]
    for line in lines:
        if policy is None:
            policy = line[4]
        if line[3] <= epoch:
            policy = line[5]
    return policy


def apply_policy(picture, entries):
    """At most 0, 1 or 2 operations, with probability 0.2, 0.3, 0.5."""
    left = random.choices((0, 1, 2), (0.2, 0.3, 0.5))[0]
    random.shuffle(entries)
    for name, probability, parameter in entries:
        if not left:
            break
        if random.random() < probability:
            if name in SIGNED and random.random() < 0.5:
                parameter = -parameter
            if name in THROUGH_RGB:
                picture = OPERATIONS[name](picture.convert("RGB"), parameter).convert("RGBA")
            else:
                picture = OPERATIONS[name](picture, parameter)
            left -= 1
    return picture


def baseline(values, padding, side):
    """Crop, flip, cutout of normalized floats."""
    height, width, _ = values.shape
    padded = np.zeros((height + 2 * padding, width + 2 * padding, 3), np.float32)
    padded[padding:padding + height, padding:padding + width] = values
    y, x = random.randrange(2 * padding + 1), random.randrange(2 * padding + 1)
    values = padded[y:y + height, x:x + width]
    if random.random() < 0.5:
        values = values[:, ::-1]
    y, x = random.randrange(height) - side // 2, random.randrange(width) - side // 2
    values[max(y, 0):max(y + side, 0), max(x, 0):max(x + side, 0)] = 0
    return values


def whole(images, policy, scale):
    height, width = images.shape[1:3]
    shorter = min(width, height)
    entries = [(SEARCHED[i % 15], policy[2 * i] / 10, level_parameter(SEARCHED[i % 15],
                policy[2 * i + 1], scale)) for i in range(len(policy) // 2)] if policy else []
    out = np.empty((len(images), 3, height, width), np.float32)
    slope, shift = 1 / (255 * DEVIATION), -MEAN / DEVIATION

    def work():
        for i, image in enumerate(images):
            picture = apply_policy(Image.fromarray(image).convert("RGBA"), entries)
            pixels = np.asarray(picture)
            values = pixels[..., :3] * slope + shift
            values[pixels[..., 3] == 0] = 0
            out[i] = baseline(values, shorter // 8, shorter // 2).transpose(2, 0, 1)
    return work


def trivialaugment(images):
    """torchvision's TrivialAugmentWide, crop, flip, normalization."""
    import torch
    from torchvision import transforms
    torch.set_num_threads(1)
    height, width = images.shape[1:3]
    steps = transforms.Compose([
        transforms.TrivialAugmentWide(), transforms.RandomCrop((height, width), padding=height // 8),
        transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize(MEAN.tolist(), DEVIATION.tolist())])
    pictures = [Image.fromarray(image) for image in images]

    def work():
        for picture in pictures:
            steps(picture)
    return work


def main():
    parser = argparse.ArgumentParser(description="pba bench augment, done with Pillow")
    parser.add_argument("--size", default="32x32")
    parser.add_argument("--level", type=int, default=7)
    parser.add_argument("--op", default="")
    parser.add_argument("--schedule")
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--epoch", type=int, default=0)
    parser.add_argument("--trivialaugment", action="store_true")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    scale = min(width, height) / 32
    images = paint(width, height, max(4, min(128, 2**20 // (3 * width * height))))
    jobs = {}
    if options.op in ("", "none"):
        policy = options.schedule and read_policy(options.schedule, options.epochs, options.epoch)
        jobs["whole"] = trivialaugment(images) if options.trivialaugment else whole(images, policy,
                                                                                    scale)
    for name in OPERATIONS:
        if options.op in ("", "all", name):
            jobs[name] = one_operation(name, images, options.level, scale)
    rows = [{"name": name, "images_per_second":
             measure(work, len(images), options.repeat, options.seconds)}
            for name, work in jobs.items()]
    json.dump(rows, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
