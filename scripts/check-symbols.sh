#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared library exports the functions of pba.h, all of them and nothing else, in the version that its
# name says; src/libpba.sym lists the same, so that a change of the interface is a line of a review.
# No object of the static library holds state outside of threads and constants, but the registry of
# operations, which is locked.
# Usage: check-symbols.sh LIBRARY HEADER LIST STATIC_LIBRARY
set -eu
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

same() { # WHAT FILE OTHER FILE
    diff "$2" "$4" >"$folder/differences" && return
    sed -n "s/^< /$1 but not $3: /p; s/^> /$3 but not $1: /p" "$folder/differences"
    exit 1
}

# Sanitizers and counters add marks of their own beside the functions.
nm -D --defined-only "$1" |
    awk '$3 !~ /^(__odr_asan|__asan_|__ubsan_|__lsan_|__sancov|__gcov|mangle_path)/ { print $3 }' |
    sort >"$folder/exported"
tr '\n' ' ' <"$2" | sed 's/PBA_API /\n/g' | sed -n '2,$s/^[^(]*[ *]\(pba_[a-z0-9_]*\)(.*/\1/p' |
    sort -u >"$folder/declared"
grep -v '^#' "$3" >"$folder/listed"

[ -s "$folder/declared" ] || { echo "$2: no PBA_API function found"; exit 1; }
same declared "$folder/declared" exported "$folder/exported"
same listed "$folder/listed" declared "$folder/declared"
readelf -d "$1" | grep -q 'SONAME.*\[libpba\.so\.[0-9]*\]' || { echo "$1: has no versioned name"; exit 1; }

# Only where nothing else adds counters: sanitizers are seen by their marks.
if ! nm "$4" 2>/dev/null | grep -qE '__(asan|tsan|ubsan|gcov|sancov|llvm_prof)'; then
    objdump -h "$4" | awk '/file format/ { object = $1 }
        $2 ~ /^\.(data|bss)(\.|$)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ && object !~ /augment_registry/ { print object, $2 }' \
        >"$folder/state"
    [ ! -s "$folder/state" ] || { sed 's/^/global state: /' "$folder/state"; exit 1; }
fi
echo "$(wc -l <"$folder/exported") functions exported"
