#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# deps.sh -- finds what is missing on this machine, says what and why, installs it.
#
#	tests/deps.sh [build] [lint] [engines]
#
#	build    compilers and headers, to build and to run the unit tests
#	lint     what reads source and records: clang and its tools, shellcheck, mandoc, jq, perl
#	engines  node >= 20, python3 and the prebuilt llama.cpp, for the engine tests;
#	         OpenCL and Vulkan on the processor, and programs that use them; a compiler
#	         and an emulator for aarch64
#
# Root on Debian or Ubuntu: installs with apt-get.  Anybody else: prints the
# command and ends with 1.  NO_INSTALL=1: only tells, and ends with 1 only when
# something of build is missing, since the tests skip what else they lack.
# What npm fetches goes to ${TAFFRAIL_CACHE:-build/cache}, never into the system.
set -u

SRC=$(cd "$(dirname "$0")/.." && pwd)
cache=${TAFFRAIL_CACHE:-$SRC/build/cache}
packages=() missing_build=

have() { command -v "$1" >/dev/null 2>&1; }

# want GROUP PACKAGE WHY TEST...: notes the package when the test fails.
want() {
	local group=$1 package=$2 why=$3
	shift 3
	"$@" >/dev/null 2>&1 && return
	echo "deps: $package is missing ($why)"
	packages+=("$package")
	[ "$group" = build ] && missing_build=1
}

has_header() { # HEADER
	have "${CC:-gcc}" && printf '#include <%s>\n' "$1" | "${CC:-gcc}" -include stddef.h \
		-include stdarg.h -include stdint.h -include setjmp.h -fsyntax-only -x c -
}

has_fuzzer() {
	local out=$cache/probe
	printf 'int LLVMFuzzerTestOneInput(void){return 0;}' |
		clang -x c -w -fsanitize=fuzzer,address -o "$out" - && rm -f "$out"
}

has_lavapipe() {
	ls /usr/share/vulkan/icd.d/lvp_icd*.json
}

want_build() {
	want build gcc "the compiler" have gcc
	want build libc6-dev "headers of the C library" has_header stdio.h
	want build make "the build" have make
	want build binutils "reads the preloaded object" have readelf
	want build libcjson-dev "the policy file is JSON" has_header cjson/cJSON.h
	want build libelf-dev "doctor reads programs" has_header gelf.h
	want build libunwind-dev "crash reports" has_header libunwind.h
	want build libcmocka-dev "the unit tests" has_header cmocka.h
	want build pkg-config "finds the libraries" have pkg-config
}

want_lint() {
	want lint clang "the second compiler" have clang
	want lint clang-format "the form of the source" have clang-format
	want lint clang-tidy "common mistakes" have clang-tidy
	want lint shellcheck "mistakes in scripts" have shellcheck
	want lint mandoc "the manual" have mandoc
	want lint jq "the tests read records with it" have jq
	want lint perl "the tests compare raw exit statuses" have perl
	# Asked for only where clang is there: without it the question has no answer.
	if have clang; then
		want lint "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" "fuzzing" has_fuzzer
	else
		want lint libclang-rt-14-dev "fuzzing" false
	fi
}

want_engines() {
	want engines gcc-aarch64-linux-gnu "the shim is built for the other processor" have aarch64-linux-gnu-gcc
	want engines libc6-dev-arm64-cross "its C library" test -e /usr/aarch64-linux-gnu/include/stdio.h
	want engines qemu-user "runs it" have qemu-aarch64
	want engines python3 "engine tests through ctypes" have python3
	want engines golang-go "Ollama's shape is a program in Go" have go
	want engines pocl-opencl-icd "OpenCL on the processor" \
		test -e /etc/OpenCL/vendors/pocl.icd
	want engines clinfo "an OpenCL program" have clinfo
	want engines clpeak "an OpenCL program" have clpeak
	want engines opencl-headers "another one is compiled" has_header CL/cl.h
	want engines mesa-vulkan-drivers "Vulkan on the processor" has_lavapipe
	want engines vulkan-tools "a Vulkan program" have vulkaninfo
	want engines libvulkan-dev "another one is compiled" has_header vulkan/vulkan.h
	if ! "$SRC/tests/engines/node.sh" >/dev/null 2>&1; then
		apt_node_is_new && want engines nodejs "runs the engine, 20 or newer" false
	elif NO_INSTALL=1 "$SRC/tests/engines/llama/fetch.sh" >/dev/null 2>&1; then
		return
	fi
	want engines npm "fetches node and the engine" have npm
}

apt_node_is_new() {
	local version
	version=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/ *Candidate: *\([0-9]*\).*/\1/p')
	[ "${version:-0}" -ge 20 ]
}

install_packages() {
	[ ${#packages[@]} -eq 0 ] && return 0
	local command="apt-get install -y --no-install-recommends ${packages[*]}"
	if [ -n "${NO_INSTALL:-}" ]; then
		echo "deps: NO_INSTALL is set; to install: $command"
		[ -z "$missing_build" ]
		return
	fi
	if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
		echo "deps: not root, or no apt-get here; run as root: $command"
		echo "deps: or set NO_INSTALL=1 to go on without"
		return 1
	fi
	echo "deps: $command"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of words
	$command >"$cache/apt.log" 2>&1 && return 0
	apt-get update >>"$cache/apt.log" 2>&1
	# shellcheck disable=SC2086
	$command >>"$cache/apt.log" 2>&1 && return 0
	tail -n 5 "$cache/apt.log"
	echo "deps: apt-get failed, see $cache/apt.log"
	# Without engines or linters the rest still says something.
	[ -z "$missing_build" ]
}

# node from npm where the system has none or an old one; then the engine itself.
# Neither can fail the build: their tests are skipped aloud.
fetch_engines() {
	if ! "$SRC/tests/engines/node.sh" >/dev/null 2>&1; then
		echo "deps: node 20 or newer is missing (runs the engine); the system's is older or none"
		if [ -n "${NO_INSTALL:-}" ] || ! have npm; then
			echo "deps: to install: npm install --prefix $cache/node node@22"
			return
		fi
		echo "deps: npm install --prefix $cache/node node@22"
		mkdir -p "$cache/node"
		npm install --no-audit --no-fund --loglevel=error --prefix "$cache/node" node@22 \
			>"$cache/npm.log" 2>&1 || tail -n 5 "$cache/npm.log"
		"$SRC/tests/engines/node.sh" >/dev/null || return
	fi
	"$SRC/tests/engines/llama/fetch.sh" >/dev/null
}

mkdir -p "$cache" || exit 1
[ $# -gt 0 ] || set -- build lint engines
for group in "$@"; do
	case $group in
	build) want_build ;;
	lint) want_lint ;;
	engines) want_engines ;;
	*)
		echo "deps: no group '$group': build, lint, engines"
		exit 64
		;;
	esac
done
install_packages || exit 1
case " $* " in *" engines "*) fetch_engines ;; esac
exit 0
