# SPDX-License-Identifier: Apache-2.0
"""Reads what pba augment writes with NumPy.

    oracle_export.py PBA

Exit 77 (skipped) without NumPy, or 1 where the environment has PBA_REQUIRE_ORACLE=1.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("NumPy is needed")
    sys.exit(1 if os.environ.get("PBA_REQUIRE_ORACLE") == "1" else 77)

PBA = str(pathlib.Path(sys.argv[1]).resolve())


def pba(*arguments):
    return subprocess.run([PBA, *map(str, arguments)], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def write_data(folder):
    """CIFAR-10's layout; class 9 has a name beyond ASCII."""
    records = np.random.default_rng(5).integers(0, 256, (80, 3073), np.uint8)
    records[:, 0] = np.arange(80) % 10
    folder.mkdir()
    records.tofile(folder / "data_batch_1.bin")
    records.tofile(folder / "test_batch.bin")
    names = [f"class {i}" for i in range(9)] + ["na\u00efve \U0001f408"]
    (folder / "batches.meta.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return records, names


def check(folder):
    data = folder / "data"
    records, names = write_data(data)
    pba("augment", data, "--augment", "none", "--split", "test", "--masks", "--out",
        folder / "plain.npz")
    plain = np.load(folder / "plain.npz", allow_pickle=False)
    assert sorted(plain.files) == ["class_names", "images", "labels", "masks"], plain.files
    images, labels = plain["images"], plain["labels"]
    assert images.dtype == np.uint8 and labels.dtype == np.int64
    assert np.array_equal(images, records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert np.array_equal(labels, records[:, 0])
    assert plain["class_names"].tolist() == names
    assert plain["masks"].shape == (80, 32, 32) and (plain["masks"] == 255).all()

    options = ["augment", data, "--augment", "trivialaugment", "--split-seed", 3, "--seed", 4]
    written = {}
    for name, more in {"a": ["--epoch", 2], "again": ["--epoch", 2], "next": ["--epoch", 3],
                       "bare": ["--epoch", 2, "--baseline", "none"],
                       "few": ["--epoch", 2, "--count", 7]}.items():
        pba(*options, *more, "--out", folder / f"{name}.npz")
        written[name] = np.load(folder / f"{name}.npz")["images"]
    assert (folder / "a.npz").read_bytes() == (folder / "again.npz").read_bytes()
    assert not np.array_equal(written["a"], written["next"])
    assert not np.array_equal(written["a"], written["bare"])
    assert np.array_equal(written["a"][:7], written["few"])
    assert "npz" in pba("data", "info", folder / "a.npz")
    return images.shape


with tempfile.TemporaryDirectory() as name:
    print("NumPy reads", check(pathlib.Path(name)))
