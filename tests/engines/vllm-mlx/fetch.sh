#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches vllm-mlx from PyPI, once: a server on MLX that is not mlx_lm's.
#
# Prints a folder for PYTHONPATH, in front of what the fetch.sh of mlx has. In it is what it takes to answer with
# texts, without what it asks for besides: pictures, sound, grammars, a page of its own.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

version=0.6.0 lm=0.31.3
name=vllm-mlx what="vllm-mlx $version with mlx-lm $lm"
dir=$cache/mlx/vllm-mlx-$version

is_there() {
	ls "$dir/vllm_mlx-$version.dist-info" "$dir/mlx_lm-$lm.dist-info"
}

unless_there
begin "about 4 MB"
quiet python3 -m pip install -q --no-compile --no-deps --only-binary :all: --target "$new/all" \
	vllm-mlx==$version mlx-lm==$lm fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0 \
	opentelemetry-api==1.45.2 prometheus-client==0.26.0 python-multipart==0.0.34 psutil==7.2.2 \
	jsonschema==4.26.0 jsonschema-specifications==2025.9.1 referencing==0.37.0 rpds-py==2026.9.1 \
	attrs==26.1.0 requests urllib3 certifi charset-normalizer || pip_failed vllm-mlx
mv "$new/all" "$dir" || exit 1
finish
