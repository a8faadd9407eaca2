#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches servers on MLX that are not mlx_lm's from PyPI, once.
#
#	fetch.sh vllm-mlx	with the mlx-lm that it wants
#	fetch.sh mlx-vlm
#
# Prints a folder for PYTHONPATH, in front of what the fetch.sh of mlx has. In it is what it takes to
# answer with texts, without what they ask for besides: pictures, sound, grammars, pages of their own.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

case ${1:?} in
vllm-mlx)
	packages=(vllm-mlx==0.6.0 mlx-lm==0.31.3 jsonschema==4.26.0 jsonschema-specifications==2025.9.1
		referencing==0.37.0 rpds-py==2026.9.1 attrs==26.1.0)
	size="4 MB"
	;;
mlx-vlm)
	packages=(mlx-vlm==0.7.10 mlx-audio==0.6.2 pillow==13.0.0 cryptography==50.0.2
		cffi==2.1.1 pycparser)
	size="20 MB"
	;;
*)
	echo "$1: not one of those that the tests use" >&2
	exit 1
	;;
esac
web=(fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0 opentelemetry-api==1.45.2
	prometheus-client==0.26.0 python-multipart==0.0.34 psutil==7.2.2 requests==2.34.2
	urllib3==2.8.0 certifi charset-normalizer==3.5.3)
name=$1 what=${packages[0]/==/ }
dir=$cache/mlx/${packages[0]/==/-}

# It comes whole or not at all.
is_there() {
	ls "$dir/bin/uvicorn"
}

unless_there
begin "about $size"
quiet python3 -m pip install -q --no-compile --no-deps --only-binary :all: --target "$new/all" \
	"${packages[@]}" "${web[@]}" || pip_failed "$name"
rm -rf "$dir"
mv "$new/all" "$dir" || exit 1
finish
