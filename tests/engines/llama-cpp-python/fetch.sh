#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches llama-cpp-python from PyPI with what its server needs, once, and
# builds the llama.cpp that it brings along, unmodified, for the processor.
#
# Prints the python of a virtual environment that has it.  The package has no wheel; of
# its source the Python files are taken as they are, and of llama.cpp the shared libraries
# are made as its own build makes them, but without the optimiser.  That takes two minutes
# of two processors, so it is done by `make check-long` alone (TAF_LONG), and kept.
# 77 when it is not there and cannot be had: NO_INSTALL=1, no python3 that makes virtual
# environments, no cmake or C++ compiler, or the registry cannot be reached.  Safe to run
# at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}/llama-cpp-python
version=0.3.36 # with a llama.cpp of 2026-10, after 0.5.0
needs=(numpy diskcache jinja2 typing-extensions uvicorn fastapi pydantic-settings sse-starlette
	'starlette-context<0.4' PyYAML)
dir=$cache/venv-$version log=$cache/log

finish_if_there() {
	[ -e "$dir/is-whole" ] || return 0
	echo "$dir/bin/python"
	exit 0
}

skip() {
	echo "$*" >&2
	exit 77
}

pip() {
	"$dir/bin/python" -m pip "$@" >"$log" 2>&1 9>&- && return
	tail -n 5 "$log" >&2
	grep -Eqi 'connection|timed out|name resolution|unreachable|max retries|50[0-9] ' "$log" &&
		skip "PyPI cannot be reached: no llama-cpp-python"
	grep -q 'No matching distribution found' "$log" &&
		skip "what llama-cpp-python needs has no wheel for this machine and python"
	exit 1
}

finish_if_there
[ -z "${NO_INSTALL:-}" ] || skip "llama-cpp-python is not there, and NO_INSTALL is set"
[ -n "${TAF_LONG:-}" ] || skip "llama-cpp-python is not built; make check-long does, in minutes"
for tool in cmake make c++; do
	command -v "$tool" >/dev/null || skip "no $tool to build llama-cpp-python with"
done
mkdir -p "$cache" || exit 1
exec 9>"$cache/lock"
flock 9
finish_if_there

rm -rf "$dir" "$cache/source"
python3 -m venv "$dir" >"$log" 2>&1 9>&- || skip "python3 makes no virtual environment here"
echo "fetching and building llama-cpp-python $version (150 MB, kept in $dir)" >&2
pip install -q --no-compile --only-binary :all: "${needs[@]}"
mkdir "$cache/source"
pip download -q --no-deps --no-binary llama-cpp-python -d "$cache/source" "llama-cpp-python==$version"
tar xzf "$cache/source/llama_cpp_python-$version.tar.gz" -C "$cache/source" --strip-components 1 || exit 1

{
	cmake -S "$cache/source/vendor/llama.cpp" -B "$cache/source/build" -DCMAKE_BUILD_TYPE=None \
		-DCMAKE_C_FLAGS=-O1 -DCMAKE_CXX_FLAGS=-O0 -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=OFF \
		-DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF \
		-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_CURL=OFF \
		-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "-DCMAKE_INSTALL_RPATH=\$ORIGIN" &&
		cmake --build "$cache/source/build" --target llama -j "${JOBS:-2}"
} >"$log" 2>&1 9>&- || {
	tail -n 5 "$log" >&2
	exit 1
}
site=$(echo "$dir"/lib/python3*/site-packages)
cp -r "$cache/source/llama_cpp" "$site/" && mkdir -p "$site/llama_cpp/lib" &&
	cp -L "$cache/source/build/bin/"lib*.so "$cache/source/build/bin/"lib*.so.0 "$site/llama_cpp/lib/" &&
	rm -rf "$cache/source" && touch "$dir/is-whole" || exit 1
finish_if_there
