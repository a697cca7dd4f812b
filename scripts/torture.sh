#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The long forms of the tests of reliability, one after another, in a limited time. What was done is
# kept in a folder of state, so that the next call goes on there; remove it to begin anew.
#   scripts/torture.sh BUILD [TIME [STATE]]      TIME: 45s, 30m (at first), 2h; STATE: BUILD/torture
# Exit status: 0 nothing failed (whatever is done by now), 1 something did.
set -u
source=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
limit=${2:-30m}
state=${3:-$build/torture}

# A part is a name in this list and a function part_NAME SECONDS STATE: it works for SECONDS at
# most, keeps in its own folder STATE what it has done, and prints what it counted as its last line.
# It returns 0 when it is finished, 75 when its time was up, anything else when it found a fault.
parts=""

# Every parser of ours under libFuzzer, ten million executions or twenty minutes each.
parts="$parts fuzz"
part_fuzz() {
    command -v clang >/dev/null || { echo "left out: there is no clang"; return 0; }
    "$source/scripts/fuzz.sh" --folder "$2/build" --runs 10000000 --seconds 1200 --limit "$1"
    code=$?
    awk '{ executions += $1 } END { print executions + 0, "executions in", NR, "targets" }' \
        $(ls "$2"/build/fuzzed/* | grep -v '\.log$')
    return $code
}

# Every allocation of the library fails, one at a time, over its main paths.
parts="$parts memory"
part_memory() {
    "$build/tests/test_memory" "$2" "$1"
    code=$?
    rm -f "$2"/*.new # of one that was killed
    cat "$2"/* | awk '{ failed += $1 - 1 } END { print failed + 0, "allocations failed in", NR, "paths" }'
    return $code
}

# Death, loss of power and errors at each operation on files of a search, a training, a comparison.
parts="$parts faults"
part_faults() {
    "$build/tests/test_crash" "$2" "$1"
    code=$?
    rm -f "$2"/*.new # of one that was killed
    cat "$2"/* | awk '{ attempts += $1; failed += $2 }
        END { print attempts + 0, "attempts,", failed + 0, "failed" }'
    return $code
}

# The program itself, killed at random moments until it is through all the same.
parts="$parts kill_search"
part_kill_search() {
    "$build/tests/kill_tool" "$build/pba" search "$2" 500 "$1"
}

parts="$parts kill_train"
part_kill_train() {
    "$build/tests/kill_tool" "$build/pba" train "$2" 200 "$1"
}

# ---------------------------------------------------------------------------------------- the loop

seconds_of() { # 30m
    case $1 in
    *[!0-9smh]* | "" | [smh]*) return 1 ;;
    *h) echo $((${1%h} * 3600)) ;;
    *m) echo $((${1%m} * 60)) ;;
    *) echo "${1%s}" ;;
    esac
}

run_part() { # NAME SECONDS
    mkdir -p "$state/$1" || exit 1
    start=$(date +%s)
    "part_$1" "$2" "$state/$1" >"$state/$1.out" 2>&1
    code=$?
    took=$(($(date +%s) - start))
    case $code in
    0) what="done" && mv "$state/$1.out" "$state/$1.done" && out="$state/$1.done" ;;
    75) what="not finished" out="$state/$1.out" ;;
    *) what="FAILED" out="$state/$1.out" failed=1 ;;
    esac
    printf '%-12s %-13s %5d s  %s\n' "$1" "$what" "$took" "$(tail -n 1 "$out")"
    [ "$what" != FAILED ] || echo "             all of it: $out"
}

seconds=$(seconds_of "$limit") || {
    echo "torture: TIME is '$limit', where 45s, 30m or 2h is expected" >&2
    exit 2
}
mkdir -p "$state" || exit 1
end=$(($(date +%s) + seconds))
failed=0
waiting=$(for part in $parts; do echo "$part"; done | wc -l)
for part in $parts; do
    left=$((end - $(date +%s)))
    if [ -e "$state/$part.done" ]; then
        printf '%-12s %-13s %7s  %s\n' "$part" "done before" "" "$(tail -n 1 "$state/$part.done")"
    elif [ "$left" -gt 0 ]; then
        run_part "$part" $((left / waiting > 0 ? left / waiting : 1))
    else
        printf '%-12s %-13s\n' "$part" "no time left"
    fi
    waiting=$((waiting - 1))
done
exit $failed
