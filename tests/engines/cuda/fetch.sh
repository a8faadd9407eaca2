#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches NVIDIA's CUDA runtimes of 11.8, 12 and 13 with their headers, once.
#
# Prints the folder that holds 11, 12 and 13, each with include and lib.  They are wheels
# of the Python package index (7 MB together); nothing of them is installed or run while
# fetching.  77 when they are not there and cannot be had: NO_INSTALL=1, no pip, or the
# index cannot be reached.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}
dir=$cache/cudart

if [ "$(uname -m)" != x86_64 ]; then
	echo "the runtimes are fetched for x86_64 alone" >&2
	exit 77
fi

finish_if_there() {
	[ -e "$dir/complete" ] || return 0
	echo "$dir"
	exit 0
}

finish_if_there
if [ -n "${NO_INSTALL:-}" ]; then
	echo "the CUDA runtimes are not fetched, and NO_INSTALL is set" >&2
	exit 77
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
	echo "no pip to fetch the CUDA runtimes with" >&2
	exit 77
fi

mkdir -p "$dir" || exit 1
exec 9>"$cache/cudart.lock"
flock 9
finish_if_there

# NUMBER PACKAGE FOLDER-IN-IT
get() {
	local wheel
	python3 -m pip download --quiet --no-deps --only-binary :all: \
		--platform manylinux2014_x86_64 --dest "$dir/wheels" "$2" >"$cache/cudart.log" 2>&1 9>&- || {
		tail -n 3 "$cache/cudart.log" >&2
		echo "$2 cannot be fetched" >&2
		exit 77
	}
	wheel=$(ls "$dir/wheels/"*.whl) && python3 -m zipfile -e "$wheel" "$dir/unpacked" || exit 1
	rm -rf "${dir:?}/$1"
	mv "$dir/unpacked/nvidia/$3" "$dir/$1" || exit 1
	rm -rf "$dir/wheels" "$dir/unpacked"
}

echo "fetching the CUDA runtimes (7 MB, kept in $dir)" >&2
get 11 nvidia-cuda-runtime-cu11==11.8.89 cuda_runtime
get 12 nvidia-cuda-runtime-cu12==12.9.79 cuda_runtime
get 13 nvidia-cuda-runtime==13.5.37 cu13
: >"$dir/complete"
echo "$dir"
