#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a user of the library does: installs it (here below a temporary folder), asks pkg-config, and
# compiles each example against nothing else. Usage: check-install.sh SOURCE_ROOT BUILD_ROOT CC...
set -eu
source=$1 build=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

DESTDIR=$folder meson install -C "$build" --no-rebuild --quiet
pc=$(find "$folder" -name pba.pc)
prefix=$(sed -n 's/^prefix=//p' "$pc")
flags() {
    PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable="prefix=$folder$prefix" "$@" pba
}
libraries=$(flags --variable=libdir)

[ "$(flags --modversion)" = "$(sed -n 's/^Version: //p' "$pc")" ]
for example in "$source"/examples/*.c; do
    if [ "$(basename "$example")" = plugin.c ]; then
        continue
    fi
    # shellcheck disable=SC2046
    "$@" -std=c17 -Wall -Werror $(flags --cflags) "$example" -o "$folder/example" $(flags --libs) -lm
    echo "$(basename "$example") compiles against the installed library"
done
# shellcheck disable=SC2046
"$@" -O2 -Wall -Werror -shared -fPIC "$source/examples/plugin.c" -o "$folder/example.so" $(flags --cflags)
for op in Grain SamplePairing; do
    LD_LIBRARY_PATH=$libraries "$folder$prefix/bin/pba" ops test "$op" --plugin "$folder/example.so"
done
LD_LIBRARY_PATH=$libraries "$folder$prefix/bin/pba" --version | head -n 1

share=$folder$prefix/share
for page in $(LD_LIBRARY_PATH=$libraries "$folder$prefix/bin/pba" --help |
    sed -n '/^COMMANDS/,/^$/s/^    \([a-z]*\) .*/pba-\1/p') pba; do
    [ -s "$share/man/man1/$page.1" ] || { echo "$page.1 is not installed" >&2; exit 1; }
done
[ -s "$share/bash-completion/completions/pba" ] && [ -s "$share/zsh/site-functions/_pba" ]
echo "manuals and completions are installed"
