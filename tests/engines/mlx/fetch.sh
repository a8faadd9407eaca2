#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches MLX for the processor and mlx-lm from PyPI, once.
#
#	fetch.sh VERSION	a version of mlx that `versions` below names
#
# Prints the python of a virtual environment that has them.  Builds nothing.  77
# when it is not there and cannot be had: NO_INSTALL=1, no python3 that makes
# virtual environments, no wheel for this machine, or the registry cannot be
# reached.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}/mlx
version=${1:?}

# mlx and the mlx-lm of its time. Of mlx there are wheels for Linux since 0.21.1.
lm=$(sed -n "s/^$version //p" <<'END'
0.32.4 0.32.2
0.31.2 0.31.2
0.29.4 0.29.1
END
)
[ -n "$lm" ] || {
	echo "mlx $version: not one of those that the tests use" >&2
	exit 1
}
dir=$cache/venv-$version

finish_if_there() {
	ls "$dir"/lib/python3*/site-packages/mlx-"$version".dist-info \
		"$dir"/lib/python3*/site-packages/mlx_lm-"$lm".dist-info >/dev/null 2>&1 || return 0
	echo "$dir/bin/python"
	exit 0
}

skip() {
	echo "$*" >&2
	exit 77
}

finish_if_there
[ -z "${NO_INSTALL:-}" ] || skip "mlx $version is not fetched, and NO_INSTALL is set"
mkdir -p "$cache" || exit 1
exec 9>"$cache/lock"
flock 9
finish_if_there

rm -rf "$dir"
python3 -m venv "$dir" >"$cache/log" 2>&1 9>&- || skip "python3 makes no virtual environment here"
echo "fetching mlx $version and mlx-lm $lm (about 220 MB, kept in $dir)" >&2
if ! "$dir/bin/python" -m pip install -q --no-compile "mlx[cpu]==$version" "mlx-lm==$lm" \
	"transformers==5.24.0" >"$cache/log" 2>&1 9>&-; then
	tail -n 5 "$cache/log" >&2
	rm -rf "$dir"
	grep -Eqi 'connection|timed out|name resolution|unreachable|max retries|50[0-9] ' "$cache/log" &&
		skip "PyPI cannot be reached: no mlx $version"
	grep -q 'No matching distribution found for mlx\[cpu\]' "$cache/log" &&
		skip "mlx $version has no wheel for this machine and python"
	exit 1
fi
finish_if_there
echo "pip ended well, but $dir holds no mlx $version" >&2
exit 1
