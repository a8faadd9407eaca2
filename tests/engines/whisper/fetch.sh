#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches pywhispercpp, a whisper.cpp under Python, from PyPI, once.
#
# Prints the python of a virtual environment that has it.  Builds nothing.  77 when it is
# not there and cannot be had: NO_INSTALL=1, no python3 that makes virtual environments, no
# wheel for this machine, or the registry cannot be reached.  Safe to run at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}/whisper
version=1.5.1 # with whisper.cpp 1.8.5
dir=$cache/venv-$version

finish_if_there() {
	ls "$dir"/lib/python3*/site-packages/pywhispercpp-"$version".dist-info >/dev/null 2>&1 || return 0
	echo "$dir/bin/python"
	exit 0
}

skip() {
	echo "$*" >&2
	exit 77
}

finish_if_there
[ -z "${NO_INSTALL:-}" ] || skip "pywhispercpp is not fetched, and NO_INSTALL is set"
mkdir -p "$cache" || exit 1
exec 9>"$cache/lock"
flock 9
finish_if_there

rm -rf "$dir"
python3 -m venv "$dir" >"$cache/log" 2>&1 9>&- || skip "python3 makes no virtual environment here"
echo "fetching pywhispercpp $version (about 30 MB, kept in $dir)" >&2
if ! "$dir/bin/python" -m pip install -q --no-compile --only-binary :all: "pywhispercpp==$version" \
	>"$cache/log" 2>&1 9>&-; then
	tail -n 5 "$cache/log" >&2
	rm -rf "$dir"
	grep -Eqi 'connection|timed out|name resolution|unreachable|max retries|50[0-9] ' "$cache/log" &&
		skip "PyPI cannot be reached: no pywhispercpp"
	grep -q 'No matching distribution found for pywhispercpp' "$cache/log" &&
		skip "pywhispercpp has no wheel for this machine and python"
	exit 1
fi
finish_if_there
echo "pip ended well, but $dir holds no pywhispercpp $version" >&2
exit 1
