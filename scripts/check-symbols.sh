#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared library exports the functions of pba.h: all of them and nothing else.
# Usage: check-symbols.sh LIBRARY HEADER
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Sanitizers add marks of their own beside the functions.
nm -D --defined-only "$1" | awk '$3 !~ /^(__odr_asan|__asan_|__ubsan_|__lsan_|__sancov)/ { print $3 }' |
    sort >"$folder/exported"
tr '\n' ' ' <"$2" | sed 's/PBA_API /\n/g' | sed -n '2,$s/^[^(]*[ *]\(pba_[a-z0-9_]*\)(.*/\1/p' |
    sort -u >"$folder/declared"

[ -s "$folder/declared" ] || { echo "$2: no PBA_API function found"; exit 1; }
if ! diff "$folder/declared" "$folder/exported" >"$folder/differences"; then
    sed -n 's/^< /declared but not exported: /p; s/^> /exported but not declared: /p' "$folder/differences"
    exit 1
fi
echo "$(wc -l <"$folder/exported") functions exported"
