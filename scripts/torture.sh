#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The long forms of the tests of reliability, one after another, in a limited time. What was done is
# kept in a folder of state, so that the next call goes on there. Where the library has changed since,
# everything begins anew but for the inputs that fuzzing has found.
#   scripts/torture.sh BUILD [TIME [STATE]]      TIME: 45s, 30m (at first), 2h; STATE: BUILD/torture
# Exit status: 0 nothing failed (whatever is done by now), 1 something did, 2 it cannot begin.
set -u

give_up() {
    echo "torture: $1" >&2
    exit 2
}

source=$(realpath "$(dirname "$0")/..")
[ $# -gt 0 ] && [ -x "$1/pba" ] || give_up "usage: torture.sh BUILD [TIME [STATE]]; BUILD: where pba was built"
build=$(realpath "$1")
limit=${2:-30m}
state=$(realpath -m "${3:-$build/torture}")

# A part is a name in this list and a function part_NAME SECONDS STATE: it works for SECONDS at
# most, keeps in its own folder STATE what it has done, and prints what it counted as its last line.
# It returns 0 when it is finished, 75 when its time was up or it cannot work here, anything else
# when it found a fault.
parts=""

# The numbers in what these files of state hold, by a program for awk.
count() { # PROGRAM FILE...
    program=$1
    shift
    cat "$@" </dev/null 2>/dev/null | awk "$program"
}

# Every parser of ours under libFuzzer, ten million executions or twenty minutes each.
parts="$parts fuzz"
part_fuzz() {
    command -v clang >/dev/null || { echo "left out: there is no clang"; return 75; }
    "$source/scripts/fuzz.sh" --folder "$2/build" --runs 10000000 --seconds 1200 --limit "$1"
    code=$?
    count '{ executions += $1 } END { print executions + 0, "executions in", NR, "targets" }' \
        $(find "$2/build/fuzzed" -type f ! -name '*.log' ! -name '*.new' 2>/dev/null)
    return $code
}

# Every allocation of the library fails, one at a time, over its main paths.
parts="$parts memory"
part_memory() {
    "$build/tests/test_memory" "$2" "$1"
    code=$?
    rm -f "$2"/*.new # of one that was killed
    count '{ failed += $1 - 1 } END { print failed + 0, "allocations failed in", NR, "paths" }' "$2"/*
    return $code
}

# Death, loss of power and errors at each operation on files of a search, a training, a comparison.
parts="$parts faults"
part_faults() {
    "$build/tests/test_crash" "$2" "$1"
    code=$?
    rm -f "$2"/*.new # of one that was killed
    count '{ attempts += $1; failed += $2 } END { print attempts + 0, "attempts,", failed + 0, "failed" }' "$2"/*
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

# All tests in a build of its own, a test at a time: those that passed are not run again.
all_tests() { # SECONDS STATE OPTION...
    end_of_tests=$(($(date +%s) + $1))
    tests_state=$2
    shift 2
    mkdir -p "$tests_state/passed"
    [ -e "$tests_state/build/build.ninja" ] ||
        meson setup "$@" "$tests_state/build" "$source" || return 1
    timeout $((end_of_tests - $(date +%s))) ninja -C "$tests_state/build"
    case $? in 0) ;; 124) echo "not built yet"; return 75 ;; *) return 1 ;; esac
    code=0
    for name in $(meson test -C "$tests_state/build" --list 2>/dev/null | sed 's/.* //'); do
        left_of_tests=$((end_of_tests - $(date +%s)))
        [ ! -e "$tests_state/passed/$name" ] || continue
        [ $left_of_tests -gt 0 ] || { [ $code != 0 ] || code=75; break; }
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
            timeout $left_of_tests meson test -C "$tests_state/build" --no-rebuild --print-errorlogs \
            --timeout-multiplier 20 "$name"
        case $? in
        0) : >"$tests_state/passed/$name" ;;
        124) [ $code != 0 ] || code=75 ;;
        *) code=1 ;;
        esac
    done
    return $code
}

count_tests() {
    echo "$(find "$1/passed" -type f | wc -l) tests passed"
}

# All tests under AddressSanitizer and UndefinedBehaviorSanitizer, and under ThreadSanitizer.
parts="$parts sanitizers"
part_sanitizers() {
    all_tests "$1" "$2" --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
    code=$?
    count_tests "$2"
    return $code
}

parts="$parts threads"
part_threads() {
    all_tests "$1" "$2" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
    code=$?
    count_tests "$2"
    return $code
}

# What share of the code all tests reach.
parts="$parts coverage"
part_coverage() {
    command -v gcovr >/dev/null || { echo "left out: there is no gcovr"; return 75; }
    all_tests "$1" "$2" --buildtype=debug -Doptimization=1 -Db_coverage=true
    code=$?
    [ $code != 0 ] || "$source/scripts/coverage.sh" --report "$2/build" || code=$?
    [ $code = 0 ] || count_tests "$2"
    return $code
}

# ---------------------------------------------------------------------------------------- the loop

seconds_of() { # 30m
    number=${1%[smh]}
    case $number in
    *[!0-9]* | "" | ????????*) return 1 ;;
    esac
    case $1 in
    *h) expr "$number" \* 3600 ;;
    *m) expr "$number" \* 60 ;;
    *) expr "$number" + 0 ;;
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

seconds=$(seconds_of "$limit") || give_up "TIME is '$limit', where 45s, 30m or 2h is expected"
mkdir -p "$state" || give_up "$state cannot be made"

# What was found out about another library does not hold for this one.
library=$(cksum <"$build/libpba.so")
if [ "$(cat "$state/library" 2>/dev/null)" != "$library" ]; then
    [ ! -e "$state/library" ] || echo "torture: the library has changed since: begun anew"
    for part in $parts; do
        rm -rf "$state/$part.done" "$state/$part/build/fuzzed"
        [ "$part" = fuzz ] || rm -rf "${state:?}/$part"
    done
    echo "$library" >"$state/library"
fi
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
