#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the tests in a build that counts, and tells which share of the lines and branches they reach,
# by file, and apart for the library and for the command line.
# Usage: coverage.sh [--report] [BUILD]    BUILD/coverage.txt, BUILD/coverage.html
#   --report   the tests have been run in BUILD already
set -eu
cd "$(dirname "$0")/.."
runs=yes
[ "${1:-}" != --report ] || { runs=no; shift; }
build=${1:-build-coverage}

command -v gcovr >/dev/null || sh scripts/install-deps.sh --coverage
failed=0
if [ $runs = yes ]; then
    [ -e "$build/build.ninja" ] ||
        meson setup --buildtype=debug -Doptimization=1 -Db_coverage=true "$build" >/dev/null
    ninja ${NINJAFLAGS:-} -C "$build" >"$build/build.log" || { tail -n 20 "$build/build.log"; exit 1; }
    find "$build" -name '*.gcda' -delete
    meson test -C "$build" --timeout-multiplier 4 >"$build/test.log" 2>&1 || failed=1
    tail -n 12 "$build/test.log"
fi

gcovr --root . --object-directory "$build" --filter 'src/' --filter 'include/' \
    --exclude-unreachable-branches --exclude-throw-branches --gcov-ignore-parse-errors \
    --json "$build/coverage.json" "$build" # threads that count at once leave a negative count or two
share() { # NAME OPTION...: of the lines, functions and branches
    name=$1
    shift
    gcovr --root . --add-tracefile "$build/coverage.json" --exclude-unreachable-branches \
        --exclude-throw-branches "$@" --print-summary --txt "$build/coverage.txt" >"$build/summary.txt"
    awk -v name="$name" '{ all = all (NR > 1 ? ", " : "") $0 } END { print name ": " all }' "$build/summary.txt"
}
cli=$(share "the command line" --filter src/cli/)
library=$(share "the library" --filter src/ --filter include/ --exclude src/cli/)
all=$(share "all" --filter src/ --filter include/ --html-details "$build/coverage.html")
sed -n '/^File/,/^---/p; / [0-9]*%/p' "$build/coverage.txt" | awk '/^File/ || ($4 + 0 < 95)'
printf '%s\n' "$cli" "$library" "$all"
exit $failed
