#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pba search and pba watch on terminals of several sizes, and on none: what stands on the screen,
that it fits, and that what is said afterwards comes out below.

Usage: check_watch.py PBA. Prints TAP. The terminal here knows the sequences that are used and no
others, so that a new one is a failure.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

count = failures = 0


def check(good, name, detail=""):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good and detail:
        print("\n".join("# " + line for line in str(detail).splitlines()[:30]))


class Screen:
    """What a terminal shows; `wide`: a line was longer than it, `strange`: sequences not known."""

    def __init__(self, columns, lines):
        self.columns, self.height = columns, lines
        self.rows = [""]
        self.row = self.column = 0
        self.wide, self.strange, self.colours = [], [], 0

    def put(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[^\x1b]", text, re.S):
            if part.startswith("\x1b"):
                self.sequence(part)
            elif part == "\n":
                self.row += 1
                while len(self.rows) <= self.row:
                    self.rows.append("")
            elif part == "\r":
                self.column = 0
            else:
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + part + line[self.column + 1 :]
                self.column += 1
                if self.column > self.columns:
                    self.wide.append(self.rows[self.row])

    def sequence(self, part):
        kind, number = part[-1], part[2:-1]
        if kind == "A":
            self.row -= int(number or 1)
        elif kind == "H":
            self.row = self.column = max(0, len(self.rows) - self.height)
            self.column = 0
        elif kind == "J" and not number:
            self.rows[self.row] = self.rows[self.row][: self.column]
            del self.rows[self.row + 1 :]
        elif kind == "K" and not number:
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif kind == "m":
            self.colours += 1
        else:
            self.strange.append(part)

    def text(self):
        return "\n".join(self.rows[-self.height :])


class Job:
    """A program on a terminal of its own."""

    def __init__(self, command, columns, lines, **environment):
        surroundings = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}
        surroundings.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
        self.screen = Screen(columns, lines)
        self.bytes = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execve(command[0], command, surroundings)
        self.status = None

    def resize(self, columns, lines):
        self.screen.columns, self.screen.height = columns, lines
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, until=None, seconds=200):
        """Until the screen has what the pattern says; None: to the end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until and re.search(until, self.screen.text()):
                return True
            ready, _, _ = select.select([self.terminal], [], [], 0.2)
            if not ready:
                continue
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self.bytes += data
            self.screen.put(data.decode("utf-8", "replace"))
        else:
            return False
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.terminal)
        return until is None or bool(re.search(until, self.screen.text()))

    def send(self, data):
        os.write(self.terminal, data)


def fits(job, name):
    """The commands that are said below may be longer."""
    screen = job.screen
    wide = [line for line in screen.wide if not line.startswith(("train with it:", "  pba"))]
    check(not wide and not screen.strange, name, f"{wide}\n{screen.strange}")


def write_run(folder, members, rounds):
    folder.mkdir()
    settings = {"dataset": "demo", "model": "wrn-10-1", "epochs": "30", "population": str(members),
                "interval": "3", "train-size": "500"}
    config = {"format": "pba-run", "version": 1, "kind": "search", "build": "b",
              "settings": settings}
    (folder / "config.json").write_text(json.dumps(config))
    lines = []
    for r in range(rounds):
        for m in range(members):
            lines.append({"type": "score", "round": r, "member": m, "epoch": 3 * r + 3,
                          "error": round(0.9 - 0.1 * r - 0.002 * m, 4), "val_loss": 1.0,
                          "train_loss": 1.0, "train_accuracy": 0.5})
        lines.append({"type": "exploit", "round": r, "epoch": 3 * r + 3, "member": 0,
                      "source": members - 1, "policy": [6, 7] * 30})
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def lines_of(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def hold(journal):
    """As a search does: flock, and a record lock of the whole file that others look for."""
    fcntl.flock(journal, fcntl.LOCK_EX)
    sign = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(journal, fcntl.F_OFD_SETLK, sign)


def watched_from_elsewhere(pba, run):
    """Another PID namespace, as a container has, sees no processes of this one."""
    apart = ["unshare", "-Urpf", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        return
    out = subprocess.run([*apart, pba, "watch", str(run), "--once", "--json"],
                         capture_output=True, check=False).stdout
    check(json.loads(out)["state"] == "going", "another container sees it going on", out)


def watched(pba, folder):
    run = folder / "search-many-1"
    write_run(run, 100, 2)
    with open(run / "journal.jsonl", "r+") as journal:
        hold(journal)
        watched_from_elsewhere(pba, run)
        job = Job([pba, "watch", str(run)], 80, 24)
        job.read("more, with errors", 60)
        text = job.screen.text()
        check("search-many-1  round 3 of 10" in text, "the round", text)
        check("best 60.20 % (member 99)" in text, "the best member", text)
        check(re.search(r"^ +99 +60\.20 %  ▃▁ +0 +- +2  none", text, re.M), "a row", text)
        check(re.search(r"^ +0 +60\.20 % .* 1 +99 +0  Rotate:7\(60%\)", text, re.M),
              "a copy, its ancestry and its operations", text)
        check(len(lines_of(text)) == 23 and "81 more" in text, "as many members as fit", text)
        before = job.screen.colours
        check(before > 0, "colours")
        job.resize(40, 15)
        job.read("90 more", 60)
        text = job.screen.text()
        check("90 more" in text and len(lines_of(text)) == 14, "it follows a new size", text)
        job.resize(79, 2)
        job.read("  20 %", 60)
        fits(job, "nothing is wider than the terminal")
    job.read()
    text = job.screen.text()
    check(job.status == 1 and f"pba search --resume {run}" in "".join(text.split("\n")),
          "a run that nobody holds has stopped", text)

    job = Job([pba, "watch", str(run)], 40, 15, NO_COLOR="1")
    job.read()
    check(job.screen.colours == 0 and b"\x1b[K" in job.bytes, "NO_COLOR")
    job = Job([pba, "watch", str(run)], 40, 15, TERM="dumb")
    job.read()
    check(b"\x1b" not in job.bytes and b"round 2 of 10: best validation error 60.20 %" in job.bytes,
          "a dumb terminal gets lines", job.bytes)
    job = Job([pba, "watch", str(run)], 80, 24, LC_ALL="C")
    job.read()
    check(all(byte < 128 for byte in job.bytes), "ASCII where the locale asks for it")
    piped = subprocess.run([pba, "watch", str(run), "--once"], capture_output=True, check=False)
    check(piped.returncode == 0 and b"\x1b" not in piped.stdout and piped.stdout.count(b"\n") == 103,
          "--once into a pipe: every member, no sequences", piped.stdout)
    piped = subprocess.run([pba, "watch", str(run), "--once", "--json"], capture_output=True,
                           check=False)
    picture = json.loads(piped.stdout)
    check(picture["state"] == "stopped" and picture["members"][0]["member"] == 99 and
          picture["members"][1]["copied_from"] == 99 and
          picture["members"][1]["operations"][0] ==
          {"name": "Rotate", "probability": 0.6, "level": 7}, "--once --json", piped.stdout)


def evil_names(pba, folder):
    run = folder / "e\x1b[31mvil\x9b1m\u00e9"
    write_run(run, 4, 1)
    out = subprocess.run([pba, "watch", str(run), "--once"], capture_output=True, check=False).stdout
    check(b"\x1b" not in out and b"\x9b" not in out and b"e?[31mvil" in out,
          "control characters of names do not reach the terminal", out)


def searched(pba, folder):
    small = ["--model", "wrn-10-1", "--train-size", "60", "--val-size", "30", "--batch", "20",
             "--population", "4", "--interval", "1"]
    os.chdir(folder)
    job = Job([pba, "search", "demo", *small, "--epochs", "3", "--out", "done"], 80, 24)
    job.read()
    text = job.screen.text()
    check(job.status == 0 and "done  finished" in text, "a search shows its members", text)
    check(text.count("operations") == 1 and text.index("done  finished") <
          text.index("train with it:"), "the result comes out below", text)
    check(b"\x1b[" in job.bytes and b"A\r" in job.bytes, "it was drawn over itself")
    fits(job, "nothing is wider than the terminal")
    watch = subprocess.run([pba, "watch", "done"], capture_output=True, text=True, check=False)
    check(watch.returncode == 0 and "finished: validation error" in watch.stdout and
          "\x1b" not in watch.stdout, "a watcher of a finished search", watch.stdout)

    job = Job([pba, "search", "demo", *small, "--epochs", "20000", "--out", "cut"], 80, 24)
    job.read(r"round ([3-9]|\d\d+) of") # not every round is drawn
    other = subprocess.run([pba, "watch", "cut", "--once", "--json"], capture_output=True,
                           check=False)
    check(json.loads(other.stdout)["state"] == "going", "another process sees it going on",
          other.stdout)
    job.send(b"\x03")
    job.read()
    text = job.screen.text()
    end = lines_of(text)[-2:]
    check(job.status == 130 and end == ["interrupted; what is saved is kept. To go on:",
                                        "  pba search --resume cut"] and "^C" not in text,
          "Ctrl-C: what it says comes out below", text)
    fits(job, "nothing is wider than the terminal")
    watch = subprocess.run([pba, "watch", "cut"], capture_output=True, text=True, check=False)
    check(watch.returncode == 1 and watch.stdout.endswith("pba search --resume cut\n"),
          "a watcher of a stopped search", watch.stdout)

    job = Job([pba, "search", "demo", *small, "--epochs", "2", "--out", "quiet", "-q"], 80, 24)
    job.read()
    check(b"\x1b" not in job.bytes and b"round" not in job.bytes, "-q", job.bytes)
    piped = subprocess.run([pba, "search", "demo", *small, "--epochs", "2", "--out", "piped"],
                           capture_output=True, text=True, check=False)
    check("\x1b" not in piped.stdout + piped.stderr and
          piped.stderr.count("best validation error") == 2, "a pipe gets lines", piped.stderr)


def main():
    pba = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        watched(pba, folder)
        evil_names(pba, folder)
        searched(pba, folder)
        os.chdir("/")
    print(f"1..{count}")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
