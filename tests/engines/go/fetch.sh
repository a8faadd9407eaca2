#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- builds Ollama from its Go module, once, unmodified.
#
#	fetch.sh          v0.33.0, which runs each model in a llama-server
#	fetch.sh built-in v0.17.4, which has llama.cpp built into itself, by cgo; headers that
#	                  a module cannot hold are those of the llama.cpp of node-llama-cpp
#
# Prints the program.  Beside it lies what it looks for there: the llama-server of
# tests/engines/server, 54 builds of llama.cpp before the one that this version names.
# The build takes minutes, so it is done by `make check-long` alone (TAF_LONG), and kept.
# 77 when it is not there and cannot be had: NO_INSTALL=1, no go, no C++ compiler, or the
# proxy of Go modules cannot be reached.  Safe to run at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}/ollama
version=v0.33.0
[ "${1:-}" = built-in ] && version=v0.17.4
dir=$cache/$version log=$cache/log

finish_if_there() {
	[ -x "$dir/bin/ollama" ] || return 0
	echo "$dir/bin/ollama"
	exit 0
}

skip() {
	echo "$*" >&2
	exit 77
}

finish_if_there
[ -z "${NO_INSTALL:-}" ] || skip "Ollama is not there, and NO_INSTALL is set"
[ -n "${TAF_LONG:-}" ] || skip "Ollama is not built; make check-long does, in minutes"
for tool in go c++; do
	command -v "$tool" >/dev/null || skip "no $tool to build Ollama with"
done
server=$("$here/../server/fetch.sh") || exit $?
engine=$("$here/../llama/fetch.sh") || exit $?
mkdir -p "$cache" || exit 1
exec 9>"$cache/lock"
flock 9
finish_if_there

new=$cache/new
rm -rf "$new"
mkdir -p "$new/lib" && ln -s "../../../server/${server##*/}" "$new/lib/ollama" || exit 1
if [ "${1:-}" = built-in ]; then
	# Folders called vendor are left out of a module.
	git clone -q "$engine/node_modules/node-llama-cpp/llama/gitRelease.bundle" "$new/llama.cpp" >"$log" 2>&1 9>&- ||
		skip "no git that reads the source beside node-llama-cpp"
	export CPLUS_INCLUDE_PATH=$new/llama.cpp/vendor
fi
echo "fetching and building Ollama $version (400 MB while it builds, 60 kept in $dir)" >&2
# What it is built from is in folders of its own, which go away. HOME is some test's.
if ! GOPATH=$new/path GOCACHE=$new/cache GOBIN=$new/bin GOFLAGS=-modcacherw GOTOOLCHAIN=auto HOME=$new \
	CGO_ENABLED=1 go install -p "${JOBS:-2}" "github.com/ollama/ollama@$version" >"$log" 2>&1 9>&-; then
	tail -n 5 "$log" >&2
	rm -rf "$new"
	grep -Eqi 'dial tcp|no such host|timeout|connection refused|unreachable|50[0-9] ' "$log" &&
		skip "the proxy of Go modules cannot be reached: no Ollama"
	grep -Eq 'requires go >=|toolchain not available' "$log" && skip "go is too old for Ollama $version"
	exit 1
fi
rm -rf "$new/path" "$new/cache" "$new/.config" "$new/llama.cpp" "$dir" && mv "$new" "$dir" || exit 1
finish_if_there
echo "go ended well, but $dir holds no ollama" >&2
exit 1
