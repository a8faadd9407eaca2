# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# lib_panic.sh -- runs a racy program on a simulated GPU and counts the panics. Sourced.
#
# A simulation (machine.h): what panics is a process that plays the kernel.  The five
# programs are normal, badly written CUDA programs and know nothing of taffrail:
#
#   exit   returns from main while its last token is being computed
#   swap   frees a model while its last token is being computed, and loads the next
#   two    two processes, each frees a cache that the device may still use
#   clear  one thread trims the memory pool while another one generates
#   term   SIGTERM in the middle of a generation
BUILD=${BUILD:?the build folder}
SRC=${SRC:?the source folder}
sim=$BUILD/tests/simgpu
read -ra racy <<<"${RACY:-exit swap two clear term}"
export SIMGPU_LATENCY_US=${SIMGPU_LATENCY_US:-500}

# A new machine in the current folder, with the bug or without.
machine() { # underflow|none
	rm -rf machine
	mkdir machine
	export SIMGPU_DIR=$PWD/machine
	SIMGPU_BUG=$1 SIMGPU_IDLE_S=30 "$sim/simgpu-kernel" machine >/dev/null || exit 1
}

panics() {
	"$sim/simgpu-kernel" --await machine
}

# Sets the array command: bare, by the built-in policy, with examples/guarded.json.
command_of() { # WORKLOAD bare|builtin|guarded
	command=("$sim/racy_$1")
	case $2 in
	builtin) command=("$BUILD/taffrail" run -- "${command[@]}") ;;
	guarded) command=("$BUILD/taffrail" run --policy "$SRC/examples/guarded.json" -- "${command[@]}") ;;
	esac
}

# One run; each has a state of its own, or what one did would hold the next one back.
run_racy() { # WORKLOAD HOW
	local command pid
	command_of "$1" "$2"
	rm -rf state run
	mkdir -m 700 run
	: >racy.out
	TAFFRAIL_STATE=$PWD/state XDG_RUNTIME_DIR=$PWD/run XDG_CONFIG_HOME=$PWD/none HOME=$PWD \
		"${command[@]}" </dev/null >racy.out 2>racy.err &
	pid=$!
	if [ "$1" = term ]; then
		until grep -q generating racy.out || ! kill -0 "$pid" 2>/dev/null; do
			sleep 0.002
		done
		kill -TERM "$pid" 2>/dev/null
	fi
	{ wait "$pid"; } 2>/dev/null
	return 0
}

# Of so many runs on one new machine, how many brought it down, once or more often.
runs_that_panic() { # RUNS WORKLOAD HOW
	local before=0 now bad=0
	machine underflow
	for ((n = 0; n < $1; n++)); do
		run_racy "$2" "$3"
		now=$(panics)
		bad=$((bad + (now > before)))
		before=$now
	done
	echo "$bad"
}
