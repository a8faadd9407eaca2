#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report_gpu.sh -- what `report` says of programs that are seen at the GPU runtime alone:
# what is done and what was only handed over, how long it took, what failed how often.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
bin=${TAFFRAIL:-$BUILD/taffrail}
sim=$tests/simgpu
export TAFFRAIL_STATE=$state

machine() { # SETTING...
	rm -rf machine
	mkdir machine
	env SIMGPU_BUG=none "$@" "$sim/simgpu-kernel" machine >/dev/null || exit 1
	export SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=20
}

told() { # ARGUMENT...: of run, then the guest's after --
	fresh
	raw run timeout 20 "$bin" run "$@"
	"$bin" report --last >report.txt
	"$bin" report --last --json >report.json
}

says() { # CASE WHAT TEXT
	if grep -qF -- "$3" report.txt; then
		pass
	else
		fail "$1: $2: \"$3\""
		sed 's/^/  /' report.txt
	fi
}

says_not() { # CASE WHAT TEXT
	if grep -qF -- "$3" report.txt; then
		fail "$1: $2: \"$3\""
		sed 's/^/  /' report.txt
	else
		pass
	fi
}

json() { # FILTER: of the only session
	jq -r ".sessions[0] | $1" report.json
}

guest=$sim/guest_told
machine

# What is in flight is not done.
export SIMGPU_LATENCY_US=20000
told -- "$guest" kill 10
says kill "in flight" "10 submits handed over, none of them waited for"
says_not kill "nothing is known to be done" "submits done"
told -- "$guest" waited 3 2
says waited "in flight" "5 submits handed over, 2 of them since the last wait"

# A generation lasts until the program's own wait for it is over.
told -- "$guest" bursts 5
says bursts "time" "1 generation, 3"
check bursts "the wait belongs to it" true "$(json '.infer_ms >= 300')"
says bursts "says so" "in all with the waits for them"
has bursts "the wait in the record" '.ev == "infer" and .ph == "end" and .waited_ms >= 80'
tally 7
