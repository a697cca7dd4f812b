# SPDX-License-Identifier: Apache-2.0
"""Compares every operation with Pillow 9.4, byte for byte.

    oracle_augment.py TOOL                     compare (TOOL: the built augment_tool)
    oracle_augment.py --checksums > FILE       write tests/augment_checksums.txt

The calls are those of the reference implementation: an RGBA image whose alpha is the validity mask;
one channel is the red of the grey image. Nothing here comes from the library but the pixels of the
results: parameters, images and the random numbers (Philox4x32-10) are derived independently.
Exit 77 (skipped) without Pillow 9.4, or 1 where the environment has PBA_REQUIRE_ORACLE=1.
"""
import os
import subprocess
import sys
import zlib

try:
    import PIL
    from PIL import Image, ImageEnhance, ImageFilter, ImageOps
    have = PIL.__version__
except ImportError:
    have = "none"
if not have.startswith("9.4."):
    print("Pillow 9.4 is needed, found:", have)
    sys.exit(1 if os.environ.get("PBA_REQUIRE_ORACLE") == "1" else 77)

# ------------------------------------------------------------------------ random numbers


def philox(counter, key):
    c, k, word = list(counter), list(key), 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & word, (a >> 32) ^ c[3] ^ k[1], a & word]
        k = [(k[0] + 0x9E3779B9) & word, (k[1] + 0xBB67AE85) & word]
    return c


def draw_words(seed):
    """The stream of purpose 3 (augmentation), member, epoch and item 0."""
    block = 0
    while True:
        yield from philox([block, 0, 0, 3 << 20], [seed & 0xFFFFFFFF, seed >> 32])
        block += 1


def below(words, bound):
    while True:
        product = next(words) * bound
        if product & 0xFFFFFFFF >= 2**32 % bound:
            return product >> 32


# ------------------------------------------------------------------------ operations


def through_rgb(function):
    return lambda im, p, seed: function(im.convert("RGB"), p).convert("RGBA")


def affine(coefficients):
    return lambda im, p, seed: im.transform(im.size, Image.AFFINE, coefficients(p))


def enhance(kind):
    return lambda im, p, seed: kind(im).enhance(p)


def cutout(im, side, seed):
    words = draw_words(seed)
    side, (width, height), im = int(side), im.size, im.copy()
    y, x = below(words, height) - side // 2, below(words, width) - side // 2
    box = [max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)]
    if box[2] > box[0] and box[3] > box[1]:
        im.paste((125, 122, 113, 0), tuple(box))
    return im


def crop_bilinear(im, p, seed):
    (w, h), p = im.size, int(p)
    x, y = min(p, (w - 1) // 2), min(p, (h - 1) // 2)
    return im.crop((x, y, w - x, h - y)).resize((w, h), Image.BILINEAR)


NONE = lambda level: 0
FACTOR = lambda level: level * 1.8 / 10 + 0.1
WHOLE = lambda most: lambda level: int(level * most / 10)

# name: (the reference's call, parameter of a level, has a sign)
OPERATIONS = {
    "Rotate": (lambda im, p, seed: im.rotate(p), WHOLE(30), True),
    "TranslateX": (affine(lambda p: (1, 0, p, 0, 1, 0)), WHOLE(10), True),
    "TranslateY": (affine(lambda p: (1, 0, 0, 0, 1, p)), WHOLE(10), True),
    "Brightness": (enhance(ImageEnhance.Brightness), FACTOR, False),
    "Color": (enhance(ImageEnhance.Color), FACTOR, False),
    "Invert": (through_rgb(lambda im, p: ImageOps.invert(im)), NONE, False),
    "Sharpness": (enhance(ImageEnhance.Sharpness), FACTOR, False),
    "Posterize": (through_rgb(lambda im, p: ImageOps.posterize(im, int(p))),
                  lambda level: 4 - int(level * 4 / 10), False),
    "ShearX": (affine(lambda p: (1, p, 0, 0, 1, 0)), lambda level: level * 0.3 / 10, True),
    "Solarize": (through_rgb(ImageOps.solarize), lambda level: 256 - int(level * 256 / 10), False),
    "ShearY": (affine(lambda p: (1, 0, 0, p, 1, 0)), lambda level: level * 0.3 / 10, True),
    "Equalize": (through_rgb(lambda im, p: ImageOps.equalize(im)), NONE, False),
    "AutoContrast": (through_rgb(lambda im, p: ImageOps.autocontrast(im)), NONE, False),
    "Cutout": (cutout, WHOLE(20), False),
    "Contrast": (enhance(ImageEnhance.Contrast), FACTOR, False),
    "FlipLR": (lambda im, p, seed: im.transpose(Image.FLIP_LEFT_RIGHT), NONE, False),
    "FlipUD": (lambda im, p, seed: im.transpose(Image.FLIP_TOP_BOTTOM), NONE, False),
    "CropBilinear": (crop_bilinear, WHOLE(10), False),
    "Blur": (lambda im, p, seed: im.filter(ImageFilter.BLUR), NONE, False),
    "Smooth": (lambda im, p, seed: im.filter(ImageFilter.SMOOTH), NONE, False),
}

# Parameters beyond the levels of the PBA space.
VALUES = {
    "Rotate": [-180, -135.5, -90, -0.25, 0.25, 45, 90, 179, 180],
    "TranslateX": [-64, -32, 31, 40000], "TranslateY": [-64, -32, 31, 40000],
    "ShearX": [-1, 0.999, 1, 3.7], "ShearY": [-1, 0.999, 1, 3.7],
    "Brightness": [0, 0.5, 1, 3.3, 10], "Color": [0, 0.5, 1, 3.3, 10],
    "Contrast": [0, 0.5, 1, 3.3, 10], "Sharpness": [0, 0.5, 1, 3.3, 10],
    "Posterize": [0, 5, 6, 7, 8], "Solarize": [0, 1, 127.5, 255, 256],
    "Cutout": [1, 3, 15, 64], "CropBilinear": [0, 11, 15, 16, 17, 100],
}

# ------------------------------------------------------------------------ images


def noise(count, state):
    out = bytearray(count)
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return bytes(out)


def wave(t):
    t %= 510
    return t if t <= 255 else 510 - t


def texture(w, h, channels):
    """Smooth, with an edge: what a photograph has."""
    return bytes((wave(7 * x + 3 * y + 50 * c) + wave((x * x + 2 * y * y) // 8 + 90 * c)
                  + (60 if x > y else 0)) * 4 // 10
                 for y in range(h) for x in range(w) for c in range(channels))


def flat(w, h, channels):
    return bytes(77 + 40 * c for _ in range(w * h) for c in range(channels))


def two_values(w, h, channels):
    return bytes(30 + 170 * ((x + y) & 1) + c
                 for y in range(h) for x in range(w) for c in range(channels))


def rough(w, h, channels):
    return noise(w * h * channels, 1000 * w + h)


def full(w, h):
    return bytes([255]) * (w * h)


def holes(w, h):
    return bytes(0 if (x // 3 + y // 2) % 4 == 0 else 255 for y in range(h) for x in range(w))


def graded(w, h):
    return bytes(wave(40 * x + 23 * y) for y in range(h) for x in range(w))


# Also made by test_augment.c, for the checksums: name, pixels, mask, width, height, channels.
IMAGES = [
    (texture, full, 32, 32, 3), (texture, holes, 32, 32, 3), (texture, graded, 32, 32, 3),
    (texture, holes, 28, 28, 1), (rough, full, 32, 32, 3), (rough, graded, 17, 23, 3),
    (rough, holes, 33, 19, 1), (flat, full, 32, 32, 3), (flat, holes, 9, 9, 1),
    (two_values, full, 31, 32, 3), (two_values, graded, 16, 16, 1), (rough, full, 1, 37, 3),
    (texture, full, 41, 1, 3), (rough, holes, 1, 9, 1), (rough, full, 1, 1, 3),
    (texture, full, 1, 1, 1), (rough, full, 2, 2, 3), (rough, graded, 3, 3, 3),
    (rough, full, 4, 5, 1), (texture, full, 96, 64, 3), (rough, full, 70, 41, 3),
]


def generated():
    for pixels, mask, w, h, channels in IMAGES:
        name = "%s %s %dx%dx%d" % (pixels.__name__, mask.__name__, w, h, channels)
        yield name, pixels(w, h, channels), mask(w, h), w, h, channels


def real(folder):
    """Some images of real data sets, each with and without holes in its mask."""
    def both(name, pixels, w, h, channels):
        yield name, pixels, full(w, h), w, h, channels
        yield name + " holes", pixels, holes(w, h), w, h, channels

    path = os.path.join(folder, "cifar-10-10k", "test_batch.bin")
    if os.path.exists(path):
        with open(path, "rb") as file:
            for i in range(24):
                planes = file.read(3073)[1:]
                pixels = bytes(v for rgb in zip(planes[:1024], planes[1024:2048], planes[2048:])
                               for v in rgb)
                yield from both("cifar %d" % i, pixels, 32, 32, 3)
    photos = []
    for place, _, files in sorted(os.walk(os.path.join(folder, "grocery-photos"))):
        photos += [os.path.join(place, f) for f in sorted(files) if f.endswith((".jpg", ".png"))]
    for path in photos[::max(1, len(photos) // 4)][:4]:
        image = Image.open(path).convert("RGB")
        image.thumbnail((201, 201))
        yield from both(os.path.basename(path), image.tobytes(), *image.size, 3)
        yield from both(os.path.basename(path) + " grey", image.convert("L").tobytes(),
                        *image.size, 1)


# ------------------------------------------------------------------------ comparing


def expected(name, parameter, seed, pixels, mask, w, h, channels):
    mode = "RGB" if channels == 3 else "L"
    image = Image.frombytes(mode, (w, h), pixels).convert("RGBA")
    image.putalpha(Image.frombytes("L", (w, h), mask))
    out = OPERATIONS[name][0](image, parameter, seed).split()
    color = Image.merge("RGB", out[:3]) if channels == 3 else out[0]
    return color.tobytes() + out[3].tobytes()


def levels(name):
    _, parameter, signed = OPERATIONS[name]
    for level in range(11):
        for sign in (1, -1) if signed else (1,):
            yield level, sign, sign * parameter(level), 77 * level + 3


def checksums():
    print("# CRC-32 of all images' results (pixels, then mask; test_augment.c makes the images), from")
    print("# Pillow: /usr/bin/python3 tests/oracle_augment.py --checksums > tests/augment_checksums.txt")
    for name in OPERATIONS:
        for level, sign, parameter, seed in levels(name):
            crc = 0
            for _, *image in generated():
                crc = zlib.crc32(expected(name, parameter, seed, *image), crc)
            print("%-12s %2d %+d %08x" % (name, level, sign, crc))


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, head, seed, pixels, mask, w, h, channels):
        line = "%s %d %d %d %d\n" % (head, seed, w, h, channels)
        self.process.stdin.write(line.encode() + pixels + mask)
        self.process.stdin.flush()
        return self.process.stdout.read(len(pixels) + len(mask))


def compare(path):
    tool, cases, wrong = Tool(path), 0, []
    images = list(generated())
    if os.environ.get("PBA_TEST_DATA"):
        images += real(os.environ["PBA_TEST_DATA"])
    # Too large for 16.16 fixed point: the other walk.
    long = ("long", rough(40000, 3, 1), holes(40000, 3), 40000, 3, 1)

    def check(head, name, parameter, seed, what, image):
        nonlocal cases
        cases += 1
        if tool.run(head, seed, *image) != expected(name, parameter, seed, *image):
            wrong.append("%s on %s" % (head, what))

    for name in OPERATIONS:
        for what, *image in images:
            for level, sign, parameter, seed in levels(name):
                check("level %s %d %d" % (name, level, sign), name, parameter, seed, what, image)
        for what, *image in images[:len(IMAGES)] + [long]:
            for value in VALUES.get(name, []):
                check("value %s %r" % (name, value), name, value, 5, what, image)
    print("%d images, %d results, %d differ" % (len(images) + 1, cases, len(wrong)))
    for line in wrong[:40]:
        print("differs:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(checksums() if sys.argv[1] == "--checksums" else compare(sys.argv[1]))
