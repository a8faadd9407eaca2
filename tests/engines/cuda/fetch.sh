#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches NVIDIA's CUDA runtimes of 11.8, 12 and 13 with their headers, once.
#
#	fetch.sh [nvcc]
#
# Prints the folder that holds 11, 12 and 13, each with include and lib; with nvcc a folder
# with the compiler of 13, in bin, and what it needs beside that runtime.  They are wheels
# of the Python package index; nothing of them is installed or run while fetching.  77
# when they are not there and cannot be had: lib_fetch.sh, no pip, or another machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

of=${1:-cudart}
case $of in
cudart) name=cudart what="the CUDA runtimes of NVIDIA" size="7 MB" ;;
nvcc) name=nvcc what="NVIDIA's nvcc 13.5" size="120 MB, unpacked 250" ;;
*) echo "fetch.sh: \"$of\": nvcc, or nothing" && exit 64 ;;
esac
dir=$cache/$name

is_there() {
	[ -e "$dir/complete" ]
}

get() { # NUMBER PACKAGE FOLDER-IN-IT
	unpack_wheel "$2" --platform manylinux2014_x86_64
	rm -rf "${dir:?}/$1"
	mkdir -p "$dir" && mv "$new/nvidia/$3" "$dir/$1" && rm -rf "${new:?}"/* || exit 1
}

fetch_cudart() {
	get 11 nvidia-cuda-runtime-cu11==11.8.89 cuda_runtime
	get 12 nvidia-cuda-runtime-cu12==12.9.79 cuda_runtime
	get 13 nvidia-cuda-runtime==13.5.37 cu13
}

# One folder, as the compiler looks for its parts beside itself; the runtime is that of 13.
fetch_nvcc() {
	local package parts
	parts=$("$0") || exit $?
	for package in nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt; do
		unpack_wheel $package==13.5.37 --platform manylinux2014_x86_64 --platform manylinux2010_x86_64
	done
	rm -rf "$dir" "$new"/nvidia/cu13/lib/libnvvm.so*
	mv "$new/nvidia/cu13" "$dir" && cp -r "$parts/13/include" "$parts/13/lib" "$dir" || exit 1
	ln -s "$(basename "$dir"/lib/libcudart.so.*)" "$dir/lib/libcudart.so"
	chmod 755 "$dir"/bin/* "$dir"/nvvm/bin/* 2>/dev/null # a wheel unpacked by zipfile has no modes
}

[ "$(uname -m)" = x86_64 ] || skip "$what: fetched for x86_64 alone"
unless_there
python3 -m pip --version >/dev/null 2>&1 || skip "no pip to fetch $what with"
begin "$size"
"fetch_$of"
: >"$dir/complete"
finish
