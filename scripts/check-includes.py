#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom: a module only lower ones, other libraries' headers in one place each.

Usage: check-includes.py SOURCE_ROOT. One line per breach, exit 1 where there is any.
"""
import pathlib
import re
import sys

# A module may include itself and what stands on a lower step; `data` its sibling `image` too.
STEPS = [["core"], ["schedule"], ["image", "augment", "data", "nn", "population"], ["train"],
         ["search"], ["report"], ["compare"], ["cli"]]
SIBLINGS = {("data", "image")}
PUBLIC_ONLY = {"cli", "examples"}  # nothing but pba.h and their own headers

# Header pattern -> the only paths (files, or folders with a slash at their end) that may include it.
PLACES = {
    r"(oneapi/)?dnnl": ["src/nn/backends/onednn/"],
    r"vips/": ["src/image/"],
    r"archive(_entry)?\.h": ["src/data/archive.c", "src/data/npz_writer.c"],
    r"matio\.h": ["src/data/formats/svhn.c"],
    r"(\w*intrin\.h|arm_neon\.h)": ["src/augment/kernels/"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
STEP_OF = {module: step for step, modules in enumerate(STEPS) for module in modules}


def breach(file, module, quote, header):
    """Why `file` of `module` may not include `header`; None where it may."""
    for pattern, places in PLACES.items():
        if re.match(pattern, header) and not any(
                file == place or place.endswith("/") and file.startswith(place) for place in places):
            return f"<{header}> belongs in {' and '.join(places)} alone"
    if quote == "<" or header == "pba.h":
        return None
    target = header.split("/")[0] if "/" in header else module
    if module in PUBLIC_ONLY:
        return None if target == module else "may include pba.h and its own headers only"
    if target not in STEP_OF:
        return f"\"{target}\" is no module"
    if target == module or STEP_OF[target] < STEP_OF[module] or (module, target) in SIBLINGS:
        return None
    return f"{module} may not include {target}, which is not below it"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [f for top in ("src", "examples", "include") for f in sorted((root / top).rglob("*.[ch]"))]
    count = 0
    for path in files:
        file = path.relative_to(root).as_posix()
        parts = file.split("/")
        module = parts[1] if parts[0] == "src" else parts[0]
        if module not in STEP_OF and module not in ("examples", "include"):
            print(f"{file}: {module} is in no step of the ladder (scripts/check-includes.py)")
            count += 1
            continue
        for quote, header in INCLUDE.findall(path.read_text()):
            why = breach(file, module, quote, header)
            if why:
                print(f"{file}: #include {header}: {why}")
                count += 1
    print(f"{len(files)} files, {count} breaches")
    return 1 if count or not files else 0


sys.exit(main())
