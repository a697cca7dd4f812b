#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the tests in a build that counts, and tells which share of the library's lines and branches they
# reach, by file. The command line, whose work is to print, is left out.
# Usage: coverage.sh [BUILD]    BUILD/coverage.txt, BUILD/coverage.html
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-coverage}

command -v gcovr >/dev/null || sh scripts/install-deps.sh --coverage
[ -d "$build" ] || meson setup --buildtype=debug -Doptimization=1 -Db_coverage=true "$build" >/dev/null
ninja ${NINJAFLAGS:-} -C "$build" >"$build/build.log" || { tail -n 20 "$build/build.log"; exit 1; }
find "$build" -name '*.gcda' -delete
failed=0
meson test -C "$build" --timeout-multiplier 4 >"$build/test.log" 2>&1 || failed=1
tail -n 12 "$build/test.log"

gcovr --root . --object-directory "$build" --filter 'src/' --filter 'include/' --exclude 'src/cli/' \
    --exclude-unreachable-branches --exclude-throw-branches --print-summary \
    --txt "$build/coverage.txt" --html-details "$build/coverage.html" "$build" >"$build/summary.txt"
sed -n '/^File/,/^---/p; / [0-9]*%/p' "$build/coverage.txt" | awk '/^File/ || ($4 + 0 < 95)'
cat "$build/summary.txt"
exit $failed
