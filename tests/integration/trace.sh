#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# trace.sh -- `trace`: where the time of a request goes, on fakes that take known times.
#
# Times are compared with what the fake slept as a lower bound, and with each other; never
# with an upper bound.
#
# time-limit: 240
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps guest_burst guest_whole guest_threads guest_fork
steps=$tests/guest_steps
burst=$tests/guest_burst
taffrail=$BUILD/taffrail

# A silence that ends a generation, and waits over it. Once more where the machine made one.
guest() { # SETTINGS COMMAND...
	local set="drain.idle_ms=700ms;$1"
	shift
	echo 'exit 98' >shim.status
	while grep -qx 'exit 98' shim.status; do
		with_shim GUEST_QUICK_MS="${quick:-500}" TAFFRAIL_SET="$set" "$@"
	done
}

# The ends of generations, one a line.
infers() {
	crumbs | jq -c 'select(.ev == "infer" and .ph == "end")'
}

# A jq condition on the list of these.
holds() { # CASE WHAT CONDITION
	check "$1" "$2" true "$(infers | jq -s "$3")"
}

whole='.trace | (.load_us + .prefill_us + .decode_us + .sync_us + .drain_us + .held_us) as $parts |
	$parts <= .wall_us and .wait_us + .host_us == .wall_us'
keys='decode_us drain_us first held_us host_us load_us prefill_us prompt_submits prompt_syncs submits sync_us syncs tokens wait_us wall_us'

# ---- llama: three traced of four, the first apart, and the program is the same ----

export FAKE_LOAD_MS=30 FAKE_DECODE_MS=4 FAKE_SYNC_MS=3
llama=("$steps" load=tiny.gguf infer=4 wait=1000 infer=3 wait=1000 infer=3 wait=1000 infer=2 free)
without_shim "${llama[@]}"
guest "trace=on" "${llama[@]}"
for part in status out err; do
	check llama "$part" "$(cat plain.$part)" "$(cat shim.$part)"
done
holds llama "which are traced" 'map(.trace != null) == [true, false, true, true]'
holds llama "the first is apart" 'map(.trace.first) == [1, null, 0, 0]'
check llama "the keys" "$keys" "$(infers | jq -rs '.[0].trace | keys | join(" ")')"
holds llama "each is whole" "map(select(.trace) | $whole) | all"
holds llama "tokens and submits" 'map(select(.trace).trace | [.tokens, .submits]) == [[4, 4], [3, 3], [2, 2]]'
holds llama "the load is the first one's" '.[0].trace.load_us >= 30000 and .[2].trace.load_us == 0'
holds llama "decodes, and the device behind each" '.[2].trace.decode_us >= 3 * 7000 and .[2].trace.wait_us >= 3 * 3000'
holds llama "the host's time" '.[2].trace.host_us >= 3 * 4000'
holds llama "no wait of a rule" 'map(.trace.held_us // 0 | . == 0) | all'

# ---- what is told of it ----

"$taffrail" report --state "$state" >text
for word in '^  trace      tiny, 3 of 4 generations traced$' '^ *ms/request  *ms/token  *share$' '^ *decode  .*%$' '^ *the program  .*%$' \
	'^ *wall  .* 100\.0%$' '^ *host .*waiting for the device .*; 1\.0 submits and 0\.0 synchronizes a token$' \
	'^ *first .* ms, apart: load .*, decode ' '^ *untraced .* ms a token, median of 1; traced .*%)$'; do
	check report "it says '$word'" 1 "$(grep -c -- "$word" text)"
done
check report "part by part" "tiny llama 4 1 4 2 5 token 2 1 session" "$("$taffrail" report --state "$state" --json | jq -r '.sessions[0].trace[0] |
	[.model, .engine, .generations, .first.generations, .first.tokens, .rest.generations, .rest.tokens, .per,
	.traced.generations, .untraced.generations, .untraced.from] | join(" ")')"
check report "its sums" true "$("$taffrail" report --state "$state" --json | jq --argjson sum "$(infers | jq -s '[.[2:][].trace.decode_us] | add')" \
	'.sessions[0].trace[0] | .rest.decode_us == $sum and .first.load_us >= 30000 and .traced.median_ns > 4000000 and .untraced.median_ns > 0')"
check log "parts in a line" 3 "$("$taffrail" log --state "$state" | grep -c 'infer end .* tokens.*, decode .*, waiting ')"
check log "of a first one" 1 "$("$taffrail" log --state "$state" | grep -c 'infer end .*, load .*, decode .*, waiting ')"

guest "trace=off" "${llama[@]}"
"$taffrail" report --state "$state" >text
check off "a table" 0 "$(grep -c '^  trace' text)"
# One generation of another session, which is the first on its model: what it compares with is older.
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="trace=on" "$steps" load=tiny.gguf infer=2 free
check earlier "where the untraced ones are" "1 null 3 earlier" "$("$taffrail" report --state "$state" --last --json | jq -r '.sessions[0].trace[0] |
	[.first.generations, .rest // "null", .untraced.generations, .untraced.from] | join(" ")')"
"$taffrail" report --state "$state" --last >text
check earlier "in words" 1 "$(grep -c '^ *untraced .* ms a token, median of 3 in earlier sessions$' text)"

guest "trace=off" "${llama[@]}"
holds off "no figures" 'length == 4 and map(.trace == null) == [true, true, true, true]'
guest "" "${llama[@]}"
holds unset "no figures" 'length == 4 and map(.trace == null) == [true, true, true, true]'

# A prompt of one sequence, then tokens: one of each of three sequences at once.
guest "trace=on" "$steps" load=tiny.gguf prompt=9 sync lanes=3 sync infer=1 sync sync
holds prompt "prompt and tokens" '.[0].trace | .prompt_submits == 1 and .prompt_syncs == 1 and .submits == 2 and .syncs == 3 and .tokens == 4'
holds prompt "their times" '.[0].trace | .prefill_us >= 7000 and .decode_us >= 2 * 7000 and .sync_us >= 4 * 3000'
holds prompt "all waits" '.[0].trace | .wait_us >= 7 * 3000'
holds prompt "it is whole" "map($whole) | all"
check prompt "none to compare with" 1 "$("$taffrail" report --state "$state" | grep -c 'untraced  *none to compare with yet$')"
holds prompt "tokens of the record as ever" '.[0].tokens == 13 and .[0].submits == 3'


# Observe adds no wait of its own.
guest "trace=on;mode=observe" "${llama[@]}"
holds observe "nothing is waited for" 'map(select(.trace).trace.wait_us) == [0, 0, 0]'
holds observe "the decodes all the same" '.[2].trace.decode_us >= 3 * 4000'

# An engine that waits for the device several times a token, which takes most of the time
# unless the machine is very busy with something else.
FAKE_DECODE_MS=0 FAKE_SYNC_MS=60 guest "trace=on" "$steps" load=tiny.gguf infer=1 wait=1000 infer=1 wait=1000 infer=1 sync infer=1 sync sync free
check sync-bound "it is named" "$("$taffrail" report --state "$state" --json | jq '.sessions[0].trace[0].rest |
	if .syncs >= .tokens and .wait_us * 2 >= .wall_us then 1 else 0 end')" "$("$taffrail" report --state "$state" | grep -c '^ *sync-bound: llama waits 1\.5 times for a token, ')"

# ---- drains and waits ----

guest "trace=on;drain.every_submits=2;drain.post_sync=on" "${llama[@]}"
holds drains "inside of the generation" '.[0].trace.drain_us >= 2 * 3000'
holds drains "what the one before owed" '.[2].trace.drain_us >= 2 * 3000 and .[3].trace.drain_us >= 2 * 3000'
holds drains "each is whole" "map(select(.trace) | $whole) | all"
drains() {
	crumbs | jq -r 'select(.ev == "drain" and .ph == "begin") | "\(.rule) \(.msg)"'
}
drains >traced.drains
guest "drain.every_submits=2;drain.post_sync=on" "${llama[@]}"
check drains "the same as untraced" "$(drains)" "$(cat traced.drains)"

quick=60000 guest "trace=on;cadence.same_model=3s;cadence.on_violation=wait" \
	"$steps" load=tiny.gguf infer=1 free load=tiny.gguf infer=2 free
holds held "the load had to wait" '.[1].trace.held_us > 0 and .[1].trace.load_us >= 30000 and .[1].trace.first == 1'
holds held "each is whole" "map(select(.trace) | $whole) | all"
holds held "by the crumb of the wait" ".[1].trace.held_us >= $(crumbs | jq -s 'map(select(.ev == "hold" and .ph == "end").ms)[0] * 900 | floor')"

# ---- a GPU runtime alone: its own waits, and no others ----

unset FAKE_DECODE_MS FAKE_SYNC_MS FAKE_LOAD_MS
guest "trace=on" "$burst" launch=5 wait launch=5 wait sync pause=1000 launch=2 sync pause=1000 launch=3 sync
holds burst "which are traced" 'map(.trace != null) == [true, false, true]'
holds burst "submits and synchronizes" '.[0].trace | .submits == 10 and .syncs == 3 and .tokens == 0'
holds burst "each is whole" "map(select(.trace) | $whole) | all"
holds burst "every wait is a sync" 'map(select(.trace).trace | .wait_us <= .sync_us + 1) | all'
check burst "calls of the runtime that are ours" "$(guest "" FAKE_LOG="$work/off.log" "$burst" launch=5 wait launch=2 sync && cat off.log)" \
	"$(guest "trace=on" FAKE_LOG="$work/on.log" "$burst" launch=5 wait launch=2 sync && cat on.log)"

guest "trace=on" "$burst" launch=4 beside=3 launch=1 wait sync
holds beside "threads of one burst" '.[0].trace | .submits == 8 and .syncs == 2'
holds beside "it is whole" "map($whole) | all"

# ---- an engine that computes a whole answer in one call: submits, no tokens ----

printf 'lmgg\7\0\0\0\20\0\0\0\10\0\0\0\1\0\0\0\2\0\0\0\20\0\0\0\10\0\0\0\1\0\0\0\3\0\0\0\120\0\0\0\1\0\0\0' >ggml-tiny.bin
head -c 4048 /dev/zero >>ggml-tiny.bin
guest "trace=on" "$tests/guest_whole" whisper=ggml-tiny.bin full full full free
holds whole "which are traced" 'map(.trace != null) == [true, false, true]'
holds whole "all is one computation" 'map(select(.trace).trace | .submits == 1 and .tokens == 0 and .prompt_submits == 0) | all'
holds whole "each is whole" "map(select(.trace) | $whole) | all"
check whole "the unit" "whisper submit 1 1" "$("$taffrail" report --state "$state" --json | jq -r '.sessions[0].trace[0] |
	[.engine, .per, .traced.generations, .untraced.generations] | join(" ")')"

# ---- what leaves a computation by a jump, on several threads, in children ----

for way in load fiber joined_at_exit; do
	same "$way" TAFFRAIL_SET="trace=on" timeout -s KILL 100 "$tests/guest_threads" $way
done
for way in jump jump_on_thread; do
	same $way FAKE_FN_FIRST=1 TAFFRAIL_SET="trace=on;drain.deadline=200ms" timeout -s KILL 100 "$tests/guest_threads" $way
done
for way in unwiped_decode while_loading; do
	same "$way" TAFFRAIL_SET="trace=on" timeout -s KILL 100 "$tests/guest_fork" $way
done
tally 77
