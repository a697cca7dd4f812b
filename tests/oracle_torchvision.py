# SPDX-License-Identifier: Apache-2.0
"""Compares operations and policies with torchvision 0.14's Pillow path, byte for byte.

    oracle_torchvision.py TOOL      (TOOL: the built augment_tool)

The operations at every parameter of the three spaces, where torchvision has that operation; the
published sub-policies; the spaces themselves, where they are torchvision's; and whole images as a
policy draws them, with the random numbers (Philox4x32-10) computed independently.
Exit 77 (skipped) without torchvision 0.14.
"""
import math
import subprocess
import sys

try:
    import torch
    import torchvision
    from PIL import Image
    from torchvision.transforms import InterpolationMode, autoaugment, functional
    have = torchvision.__version__
except Exception as error:  # an import may fail in many ways
    have = "none (%s)" % error
if not have.startswith("0.14."):
    print("torchvision 0.14 is needed, found:", have)
    sys.exit(77)
torch.set_num_threads(1)

# ------------------------------------------------------------------------ the tool


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def text(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()
        rows = []
        while (row := self.process.stdout.readline().decode().split()):
            rows.append(row)
        return rows

    def image(self, line, pixels, width, height, channels):
        mask = b"\xff" * (width * height)
        head = "%s %d %d %d\n" % (line, width, height, channels)
        self.process.stdin.write(head.encode() + pixels + mask)
        self.process.stdin.flush()
        result = self.process.stdout.read(len(pixels))
        return result, self.process.stdout.read(width * height)


# ------------------------------------------------------------------------ images


def noise(count, state):
    out = bytearray(count)
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return bytes(out)


def texture(w, h, channels):
    def wave(t):
        t %= 510
        return t if t <= 255 else 510 - t
    return bytes((wave(7 * x + 3 * y + 50 * c) + wave((x * x + 2 * y * y) // 8 + 90 * c)
                  + (60 if x > y else 0)) * 4 // 10
                 for y in range(h) for x in range(w) for c in range(channels))


IMAGES = [(noise(32 * 32 * 3, 1), 32, 32, 3), (texture(32, 32, 3), 32, 32, 3),
          (texture(28, 28, 1), 28, 28, 1), (texture(45, 31, 3), 45, 31, 3),
          (noise(17 * 24, 2), 17, 24, 1)]


def pillow(pixels, w, h, channels):
    return Image.frombytes("RGB" if channels == 3 else "L", (w, h), pixels)


ENHANCERS = {"Brightness": functional.adjust_brightness, "Color": functional.adjust_saturation,
             "Contrast": functional.adjust_contrast, "Sharpness": functional.adjust_sharpness}


def theirs(image, name, value):
    """Our translations run from output to input; an enhancer's factor is 1 + their magnitude."""
    if name in ENHANCERS:
        return ENHANCERS[name](image, value)
    if name in ("TranslateX", "TranslateY"):
        value = -value
    return autoaugment._apply_op(image, name, value, InterpolationMode.NEAREST, None)


# ------------------------------------------------------------------------ comparing

failures = compared = 0


def check(good, *what):
    global failures, compared
    compared += 1
    if not good:
        failures += 1
        if failures <= 20:
            print("differs:", *what)


KINDS = [("autoaugment", 10, None), ("randaugment", 31, autoaugment.RandAugment()),
         ("trivialaugment", 31, autoaugment.TrivialAugmentWide())]


def ranges(tool, kind, levels, w, h):
    """{operation: [(centre, swing) by level]} in the order of the rows."""
    space = {}
    for name, level, centre, swing in tool.text("ranges %s %d %d %d" % (kind, levels, w, h)):
        space.setdefault(name, []).append((float(centre), float(swing)))
        assert len(space[name]) == int(level) + 1
    return space


def compare_spaces(tool):
    for w, h in ((32, 32), (45, 31), (331, 662)):
        for kind, levels, them in KINDS[1:]:
            own = ranges(tool, kind, levels, w, h)
            space = (them._augmentation_space(levels, (h, w)) if kind == "randaugment"
                     else them._augmentation_space(levels))
            check(list(own) == list(space), kind, "operations", list(own), list(space))
            for name, (magnitudes, signed) in space.items():
                for level in range(levels if magnitudes.ndim else 0):
                    centre, swing = own[name][level]
                    value = float(magnitudes[level])
                    if name.startswith("Translate"):
                        value = int(value + 1e-4)  # their float32 may fall short of a whole one
                    enhancer = name in ENHANCERS
                    want = (float(enhancer), value) if signed else (value, 0.0)
                    check(math.isclose(centre, want[0], abs_tol=1e-4)
                          and math.isclose(swing, want[1], abs_tol=1e-4),
                          kind, name, level, (centre, swing), want)
        # AutoAugment: ours are the paper's ranges; torchvision's enhancers and Solarize differ
        own = ranges(tool, "autoaugment", 10, w, h)
        space = autoaugment.AutoAugment()._augmentation_space(10, (h, w))
        check(sorted(own) == sorted(space), "autoaugment operations")
        for name in ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Posterize"):
            for level in range(10):
                value, (centre, swing) = float(space[name][0][level]), own[name][level]
                value = int(value + 1e-4) if name.startswith("Translate") else value
                check(math.isclose(swing if space[name][1] else centre, value, abs_tol=1e-4),
                      "autoaugment", name, level, centre, swing, value)


def compare_tables(tool):
    for name in ("cifar10", "svhn", "imagenet"):
        theirs_ = [entry for pair in autoaugment.AutoAugment()._get_policies(
            autoaugment.AutoAugmentPolicy(name)) for entry in pair]
        ours = [(op, int(tenths) / 10, int(level)) for op, tenths, level in
                tool.text("table " + name)]
        check(ours == [(op, p, level or 0) for op, p, level in theirs_], "table", name)


def compare_operations(tool):
    seen = set()
    for kind, levels, _ in KINDS:
        for pixels, w, h, channels in IMAGES:
            image = pillow(pixels, w, h, channels)
            for name, row in ranges(tool, kind, levels, w, h).items():
                values = {centre + sign * swing for centre, swing in row for sign in (1, -1)}
                for value in sorted(values):
                    key = (name, value, w, h, pixels[:64])
                    if name == "Identity" or key in seen:
                        continue
                    seen.add(key)
                    want = theirs(image, name, value).tobytes()
                    got, _ = tool.image("value %s %.17g 0" % (name, value), pixels, w, h, channels)
                    check(got == want, name, value, w, h, channels)


# ------------------------------------------------------------------------ whole draws


def philox(counter, key):
    c, k, word = list(counter), list(key), 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & word, (a >> 32) ^ c[3] ^ k[1], a & word]
        k = [(k[0] + 0x9E3779B9) & word, (k[1] + 0xBB67AE85) & word]
    return c


def draw_words(seed, image):
    """The stream of purpose 3 (augmentation), member and epoch 0."""
    block = 0
    while True:
        yield from philox([block, image, 0, 3 << 20], [seed, 0])
        block += 1


def below(words, bound):
    while True:
        product = next(words) * bound
        if product & 0xFFFFFFFF >= 2**32 % bound:
            return product >> 32


def fire(words, image, name, centre, swing):
    if name == "Identity":
        return image
    value = centre + (-swing if swing and below(words, 2) else swing)
    return theirs(image, name, value)


def draw_autoaugment(words, image, space, table):
    chosen = below(words, 25)
    for op, tenths, level in table[2 * chosen:2 * chosen + 2]:
        if below(words, 10) < int(tenths):
            image = fire(words, image, op, *space[op][int(level)])
    return image


def draw_randaugment(words, image, space, count, level):
    for _ in range(count):
        name = list(space)[below(words, 14)]
        image = fire(words, image, name, *space[name][level])
    return image


def draw_trivialaugment(words, image, space):
    name = list(space)[below(words, 14)]
    return fire(words, image, name, *space[name][below(words, 31)])


def compare_draws(tool):
    for number, (pixels, w, h, channels) in enumerate(IMAGES):
        image = pillow(pixels, w, h, channels)
        auto, rand, trivial = (ranges(tool, k, n, w, h) for k, n, _ in KINDS)
        kinds = [("randaugment:%d,%d" % nm, lambda words, nm=nm: draw_randaugment(
            words, image, rand, *nm)) for nm in ((2, 9), (3, 30))]
        kinds += [("trivialaugment", lambda words: draw_trivialaugment(words, image, trivial))]
        for name in ("cifar10", "svhn", "imagenet"):
            table = tool.text("table " + name)
            kinds.append(("autoaugment:" + name, lambda words, table=table: draw_autoaugment(
                words, image, auto, table)))
        for kind, draw in kinds:
            for item in range(60):
                want = draw(draw_words(7 + number, item)).tobytes()
                got, _ = tool.image("draw %s %d %d" % (kind, 7 + number, item), pixels, w, h,
                                    channels)
                check(got == want, kind, item, w, h, channels)


tool = Tool(sys.argv[1])
compare_spaces(tool)
compare_tables(tool)
compare_operations(tool)
compare_draws(tool)
print("%d comparisons with torchvision %s, %d differ" % (compared, have, failures))
sys.exit(1 if failures or compared < 5000 else 0)
