#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cuda_sim.sh -- the release CUDA backend of llama.cpp on a simulated GPU, guarded.
#
# A simulation (tests/simgpu/machine.h): libcuda, libcudart and cublas are ours and
# compute nothing, so tokens mean nothing; libggml-cuda.so, libllama and node are the
# unmodified ones.  Load, capture, graph launches, waits and frees must go as without
# taffrail, with a trail of all of them, on a machine that goes down when memory is
# freed under work in flight.  A synchronize during a capture ends the process.
#
# time-limit: 300
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
"${SRC:?}/tests/engines/llama/fetch.sh" cuda >/dev/null || exit $?
. "${SRC:?}/tests/engines/llama/lib.sh"

sim=$tests/simgpu
mkdir machine
export SIMGPU_DIR=$work/machine SIMGPU_LOG=$work/sim.log SIMGPU_LATENCY_US=20
export LD_LIBRARY_PATH=$sim
"$sim/simgpu-kernel" machine >/dev/null || exit 1

served=("${serve[@]}" --gpu cuda tiny.gguf)

done_there() { # PATTERN
	grep -c -- "$1" calls
}

# What the simulated driver was asked for; the log of one run.
take_calls() {
	mv sim.log calls
}

check_calls() { # CASE
	check "$1" "context, graph, its launches" "yes yes yes" "$(for what in '^context of' '^cuGraphInstantiate' '^cuGraphLaunch'; do
		[ "$(done_there "$what")" -gt 0 ] && echo yes
	done | xargs)"
	check "$1" "captures that were ended well" "$(done_there '^cuStreamBeginCapture_v2 mode 2 0$')" "$(done_there '^cuStreamEndCapture 0$')"
	check "$1" "synchronizes during a capture" 0 "$(done_there 'during an open capture')"
	check "$1" "panics of the machine" 0 "$("$sim/simgpu-kernel" --await machine)"
}

plain "${served[@]}"
check plain "the program works" "exit 0" "$(cat plain.status)"
take_calls
check_calls plain
captures=$(done_there '^cuStreamBeginCapture')
launches=$(done_there '^cuLaunchKernel')
waits=$(done_there '^cuStream\(Synchronize\|Query 0\)')

guarded -- "${served[@]}"
check_same guarded
check_whole guarded
take_calls
check_calls guarded
check guarded "captures" "$captures" "$(done_there '^cuStreamBeginCapture')"
check guarded "launches" "$launches" "$(done_there '^cuLaunchKernel')"
# A pause of the program ends a generation, and so does one of the machine: a row of them is one
# here, and what they add up to is compared below. What a second thread of node asks of the GPU
# while the first one loads is drained or not, as the two meet: it is no part of the engine's story.
story() {
	records | jq -rs 'map(select((.engine == "llama" or .ev == "exit") and .ev != "note" and .ph != "mark") | "\(.ev) \(.ph) \(.rule // "")\n") | add |
		gsub("(?<one>infer begin \ninfer end \ndrain begin drain.post_sync\ndrain end drain.post_sync\n)+"; .one)' | sed 's/ *$//'
}
check guarded "the story" "load begin
load end
infer begin
infer end
drain begin drain.post_sync
drain end drain.post_sync
drain begin drain.before_unload
drain end drain.before_unload
unload begin
unload end
unload begin
unload end
exit begin
exit end" "$(story)"
generations=$(number_of '.ev == "infer" and .ph == "end"')
check guarded "two generations at least" true "$([ "$generations" -ge 2 ] && echo true)"
check guarded "each decode in one of them" 16 "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end").submits) | add')"
check guarded "the report" "clean loads 1 infers $generations open 0" \
	"$(report '.[0] | "\(.verdict) loads \(.loads) infers \(.infers) open \(.open | length)"')"
check guarded "what is left on the device, and the most there was" "0 0 true" \
	"$(report '.[0].devices[] | select(.engine == "cuda" and .device == 0) | "\(.live) \(.pieces) \(.peak > 1000000)"')"

# A drain after every decode: 16 of them, none during a capture.
guarded --set drain.every_submits=1 --set drain.post_sync=on -- "${served[@]}"
check_same every_submits
check_whole every_submits
take_calls
check_calls every_submits
check every_submits "drains" 16 "$(number_of '.rule == "drain.every_submits" and .ph == "end" and .rc == 0')"
check every_submits "they reached the device" true "$([ "$(done_there '^cuStream\(Synchronize\|Query 0\)')" -gt "$waits" ] && echo true)"

# An allocation that fails, a launch that fails: the program's own words and its own end.
for fault in SIMGPU_OOM_AT=1 SIMGPU_ERROR_AT=9:700; do
	code=2
	[ "${fault##*:}" = 700 ] && code=700
	export "${fault?}"
	plain "${served[@]}"
	guarded -- "${served[@]}"
	unset "${fault%%=*}"
	check "$fault" "how it ended" "$(cat plain.status)" "$(cat guarded.status)"
	check "$fault" "its output" "$(cat plain.out)" "$(cat guarded.out)"
	has "$fault" "the error" ".rc == $code and (.ev == \"error\" or .ev == \"note\")"
done
tally 38
