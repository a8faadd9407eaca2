#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# run.sh -- the real llama-cpp-python, in a program and as its own server: the same answers
# and ends as without, and the whole story of each request, however it ends.
#
# time-limit: 600
env=$("${SRC:?}/tests/engines/llama-cpp-python/fetch.sh") || exit $?
. "$SRC/tests/engines/llama/lib.sh"

model other.gguf --name other --seed 5
complete=("$env" "$SRC/tests/engines/llama-cpp-python/complete.py")

both() { # CASE [--set S]... -- WORD...
	local case=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	plain "${complete[@]}" "$@"
	guarded "${options[@]}" -- "${complete[@]}" "$@"
	check_same "$case"
	check_whole "$case"
}

# Pauses end a generation, and a machine that stands still in one does not.
both "whole life" --set drain.idle_ms=2s -- tiny.gguf ask=6 pause=3 ask=9 pause=3 close
check "whole life" "two answers" 2 "$(grep -c '^. 9 [0-9]*$\|^.* 9 [0-9]*$' guarded.out)"
check "whole life" "the story" "start mark
load begin llama_model_load_from_file
load end llama_model_load_from_file
note begin llama_init_from_model
note end llama_init_from_model
infer begin llama_decode
infer end
drain begin
drain end
infer begin llama_decode
infer end
drain begin
drain end
drain begin
drain end
unload begin llama_free
unload end llama_free
unload begin llama_model_free
unload end llama_model_free
exit begin main
exit end" "$(records | jq -r 'select((.engine != null or .role == "guest") and (.ev != "infer" or .ph != "mark")) | [.ev, .ph, .call // empty] | join(" ")')"
check "whole life" "the route" true "$(records | jq -r 'select(.role == "guest").routes | index("dlsym") != null')"
check "whole life" "the load" 1 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0 and .model == "tiny" and .bytes > 100000')"
# Nine tokens of prompt, and one more for each that came out but the last.
check "whole life" "decodes and tokens of the first" "$(awk 'NR == 1 { print $(NF), $(NF - 1) + $(NF) - 1, $(NF - 1) }' guarded.out)" \
	"$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end"))[0] | "\(.submits) \(.tokens) \(.peak)"')"
check "whole life" "its profile" llama-cpp-python "$(records | jq -r 'select(.role == "guest").profile')"
check "whole life" "the report" "clean tiny llama 2 0" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.engines | join(",")) \(.infers) \(.open | length)"')"

both swap -- tiny.gguf ask=4 state "swap=other.gguf" ask=4
check swap "loads, generations, unloads" "tiny other / tiny other / 4" \
	"$(records | jq -rs 'def names(e): map(select(.ev == e and .ph == "end").model) | join(" ");
	"\(names("load")) / \(names("infer")) / \(map(select(.ev == "unload" and .ph == "end")) | length)"')"

# It names RoPE's settings as its own defaults have them, which are no longer the engine's.
guarded --set state_guard=on -- "${complete[@]}" tiny.gguf ask=4 keep=kept.bin back=kept.bin turn=1 back=kept.bin \
	turn=0.5 back=kept.bin
check turned "what it got" "back True back True back False" "$(grep ^back guarded.out | xargs)"
check turned "why" "kept.bin: rope_freq_scale 0.5, was 1" "$(records | jq -r 'select(.rule == "state_guard").msg')"

# By sys.exit with nothing given up: drained first.
both "sys.exit" --set drain.idle_ms=10m -- tiny.gguf ask=4 exit=3
check "sys.exit" "how it ended" "exit 3" "$(cat guarded.status)"
check "sys.exit" "the report" "nonzero 1 0" "$(report '.[0] | "\(.verdict) \(.infers) \(.open | length)"')"
check "sys.exit" "drains, and all good" true \
	"$(records | jq -s 'map(select(.ev == "drain" and .ph == "end")) | length > 0 and all(.rc == 0)')"

# In the middle of a decode.
for signal in TERM KILL; do
	number=$(kill -l $signal)
	plain "${complete[@]}" tiny.gguf "die=$number"
	guarded --set drain.idle_ms=10m -- "${complete[@]}" tiny.gguf "die=$number"
	check_same "kill -$signal"
	check "kill -$signal" "how it ended" "signal $number" "$(cat guarded.status)"
	check "kill -$signal" "the verdict" "SIG$signal tiny" "$(report '.[0] | "\(.signal) \(.model)"')"
	check "kill -$signal" "what was open" "infer submit llama_decode tiny" \
		"$(report '.[0].open | map(select(.call == "llama_decode")) | map(.ev) + [.[0].call, .[0].model] | join(" ")')"
	check_whole "kill -$signal"
done

# By the policy it is drained before a signal ends it; a silence that no busy machine reaches.
start_guarded --set drain.idle_ms=10m --set exit.signals=TERM -- "${complete[@]}" tiny.gguf endless
until_generating
kill -TERM "$guest"
await_runner
check "exit.signals" "how run ended" "signal 15" "$ended"
check "exit.signals" "the drain" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
check "exit.signals" "nothing open" 0 "$(report '.[0].open | length')"

# A load that a rule refuses is the package's own error.
guarded --set cadence.on_violation=refuse --set cadence.same_model=1h -- "${complete[@]}" tiny.gguf ask=1 swap=tiny.gguf
check refused "how it ended" "exit 1" "$(cat guarded.status)"
check refused "its own words" 1 "$(grep -c '^ValueError: Failed to load model from file: tiny.gguf$' guarded.err)"

# ---- its server ----

free_port() {
	"$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Two requests, one after the other, of a server that FRONT guards; then it is ended.
serve() { # OUT FRONT...
	local out=$1 url
	shift
	url=http://127.0.0.1:$(free_port)
	"$@" "$env" -m llama_cpp.server --model tiny.gguf --n_ctx 256 --port "${url##*:}" </dev/null >bg.out 2>bg.err &
	runner=$!
	until_true curl -sf "$url/v1/models"
	for prompt in Hello World; do
		curl -sS -H 'content-type: application/json' -d "{\"prompt\":\"$prompt\",\"max_tokens\":6,\"temperature\":0}" \
			"$url/v1/completions" | jq -c '[.choices[0].text, .usage]'
	done >"$out"
	guest=$(pgrep -P $runner || echo $runner)
	kill -TERM "$guest"
	await_runner
}

needs curl pgrep
serve plain.out env
plain_ended=$ended
check server "answers" 2 "$(grep -c '"prompt_tokens":9' plain.out)"
fresh
serve guarded.out "$taffrail" run --
check server "answers as without" "$(cat plain.out)" "$(cat guarded.out)"
check server "how it ended" "$plain_ended" "$ended"
check server "its profile and role" "llama-cpp-python server" "$(records | jq -r 'select(.role == "guest") | "\(.profile) \(.guess)"')"
check server "the report" "signal tiny llama" "$(report '.[0] | "\(.verdict) \(.model) \(.engines | join(","))"')"
# Having shut down it ends itself by the signal that it got: with the policy's leave only after a drain.
fresh
serve guarded.out "$taffrail" run --set exit.signals=TERM --
check "server, drained" "answers as without" "$(cat plain.out)" "$(cat guarded.out)"
check "server, drained" "how it ended" "$plain_ended" "$ended"
check "server, drained" "the drain" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
check "server, drained" "its tokens" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end").tokens) | add >= 18')"
"$taffrail" doctor -- "$env" -m llama_cpp.server --model tiny.gguf --n_ctx 256 >doctor.out
check doctor "the profile" 0 "$(grep -q 'llama-cpp-python' doctor.out; echo $?)"
check doctor "the model and context it asks for" 0 "$(grep -q 'tiny' doctor.out && grep -q 256 doctor.out; echo $?)"
tally 60
