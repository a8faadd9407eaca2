#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# ollama_built_in.sh -- a real Ollama from before 0.30, which has llama.cpp built into itself,
# a Go program: guarded where it calls the engine, in its server and in its runners, which are
# the same program. The server loads a model's vocabulary, which is no load. Stripped, as
# its releases are, it is not guarded there, and goes on as ever.
#
# time-limit: 900
ollama=$("${SRC:?}/tests/engines/go/fetch.sh" built-in) || exit $?
. "$SRC/tests/engines/go/lib_ollama.sh"

serve_and_ask tiny tiny other -- env
mv answers plain.answers
plain_ended=$ended
check plain "answers" 3 "$(grep -c '^\["\\"[a-z]*\\"",9,[0-9]*,null\]$' plain.answers)"

# Times between loads that a test would not live to see, were the vocabulary a load.
fresh
serve_and_ask tiny tiny other -- "$taffrail" run --set drain.idle_ms=2s --set cadence.on_violation=wait --set cadence.same_model=1h --set cadence.cross_model=0s --
check ollama "answers as without" "$(cat plain.answers)" "$(cat answers)"
check ollama "how it ended" "$plain_ended" "$ended"
check_whole ollama
check ollama "the processes" "ollama-child ollama-child ollama" \
	"$(records | jq -r 'select(.role == "guest").profile' | sort -r | xargs | sed 's/^ollama-child ollama ollama-child/&/')"
check ollama "each is guarded where it calls the engine" 3 "$(number_of '(.msg // "") | test("call sites of [0-9]+ entry points in the program itself lead to the guard")')"
check ollama "loads of the server" "vocabulary vocabulary" "$(records | jq -rs '(map(select(.role == "guest" and .profile == "ollama"))[0].pid) as $p |
	map(select(.pid == $p and .ev == "load" and .ph == "end") | .msg | if startswith("its vocabulary alone") then "vocabulary" else "load" end) | join(" ")')"
check ollama "loads of the runners" "$tiny $other" "$(records | jq -rs 'map(select(.ev == "load" and .ph == "end" and .rc == 0 and ((.msg // "") | startswith("its voc") | not)) | .model) | join(" ")')"
check ollama "generations, by model" "$tiny $other" "$(records | jq -r 'select(.ev == "infer" and .ph == "begin").model' | uniq | xargs)"
check ollama "all tokens of the first answer" true "$(records | jq -s --argjson n "$(jq -r '.[1] + .[2] - 1' plain.answers | head -n 1)" \
	'map(select(.ev == "infer" and .ph == "end").tokens) | max >= $n')"
check ollama "holds" 0 "$(number_of '.ev == "hold"')"

# A rule refuses the second model: that request fails, and nothing else.
fresh
serve_and_ask tiny other tiny -- "$taffrail" run --set drain.idle_ms=2s --set cadence.on_violation=refuse --set cadence.cross_model=1h --set cadence.same_model=0s --
check refused "the first answer" "$(head -n 1 plain.answers)" "$(head -n 1 answers)"
check refused "the second is an error" true "$(sed -n 2p answers | jq '.[0] == null and (.[3] | length > 0)')"
check refused "the third" "$(head -n 1 plain.answers)" "$(sed -n 3p answers)"
check refused "how it ended" "$plain_ended" "$ended"

mkdir stripped
strip -o stripped/ollama "$ollama"
ollama=$work/stripped/ollama
fresh
serve_and_ask tiny -- "$taffrail" run --set drain.idle_ms=2s --
check stripped "the answer" "$(head -n 1 plain.answers)" "$(cat answers)"
check stripped "how it ended" "$plain_ended" "$ended"
check stripped "computations that were seen" 0 "$(count '.ev == "infer"')"
"$taffrail" doctor -- "$ollama" serve >doctor.out
check stripped "doctor says so" 1 "$(grep -c '^ *by its words llama.cpp is built into it, and it is stripped: nothing of that is seen' doctor.out)"
tally 20
