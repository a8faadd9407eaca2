#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches pywhispercpp, a whisper.cpp under Python, from PyPI, once.
#
# Prints the python of a virtual environment that has it.  Builds nothing.  77 when it is
# not there and cannot be had: lib_fetch.sh, no python3 that makes virtual environments, or
# no wheel for this machine.
# shellcheck disable=SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

version=1.5.1 # with whisper.cpp 1.8.5
name=whisper what="pywhispercpp $version"
dir=$cache/whisper/venv-$version answer=$dir/bin/python

is_there() {
	ls "$dir"/lib/python3*/site-packages/pywhispercpp-"$version".dist-info
}

unless_there
begin "about 30 MB"
make_venv "pywhispercpp==$version" --only-binary :all:
finish
