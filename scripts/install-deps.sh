#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing need, and nothing where all of it is there. The one list of
# packages; README.md says what each is for. --ci adds what only the continuous test run needs,
# --coverage what make coverage needs.
set -eu

packages="gcc libc6-dev make meson ninja-build pkg-config libdnnl-dev libvips-dev libjansson-dev
libarchive-dev libmatio-dev zlib1g-dev libcmocka-dev python3-pil python3-numpy"
if [ "${1:-}" = --coverage ]; then
    packages="$packages gcovr"
fi
if [ "${1:-}" = --ci ]; then
    packages="$packages clang libclang-rt-14-dev binutils"
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "not a Debian-like system: make sure that these are installed, under whatever name:" $packages >&2
    exit 0
fi

missing=
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "packages are missing; install them with:" >&2
    echo "  sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
