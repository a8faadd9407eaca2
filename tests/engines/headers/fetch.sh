#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches headers of llama.cpp, whisper.cpp, stable-diffusion.cpp and mlx-c, of
# several years: Rust's bindings to them bring along what they bind.
#
# Prints a folder that has one of each crate and version, NAME-VERSION, with the headers flat
# in it (of mlx-c in mlx/c), and of llama.cpp the function that gives a context's parameters
# their defaults, in defaults.inc.  Builds nothing; cargo's own cache is left alone.  77 when they
# are not there and cannot be had: lib_fetch.sh, no cargo, or one before 1.82.
# shellcheck disable=SC1091,SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

name=headers what="headers of engines"
dir=$cache/headers
crates=(llama-cpp-sys-2@0.1.{0,62,69,83,94,113,133,154,161}
	whisper-rs-sys@0.{1.0,4.0,7.2,8.0,9.0,11.1,15.0}
	diffusion-rs-sys@0.1.{0,8,12,16,20}
	mlx-sys@{0.0.8,0.1.0,0.2.0,0.7.0})

is_there() {
	[ "$(cat "$dir/complete")" = "${crates[*]}" ]
}

keep() { # SOURCE TO
	local folder
	mkdir -p "$2" || exit 1
	for folder in "$1"/*.cpp{,/include,/ggml/include}; do
		cp "$folder"/*.h "$2" 2>/dev/null
	done
	find "$1/llama.cpp" -type f -name 'llama*.cpp' -exec sed -n \
		'/^\(struct \)\?llama_context_params llama_context_default_params() {/,/^}/p' {} + \
		>"$2/defaults.inc" 2>/dev/null
	[ ! -d "$1/src/mlx-c" ] || cp -r "$1/src/mlx-c/mlx" "$2" || exit 1
}

unless_there
command -v cargo >/dev/null || skip "$what: no cargo"
begin "90 MB, of which 6 are kept"
own_cargo
for crate in "${crates[@]}"; do
	get_crate "$crate"
	keep "$source" "$new/kept/${crate/@/-}"
	rm -rf "$source"
done
rm -rf "$dir"
mv "$new/kept" "$dir" && echo "${crates[*]}" >"$dir/complete" || exit 1
finish
