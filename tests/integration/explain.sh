#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# explain.sh -- `taffrail explain`: what would happen to a model, without a program.
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
taffrail=$BUILD/taffrail
export TAFFRAIL_STATE=$state

# explain OPTION...: its JSON in x.json, its exit status in $status.
explain() {
	"$taffrail" explain --json "$@" >x.json 2>x.err
	status=$?
}

is() { # CASE STATUS JQ WANTED
	check "$1" "exit status" "$2" "$status"
	check "$1" "$3" "$4" "$(jq -r "$3" x.json)"
}

wrong() { # CASE STATUS PATTERN OPTION...
	local case=$1 wanted=$2 pattern=$3
	shift 3
	"$taffrail" explain "$@" >x.out 2>x.err
	check "$case" "exit status" "$wanted" $?
	check "$case" "one line" 1 "$(wc -l <x.err)"
	grep -q "$pattern" x.err || fail "$case: $(cat x.err)"
}

# 3.0 GiB by its header, and no data.
"$BUILD/tests/mkgguf" --hollow --layers 4 --embd 4096 --ff 12288 --ctx 8192 big.gguf >/dev/null || exit 1
"$BUILD/tests/mkgguf" tiny.gguf >/dev/null || exit 1
weights=$(($(stat -c %s big.gguf) / 4096 * 4096))

explain --model tiny.gguf
is "a file" 0 .verdict allow
is "a file" 0 .model.id tiny
is "a file" 0 .size.basis "file headers"
is "a file" 0 '[.rules[].rule] | contains(["boundary", "fit", "headroom"])' true
[ -e "$state" ] && fail "explain made the state directory"

explain --model mlx-community/gemma-4-31b-it-8bit
is "known" 0 '.rules[] | select(.rule == "known").answers[0] | "\(.setting) \(.action)"' "models.on_panic warn"
explain --set models.on_panic=refuse --model gemma-4-31b-it-8bit
is "known, refused" 1 '"\(.step) \(.setting)"' "load models.on_panic"

limit=(--set memory.limit=2GiB --set memory.on_misfit=refuse)
explain "${limit[@]}" --model big.gguf
is "over the limit" 1 .verdict refuse
is "over the limit" 1 '"\(.step) \(.setting)"' "load memory.limit"
is "over the limit" 1 '.rules[] | select(.rule == "fit").answers[0] | "\(.unit) \(.have)"' "bytes 2147483648"
is "over the limit" 1 ".rules[] | select(.rule == \"fit\").answers[0].need > $weights" true
is "over the limit" 1 .passes_in_ms null
explain --set memory.limit=2GiB --model big.gguf
is "only a warning" 0 .verdict warn
explain "${limit[@]}" --set mode=observe --model big.gguf
is "observed only" 0 .mode observe
is "observed only" 0 .verdict refuse
explain "${limit[@]}" --model tiny.gguf
is "under the limit" 0 .verdict allow

# The cache: 4 layers of 32 heads of 64, keys and values.
explain --model big.gguf --ctx 4096
is "cache" 0 .size.cache_f16 $((4 * 2 * 32 * 64 * 4096 * 2))
is "cache" 0 .size.cache_q8_0 $((4 * 2 * 32 * 64 * 4096 * 34 / 32))
is "largest tensor" 0 .size.largest_tensor $((4096 * 12288 * 4))
explain --model big.gguf -- llama-server -c 2048 -ctk q8_0 -ctv q8_0
is "a command's context" 0 '"\(.size.context) \(.size.cache)"' "2048 $((4 * 2 * 32 * 64 * 2048 * 34 / 32))"
LLAMA_ARG_CTX_SIZE=1024 explain --model big.gguf
is "the environment's context" 0 .size.context 1024

# The largest context that fits is let in, one token more is not.
room=(--set memory.limit=5GiB --set memory.on_misfit=refuse --model big.gguf)
explain "${room[@]}" --ctx 4096
most=$(jq .size.largest_context_f16 x.json)
explain "${room[@]}" --ctx "$most"
is "the largest context" 0 .verdict allow
explain "${room[@]}" --ctx $((most + 1))
is "one token more" 1 .verdict refuse
check "another type" "holds more" true "$(jq '.size.largest_context_q8_0 > .size.largest_context_f16' x.json)"
check "prefill" "a step" true "$(jq '.size.prefill_step_estimate >= 32' x.json)"

explain --set memory.max_single_alloc=64MiB --set memory.on_misfit=refuse --model big.gguf
is "a single allocation" 1 '"\(.step) \(.setting)"' "alloc memory.max_single_alloc"

# A name alone.
explain --model org/Llama-7B-4bit
is "a name" 0 '"\(.model.id) \(.size.basis) \(.size.weights)"' "org/llama-7b-4bit name 3500000000"
is "a name" 0 .size.cache null
explain --set memory.limit=1MiB --set memory.on_misfit=refuse --model org/nothing-known
is "an unknown size" 0 '"\(.verdict) \(.size.is_unknown)"' "allow true"

# The text says the same, and why.
"$taffrail" explain "${limit[@]}" --model big.gguf >x.out
check text "exit status" 1 $?
for line in 'verdict *refuse: memory.limit, at load' 'refuse *memory.limit, at load: needs .*, has 2.0 GiB' 'weights  *3.0 GiB by file headers'; do
	grep -q "$line" x.out || fail "text: no line $line"
done
"$taffrail" explain --model org/nothing-known | grep -q 'nobody knows how large it is' || fail "text: unknown size"

# What happened before: a load by a program a moment ago, and when it passes.
cadence=(--set cadence.on_violation=refuse --set cadence.same_model=1h --model /models/alpha.gguf)
TAFFRAIL_SET="" LD_PRELOAD=$shim "$tests/guest_steps" load=/models/alpha.gguf infer=1 >/dev/null
explain "${cadence[@]}"
is "a load a moment ago" 1 '"\(.verdict) \(.step) \(.setting)"' "refuse load cadence.same_model"
is "a load a moment ago" 1 '.passes_in_ms > 3000000 and .passes_in_ms <= 3600000' true
explain "${cadence[@]}" --at +30m
is "half an hour later" 1 '.passes_in_ms > 1200000 and .passes_in_ms <= 1800000' true
explain "${cadence[@]}" --at +61m
is "an hour later" 0 .verdict allow
"$taffrail" explain "${cadence[@]}" | grep -Eq 'refuse  cadence.same_model, at load: .* of 1h 00m, alpha, passes in (59m|1h 00m)' ||
	fail "a load a moment ago: the text"

# What is left is the same in each line that says it, and never less than it is.
"$taffrail" explain "${cadence[@]}" >x.out
check "a load a moment ago" "what is left" 1 "$(grep -o 'passes in .*' x.out | sort -u | wc -l)"
"$taffrail" hold --for 2h >hold.out
check "a hold" "what is left" 'in 2h 00m' "$(grep -o 'in 2h.*' hold.out)"
"$taffrail" explain --set cooldown.on_hold=refuse --model x >x.out
check "a hold" "what is left, in the verdict and in the rule" "passes in 2h 00m" "$(grep -o 'passes in [0-9]*h.*' x.out | sort -u)"
"$taffrail" hold --clear >/dev/null

# One line about a policy that cannot be used, whatever it is.
echo '{"mode": ' >broken.json
wrong "a policy that is cut" 78 'broken.json:2:1: ' --policy broken.json --model tiny.gguf
wrong "a policy that is not there" 78 'nosuch.json: there is no such file' --policy nosuch.json --model tiny.gguf
echo '{"mode": "on"}' >broken.json
wrong "a mistake in a policy" 0 'broken.json:1:10: mode: ' --policy broken.json --model org/nothing-known
for verb in "run --policy nosuch.json -- true" "run --policy broken.json -- true"; do
	# shellcheck disable=SC2086 # words
	"$taffrail" $verb 2>x.err
	check "$verb" "lines about the policy" 1 "$(grep -c -e 'nosuch.json: there is' -e 'broken.json:1:10' x.err)"
	check "$verb" "and about what is in force" "$(grep -c nosuch <<<"$verb")" "$(grep -c 'in force instead' x.err)"
	check "$verb" "nothing else" 0 "$(grep -vc -e 'nosuch.json: there is' -e 'broken.json:1:10' -e 'in force instead' x.err)"
done

# Another run has the GPU.
if [ ! -d /run/taffrail ]; then
	hold=(--set lock.on_conflict=wait)
	cat >holder.sh <<-'SH'
		#!/bin/sh
		: >up
		while [ ! -e go ]; do sleep 0.02; done
	SH
	chmod +x holder.sh
	"$taffrail" run "${hold[@]}" --label web -- ./holder.sh &
	until [ -e up ]; do sleep 0.02; done
	explain "${hold[@]}" --model tiny.gguf
	is lock 1 '"\(.verdict) \(.setting)"' "wait lock.on_conflict"
	is lock 1 '.rules[] | select(.rule == "lock").answers[0].about | contains("web")' true
	: >go
	wait
	explain "${hold[@]}" --model tiny.gguf
	is "a free lock" 0 '.rules[] | select(.rule == "lock").action' allow
fi

explain --at +2h --model tiny.gguf
ahead=$(jq -r .at x.json)
explain --at "$ahead" --model tiny.gguf
is "another time" 0 '.at[0:19]' "${ahead:0:19}"
wrong "a time that is over" 64 "is over" --model a --at 2020-01-01T10:00:00Z

# Damage is told and left where it is: who writes keeps it aside.
cp "$state/state" kept
echo 'not a line of ours' >>"$state/state"
cp "$state/state" damaged
rm -f "$state/state.lock"
before=$(ls "$state")
explain --model tiny.gguf
is "a damaged state" 0 '.trouble | contains("damaged")' true
check "a damaged state" "nothing is made" "$before" "$(ls "$state")"
cmp -s damaged "$state/state" && pass || fail "explain changed the state"
cp kept "$state/state"

wrong "no model" 64 "which model" --json
wrong "two models" 64 "one model at a time" a b
wrong "an option" 64 "there is no option" --models a
wrong "no number" 64 "ctx wants a number" --model a --ctx many
wrong "a context of nothing" 64 "ctx wants a number" --model a --ctx 0
wrong "no time" 64 "at wants" --model a --at yesterday
wrong "no value" 64 "wants a value" --model a --at=
wrong "no command" 64 "a command belongs" --model a --
explain --model a --policy "$work/missing.json"
check "no policy" "exit status" 78 "$status"
grep -q "missing.json" x.err && pass || fail "no policy: $(cat x.err)"
echo 'GGUFbroken' >broken.txt
explain --model ./broken.txt
is "an unreadable header" 0 '"\(.size.basis) \(.size.weights) \(.model.flaw != null)"' "file sizes 11 true"

# What is cut is nobody's model.
head -c 65536 big.gguf >cut.gguf
explain --model cut.gguf
is "a file that is cut" 1 .verdict unloadable
"$taffrail" explain cut.gguf | grep -q '^verdict *cannot be loaded by anybody: the file ends' && pass ||
	fail "a file that is cut: the text"
mkdir bare
wrong "a folder without weights" 1 "no weights in this folder" --model bare
wrong "a path that is mistyped" 0 "no such file; taken as a name" --model ./nowhere.gguf
"$taffrail" explain mlx-community/gemma-4-31b-it-8bit >known.out
grep -q 'models.on_panic, at load: .*[.]$' known.out && pass ||
	fail "the advice is cut: $(grep models.on_panic known.out)"
"$taffrail" models '' 2>x.err
check "models" "no name" 64 $?
"$taffrail" models --gpu FOO 2>x.err
grep -q 'there are: M[0-9]' x.err && pass || fail "no families: $(cat x.err)"

: >empty.gguf
wrong "nothing" 1 "empty.gguf" --model ./empty.gguf
tally 124
