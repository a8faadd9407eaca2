#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# server.sh -- mlx_lm.server with four clients at once, swaps of models, TERM and KILL.
#
# time-limit: 400
. "${SRC:?}/tests/engines/mlx/lib_server.sh"

model a
model b --seed 2 --parts 2

unloads() {
	records | jq -rj 'select(.ev == "unload" and .ph == "end" and .rc == 0) | .model + " "'
}

rested() {
	records | jq -se 'any(.ev == "drain" and .ph == "end" and .rule == "drain.at_exit")' >/dev/null
}

# What came to the end of the last generation and of the process.
ends() {
	jq -r 'select((.ev | IN("infer", "drain", "exit")) and .ph != "mark") | .ev + " " + .ph' all.json | tail -n 6 |
		paste -sd , | sed 's/,/, /g'
}

exit_line() {
	"$taffrail" report --last | sed -n 's/^  exit  *\(by SIGTERM.*\), [^,]* of leaving$/\1/p'
}

serve env
ask a b a >plain.out
kill -TERM $runner
await_runner
check plain "it ended by TERM" 143 $ended
check plain "answers" 12 "$(grep -c "^[ab] [0-3] '" plain.out)"

fresh
serve "$taffrail" run --set drain.post_clear=on --set drain.idle_ms=30s --set exit.signals=TERM --
ask a b a >guarded.out
guest_of
kill -TERM "$guest"
await_runner
check server "it ended by TERM" 143 $ended
check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
check_whole server
check server "loads" "a b a " "$(records | jq -rj 'select(.ev == "load" and .ph == "end" and .rc == 0) | .model + " "')"
# Four clients, 16 tokens each.
check server "requests, and their tokens" "a 16 x4 b 16 x4 a 16 x4 " "$(requests)"
check server "unloads" "a b " "$(unloads)"
check server "drains by threads that did not compute" "" "$(records | jq -rs '(map(select(.ev == "infer" and .ph == "begin")) | map(.tid)) as $own |
	.[] | select(.ev == "drain" and .ph == "end" and .rc == 0 and (.tid | IN($own[]) | not)) | .tid')"
check server "the report" "signal 3 12" "$("$taffrail" report --last --json | jq -r \
	'[.sessions[] | select(.engines | length > 0)][0] | "\(.verdict) \(.loads) \(.infers)"')"

# Requests by each way that MLX's servers compute: one behind the other, without a pause, each with
# the drain that the policy asks for behind it; the same with a prompt that is wholly in the cache;
# and several at once, of which each ends with another round.  Where one ends with the server
# itself, its thread makes the drain that it owes, or that of the exit covers it.
for version in 0.29.4 0.31.2 $newest; do
	use $version
	fresh
	serve "$taffrail" run --set drain.post_clear=on --set drain.idle_ms=10m --set exit.signals=TERM --
	ask --in-turn a >turn.out
	ask --in-turn --same --tokens 8 a >>turn.out
	ask --more 5 a >>turn.out
	guest_of
	kill -TERM "$guest"
	await_runner
	check "requests, $version" "answers" 12 "$(grep -c "^a [0-3] '" turn.out)"
	records >all.json
	check "requests, $version" "in turn" "a 16 x4 a 8 x4 " "$(requests | cut -d ' ' -f 1-6) "
	check "requests, $version" "begins" 12 "$(jq -s 'map(select(.ev == "infer" and .ph == "begin")) | length' all.json)"
	check "requests, $version" "ends, and whether several were at work at once" "12 true" \
		"$(jq -rs 'map(select(.ev == "infer" and .ph == "end" and .requests == 1)) | "\(length) \(map(.sequences) | max | . >= 2 and . <= 4)"' all.json)"
	# Nothing tells which of several is done: the sum is right.
	check "requests, $version" "tokens of all" "$(answered turn.out)" \
		"$(jq -s 'map(select(.ev == "infer" and .ph == "end") | .tokens) | add' all.json)"
	check "requests, $version" "one behind the other" "begin end drain x8" "$(jq -r 'select(.ph != "mark") |
		select(.ev == "infer" or (.ev == "drain" and .ph == "end" and .rule == "drain.post_clear")) |
		if .ev == "drain" then "drain" else .ph end' all.json | head -n 24 | paste -sd '  \n' | uniq -c | awk '{ print $2, $3, $4, "x" $1 }')"
	check "requests, $version" "drains beside others" true "$(jq -s 'map(select(.ev == "drain" and .ph == "end" and .rc == 0 and
		.rule == "drain.post_clear")) | length | . >= 10 and . <= 12' all.json)"
done

# Behind its last request the server waits for another one: there its thread ends the generation, and
# drains what nobody else can; so at the end nothing is left.  The same at the end, in its midst.
for version in 0.31.2 $newest; do
	use $version
	fresh
	serve "$taffrail" run --set exit.signals=TERM --
	ask --clients 1 a >rest.out
	guest_of
	await 100 rested
	kill -TERM "$guest"
	await_runner
	records >all.json
	check "at rest, $version" "it ended by TERM" 143 $ended
	check "at rest, $version" "the end" "infer begin, infer end, drain begin, drain end, exit begin, exit end" "$(ends)"
	check "at rest, $version" "all was drained" "" "$(jq -r '.msg // "" | select(contains("not drained"))' all.json)"
	check "at rest, $version" "the report" "by SIGTERM" "$(exit_line)"
	check "at rest, $version" "it was idle" 1 "$("$taffrail" report --last | grep -c 'SIGTERM while idle, after 1 generation on a')"

	fresh
	serve "$taffrail" run --set drain.idle_ms=10m --set drain.deadline=10m --set exit.deadline=10m \
		--set drain.post_clear=on --set exit.signals=TERM --
	ask --clients 1 a >rest.out
	guest_of
	kill -TERM "$guest"
	await_runner
	records >all.json
	check "in its midst, $version" "it ended by TERM" 143 $ended
	check "in its midst, $version" "drained by the thread that computed" true "$(jq -s '(map(select(.ev == "infer"))[0].tid) as $own |
		map(select(.ev == "drain" and .ph == "end")) | length > 0 and all(.rc == 0 and .tid == $own)' all.json)"
	check "in its midst, $version" "the report" "by SIGTERM, drained" "$(exit_line)"
done

# A batch that is full, with prompts that wait in the midst; and a request that the server
# computes by itself, behind others.
fresh
options=(--decode-concurrency 2 --prompt-concurrency 2 --prefill-step-size 2)
serve "$taffrail" run --set drain.idle_ms=10m --set drain.serialize=on --set exit.signals=TERM --
options=()
ask --seed 2 --in-turn a >full.out
ask --clients 8 --more 3 a >>full.out
guest_of
kill -TERM "$guest"
await_runner
one full "what serialize cannot do" '.ev == "note" and .rule == "drain.serialize" and (.msg | test("in one batch"))'
check full "answers" 12 "$(grep -c "^a [0-7] '" full.out)"
check full "in turn, one by itself" "16 16 16 16" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end") | .tokens)[:4] | join(" ")')"
check full "requests, and their tokens" "12 $(answered full.out)" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end")) |
	"\(length) \(map(.tokens) | add)"')"

# The rules of a laptop: one model, and a refusal. The server holds the old one until the new
# one has come; the first request is for another model than it began with, one fails to load, and
# two ask for both at once.
model big --width 256
model other --seed 2 --parts 2 --width 256
cp -r big cut
head -c 60000 big/model.safetensors >cut/model.safetensors
all() {
	ask --pause 0 other big cut other big other && ask --together big other
}

default=big
serve env
all >plain.out
kill -TERM $runner
await_runner
check laptop "answers" 28 "$(grep -c "^[bo][a-z]* [0-3] '" plain.out)"
fresh
serve "$taffrail" run --policy "$SRC/examples/laptop.json" --set memory.headroom=16MiB --set exit.signals=TERM --
all >guarded.out
guest_of
kill -TERM "$guest"
await_runner
check laptop "it ended by TERM" 143 $ended
check laptop "answers" "$(cat plain.out)" "$(cat guarded.out)"
check_whole laptop
check laptop "refusals" 0 "$(number_of '.ev == "refuse"')"
check laptop "models that count again" 0 "$(number_of '.ev == "note" and (.msg // "" | contains("counts again"))')"
check laptop "unloads" "$(records | jq -rs 'map(select(.ev == "load" and .ph == "end" and .rc == 0)) | .[:-1][].model')" \
	"$(unloads | tr ' ' '\n' | sed '/^$/d')"
# Synchronized, which the server omits, and cleared, though nothing else asks for that: before
# each unload but the first, when nothing had been computed.
check laptop "drains at the swap" $(($(unloads | wc -w) - 1)) "$(number_of '.ev == "drain" and .ph == "end" and .rc == 0 and
	.rule == "drain.before_unload" and .msg == "caches cleared"')"
check laptop "other drains" 0 "$(number_of '.ev == "drain" and .ph == "end" and .rule != "drain.before_unload" and .rule != "drain.at_exit"')"

default=a
# Ended by TERM in the middle of a generation: drained by the thread that generates.
fresh
serve "$taffrail" run --set exit.signals=TERM --
ask --clients 1 --tokens 100000 a >/dev/null 2>&1 &
client=$!
until_true has_records 1 '.ev == "infer" and .ph == "begin"'
guest_of
check term "the report while it runs" 1 "$("$taffrail" report --last | grep -c '^ *inference  *1 generation.*, one is under way')"
kill -TERM "$guest"
await_runner
check term "it ended by TERM" 143 $ended
one term "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
check term "by the thread that generates" "" "$(records | jq -rs '(map(select(.ev == "infer" and .ph == "begin"))[0].tid) as $own |
	.[] | select(.ev == "drain" and .tid != $own) | .tid')"
one term "its generation" '.ev == "infer" and .ph == "end" and .of'
{ wait $client; } 2>/dev/null

# Killed with three at work: nothing of it ends, and the report says where it was.
fresh
serve "$taffrail" run --
ask --clients 3 --tokens 100000 a >/dev/null 2>&1 &
client=$!
until_true has_records 3 '.ev == "infer" and .ph == "begin"'
guest_of
kill -KILL "$guest"
await_runner
check kill "it ended by KILL" 137 $ended
{ wait $client; } 2>/dev/null
check_whole kill
check kill "the report" "killed a 3" "$("$taffrail" report --last --json | jq -r \
	'[.sessions[] | select(.engines | length > 0)][0] | "\(.verdict) \(.model) \(.open | map(select(.ev == "infer")) | length)"')"
"$taffrail" report --last >text
for word in 'mlx 0.32.4' 'generation by .* on a, with 2 others at once' 'model  *a' '3 generations, .* in all, .*at most 3 at once, more than one for .*, 3 did not end'; do
	grep -q -- "$word" text || fail kill "the report does not say '$word'"
done
tally 31
