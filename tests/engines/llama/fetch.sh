#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches the prebuilt llama.cpp of node-llama-cpp, once.
#
#	fetch.sh [cuda|vulkan]
#
# Prints the folder that holds node_modules.  Runs no install script, builds
# nothing and leaves out the GPU builds, but for the one that is asked for; that
# one has a folder of its own.
# 77 when it is not there and cannot be had: NO_INSTALL=1, no npm, or the
# registry cannot be reached.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}
gpu=${1:-}
dir=$cache/${gpu:+$gpu/}llama
version=$(sed -n 's/.*"node-llama-cpp": "\(.*\)".*/\1/p' "$here/package.json")

case $(uname -m) in
x86_64) platform=linux-x64 ;;
aarch64) platform=linux-arm64 ;;
*) platform= ;;
esac
if [ -z "$platform" ] || { [ -n "$gpu" ] && [ "$platform" != linux-x64 ]; }; then
	echo "node-llama-cpp has no prebuilt engine for $gpu${gpu:+ on }$(uname -m)" >&2
	exit 77
fi
platform=$platform${gpu:+-$gpu}

is_there() {
	grep -q "\"version\": \"$version\"" "$dir/node_modules/node-llama-cpp/package.json" &&
		ls "$dir/node_modules/@node-llama-cpp/$platform/bins/"*/llama-addon.node
} >/dev/null 2>&1

finish_if_there() {
	is_there || return 0
	echo "$dir"
	exit 0
}

finish_if_there
if [ -n "${NO_INSTALL:-}" ]; then
	echo "node-llama-cpp $version is not fetched, and NO_INSTALL is set" >&2
	exit 77
fi
if ! command -v npm >/dev/null; then
	echo "no npm to fetch node-llama-cpp $version with: tests/deps.sh engines" >&2
	exit 77
fi

mkdir -p "$dir" || exit 1
exec 9>"$cache/llama.lock"
flock 9
finish_if_there

echo "fetching node-llama-cpp $version (85 MB, for cuda 270, kept in $dir)" >&2
cp "$here/package.json" "$dir/package.json" || exit 1
if ! npm install --prefix "$dir" --ignore-scripts --omit=optional --no-save --no-package-lock \
	--no-audit --no-fund --loglevel=error "@node-llama-cpp/$platform@$version" \
	>"$cache/llama.log" 2>&1 9>&-; then
	tail -n 5 "$cache/llama.log" >&2
	if grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]' \
		"$cache/llama.log"; then
		echo "the npm registry cannot be reached: no node-llama-cpp $version" >&2
		exit 77
	fi
	exit 1
fi
finish_if_there
echo "npm ended well, but $dir holds no node-llama-cpp $version for $platform" >&2
exit 1
