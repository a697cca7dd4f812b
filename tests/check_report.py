#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages and pictures of pba report: well-formed, free of whatever names and files carry, and, where
Chromium is installed, quiet and readable in it at 400 and 1000 pixels.

Usage: check_report.py PBA. Prints TAP. PBA_TEST_KEEP names a folder that keeps what was made.
"""
import base64
import hashlib
import html.parser
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

EVIL = "a\"><script>alert(1)</script><img src=x onerror=alert(1)>&'</title></style>]]>"
POPULATION, INTERVAL, ROUNDS = 8, 25, 9
OPS = 15
count = failures = 0


def check(good, name, detail=""):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good and detail:
        print("\n".join("# " + line for line in str(detail).splitlines()[:20]))


def write_data(folder):
    """Forty images in CIFAR-10's layout, the classes with names that are markup."""
    folder.mkdir()
    draw = random.Random(1)
    records = bytearray()
    for i in range(40):
        shade = draw.randrange(256)
        records += bytes([i % 10]) + bytes((shade + p * (i % 7)) % 256 for p in range(3072))
    (folder / "data_batch_1.bin").write_bytes(records)
    (folder / "test_batch.bin").write_bytes(records)
    (folder / "batches.meta.txt").write_text("".join(f"<b>{i}{EVIL[:40]}\n" for i in range(10)))


def write_run(folder, kind, settings, lines=None, result=None):
    folder.mkdir()
    config = {"format": "pba-run", "version": 1, "kind": kind, "build": EVIL, "settings": settings}
    (folder / "config.json").write_text(json.dumps(config))
    if lines is not None:
        (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))


def journal(seed):
    """The worst quarter copies the best one and draws a policy anew."""
    draw = random.Random(seed)
    errors = [0.9] * POPULATION
    for round in range(ROUNDS):
        errors = [error * draw.uniform(0.8, 1.0) for error in errors]
        for member in range(POPULATION):
            yield {"type": "score", "round": round, "member": member,
                   "epoch": (round + 1) * INTERVAL, "error": errors[member], "val_loss": 1.0,
                   "train_loss": 1.0, "train_accuracy": 1 - errors[member]}
        ranks = sorted(range(POPULATION), key=lambda member: errors[member])
        for member, source in zip(ranks[-2:], ranks) if round + 1 < ROUNDS else ():
            errors[member] = errors[source] * 0.9
            policy = [draw.randrange(10) for _ in range(4 * OPS)]
            yield {"type": "exploit", "round": round, "epoch": (round + 1) * INTERVAL,
                   "member": member, "source": source, "policy": policy}


def make_runs(folder):
    write_data(folder / "data")
    common = {"dataset": str(folder / "data"), "model": EVIL[:60], "train-size": "20",
              "val-size": "10", "split-seed": "0", "seed": "0", "baseline": "auto",
              "epochs": str(ROUNDS * INTERVAL)}
    search = dict(common, population=str(POPULATION), interval=str(INTERVAL))
    names = ["r<i>&\"'", "second", "trained <b>one", "trained-two"]
    runs = [folder / name for name in names]
    write_run(runs[0], "search", search, journal(1))
    write_run(runs[1], "search", dict(search, dataset=EVIL), journal(2))
    for run, shift in zip(runs[2:], (0.1, 0.2)):
        seeds = [{"test_error": shift + 0.01 * i} for i in range(3)]
        write_run(run, "train", dict(common, augment="a/b/" + EVIL, seeds="3"),
                  result={"seeds": seeds})
    return runs


class Tags(html.parser.HTMLParser):
    """What a browser would make of a page: its elements and their attributes."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    handle_startendtag = handle_starttag


ALLOWED = set("html head meta title style body main h1 h2 h3 p ul li b span figure figcaption div "
              "table thead tbody tr th td br img code pre details summary script svg line rect "
              "circle path text".split())


def check_page(path, name):
    text = path.read_text()
    try:
        ElementTree.fromstring(text.split("\n", 1)[1])
        check(True, f"{name} is well-formed")
    except ElementTree.ParseError as error:
        check(False, f"{name} is well-formed", error)
    tags = Tags()
    tags.feed(text)
    kinds = {tag for tag, _ in tags.found}
    check(kinds <= ALLOWED, f"{name} has our own elements only", kinds - ALLOWED)
    check(sum(tag == "script" for tag, _ in tags.found) == 1, f"{name} has one script")
    bad = [(tag, key) for tag, attributes in tags.found for key, value in attributes.items()
           if key.startswith("on") or key == "href" or
           (key == "src" and not value.startswith("data:image/png;base64,"))]
    check(not bad, f"{name} runs nothing and loads nothing", bad)
    links = set(re.findall(r"https?://[^\"' <]*", text))
    check(links <= {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"},
          f"{name} names no address", links)
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    check(f"script-src 'sha256-{digest}'" in text, f"{name} allows its script alone",
          f"style.c: report_script_hash must be sha256-{digest}")
    images = [attributes for tag, attributes in tags.found if tag == "img"]
    for image in images:
        if not base64.b64decode(image["src"].split(",")[1]).startswith(b"\x89PNG\r\n"):
            check(False, f"{name} has images")
    return text, images


def check_pictures(folder):
    for path in sorted(folder.glob("*")):
        try:
            root = ElementTree.fromstring(path.read_text())
            kinds = {element.tag.split("}")[1] for element in root.iter()}
            check(kinds <= {"svg", "style", "title", "line", "rect", "circle", "path", "text"},
                  f"{path.name} is a picture", kinds)
        except ElementTree.ParseError as error:
            check(False, f"{path.name} is a picture", error)


# Runs in a page beside the report, at both widths: what does not fit, is too small or overlaps.
PROBE = """<!DOCTYPE html><body><iframe width=400 height=900 src="%s"></iframe>
<iframe width=1000 height=900 src="%s"></iframe><pre id=out></pre><script>
addEventListener('load', function () {
  var said = [];
  document.querySelectorAll('iframe').forEach(function (frame) {
    var inside = frame.contentDocument, width = frame.width;
    if (inside.documentElement.scrollWidth > width) {
      said.push(width + ': scrolls sideways to ' + inside.documentElement.scrollWidth);
    }
    inside.querySelectorAll('svg').forEach(function (svg) {
      var place = svg.getBoundingClientRect(), boxes = [];
      if (!place.width) { return; }
      var scale = place.width / svg.viewBox.baseVal.width;
      if (12 * scale < 10.5) { said.push(width + ': text of ' + 12 * scale + ' pixels'); }
      svg.querySelectorAll('text').forEach(function (text) {
        var box = text.getBoundingClientRect();
        if (box.left < place.left - 1 || box.right > place.right + 1 || box.top < place.top - 1 ||
            box.bottom > place.bottom + 1) {
          said.push(width + ': cut off: ' + text.textContent);
        }
        boxes.forEach(function (other) {
          if (box.left < other.box.right - 1 && other.box.left < box.right - 1 &&
              box.top + 3 < other.box.bottom && other.box.top + 3 < box.bottom) {
            said.push(width + ': overlap: ' + text.textContent + ' | ' + other.text);
          }
        });
        boxes.push({box: box, text: text.textContent});
      });
    });
    var marks = inside.querySelectorAll('[data-tip]').length;
    if (!marks) { said.push(width + ': the script has not run'); return; }
    var mark = inside.querySelector('.hit[data-tip]'), tip = inside.getElementById('tip');
    mark.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: 5, clientY: 5}));
    if (tip.hidden || tip.textContent.indexOf(' operations per image') < 0) {
      said.push(width + ': hovering shows nothing');
    }
  });
  document.getElementById('out').textContent = JSON.stringify(said);
});</script>"""


def check_browser(folder, page, name):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        print(f"# {name}: no Chromium here, its look is not tested")
        return
    # A name without markup: the probe is no test of ours.
    shutil.copy(page, folder / "page.html")
    (folder / "probe.html").write_text(PROBE % ("page.html", "page.html"))
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions",
             f"--user-data-dir={profile}", "--allow-file-access-from-files",
             "--enable-logging=stderr", "--dump-dom", (folder / "probe.html").as_uri()],
            capture_output=True, text=True, timeout=120)
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.S)
    check(not errors, f"{name}: nothing on the console", "\n".join(errors))
    check(found and found[1] == "[]", f"{name}: fits and is readable",
          found[1].replace('","', '\n') if found else done.stdout[-500:])


def main():
    pba = pathlib.Path(sys.argv[1]).resolve()
    keep = os.environ.get("PBA_TEST_KEEP")
    folder = pathlib.Path(keep or tempfile.mkdtemp())
    runs = make_runs(folder)

    def report(*arguments):
        done = subprocess.run([pba, "report", *arguments], capture_output=True, text=True)
        check(done.returncode == 0 and not done.stderr, f"report {len(arguments)}", done.stderr)

    report(runs[0])
    text, images = check_page(runs[0] / "report.html", "a search")
    check(len(images) == 8 * 6, "a search shows its images", len(images))
    check("image-rendering" in text and EVIL not in text, "a search has its names escaped")
    both = folder / "all.html"
    report(*runs, "--out", both, "--svg", folder / "pictures")
    text, images = check_page(both, "all runs")
    check(len(images) == 8 * 6 and "The images are left out" in text, "missing data is said")
    check("11.00 &#177; 2.48 %" in text, "intervals appear")
    check_pictures(folder / "pictures")
    check(len(list((folder / "pictures").iterdir())) == 4 + 4 + 2, "all pictures are there",
          sorted(path.name for path in (folder / "pictures").iterdir()))
    check_browser(folder, both, "all runs")
    print(f"1..{count}")
    if not keep:
        shutil.rmtree(folder)
    return failures > 0


sys.exit(main())
