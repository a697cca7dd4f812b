# SPDX-License-Identifier: Apache-2.0
"""Reads event files with TensorBoard's own reader and compares them with the journal and results.

    oracle_tensorboard.py PBA

Runs a search that is killed in the middle and resumed, and a training. Exit 77 (skipped) where
there is no tensorboard package; PBA_TENSORBOARD_PYTHON names an interpreter that has one.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

other = os.environ.pop("PBA_TENSORBOARD_PYTHON", None)
if other:
    os.execv(other, [other, *sys.argv])
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("tensorboard is needed")
    sys.exit(77)

PBA = str(pathlib.Path(sys.argv[1]).resolve())
MEMBERS, EPOCHS, INTERVAL = 4, 12, 2
SMALL = ["demo", "--model", "wrn-10-1", "--train-size", "80", "--val-size", "40", "--batch", "20",
         "--tensorboard", "--quiet"]


def scalars(folder):
    """Points by tag: lists of (step, value)."""
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]}


def same(found, wanted, what):
    assert [step for step, _ in found] == [step for step, _ in wanted], (what, found, wanted)
    assert all(abs(a[1] - b[1]) <= 1e-6 * max(1, abs(b[1])) for a, b in zip(found, wanted)), what


def killed_search(run):
    process = subprocess.Popen([PBA, "search", *SMALL, "--population", str(MEMBERS), "--epochs",
                                str(EPOCHS), "--interval", str(INTERVAL), "--out", run])
    journal = pathlib.Path(run, "journal.jsonl")
    while process.poll() is None:
        if journal.exists() and journal.read_text().count('"score"') >= MEMBERS + 2:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.01)
    return False


def check_search(folder):
    run = str(folder / "search")
    killed = killed_search(run)
    subprocess.run([PBA, "search", "--resume", run, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in open(f"{run}/journal.jsonl")]
    files = 0
    for member in range(MEMBERS):
        board = pathlib.Path(run, "tensorboard", f"member-{member:02d}")
        files += len(list(board.iterdir()))
        scores = [line for line in lines if line["type"] == "score" and line["member"] == member]
        scores.sort(key=lambda line: line["epoch"])
        found = scalars(board)
        same(found["validation/error"], [(s["epoch"], s["error"]) for s in scores], "error")
        same(found["validation/loss"], [(s["epoch"], s["val_loss"]) for s in scores], "loss")
        last = dict(found["training/loss"])
        same([(s["epoch"], last[s["epoch"]]) for s in scores],
             [(s["epoch"], s["train_loss"]) for s in scores], "training loss")
        for tag in ("training/loss", "training/accuracy", "learning-rate"):
            assert [step for step, _ in found[tag]] == list(range(1, EPOCHS + 1)), (tag, found[tag])
        assert found["learning-rate"][0][1] > found["learning-rate"][-1][1]
    assert not killed or files > MEMBERS, "a resumed search has files of its own"
    return files


def check_training(folder):
    run = str(folder / "train")
    subprocess.run([PBA, "train", *SMALL, "--epochs", "3", "--seeds", "2", "--seed", "5", "--out",
                    run], check=True, stdout=subprocess.DEVNULL)
    for seed in json.load(open(f"{run}/result.json"))["seeds"]:
        found = scalars(pathlib.Path(run, "tensorboard", f"seed-{seed['seed']}"))
        same(found["test/error"], [(3, seed["test_error"])], "test error")
        same(found["training/loss"][2:], [(3, seed["train_loss"])], "training loss")
        same(found["training/accuracy"][2:], [(3, seed["train_accuracy"])], "accuracy")
        assert len(found["training/loss"]) == 3


with tempfile.TemporaryDirectory() as name:
    count = check_search(pathlib.Path(name))
    check_training(pathlib.Path(name))
print(f"TensorBoard reads {count} event files of a killed and resumed search, and a training's")
