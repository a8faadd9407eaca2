#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fit.sh -- a limit of memory and a model that does not fit, with the real llama.cpp.
#
# The program gets what its engine gives when it cannot load, says so in its own
# words and ends by itself; a record names the rule and the numbers, and so does
# the one line of `run`.
#
# time-limit: 300
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/engines/llama/lib.sh"

# 3.0 GiB by its header; the data is a hole.
model big.gguf --hollow --layers 4 --embd 4096 --ff 12288 --ctx 512 --name big
limit=(--set memory.limit=2GiB --set memory.on_misfit=refuse)
refused='.ev == "refuse" and .rule == "memory.limit" and .have == 2147483648 and .need > 3200000000'

for guest in node python; do
	[ $guest = node ] && load=("${serve[@]}" big.gguf) || load=("${calls[@]}" --load-only big.gguf)
	guarded "${limit[@]}" -- "${load[@]}"
	check $guest "its own status" "exit 1" "$(cat guarded.status)"
	check $guest "what it did" "" "$(cat guarded.out)"
	grep -Eqi 'fail|cannot load' guarded.err || fail "$guest: it says nothing of the failure: $(cat guarded.err)"
	check $guest "the refusal and its numbers" 1 "$(number_of "$refused and .call == \"llama_model_load_from_file\"")"
	check $guest "the model in it" big "$(records | jq -r "select($refused).model")"
	check $guest "loads that began" 0 "$(number_of '.ev == "load" and .ph == "begin"')"
	check $guest "lines of run" 1 "$(wc -l <guarded.own)"
	grep -q 'memory\.limit' guarded.own || fail "$guest: the line names no rule: $(cat guarded.own)"
	check_whole $guest
done

# What fits is let in, and shows and ends as it does alone.
plain "${serve[@]}" tiny.gguf
guarded "${limit[@]}" -- "${serve[@]}" tiny.gguf
check_same "what fits"
check "what fits" "remarks of memory" 0 "$(number_of '(.rule // "" | startswith("memory.")) and .rule != "memory.warn" and .rule != "memory.critical"')"

# A context that is too large fails alone, after its model was loaded.
guarded --set memory.limit=2MiB --set memory.on_misfit=refuse -- "${serve[@]}" --context 65536 tiny.gguf
check context "the model" 1 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0')"
has context "the refusal" '.ev == "refuse" and .rule == "memory.limit" and (.call | test("context|init_from_model"))'
check context "its own status" "exit 1" "$(cat guarded.status)"

# Out of memory by the engine itself is not ours to hide: nothing is tried again unless asked for.
guarded --set memory.max_single_alloc=64KiB --set memory.on_misfit=refuse -- "${serve[@]}" tiny.gguf
check alloc "its own status" "exit 1" "$(cat guarded.status)"
has alloc "the refusal" '.ev == "refuse" and .rule == "memory.max_single_alloc" and .call == "ggml_backend_buft_alloc_buffer"'
tally 25
