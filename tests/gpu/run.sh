#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh -- what can only be checked on an NVIDIA GPU: `make check-gpu`.
#
#	tests/gpu/run.sh [--simulated] [REPORT]
#
# Programs on the driver and on both runtimes, PyTorch and CuPy where they are installed:
# what each prints with the guard is what it prints without; limits, retries, drains and
# the notes say what the driver says; launches and tokens a second in pairs.  Needs a C
# compiler, jq and perl; nvcc, PyTorch and CuPy if they are there.
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
	exit 77
}

ok() {
	passed=$((passed + 1))
	say "ok    $*"
}

bad() {
	failed=$((failed + 1))
	say "FAIL  $*"
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
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -m 700 run
export XDG_RUNTIME_DIR=$work/run XDG_CONFIG_HOME=$work/config
: >"$report"

if [ -n "$is_simulated" ]; then
	export SIMGPU_DIR=$work/machine LD_LIBRARY_PATH=$BUILD/tests/simgpu SIMGPU_LATENCY_US=5
	mkdir machine
	SIMGPU_IDLE_S=5 SIMGPU_BUG=none SIMGPU_MEMORY=$((2 << 30)) \
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

# Both ways alike: output, status, and what is said of the run.
alike() { # NAME COMMAND...
	local name=$1
	shift
	bare "$@"
	guarded "$@"
	if ! cmp -s bare.out guarded.out || ! cmp -s bare.status guarded.status; then
		bad "$name: $(cat bare.status), $(head -c 300 bare.out | tr '\n' ' ') / guarded $(cat guarded.status), $(head -c 300 guarded.out | tr '\n' ' ') $(tail -n 1 guarded.err)"
	elif [ "$(cat bare.status)" != "exit 0" ] || grep -q WRONG bare.out; then
		bad "$name: fails by itself: $(cat bare.status), $(tail -n 1 bare.out) $(tail -n 1 bare.err)"
	elif [ "$(count '.ev == "start"')" -eq 0 ]; then
		bad "$name: was not seen at all"
	else
		ok "$name"
	fi
}

# ---- The driver, by every route ----------------------------------------------------

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o driver "$here/driver.c" -ldl -pthread || exit 1
link_driver() {
	local libcuda
	libcuda=$(ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1.*x86-64.*=> //p;s/.*libcuda\.so\.1.*AArch64.*=> //p' | head -n 1)
	[ -n "$is_simulated" ] && libcuda=$BUILD/tests/simgpu/libcuda.so.1
	[ -n "$libcuda" ] &&
		"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -DLINK -o driver_link "$here/driver.c" "$libcuda" -pthread 2>link.log
}
routes="dlsym getproc ptsz"
if link_driver; then
	routes="$routes link"
else
	skip "driver, link: $(tail -n 1 link.log 2>/dev/null)"
fi
on_driver() { # ROUTE CASE
	echo "./driver$([ "$1" != link ] || echo _link)"
}
for route in $routes; do
	for case in basic async graph kinds mapped threads child leave; do
		alike "driver, $route, $case" "$(on_driver "$route")" "$route" "$case"
	done
done

# ---- What rules do ------------------------------------------------------------------

guarded TAFFRAIL_SET="memory.limit=300MiB;memory.on_misfit=refuse" ./driver dlsym limit
if [ "$(cat guarded.out)" = "4 pieces of 64 MiB, then 2" ] && [ "$(count '.ev == "refuse" and .rule == "memory.limit"')" -gt 0 ]; then
	ok "memory.limit: the fifth piece of 64 MiB is out of memory at 300 MiB"
else
	bad "memory.limit: $(cat guarded.out guarded.err)"
fi

bare ./driver dlsym retry
guarded TAFFRAIL_SET="memory.oom_retries=2" ./driver dlsym retry
if grep -q 'given back: 0' guarded.out && grep -q 'is taken: 2' guarded.out; then
	ok "memory.oom_retries: memory of a pool is taken again (without: $(sed -n 's/.*back: //p' bare.out))"
else
	bad "memory.oom_retries: $(tr '\n' ' ' <guarded.out)"
fi

for n in 1 7; do
	for case in graph threads; do
		guarded TAFFRAIL_SET="drain.every_submits=$n" ./driver getproc $case
		bare ./driver getproc $case
		if cmp -s bare.out guarded.out && [ "$(cat guarded.status)" = "exit 0" ]; then
			ok "drain.every_submits=$n, $case: no capture is broken"
		else
			bad "drain.every_submits=$n, $case: $(cat guarded.status) $(tail -n 1 guarded.out)"
		fi
	done
done

guarded ./driver dlsym leave
if [ "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')" -gt 0 ]; then
	ok "drain.at_exit: what was in flight is waited for"
else
	bad "drain.at_exit: $(crumbs | jq -c 'select(.ev == "drain")' | tail -n 1)"
fi

# The program's own sum, the driver's, and ours.
guarded ./driver dlsym account
says=$(sed -n 's/.*driver says \([0-9-]*\) MiB/\1/p' guarded.out)
held=$(crumbs | jq -s 'map(select(.ev == "note" and .class == "device")) | last | .bytes // 0')
peak=$(crumbs | jq -s 'map(select(.ev == "note" and .class == "device")) | last | .peak_bytes // 0')
if [ "${says:-0}" -ge 500 ] && [ "${says:-0}" -le 560 ] && [ "$peak" = $((512 << 20)) ] && [ "$held" = $((256 << 20)) ]; then
	ok "accounting: peak 512 MiB and 256 MiB held at the end; cuMemGetInfo says $says MiB"
else
	bad "accounting: cuMemGetInfo $says MiB, peak $peak, held $held"
fi

# ---- nvcc ---------------------------------------------------------------------------

nvcc=$(command -v nvcc)
for file in /usr/local/cuda*/bin/nvcc; do
	[ -x "$file" ] && nvcc=${nvcc:-$file}
done
if [ -n "$is_simulated" ]; then
	skip "runtime: a program of nvcc's needs a GPU"
elif [ -z "$nvcc" ]; then
	skip "runtime: no nvcc"
else
	for flags in "static -cudart static" "shared -cudart shared" "static_ptds -cudart static --default-stream per-thread" \
		"shared_ptds -cudart shared --default-stream per-thread"; do
		name=${flags%% *}
		# shellcheck disable=SC2086 # several flags
		if ! "$nvcc" -O2 -arch=native ${flags#* } -o "runtime_$name" "$here/runtime.cu" 2>nvcc.log; then
			skip "runtime, $name: nvcc: $(grep -m1 -i error nvcc.log || tail -n 1 nvcc.log)"
			continue
		fi
		toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
		for case in basic async graph child leave; do
			alike "runtime, $name, $case" LD_LIBRARY_PATH="$toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
				"./runtime_$name" $case
		done
	done
fi

# ---- PyTorch, CuPy --------------------------------------------------------------------

python=${PYTHON:-python3}
has_module() {
	[ -z "$is_simulated" ] && "$python" -c "import $1" 2>/dev/null
}
if has_module torch; then
	for case in numbers allocate graph threads processes fork short leave; do
		alike "PyTorch, $case" "$python" "$here/torch_check.py" $case
	done
	for pools in backend:cudaMallocAsync expandable_segments:True; do
		for case in allocate graph short; do
			alike "PyTorch, $pools, $case" PYTORCH_CUDA_ALLOC_CONF=$pools "$python" "$here/torch_check.py" $case
		done
	done
else
	skip "PyTorch: not installed for $python, or the GPU is simulated"
fi
if has_module cupy; then
	alike "CuPy" "$python" "$here/cupy_check.py"
else
	skip "CuPy: not installed for $python, or the GPU is simulated"
fi

# ---- Speed, in pairs --------------------------------------------------------------------

median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# Bare and guarded by turns; the goal is a ratio of the medians of at least 0.99.
pairs=${PAIRS:-7}
[ -n "$is_simulated" ] && pairs=2
speed() { # NAME COLUMN COMMAND...
	local name=$1 column=$2 a b ratio
	shift 2
	rm -f bare.rates guarded.rates
	for _ in $(seq "$pairs"); do
		bare "$@" && awk "{ print \$$column }" bare.out >>bare.rates
		guarded "$@" && awk "{ print \$$column }" guarded.out >>guarded.rates
	done
	if [ "$(grep -cE '^[0-9.]+$' bare.rates)" -lt "$pairs" ] || [ "$(grep -cE '^[0-9.]+$' guarded.rates)" -lt "$pairs" ]; then
		bad "$name: $(tail -n 1 bare.err) $(tail -n 1 guarded.err)"
		return
	fi
	a=$(median <bare.rates)
	b=$(median <guarded.rates)
	ratio=$(awk "BEGIN { printf \"%.3f\", $b / $a }")
	if [ -n "$is_simulated" ]; then
		ok "$name: measured nothing, for it is simulated"
	elif awk "BEGIN { exit !($ratio >= 0.99) }"; then
		ok "$name: $a bare, $b guarded a second, medians of $pairs pairs: ratio $ratio"
	else
		bad "$name: $a bare, $b guarded a second, medians of $pairs pairs: ratio $ratio, the goal is 0.99"
	fi
}
speed "launches by dlsym" 1 ./driver dlsym rate
speed "launches by cuGetProcAddress" 1 ./driver getproc rate
if has_module torch; then
	speed "PyTorch, matmuls" 1 "$python" "$here/torch_check.py" speed
	speed "PyTorch, tokens" 2 "$python" "$here/torch_check.py" speed
fi

say "$passed passed, $failed failed, $skipped skipped${is_simulated:+ (SIMULATED)}"
[ "$failed" -eq 0 ]
