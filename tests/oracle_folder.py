# SPDX-License-Identifier: Apache-2.0
"""Compares folders of images, as the library reads them, with Pillow.

    oracle_folder.py TOOL                      (TOOL: the built dataset_tool)

All files are written by Pillow. Lossless formats must agree exactly (alpha over black: to 1), JPEG to
the rounding of two decoders, resized images on average. Exit 77 (skipped) without Pillow.
"""
import array
import os
import shutil
import subprocess
import sys
import tempfile

try:
    from PIL import Image, ImageOps
except ImportError:
    print("Pillow is needed")
    sys.exit(1 if os.environ.get("PBA_REQUIRE_ORACLE") == "1" else 77)

TOOL = sys.argv[1]
WIDTH, HEIGHT = 24, 16
failures = 0


def check(name, good, detail=""):
    global failures
    failures += not good
    print("ok" if good else "NOT OK", name, detail)


def read(folder, size="-", fit="-"):
    out = subprocess.run([TOOL, folder, size, fit], stdout=subprocess.PIPE, check=True).stdout
    lines = out.split(b"\n", 4)
    width, height, channels, classes = map(int, lines[1].split())
    counts = list(map(int, lines[2].split()))
    *names, rest = lines[4].split(b"\n", classes)
    labels = array.array("H", rest[:2 * sum(counts)]).tolist()
    pixels, area = rest[2 * sum(counts):], width * height * channels
    mode = "L" if channels == 1 else "RGB"
    images = [Image.frombytes(mode, (width, height), pixels[i * area:(i + 1) * area])
              for i in range(sum(counts))]
    return images, labels, names, counts, lines[3].decode()


def smooth(width=WIDTH, height=HEIGHT):
    """No symmetry: every orientation of it differs."""
    return Image.merge("RGB", [Image.linear_gradient("L").resize((width, height)),
                               Image.linear_gradient("L").rotate(90).resize((width, height)),
                               Image.radial_gradient("L").resize((width, height))])


def difference(a, b):
    """Largest and mean."""
    if a.size != b.size or a.mode != b.mode:
        return 255, 255
    d = [abs(x - y) for x, y in zip(a.tobytes(), b.tobytes())]
    return max(d), sum(d) / len(d)


def over_black(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)),
                                 image).convert("RGB")


def write(root, name, image, **options):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.save(path, **options)
    return path


def compare(title, images, expected, most, mean=255):
    check(title + ": count", len(images) == len(expected))
    for i, (image, wanted) in enumerate(zip(images, expected)):
        largest, average = difference(image, wanted)
        check(f"{title} {i}", largest <= most and average <= mean, f"{largest} {average:.2f}")


# Stored so that orientation i turns it into the upright image.
UNDO = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270}


def test_orientations(root):
    upright, expected = smooth(), []
    for i, undo in UNDO.items():
        exif = Image.Exif()
        exif[0x0112] = i
        stored = upright.transpose(undo) if undo is not None else upright
        path = write(root, f"class{i % 2}/{i}.jpg", stored, quality=98, subsampling=0, exif=exif)
        expected.append((i % 2, ImageOps.exif_transpose(Image.open(path)).convert("RGB")))
        largest, _ = difference(expected[-1][1], upright)
        check(f"orientation {i}: Pillow itself", largest < 12, str(largest))
    expected = [e[1] for e in sorted(expected, key=lambda e: e[0])]
    images, labels, names, _, _ = read(root)
    check("orientation: classes", names == [b"class0", b"class1"] and labels == [0] * 4 + [1] * 4)
    compare("orientation", images, expected, 3)
    for fit in ("crop", "pad"):  # turned before it is cut or framed
        images = read(root, "10x12", fit)[0]
        for i, image in enumerate(images):
            check(f"orientation {fit} {i}", difference(image, images[0])[0] <= 16,
                  str(difference(image, images[0])))


def test_formats(root):
    image = smooth()
    alpha = Image.linear_gradient("L").resize(image.size)
    clear = image.copy()
    clear.putalpha(alpha)
    grey = Image.merge("LA", [image.getchannel(0), alpha])
    wide = Image.frombytes("I;16", image.size, array.array(
        "H", [(i * 179) % 65536 for i in range(WIDTH * HEIGHT)]).tobytes())
    high = Image.frombytes("L", image.size, bytes(
        ((i * 179) % 65536) >> 8 for i in range(WIDTH * HEIGHT)))
    palette = image.quantize(32)
    bits = image.getchannel(2).convert("1")
    frames = [palette, palette.transpose(Image.Transpose.ROTATE_180)]
    exact = [("a.png", image, image, {}), ("b.png", clear, over_black(clear), {}),
             ("c.png", grey, over_black(grey), {}), ("d.png", palette, palette.convert("RGB"), {}),
             ("e.png", wide, high.convert("RGB"), {}), ("f.png", bits, bits.convert("RGB"), {}),
             ("g.gif", frames[0], palette.convert("RGB"),
              {"save_all": True, "append_images": frames[1:]}),
             ("h.webp", clear, over_black(clear), {"lossless": True, "exact": True}),
             ("i.tif", image, image, {"compression": "tiff_lzw"}),
             ("j.tif", image.getchannel(0), image.getchannel(0).convert("RGB"), {})]
    for name, written, _, options in exact:
        write(root, "class/" + name, written, **options)
    write(root, "other/a.png", image)
    images = read(root)[0]
    compare("format", images[:-1], [e[2] for e in exact], 1)


def test_jpeg(root):
    image = smooth()
    expected = []
    for name, options in (("a", {}), ("b", {"progressive": True}), ("c", {"quality": 60}),
                          ("d", {"subsampling": 0, "quality": 95})):
        path = write(root, f"class/{name}.jpg", image, **options)
        expected.append(Image.open(path).convert("RGB"))
    ink = Image.new("CMYK", image.size, (0, 255, 255, 0))
    write(root, "ink/a.jpg", ink)
    images = read(root)[0]
    compare("jpeg", images[:-1], expected, 6, 1)
    red, green, blue = images[-1].getpixel((5, 5))
    check("jpeg: CMYK", red > 180 and green < 80 and blue < 80, f"{red} {green} {blue}")


def test_grey(root):
    grey = smooth().getchannel(2)
    for name in ("class/a.png", "class/b.png", "other/a.png"):
        write(root, name, grey)
    compare("grey", read(root)[0], [grey] * 3, 0)


def test_resizing(root):
    large = smooth(348, 464)
    for name in ("class/a.png", "class/b.jpg", "other/a.png"):
        write(root, name, large)
    crop = ImageOps.fit(large, (64, 64), Image.Resampling.LANCZOS)
    images, _, _, _, notes = read(root)
    check("resize: notes", "348 x 464 pixels resized to 64 x 64" in notes, notes)
    compare("resize: crop", images, [crop] * 3, 8, 1.5)
    pad = ImageOps.pad(large, (48, 40), Image.Resampling.LANCZOS)
    compare("resize: pad", read(root, "48x40", "pad")[0], [pad] * 3, 60, 1)
    up = ImageOps.fit(smooth(), (96, 64), Image.Resampling.BICUBIC)
    write(root, "other/b.png", smooth())
    compare("resize: up", read(root, "96x64")[0][-1:], [up], 12, 2)


def test_splits(root):
    colours = {"train/B/1.png": 10, "train/B/deep/er/2.png": 20, "train/a/z.png": 30,
               "Validation/a/1.png": 40, "test/a/1.png": 50, "test/B/10.png": 60,
               "test/B/9.png": 70}
    for name, shade in colours.items():
        write(root, name, Image.new("L", (8, 8), shade))
    images, labels, names, counts, _ = read(root)
    check("splits: counts", counts == [3, 1, 3], str(counts))
    check("splits: names", names == [b"B", b"a"], str(names))
    check("splits: labels", labels == [0, 0, 1, 1, 0, 0, 1], str(labels))
    shades = [image.getpixel((0, 0)) for image in images]
    check("splits: order", shades == [10, 20, 30, 40, 60, 70, 50], str(shades))
    for kind in ("gztar", "zip"):  # the same, unopened
        with tempfile.TemporaryDirectory() as beside:
            archive = shutil.make_archive(os.path.join(beside, "photos"), kind, root)
            check("splits: " + kind, read(archive)[:4] == (images, labels, names, counts))


for test in (test_orientations, test_formats, test_jpeg, test_grey, test_resizing, test_splits):
    with tempfile.TemporaryDirectory() as folder:
        test(folder)
sys.exit(failures > 0)
