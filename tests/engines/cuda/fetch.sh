#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches NVIDIA's CUDA runtimes of 11.8, 12 and 13 with their headers, once.
#
#	fetch.sh [nvcc]
#
# Prints the folder that holds 11, 12 and 13, each with include and lib, and crt, with what
# their headers take from the compiler of kernels; with nvcc a folder with the compiler of
# 13, in bin, and what it needs beside that runtime.  They are wheels of the Python
# package index; nothing of them is installed or run while fetching.  77 when they are not
# there and cannot be had: lib_fetch.sh, no pip, or another machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

of=${1:-cudart}
case $of in
cudart) name=cudart what="the CUDA runtimes of NVIDIA" size="7 MB" last=crt/include/crt ;;
nvcc) name=nvcc what="NVIDIA's nvcc 13.5" size="120 MB, unpacked 250" last=bin/nvcc ;;
*) echo "fetch.sh: \"$of\": nvcc, or nothing" >&2 && exit 64 ;;
esac
dir=$cache/$name

is_there() {
	[ -e "$dir/complete" ] && [ -e "$dir/$last" ]
}

unpack() { # PACKAGE SHA256
	unpack_this_wheel "$1" "$2" --platform manylinux2014_x86_64 --platform manylinux2010_x86_64
}

get() { # NUMBER PACKAGE SHA256 FOLDER-IN-IT
	unpack "$2" "$3"
	rm -rf "${dir:?}/$1"
	mkdir -p "$dir" && mv "$new/nvidia/$4" "$dir/$1" && rm -rf "${new:?}"/* || exit 1
}

fetch_cudart() {
	get 11 nvidia-cuda-runtime-cu11==11.8.89 \
		92d04069a987e1fbc9213f8376d265df0f7bb42617d44f5eda1f496acea7f2d1 cuda_runtime
	get 12 nvidia-cuda-runtime-cu12==12.9.79 \
		25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3 cuda_runtime
	get 13 nvidia-cuda-runtime==13.5.37 \
		df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d cu13
	get crt nvidia-cuda-crt==13.5.37 \
		e898b7f73d3035fa89915a3f7bf3b54a73e90249746111aed295822c4729bb29 cu13
}

# One folder, as the compiler looks for its parts beside itself; the runtime is that of 13.
fetch_nvcc() {
	local parts
	parts=$("$0") || exit $?
	unpack nvidia-cuda-nvcc==13.5.37 \
		f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7
	unpack nvidia-nvvm==13.5.37 \
		c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070
	rm -rf "$dir" "$new"/nvidia/cu13/lib/libnvvm.so*
	mv "$new/nvidia/cu13" "$dir" && cp -r "$parts"/{crt,13}/include "$parts/13/lib" "$dir" || exit 1
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
