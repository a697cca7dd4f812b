#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets of tests/fuzz under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer,
# a minute each in turn. What was learnt (inputs, executions, seconds) stays in the folder and is gone on
# from; a target that has had its share is left out. The last lines are a table.
# Usage: fuzz.sh [--folder build-fuzz] [--seconds N] [--runs N] [--limit N] [TARGET...]
#   --seconds, --runs   of each target, all calls together; whichever comes first (20, no limit)
#   --limit             seconds of this call: it ends with 75 where targets are left then
# An input that breaks something is left in FOLDER/found, and its target fails until what it broke is
# mended; put it into tests/fuzz/corpus/TARGET then.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build-fuzz seconds=20 runs=0 limit=1000000 slice=60
while [ $# -gt 0 ]; do
    case $1 in
    --folder) folder=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --limit) limit=$2; shift 2 ;;
    --*) echo "fuzz.sh: $1: no such option" >&2; exit 2 ;;
    *) break ;;
    esac
done

if [ ! -e "$folder/build.ninja" ]; then
    env CC="${CC:-clang}" meson setup --buildtype=debug -Doptimization=1 -Dfuzz=true \
        -Db_sanitize=address,undefined -Db_lundef=false "$folder" >/dev/null
fi
[ $# -gt 0 ] || set -- $(cd tests/fuzz/corpus && ls)
ninja ${NINJAFLAGS:-} -C "$folder" $(printf 'tests/fuzz/fuzz_%s ' "$@") >"$folder/fuzz-build.log" ||
    { tail -n 20 "$folder/fuzz-build.log"; exit 1; }
mkdir -p "$folder/found" "$folder/fuzzed"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=print_suppressions=0:suppressions=$PWD/tests/lsan.supp

# What a target has had: "EXECUTIONS SECONDS".
had() {
    cat "$folder/fuzzed/$1" 2>/dev/null || echo 0 0
}

keep() { # TARGET EXECUTIONS SECONDS
    echo "$2 $3" >"$folder/fuzzed/$1.new"
    mv "$folder/fuzzed/$1.new" "$folder/fuzzed/$1"
}

tell() { # LOG
    grep -aE 'ERROR|SUMMARY|does not hold|runtime error|Test unit written' "$1" || tail -n 20 "$1"
}

# What broke a target before does no longer.
replay() {
    local target=$1 log=$folder/fuzzed/$1.log found
    for found in "$folder/found/$target"-*; do
        [ -e "$found" ] || continue
        "$folder/tests/fuzz/fuzz_$target" -timeout=20 -rss_limit_mb=4096 "$found" >"$log" 2>&1 ||
            { echo "$found breaks it still"; tell "$log"; return 1; }
    done
}

# One slice of a target; false: something broke.
run() {
    local target=$1 corpus=$folder/corpus/$1 log=$folder/fuzzed/$1.log options=() started=$SECONDS
    read -r executions spent <<<"$(had "$target")"
    [ "$spent" -lt "$seconds" ] && { [ "$runs" = 0 ] || [ "$executions" -lt "$runs" ]; } || return 0
    local left=$((seconds - spent)) most=$((limit - SECONDS))
    [ "$left" -lt "$slice" ] || left=$slice
    [ "$left" -lt "$most" ] || left=$((most > 0 ? most : 1))
    [ "$runs" = 0 ] || options+=(-runs=$((runs - executions)))
    [ ! -f "tests/fuzz/dict/$target.dict" ] || options+=(-dict="tests/fuzz/dict/$target.dict")
    mkdir -p "$corpus"
    if ! "$folder/tests/fuzz/fuzz_$target" -max_total_time="$left" -timeout=20 -rss_limit_mb=4096 \
        -max_len=65536 -print_final_stats=1 -artifact_prefix="$folder/found/$target-" "${options[@]}" \
        "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
        tell "$log"
        return 1
    fi
    local more # without those that read what is known
    more=$(awk '/INITED/ { known = substr($1, 2) }
        /^stat::number_of_executed_units/ { print ($2 > known ? $2 - known : 0) }' "$log")
    keep "$target" $((executions + more)) $((spent + SECONDS - started))
}

failed=0 waiting=()
for target; do
    replay "$target" && waiting+=("$target") || { echo "FAILED: $target"; failed=1; }
done
while [ ${#waiting[@]} -gt 0 ] && [ "$SECONDS" -lt "$limit" ]; do
    unfinished=()
    for target in "${waiting[@]}"; do
        [ "$SECONDS" -lt "$limit" ] || { unfinished+=("$target"); continue; }
        run "$target" || { echo "FAILED: $target"; failed=1; continue; }
        read -r executions spent <<<"$(had "$target")"
        if [ "$spent" -lt "$seconds" ] && { [ "$runs" = 0 ] || [ "$executions" -lt "$runs" ]; }; then
            unfinished+=("$target")
        fi
    done
    waiting=("${unfinished[@]}")
done
printf '%-12s %12s %8s %8s\n' target executions seconds inputs
for target; do
    read -r executions spent <<<"$(had "$target")"
    printf '%-12s %12d %8d %8d\n' "$target" "$executions" "$spent" \
        "$(ls "$folder/corpus/$target" 2>/dev/null | wc -l)"
done
[ $failed = 0 ] || exit 1
[ ${#waiting[@]} = 0 ] || exit 75
