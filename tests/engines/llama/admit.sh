#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# admit.sh -- a second load of a real engine within the interval.
#
# It waits and then loads; or it is refused: the load returns nothing, the
# program reports that in its own words and ends its own way, a record names the
# rule and the numbers, and `run` says it in one line.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

twice=("${serve[@]}" --twice --pause 0 tiny.gguf)
plain "${twice[@]}"
check plain "the program works" "exit 0" "$(cat plain.status)"

# ---- the built-in policy: a remark ----

guarded -- "${twice[@]}"
check_same built-in
check_whole built-in
check built-in "remarks about the second load" 1 \
	"$(number_of '.ev == "note" and .rule == "cadence.same_model" and .have < 180000')"
check built-in "what run says" "" "$(cat guarded.own)"

# ---- wait ----

guarded --set cadence.on_violation=wait --set cadence.same_model=5s -- "${twice[@]}"
check_same wait
check_whole wait
check wait "waits that ended" 1 \
	"$(number_of '.ev == "hold" and .ph == "end" and .rule == "cadence.same_model" and .ms > 500')"
check wait "loads that came back" 2 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0')"
check wait "what run says" 1 "$(grep -c 'held 1 time.*cadence.same_model' guarded.own)"

# ---- refuse ----

guarded --set cadence.on_violation=refuse -- "${twice[@]}"
check_whole refuse
check refuse "it generated as before up to the refusal" "$(sed -n 1,2p plain.out)" "$(cat guarded.out)"
check refuse "its own way to end after a failed load" "exit 1" "$(cat guarded.status)"
check refuse "its own words" 1 "$(grep -ci 'error: .*failed to load model' guarded.err)"
check refuse "records of the refusal" 1 "$(number_of '.ev == "refuse" and .rule == "cadence.same_model" and
	.need == 180000 and .have < 60000 and .model == "tiny" and .call == "llama_model_load_from_file"')"
check refuse "loads that began" 1 "$(number_of '.ev == "load" and .ph == "begin"')"
check refuse "lines of run" 1 "$(wc -l <guarded.own)"
check refuse "it names the rule" 1 "$(grep -c 'refused 1 time.*cadence.same_model' guarded.own)"

# ---- observe ----

guarded --set mode=observe --set cadence.on_violation=refuse -- "${twice[@]}"
check_same observe
check observe "what would have been" 1 \
	"$(number_of '.ev == "would" and .rule == "cadence.same_model" and (.msg | startswith("would refuse"))')"
check observe "lines of run" "" "$(cat guarded.own)"

# ---- a pause before the first generation of a family ----

cp tiny.gguf gemma-4-31b-it-q8_0.gguf
family=("${serve[@]}" --pause 0 gemma-4-31b-it-q8_0.gguf)
plain "${family[@]}"
guarded --set 'cadence.families=*gemma-4*:90s:700ms' -- "${family[@]}"
check_same settle
check settle "pauses" 1 \
	"$(number_of '.ev == "settle" and .ph == "end" and .rule == "cadence.families" and .ms >= 700')"

# ---- a gate that holds: the program is not started; one that waits goes on after a word ----

hold_by_hand() {
	# shellcheck disable=SC2154 # comes from lib.sh
	"$taffrail" hold --for 1h --why "a look at the machine" >/dev/null
}

plain "${serve[@]}" --pause 0 tiny.gguf
fresh
hold_by_hand
raw guarded "$taffrail" run --set cooldown.on_hold=refuse -- "${serve[@]}" tiny.gguf
check gate "status" "exit 75" "$(cat guarded.status)"
check gate "what the program showed" "" "$(cat guarded.out)"
check gate "lines of run" 1 "$(grep -c '^taffrail: .*a look at the machine' guarded.err)"
check gate "sessions of a guest" 0 "$(count '.ev == "start" and .role == "guest"')"
raw guarded "$taffrail" run --set cooldown.on_hold=warn -- "${serve[@]}" --pause 0 tiny.gguf
check "gate that warns" "tokens" "$(cat plain.out)" "$(cat guarded.out)"
check "gate that warns" "status" "exit 0" "$(cat guarded.status)"

# The guest itself waits at its load, and goes on when the hold is cleared.
fresh
hold_by_hand
env LD_PRELOAD="$BUILD/libtaffrail.so" TAFFRAIL_SET="cooldown.on_hold=wait" "${serve[@]}" --pause 0 tiny.gguf \
	>waiting.out 2>waiting.err &
waiting=$!
until_true has_records 1 '.ev == "hold" and .ph == "begin"'
"$taffrail" hold --clear >/dev/null
wait $waiting
check "cleared hold" "status" 0 $?
check "cleared hold" "tokens" "$(cat plain.out)" "$(cat waiting.out)"
check "cleared hold" "waits that ended" 1 "$(count '.ev == "hold" and .ph == "end"')"

tally 42
