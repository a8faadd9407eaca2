#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches MLX for the processor and mlx-lm from PyPI, once.
#
#	fetch.sh VERSION	a version of mlx that the table below names
#
# Prints the python of a virtual environment that has them.  Builds nothing.  77
# when it is not there and cannot be had: lib_fetch.sh, no python3 that makes
# virtual environments, or no wheel for this machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

version=${1:?}

# mlx and the mlx-lm of its time. Of mlx there are wheels for Linux since 0.21.1; mlx-lm of that
# time was a part of another package, and is not needed.
lm=$(sed -n "s/^$version //p" <<'END'
0.32.4 0.32.2
0.31.2 0.31.2
0.29.4 0.29.1
0.21.1 none
END
)
[ -n "$lm" ] || {
	echo "mlx $version: not one of those that the tests use" >&2
	exit 1
}
name=mlx what="mlx $version with mlx-lm $lm"
dir=$cache/mlx/venv-$version answer=$dir/bin/python

packages=("mlx[cpu]==$version" "mlx-lm==$lm" "transformers==5.24.0") size="220 MB"
dists=(mlx-"$version" mlx_lm-"$lm")
if [ "$lm" = none ]; then
	packages=("mlx==$version") size="12 MB" dists=(mlx-"$version") what="mlx $version"
fi

is_there() {
	local dist
	for dist in "${dists[@]}"; do
		ls "$dir"/lib/python3*/site-packages/"$dist".dist-info || return
	done
}

unless_there
begin "about $size"
make_venv "${packages[@]}"
finish
