# SPDX-License-Identifier: Apache-2.0
"""Compares what is read from .npz and .mat files with NumPy's and SciPy's own writing and reading.

    oracle_data.py TOOL        (TOOL: the built data_tool)

Without SciPy the MATLAB files are left out. Exit 77 (skipped) without NumPy, or 1 where the
environment has PBA_REQUIRE_ORACLE=1.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("NumPy is needed")
    sys.exit(1 if os.environ.get("PBA_REQUIRE_ORACLE") == "1" else 77)
try:
    import scipy.io as scipy_io
except ImportError:
    scipy_io = None

random = np.random.default_rng(7)
compared = 0


def read(path):
    """Header, class names, labels, pixels, as the tool tells them; or its message."""
    done = subprocess.run([sys.argv[1], path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        return done.stderr.decode()
    head, rest = done.stdout.split(b"\n", 1)
    width, height, channels, classes, *counts = map(int, head.split())
    names = []
    for _ in range(classes):
        name, rest = rest.split(b"\n", 1)
        names.append(name.decode())
    total = sum(counts)
    labels = np.frombuffer(rest[:2 * total], "<u2")
    pixels = np.frombuffer(rest[2 * total:], np.uint8).reshape(total, height, width, channels)
    return counts, names, labels, pixels


def check(path, parts, names):
    """`parts`: for training, validation, test a pair of images (N, H, W, C) and labels, or None."""
    global compared
    got = read(path)
    assert not isinstance(got, str), got
    counts, got_names, labels, pixels = got
    assert counts == [len(part[1]) if part else 0 for part in parts], (path, counts)
    assert got_names == names, (path, got_names)
    assert np.array_equal(pixels, np.concatenate([part[0] for part in parts if part])), path
    wanted = np.concatenate([np.ravel(part[1]) for part in parts if part])
    assert np.array_equal(labels, wanted), path
    compared += 1


def draw(count, height, width, channels, classes=5):
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, count - classes)])
    return random.integers(0, 256, (count, height, width, channels), dtype=np.uint8), labels


def numbers(count):
    return [str(i) for i in range(count)]


def check_arrays(folder):
    path = os.path.join(folder, "set.npz")
    train, val, test = draw(40, 6, 9, 3), draw(12, 6, 9, 3), draw(20, 6, 9, 3)
    x, y = train
    styles = [("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"),
              ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"),
              ("train_images", "train_labels", "val_images", "val_labels", "test_images",
               "test_labels"),
              ("images", "labels", "val_images", "val_labels", "test_images", "test_labels")]
    for save in np.savez, np.savez_compressed:
        for style in styles:
            save(path, **dict(zip(style, [*train, *val, *test])), other=np.array([{}], object))
            check(path, [train, val, test], numbers(5))
        for style in ("x", "y"), ("X", "y"), ("images", "labels"):
            save(path, **dict(zip(style, train)))
            check(path, [train, None, None], numbers(5))
    for kind in "|u1", "|i1", "<i2", ">i2", "<u2", ">u4", "<i4", ">i4", "<i8", ">i8", ">u8":
        np.savez(path, x=x, y=y.astype(kind))
        check(path, [train, None, None], numbers(5))
        np.savez(path, x=np.asfortranarray(x), y=np.asfortranarray(y.astype(kind).reshape(-1, 1)))
        check(path, [train, None, None], numbers(5))
    np.savez(path, x=x, y=y % 2 == 1)
    check(path, [(x, y % 2), None, None], numbers(2))
    for grey in x[..., 0], np.asfortranarray(x[..., 0]), x[..., :1], np.asfortranarray(x[..., :1]):
        np.savez_compressed(path, x=grey, y=y)
        check(path, [(x[..., :1], y), None, None], numbers(5))
    names = ["apple", "b\u00e9", "\u20ac", "\U0001f600", "e"]
    for array in np.array(names), np.array(names).astype(">U9"):
        np.savez(path, x=x, y=y, class_names=array)
        check(path, [train, None, None], names)
    np.savez(path, x=x, y=y, names=np.array([b"a", b"bb", b"ccc", b"d", b"e", b"f"]))
    check(path, [train, None, None], ["a", "bb", "ccc", "d", "e"])
    np.savez(path, x=x, y=y * 1000 + 1)
    check(path, [train, None, None], ["1", "1001", "2001", "3001", "4001"])


def check_folder(folder):
    train, test = draw(30, 7, 5, 1), draw(9, 7, 5, 1)
    np.savez(os.path.join(folder, "train.npz"), images=train[0], labels=train[1])
    np.savez(os.path.join(folder, "test.npz"), images=test[0], labels=test[1])
    check(folder, [train, None, test], numbers(5))


def check_versions(folder):
    """Versions 1.0 to 3.0 of the array layout."""
    import zipfile
    x, y = draw(30, 7, 5, 3)
    path = os.path.join(folder, "set.npz")
    for version in (1, 0), (2, 0), (3, 0):
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in ("x", x), ("y", y):
                with archive.open(name + ".npy", "w") as member:
                    np.lib.format.write_array(member, array, version)
        check(path, [(x, y), None, None], numbers(5))


def check_refused(folder):
    path = os.path.join(folder, "set.npz")
    x, y = draw(30, 6, 9, 3)
    one_hot = np.eye(5)[y].astype("u1")
    ragged = np.empty(30, object)
    cases = [({"x": x / 255, "y": y}, "(images * 255).astype('uint8')"),
             ({"x": x.astype("i4"), "y": y}, ".astype('uint8')"),
             ({"x": x > 9, "y": y}, "images.astype('uint8') * 255"),
             ({"x": x.transpose(0, 3, 1, 2), "y": y}, "images.transpose(0, 2, 3, 1)"),
             ({"x": np.concatenate([x, x[..., :1]], 3), "y": y}, "images[..., :3]"),
             ({"x": x.reshape(30, -1), "y": y}, "numpy.reshape"),
             ({"x": x[:0], "y": y[:0]}, "there are none"),
             ({"x": ragged, "y": y}, "numpy.stack"),
             ({"x": x, "y": y.astype(object)}, "dtype='int64'"),
             ({"x": x, "y": y.astype(float)}, "labels.astype('int64')"),
             ({"x": x, "y": y.astype(str)}, "numpy.unique"),
             ({"x": x, "y": one_hot}, "labels.argmax(axis=1)"),
             ({"x": x, "y": y[1:]}, "29 labels for 30 images"),
             ({"x": x, "y": y - 1}, "label -1 of image 0"),
             ({"x": x, "y": y + 65532}, "label 65536 of image 4"),
             ({"x": x, "y": y * 0}, "nothing to learn"),
             ({"x": x}, "y.npy: is missing"),
             ({"x": x, "y": y, "images": x}, "for the same split"),
             ({"x_train": x, "y_train": y, "x_test": x[:, 1:], "y_test": y}, "9 x 5 x 3"),
             ({"x_test": x, "y_test": y}, "no training images"),
             ({"arr_0": x, "arr_1": y}, "arr_0.npy, arr_1.npy")]
    for arrays, message in cases:
        np.savez(path, **arrays)
        got = read(path)
        assert isinstance(got, str) and path in got and message in got, (message, got)


def check_svhn(folder):
    digits = [str(i) for i in range(10)]
    parts = {name: draw(count, 32, 32, 3, 10)
             for name, count in (("train", 40), ("extra", 30), ("test", 20))}
    for packed in False, True:
        for kind in np.uint8, np.float64, np.int64:
            for name, (x, y) in parts.items():
                scipy_io.savemat(os.path.join(folder, name + "_32x32.mat"),
                                 {"X": x.transpose(1, 2, 3, 0),
                                  "y": np.where(y == 0, 10, y).astype(kind).reshape(-1, 1)},
                                 do_compression=packed)
            both = [np.concatenate(pair) for pair in zip(parts["train"], parts["extra"])]
            check(folder, [both, None, parts["test"]], digits)
    root = os.environ.get("PBA_TEST_DATA")
    real = root and os.path.join(root, "svhn-partial", "svhn_first22_labels_read_by_eye.mat")
    if real and os.path.exists(real):
        with tempfile.TemporaryDirectory() as other:
            os.symlink(os.path.abspath(real), os.path.join(other, "train_32x32.mat"))
            mat = scipy_io.loadmat(real)
            x = mat["X"].transpose(3, 0, 1, 2)
            check(other, [(x, mat["y"].ravel() % 10), None, None], digits)


def main():
    tests = [check_arrays, check_folder, check_versions, check_refused]
    tests += [check_svhn] if scipy_io else []
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    print(compared, "data sets equal", "" if scipy_io else "(no SciPy: no MATLAB files)")


main()
