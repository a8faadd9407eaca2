#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches NVIDIA's CUDA runtimes of 11.8, 12 and 13 with their headers, once.
#
# Prints the folder that holds 11, 12 and 13, each with include and lib.  They are wheels
# of the Python package index; nothing of them is installed or run while fetching.  77
# when they are not there and cannot be had: lib_fetch.sh, no pip, or another machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

name=cudart what="the CUDA runtimes of NVIDIA"
dir=$cache/cudart

is_there() {
	[ -e "$dir/complete" ]
}

get() { # NUMBER PACKAGE FOLDER-IN-IT
	unpack_wheel "$2" --platform manylinux2014_x86_64
	rm -rf "${dir:?}/$1"
	mkdir -p "$dir" && mv "$new/nvidia/$3" "$dir/$1" && rm -rf "${new:?}"/* || exit 1
}

[ "$(uname -m)" = x86_64 ] || skip "the runtimes are fetched for x86_64 alone"
unless_there
python3 -m pip --version >/dev/null 2>&1 || skip "no pip to fetch the CUDA runtimes with"
begin "7 MB"
get 11 nvidia-cuda-runtime-cu11==11.8.89 cuda_runtime
get 12 nvidia-cuda-runtime-cu12==12.9.79 cuda_runtime
get 13 nvidia-cuda-runtime==13.5.37 cu13
: >"$dir/complete"
finish
