#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# run.sh -- the main job: the stock node-llama-cpp under `taffrail run`.
#
# The program shows and ends the same with and without; its log tells load,
# context, two generations, drains, unloads and the exit, in that order.
#
# time-limit: 600
. "${SRC:?}/tests/engines/llama/lib.sh"

# A pause well over the silence that ends a generation, and a silence well over
# what a busy machine puts between two tokens.
guest=("${serve[@]}" --pause 7000 tiny.gguf)
plain "${guest[@]}"
check run "the program works" "exit 0" "$(cat plain.status)"
guarded --set drain.idle_ms=5s --set drain.post_sync=on -- "${guest[@]}"
check_same run
check run "a word of run itself" "" "$(cat guarded.own)"
check_whole run

# The story, one word a record: kind, phase, and what it is about.
check run "the story" "start mark
load begin tiny
load end tiny
note begin tiny
note end tiny
infer begin tiny
infer end tiny
drain begin tiny
drain end tiny
infer begin tiny
infer end tiny
drain begin tiny
drain end tiny
drain begin tiny
drain end tiny
unload begin tiny
unload end tiny
unload begin tiny
unload end tiny
exit begin
exit end" "$(records | jq -r 'select(.engine != null or .role == "guest") | [.ev, .ph, .model // empty] | join(" ")')"

one() { # WHAT CONDITION
	check run "$1" 1 "$(number_of "$2")"
}
bytes=$(($(stat -c %s tiny.gguf) / 2))
one "load, with the bytes of the weights" \
	".ev == \"load\" and .ph == \"end\" and .rc == 0 and .bytes > $bytes and .ms > 0 and .live == .bytes"
one "load, by the engine's own call" '.ev == "load" and .ph == "begin" and .call == "llama_model_load_from_file"'
one "the context" '.ev == "note" and .ph == "end" and .call == "llama_init_from_model" and .ctx >= 128 and .kv_bytes > 0 and .handles == 1'
check run "every token of both generations was decoded" 2 \
	"$(number_of '.ev == "infer" and .ph == "end" and .submits >= 8 and .tokens >= .submits and .ms > 0 and .kv_bytes > 0')"
check run "drains after a generation" 2 \
	"$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.post_sync" and .rc == 0 and .ms >= 0')"
one "drain before the unload" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0 and .ms >= 0'
one "the context's end" '.ev == "unload" and .ph == "end" and .call == "llama_free" and .handles == 0'
one "the model's end" '.ev == "unload" and .ph == "end" and .call == "llama_model_free" and .live == 0'
one "the exit" '.ev == "exit" and .ph == "begin" and .rc == 0'
one "the end" '.ev == "exit" and .ph == "end" and .rc == 0 and .engine == "libc"'
one "exact boundaries" '.ev == "start" and .role == "guest" and .boundaries == "exact" and .mode == "enforce"'
one "the profile of what it is, though ggml is called before llama.cpp" '.ev == "start" and .role == "guest" and .profile == "node-llama-cpp"'
check run "every end names its begin" "" "$(records | jq -rs '(map({key: "\(.pid) \(.seq)", value: .}) | from_entries) as $all |
	.[] | select(.of != null) | . as $e | $all["\(.pid) \(.of)"] | select(.ev != $e.ev or .ph != "begin") | .seq')"

check run "the report" "clean 0 tiny llama loads 1 infers 2 open 0 damaged 0" \
	"$(report '.[0] | "\(.verdict) \(.rc) \(.model) \(.engines | join(",")) loads \(.loads) infers \(.infers) open \(.open | length) damaged \(.damaged)"')"
check run "decodes in the report" true "$(report '.[0].submits >= 16 and .[0].drains == 3 and .[0].end != null')"
"$taffrail" report --last >text
for word in clean '2 generations' tiny llama 'drains  *3' 'unload  *2' 'status 0'; do
	grep -q -- "$word" text || fail run "the report does not say '$word'"
done
check run "ring files left" "" "$(find "$work" -name '*.ring')"

# Another status of the program's own, and a model that is not there.
plain "${serve[@]}" no-such.gguf
guarded -- "${serve[@]}" no-such.gguf
check_same "no such model"
check_whole "no such model"
head -c 3000 tiny.gguf >cut.gguf
plain "${calls[@]}" cut.gguf
guarded -- "${calls[@]}" cut.gguf
check_same "a header cut short"
check_whole "a header cut short"
# In node what the engine logs while it fails races with the end of the program:
# of two plain runs one may show more of it than the other.
plain "${serve[@]}" cut.gguf
guarded -- "${serve[@]}" cut.gguf
sed -i '/^\[node-llama-cpp\] /d' plain.err guarded.err
check_same "a header cut short, in node"
check_whole "a header cut short, in node"

# Weights that are shorter than their header says: the engine's own load fails, and says so.
head -c 200000 tiny.gguf >short.gguf
plain "${calls[@]}" short.gguf
guarded -- "${calls[@]}" short.gguf
check_same "weights cut short"
check "weights cut short" "a load that failed" 1 "$(number_of '.ev == "load" and .ph == "end" and .rc != 0')"
check "weights cut short" "loads in the report" "nonzero 0" "$(report '.[0] | "\(.verdict) \(.infers)"')"
tally 40
