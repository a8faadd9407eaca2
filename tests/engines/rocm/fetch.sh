#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches newer declarations of HIP than Debian's, once.
#
# Prints the folder that holds
#
#	include/hip	the headers of ROCm 7.1, as Triton for Windows carries them
#	cyhip.pxd	AMD's own bindings of ROCm 10: each function on a line, made from
#			the headers, with those that a header gives by a macro (_spt)
#	cyhip.so	what asks the library for them, by name
#
# Out of wheels of the Python package index; nothing of them is installed or run.  77 when
# they are not there and cannot be had: lib_fetch.sh, no pip.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

triton=triton-windows==3.8.0.post29 bindings=rocm-bindings-hip==10.0.0.0.1.2
name=rocm what="HIP's declarations of ROCm 7.1 and 10"
dir=$cache/rocm

is_there() {
	[ "$(cat "$dir/complete")" = "$triton $bindings" ]
}

unless_there
python3 -m pip --version >/dev/null 2>&1 || skip "no pip to fetch $what with"
begin "56 MB, of which 2 MB"
rm -rf "$dir"
mkdir -p "$dir" || exit 1
unpack_this_wheel $triton 937ba2ee53b6e664709898537de3eb9eab427a498c04da58f2bd42e1af93e298 \
	--platform win_amd64 --python-version 3.12
mv "$new/triton/backends/amd/include" "$dir/include" && rm -rf "${new:?}"/* || exit 1
unpack_this_wheel $bindings 9d31be6c1a4c19d4ded2f2222da3f4bce14d81c58680bd119bffce983e466039 \
	--platform manylinux2014_x86_64 --python-version 3.12
mv "$new/rocm/bindings/cyhip.pxd" "$dir" &&
	mv "$new/rocm/bindings/cyhip.abi3.so" "$dir/cyhip.so" || exit 1
echo "$triton $bindings" >"$dir/complete"
finish
