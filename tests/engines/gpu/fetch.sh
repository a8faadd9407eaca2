#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches Debian's HIP and Level Zero, libraries and headers, once.
#
# Prints the folder into which they were unpacked; nothing is installed.  77 when they are
# not there and cannot be had.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

name=gpu what="HIP and Level Zero of Debian"
dir=$cache/gpu
packages=(libze1 libze-dev libamdhip64-5 libamdhip64-dev
	libhsa-runtime64-1 libhsakmt1 libnuma1 libdrm2 libdrm-amdgpu1)

is_there() {
	[ "$(cat "$dir/complete")" = "${packages[*]}" ]
}

unless_there
[ "$(uname -m)" = x86_64 ] || skip "$what: they are for x86_64"
for tool in apt-get dpkg; do
	command -v $tool >/dev/null || skip "$what: no $tool"
done
begin "from Debian's archive"
cd "$new" || exit 1
# As root apt steps down to a user of its own, who may not write here: it says so, and goes on.
quiet timeout 100 apt-get download "${packages[@]}" ||
	skip "$what: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")"
mkdir -p "$dir" || exit 1
for package in *.deb; do
	dpkg -x "$package" "$dir" || exit 1
done
echo "${packages[*]}" >"$dir/complete"
finish
