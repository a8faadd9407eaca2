#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154 # names that lib_ollama.sh uses and sets
# ollama_real.sh -- the real Ollama, built from its Go module, over an unmodified
# llama-server: the same answers as without, each model's process a member of the run and
# known, and a load that a rule refuses is an error of that request and of nothing else.
#
# time-limit: 600
ollama=$("${SRC:?}/tests/engines/go/fetch.sh") || exit $?
. "$SRC/tests/engines/go/lib_ollama.sh"

serve_and_ask tiny tiny other tiny -- env
mv answers plain.answers
plain_ended=$ended
check plain "answers" 4 "$(grep -c '^\["\\"[a-z]*\\"",9,[0-9]*,null\]$' plain.answers)"

fresh
serve_and_ask tiny tiny other tiny -- "$taffrail" run --set drain.idle_ms=2s --set lock.on_conflict=refuse --
check ollama "answers as without" "$(cat plain.answers)" "$(cat answers)"
check ollama "how it ended" "$plain_ended" "$ended"
check_whole ollama
child='select(.role == "guest")'
check ollama "a process for each model that was taken, known" "ollama-child worker
ollama-child worker
ollama-child worker" "$(records | jq -r "$child | \"\(.profile) \(.guess)\"")"
check ollama "one run" 1 "$(records | jq -rs "[.[] | $child | .run] | unique | length")"
check ollama "what they were asked for" "256 1" "$(records | jq -r "$child | \"\(.asked.context) \(.asked.parallel)\"" | sort -u)"
# A child also computes once to warm up; with its first answer or before it.
check ollama "generations, by model" "$tiny $other $tiny" \
	"$(records | jq -r 'select(.ev == "infer" and .ph == "begin").model' | uniq | xargs)"
check ollama "loads, by model, without estimates" "$tiny $other $tiny" \
	"$(records | jq -rs '[.[] | select(.ev == "load" and .ph == "end" and .rc == 0 and ((.msg // "") | startswith("an estimate") | not)) | .model] | join(" ")')"
check ollama "all tokens of the first answer" true "$(records | jq -s --argjson n "$(jq -r '.[1] + .[2] - 1' plain.answers | head -n 1)" \
	'map(select(.ev == "infer" and .ph == "end").tokens) | max >= $n')"
check ollama "drained after it, as the profile of such a child says" true \
	"$(records | jq -s 'map(select(.ev == "drain" and .ph == "end" and .rule == "drain.post_sync" and .rc == 0)) | length >= 1')"
check ollama "warnings of loads too close" true "$(records | jq -s 'map(select(.rule == "cadence.cross_model")) | length >= 2')"
check ollama "records of Ollama itself, which uses no engine" 0 "$(records | jq -c "$child | select(.argv[0] | endswith(\"/ollama\"))" | wc -l)"
"$taffrail" report --last --json >report.json
check ollama "how its processes ended" 3 "$(jq '[.sessions[] | select(.engines | length > 0) |
	select(.verdict == "killed" or .verdict == "unknown")] | length' report.json)"
"$taffrail" report --last >text
check ollama "in the report: that it is Ollama's way" true "$([ "$(grep -c '^  next  *Ollama ends the process of each model so' text)" -ge 1 ] && echo true)"

# A rule refuses the second model: that request fails, the next one to the first model does not.
fresh
serve_and_ask tiny other -- "$taffrail" run --set drain.idle_ms=2s --set cadence.on_violation=refuse --set cadence.cross_model=1h --
check refused "the first answer" "$(head -n 1 plain.answers)" "$(head -n 1 answers)"
check refused "the second is an error" true "$(sed -n 2p answers | jq '.[0] == null and (.[3] | length > 0)')"
check refused "how it ended" "$plain_ended" "$ended"
check refused "by the rule" true "$(records | jq -s 'map(select(.ev == "refuse" and .rule == "cadence.cross_model")) | length >= 1')"
tally 20
