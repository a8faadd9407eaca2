#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report_gpu.sh -- what `report` says of programs that are seen at the GPU runtime alone:
# what is done and what was only handed over, how long it took, what failed how often.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
bin=${TAFFRAIL:-$BUILD/taffrail}
sim=$tests/simgpu
export TAFFRAIL_STATE=$state
# No pause of a busy machine ends a generation.
export TAFFRAIL_SET=drain.idle_ms=10m

machine() { # SETTING...
	rm -rf machine
	mkdir machine
	env SIMGPU_BUG=none "$@" "$sim/simgpu-kernel" machine >/dev/null || exit 1
	export SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=20
}

told() { # ARGUMENT...: of run, then the guest's after --
	fresh
	raw run timeout 100 "$bin" run "$@"
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

# A machine that stalls makes of the last submits a program that was idle when it was killed.
says_one() { # CASE WHAT TEXT OTHER-TEXT
	if grep -qF -- "$4" report.txt; then
		pass
	else
		says "$1" "$2" "$3"
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
says_one kill "in flight" "10 submits handed over, none of them waited for" "; 10 submits were not waited for"
says_not kill "nothing is known to be done" "submits done"
told -- "$guest" waited 3 2
says_one waited "in flight" "5 submits handed over, 2 of them since the last wait" "; 2 submits were not waited for"

# A generation lasts until the program's own wait for it is over.
told -- "$guest" bursts 5
check bursts "the wait belongs to it" true "$(json '.infer_ms >= 300')"
says bursts "says so" "in all with the waits for them"
has bursts "the wait in the record" '.ev == "infer" and .ph == "end" and .waited_ms >= 80'

# What the device is called, and how large it is: told when it is used first, shown for each.
told -- "$guest" launch 2
says device "of a program without memory of it" "device     cuda 0 (simgpu (a simulation, nothing is computed), "
told -- "$guest" taken 1 8
says device "with what was held" "nothing is computed), 8.0 GiB): 8.0 MiB held in 1 piece"
check device json "simgpu (a simulation, nothing is computed) $((8 << 30)) $((8 << 20))" "$(json '.devices[0] | "\(.name) \(.total) \(.live)"')"
check device "once" 1 "$(count '.class == "device_name"')"
# Before the program uses it nobody asks.
export SIMGPU_LOG=$work/calls.log
: >calls.log
raw none timeout 100 "$bin" run -- "$guest" take 0 8
check device "nothing was asked" 0 "$(grep -c cuDeviceGetName calls.log)"
raw none timeout 100 "$bin" run -- "$guest" taken 3 8
check device "asked after the first piece" "cuMemAlloc_v2 cuDeviceGetName cuMemAlloc_v2 cuMemAlloc_v2" \
	"$(grep -oE 'cuDeviceGetName|cuMemAlloc_v2' calls.log | xargs)"
unset SIMGPU_LOG

# A burst whose submits all failed is none. What a GPU runtime is handed has no words of engines.
told -- "$guest" forked 2
check forked "in the child" "2 launches failed in the child" "$(tail -n 1 run.out)"
says forked "its parent" "ended with status 0 after 1 burst of work"
says forked "the child" "nonzero    ended with status 2"
says forked "the child" "work       1 burst of which nothing ran: the submits failed, or were only captured"
says_not forked "of engines" "generation"
check forked json "0 1 1 0" "$("$bin" report --last --json | jq -r '.sessions | sort_by(.infers) | map("\(.infers) \(.infers_without_submit)") | join(" ")')"
has forked "the record" '.ev == "infer" and .ph == "end" and .submits == 0 and (.msg | startswith("nothing ran"))'

# Memory that the runtime has not got: how often, how much was asked for, what was free.
machine SIMGPU_MEMORY=$((64 << 20))
told -- "$guest" take 4 100
says oom "how often, how much" "faults     out_of_memory 4; the last by"
says oom "how much" "100.0 MiB asked for, 64.0 MiB of 64.0 MiB free"
says oom "the verdict" "ended with status 3; the last error was: CUDA_ERROR_OUT_OF_MEMORY"
check oom json "out_of_memory 4 104857600 67108864" "$(json '.faults[0] | "\(.class) \(.count) \(.bytes) \(.total)"')"
told -- "$guest" taken 4 100
check "oom, killed" json "out_of_memory 4" "$(json '.faults[0] | "\(.class) \(.count)"')"

# One record a second is written, every refusal and every failure is counted.
for how in take taken; do
	told --set memory.limit=20MiB --set memory.on_misfit=refuse -- "$guest" $how 9 8
	says "limit, $how" "how often" "refuse     7, by rule memory.limit"
	check "limit, $how" json "memory.limit 7" "$(json '.refused[0] | "\(.rule) \(.count)"')"
done
told --set memory.limit=20MiB --set memory.on_misfit=refuse -- "$guest" take 9 8
check limit "what run says" 1 "$(grep -c 'was refused 7 times by the policy: memory.limit' run.err)"
told --set memory.limit=0MiB --set memory.on_misfit=refuse -- "$guest" take 3 8
says "limit of 0" "it is one" "refuse     3, by rule memory.limit"
has limit "what was asked for" '.ev == "refuse" and .bytes == 8388608 and .free != null'
told --set memory.limit=20MiB -- "$guest" take 6 8
says "limit, warned" "how often" "warned     4, the last: memory.limit"
for how in launch launched; do
	export SIMGPU_LOST_AT=1:719
	told -- "$guest" $how 9
	unset SIMGPU_LOST_AT
	says "lost, $how" "how often" "error      10, the last: CUDA_ERROR_LAUNCH_FAILED"
	says "lost, $how" "whole" "of queue 0x000000000000"
	check "lost, $how" json "launch_failed 10 719" "$(json '.errors[0] | "\(.class) \(.count) \(.rc)"')"
	check "lost, $how" "the whole text" "0x000000000000" "$(json .error | grep -o '0x.*' | cut -c1-14)"
done

# What the runtime has said of the device says what to do, more than how it ended.
export SIMGPU_LOST_AT=1:700
told -- "$guest" launched 2
says "illegal address, killed" verdict "; the last error was: CUDA_ERROR_ILLEGAL_ADDRESS"
says "illegal address, killed" next "compute-sanitizer"
says_not "illegal address, killed" "a guess" "was it out of memory"
told -- "$guest" launch 2
says "illegal address, caught" verdict "; the last error was: CUDA_ERROR_ILL"
says "illegal address, caught" next "compute-sanitizer"

# An error that a program has lived with is no crash.
fresh
for i in 1 2 3 4; do
	raw run "$bin" run --set cooldown.mode=on --set cooldown.on_hold=refuse -- "$guest" launch 2
	check "caught errors, run $i" status "exit 0" "$(cat run.status)"
done
fresh
for i in 1 2 3; do
	raw run "$bin" run --set cooldown.mode=on --set cooldown.on_hold=refuse -- "$guest" launched 2
done
raw run "$bin" run --set cooldown.mode=on --set cooldown.on_hold=refuse -- "$guest" launch 2
check "real crashes" status "exit 75" "$(cat run.status)"
check "real crashes" "in words" 1 "$(grep -c 'aborts.threshold: aborts: 3 crashes within aborts.window' run.err)"
"$bin" report --last >report.txt
"$bin" report --last --json >report.json
says "refused start" "that it is another run" "guest_told at 20"
says "refused start" why ", was refused: aborts.threshold: "
check "refused start" json aborts.threshold "$(jq -r .refused_start.rule report.json)"
has "refused start" "what log shows" '.ev == "refuse" and .call == "run" and .rule == "aborts.threshold"'
unset SIMGPU_LOST_AT

# What the watch has seen and done stands in the report of the process.
export SIMGPU_HANG_AT=1
told --set watch.action=terminate --set watch.orphan_after=1s -- "$guest" wait
unset SIMGPU_HANG_AT
says watch verdict "ended by SIGTERM by the watch (watch.orphan_after)"
says watch "what it saw" "without progress (watch.orphan_after 1.0s)"
says watch "what it did" "was sent SIGTERM"

# A drain that was given up says what to do about it, and is told apart from the last one.
export SIMGPU_HANG_AT=1
told --set drain.deadline=50ms -- "$sim/guest_stuck"
unset SIMGPU_HANG_AT
says missed verdict "; not drained: the device had not come back"
says missed row "2 missed"
says missed next "work takes longer than drain.deadline"
says_not missed "the opposite" ", drained"

# An exec that succeeded is no call that never came back.
told -- "$guest" become
says become verdict "became another program"
says_not become "an open call" "  open "
"$bin" orphans >report.txt
says_not become "an orphan" "execv"

# Without a ring there is only what threads have written.
told -- "$guest" threads 3
says threads "where from" "last wrote"
says_not threads "what nobody knows" "last did"
says threads "from when" "ms before the end"

# Ctrl-C with nothing under way is no news.
told --set drain.idle_ms=100ms -- "$guest" int
check "Ctrl-C" "what run says" "" "$(cat run.err)"
tally 68
