#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches Debian's HIP and Level Zero, libraries and headers, once.
#
# Prints the folder into which they were unpacked; nothing is installed.  77 when they are
# not there and cannot be had.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}
dir=$cache/gpu
packages=(libze1 libze-dev libamdhip64-5 libamdhip64-dev
	libhsa-runtime64-1 libhsakmt1 libnuma1 libdrm2 libdrm-amdgpu1)

finish_if_there() {
	[ "$(cat "$dir/complete" 2>/dev/null)" = "${packages[*]}" ] || return 0
	echo "$dir"
	exit 0
}

no() {
	echo "Debian's HIP and Level Zero are not fetched: $1" >&2
	exit 77
}

finish_if_there
[ -z "${NO_INSTALL:-}" ] || no "NO_INSTALL is set"
[ "$(uname -m)" = x86_64 ] || no "they are for x86_64"
for tool in apt-get dpkg; do
	command -v $tool >/dev/null || no "no $tool"
done
mkdir -p "$dir" || exit 1
exec 9>"$cache/gpu.lock"
flock 9
finish_if_there
cd "$dir" || exit 1
# As root apt steps down to a user of its own, who may not write here: it says so, and goes on.
timeout 100 apt-get download "${packages[@]}" >"$cache/gpu.log" 2>&1 9>&- ||
	no "$(grep -m1 '^E:' "$cache/gpu.log" || tail -n 1 "$cache/gpu.log")"
for package in *.deb; do
	dpkg -x "$package" . || exit 1
done
rm -f ./*.deb
echo "${packages[*]}" >complete
echo "$dir"
