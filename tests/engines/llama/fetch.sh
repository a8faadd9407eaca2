#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches the prebuilt llama.cpp of node-llama-cpp, once.
#
#	fetch.sh [cuda|vulkan]
#
# Prints the folder that holds node_modules.  Runs no install script, builds
# nothing and leaves out the GPU builds, but for the one that is asked for; that
# one has a folder of its own.
# 77 when it is not there and cannot be had: lib_fetch.sh, no npm, or no build for
# this machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

here=$engines/llama gpu=${1:-}
version=$(sed -n 's/.*"node-llama-cpp": "\(.*\)".*/\1/p' "$here/package.json")
name=llama what="node-llama-cpp $version${gpu:+ for $gpu}"
dir=$cache/${gpu:+$gpu/}llama

case $(uname -m) in
x86_64) platform=linux-x64 ;;
aarch64) platform=linux-arm64 ;;
*) platform= ;;
esac
if [ -z "$platform" ] || { [ -n "$gpu" ] && [ "$platform" != linux-x64 ]; }; then
	skip "node-llama-cpp has no prebuilt engine for $gpu${gpu:+ on }$(uname -m)"
fi
platform=$platform${gpu:+-$gpu}

is_there() {
	grep -q "\"version\": \"$version\"" "$dir/node_modules/node-llama-cpp/package.json" &&
		ls "$dir/node_modules/@node-llama-cpp/$platform/bins/"*/llama-addon.node
}

unless_there
command -v npm >/dev/null || skip "no npm to fetch $what with: tests/deps.sh engines"
begin "85 MB, for cuda 270"
mkdir -p "$dir" && cp "$here/package.json" "$dir/package.json" || exit 1
if ! quiet npm install --prefix "$dir" --ignore-scripts --omit=optional --no-save --no-package-lock \
	--no-audit --no-fund --loglevel=error "@node-llama-cpp/$platform@$version"; then
	tail -n 5 "$log" >&2
	grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]' "$log" &&
		skip "the npm registry cannot be reached: no $what"
	exit 1
fi
finish
