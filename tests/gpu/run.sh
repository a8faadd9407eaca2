#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh -- what can only be checked on an NVIDIA GPU: `make check-gpu`.
#
#	tests/gpu/run.sh [--simulated] [REPORT]
#
# The parts, in this order; PARTS="driver rules" runs some of them alone:
#   driver   programs on the driver, by every route
#   rules    limits, retries, drains and notes: they say what the driver says
#   runtime  programs of nvcc's, with the static and the shared runtime
#   torch    PyTorch, where it is installed
#   pools    PyTorch with its other allocators
#   python   CuPy, JAX, Triton, Numba, where they are installed
#   engines  transformers, MLX, llama.cpp, OpenCL, Vulkan, where they are to be had
#   speed    launches and tokens a second, in pairs: nothing may run beside it
# What each prints with the guard is what it prints without.  Needs a C compiler, jq and
# perl; parts/*.sh say what each needs besides, and skip what is not there.
#
# KEEP=FOLDER keeps output and log of each check that fails.
#
# Prints a line a check and "N passed, N failed, N skipped"; REPORT gets the same with
# the machine, driver and date, for docs/gpu-results.md.  Without a GPU: one line, and 77.
# --simulated: on tests/simgpu, where no kernel runs; it shows that this script works,
# and says nothing about a GPU.
set -u

SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$SRC/build}
here=$SRC/tests/gpu
shim=$BUILD/libtaffrail.so
is_simulated=
[ "${1:-}" = --simulated ] && is_simulated=1 && shift
report=${1:-/dev/null}
case $report in /*) ;; *) report=$PWD/$report ;; esac
passed=0 failed=0 skipped=0
unset TAFFRAIL TAFFRAIL_RUN TAFFRAIL_SET TAFFRAIL_POLICY TAFFRAIL_STATE TAFFRAIL_STRICT LD_PRELOAD

say() {
	echo "$*" | tee -a "$report"
}

give_up() {
	echo "$*: nothing was checked"
	is_whole=1
	exit 77
}

ok() {
	passed=$((passed + 1))
	say "ok    $*"
}

bad() {
	failed=$((failed + 1))
	say "FAIL  $*"
	[ -z "${KEEP:-}" ] || keep "$KEEP/$(tr -c 'A-Za-z0-9\n' _ <<<"${1%%:*}" | head -c 60)" 2>/dev/null
}

keep() { # FOLDER
	mkdir -p "$1" && cp -r bare.* guarded.* state "$1"
}

skip() {
	skipped=$((skipped + 1))
	say "skip  $*"
}

has_gpu() {
	[ -n "$is_simulated" ] || nvidia-smi -L 2>/dev/null | grep -q GPU
}

has_gpu || give_up "no NVIDIA GPU on this machine"
for tool in jq perl "${CC:-cc}"; do
	command -v "$tool" >/dev/null || give_up "needs $tool"
done
[ -e "$shim" ] || give_up "$shim is not built"

work=$(mktemp -d) || exit 1
# Whoever ends the suite before its last line must not look like one that passed.
part='' is_whole=
leave() {
	local status=$?
	rm -rf "$work"
	[ -z "$is_whole" ] || exit "$status"
	say "FAIL  the suite ended early${part:+, in parts/$part.sh}: $passed passed, $failed failed until then"
	exit 1
}
trap leave EXIT
cd "$work" || exit 1
mkdir -m 700 run
export XDG_RUNTIME_DIR=$work/run XDG_CONFIG_HOME=$work/config
: >"$report"

if [ -n "$is_simulated" ]; then
	export SIMGPU_DIR=$work/machine LD_LIBRARY_PATH=$BUILD/tests/simgpu SIMGPU_LATENCY_US=5
	mkdir machine
	SIMGPU_IDLE_S=60 SIMGPU_BUG=none SIMGPU_MEMORY=$((2 << 30)) \
		"$BUILD/tests/simgpu/simgpu-kernel" "$SIMGPU_DIR" >/dev/null || give_up "the simulation does not start"
	say "SIMULATED: no kernel ran, nothing here was seen on a GPU"
else
	say "machine   $(uname -srm), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	say "gpu       $(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | head -n 1)"
	say "taffrail  $(git -C "$SRC" rev-parse --short HEAD 2>/dev/null || echo "no checkout")"
	say "date      $(date -u +%F)"
	say "command   make check-gpu"
fi

# The raw status of COMMAND to FILE.status, its output to FILE.out and FILE.err.
raw() { # FILE COMMAND...
	perl -e 'my $f = shift; my $r = system { $ARGV[0] } @ARGV; open(F, ">", $f) or die;
		print F $r == -1 ? "not started" : $r & 127 ? "signal " . ($r & 127) : "exit " . ($r >> 8);
		close F' "$1.status" timeout 300 "${@:2}" </dev/null >"$1.out" 2>"$1.err"
}

bare() {
	raw bare env "$@"
}

guarded() { # [A=b...] COMMAND...
	rm -rf state run/taffrail
	raw guarded env LD_PRELOAD="$shim" TAFFRAIL_STATE="$work/state" "$@"
}

crumbs() {
	cat state/crumbs/*.jsonl 2>/dev/null | grep -av '^$' | jq -c . 2>/dev/null
}

count() { # CONDITION
	crumbs | jq -c "select($1)" | wc -l
}

# Both ways alike: output, status, and what is said of the run. With is_foreign a program
# that fails by itself is one that cannot be used here.
alike() { # NAME COMMAND...
	local name=$1
	shift
	bare "$@"
	guarded "$@"
	if ! cmp -s bare.out guarded.out || ! cmp -s bare.status guarded.status; then
		bad "$name: $(cat bare.status), $(head -c 300 bare.out | tr '\n' ' ') / guarded $(cat guarded.status), $(head -c 300 guarded.out | tr '\n' ' ') $(tail -n 1 guarded.err)"
	elif [ "$(cat bare.status)" != "exit 0" ] && [ -n "${is_foreign:-}" ]; then
		skip "$name: does not work here: $(tail -n 1 bare.err | head -c 200)"
	elif [ "$(cat bare.status)" != "exit 0" ] || grep -q WRONG bare.out; then
		bad "$name: fails by itself: $(cat bare.status), $(tail -n 1 bare.out) $(tail -n 1 bare.err)"
	elif [ "$(count '.ev == "start"')" -eq 0 ]; then
		bad "$name: was not seen at all"
	else
		ok "$name"
	fi
}

python=${PYTHON:-python3}
has_module() {
	[ -z "$is_simulated" ] && "$python" -c "import $1" 2>/dev/null
}

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o driver "$here/driver.c" -ldl -pthread ||
	give_up "${CC:-cc} does not build $here/driver.c"
for part in ${PARTS:-driver rules runtime torch pools python engines speed}; do
	[ -e "$here/parts/$part.sh" ] || give_up "PARTS: there is no $part"
	# shellcheck source=/dev/null # one of parts/
	. "$here/parts/$part.sh"
done

is_whole=1
say "$passed passed, $failed failed, $skipped skipped${is_simulated:+ (SIMULATED)}"
[ "$failed" -eq 0 ]
