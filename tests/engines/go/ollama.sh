#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# ollama.sh -- Ollama's shape: a Go program that runs each model in an unmodified
# llama-server, hands its environment on and ends it by SIGKILL.
#
# The children are members of one run and are known; their ends are told as they were.
#
# time-limit: 300
. "${SRC:?}/tests/engines/go/lib.sh"
build ollama
mkdir -p blobs
cp tiny.gguf "blobs/sha256-$(printf '1%.0s' {1..64})"
cp models/other.gguf "blobs/sha256-$(printf '2%.0s' {1..64})"
serve=(./ollama serve "$server" "$work"/blobs/sha256-*)

plain "${serve[@]}"
check plain "answers" 2 "$(grep -c '^[0-9,]*$' plain.out)"
guarded --set lock.on_conflict=refuse --set drain.idle_ms=10m -- "${serve[@]}"
check_same ollama
check_whole ollama
check ollama "words of run itself, but for such an end" "" "$(grep -v 'llama-server (pid [0-9]*) ended without a word' guarded.own)"
child='select(.role == "guest")'
check ollama "its children, known" "ollama-child worker
ollama-child worker" "$(records | jq -r "$child | \"\(.profile) \(.guess)\"")"
check ollama "one run" 1 "$(records | jq -rs "[.[] | $child | .run] | unique | length")"
check ollama "what they were asked for" "512 2" "$(records | jq -r "$child | \"\(.asked.context) \(.asked.parallel)\"" | sort -u)"
check ollama "models by their blobs" "ollama:sha256-111111111111 ollama:sha256-222222222222" \
	"$(records | jq -rs '[.[] | select(.ev == "infer" and .ph == "begin") | .model] | join(" ")')"
check ollama "a clean end is claimed of none" 0 "$("$taffrail" report --all --json | jq \
	'[.sessions[] | select(.engines | length > 0) | select(.verdict == "clean")] | length')"
check ollama "drains at an exit that was a kill" 0 "$(number_of '.rule == "drain.at_exit"')"
"$taffrail" report --last --json >report.json
check ollama "in the report: how they ended" "2" "$(jq '[.sessions[] | select(.engines | length > 0) |
	select(.verdict == "killed" or .verdict == "unknown")] | length' report.json)"
"$taffrail" report --last >text
check ollama "in the report: that it is Ollama's way" 2 "$(grep -c '^  next  *Ollama ends the process of each model so' text)"
tally 13
