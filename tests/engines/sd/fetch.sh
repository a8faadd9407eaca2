#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches a stable-diffusion.cpp from crates.io, whole, in Rust's binding to it,
# and builds its shared library, unmodified, for the processor, once.
#
# Prints a folder that has libstable-diffusion.so, with ggml inside as its own build makes
# it, and stable-diffusion.h.  That takes five minutes of two processors, so it is
# done by `make check-long` alone (TAF_LONG), and what is needed of it is kept.  77 when it is
# not there and cannot be had: lib_fetch.sh, no cargo, or one before 1.82, no cmake or C++
# compiler.
# shellcheck disable=SC1091,SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

version=0.1.20 # with a stable-diffusion.cpp of the first half of 2026, and ggml 0.12.0
name=sd what="stable-diffusion.cpp of diffusion-rs-sys $version"
dir=$cache/sd/$version

is_there() {
	[ -e "$dir/libstable-diffusion.so" ] && [ -e "$dir/stable-diffusion.h" ]
}

unless_there
[ -n "${TAF_LONG:-}" ] || skip "stable-diffusion.cpp is not built; make check-long does, in minutes"
for tool in cargo cmake make c++; do
	command -v $tool >/dev/null || skip "no $tool to build stable-diffusion.cpp with"
done
begin "35 MB, 700 while it is built, 55 of which are kept"
own_cargo
get_crate "diffusion-rs-sys@$version"
build() {
	cmake -S "$source/stable-diffusion.cpp" -B "$new/build" -DCMAKE_BUILD_TYPE=None \
		-DCMAKE_C_FLAGS=-O1 -DCMAKE_CXX_FLAGS=-O1 -DSD_BUILD_SHARED_LIBS=ON \
		-DSD_BUILD_EXAMPLES=OFF -DSD_WEBP=OFF -DSD_WEBM=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF &&
		nice -n 15 cmake --build "$new/build" --target stable-diffusion -j "${JOBS:-2}"
}
quiet build || {
	tail -n 5 "$log" >&2
	exit 1
}
rm -rf "$dir" && mkdir -p "$new/kept" "$cache/sd" &&
	cp "$new/build/bin/libstable-diffusion.so" "$new/kept" &&
	cp "$source/stable-diffusion.cpp/include/stable-diffusion.h" "$new/kept" &&
	mv "$new/kept" "$dir" || exit 1
finish
