#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# ctypes.sh -- llama.cpp called from python by dlsym, as llama-cpp-python does.
#
# No symbol of libllama is bound by the loader for such a caller: load, decode
# and unload are seen all the same, and the start record says by which route.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

both() { # CASE WORD...
	local case=$1
	shift
	plain "${calls[@]}" "$@"
	check "$case" "the program works" "exit 0" "$(cat plain.status)"
	guarded --set drain.idle_ms=10m --set drain.post_sync=on -- "${calls[@]}" "$@"
	check_same "$case"
	check_whole "$case"
}

both "whole life" tiny.gguf
check "whole life" "the story" "start mark
load begin llama_model_load_from_file
load end llama_model_load_from_file
note begin llama_init_from_model
note end llama_init_from_model
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
exit end" "$(records | jq -r 'select(.engine != null or .role == "guest") | [.ev, .ph, .call // empty] | join(" ")')"
check "whole life" "the route" true "$(records | jq -r 'select(.role == "guest").routes | index("dlsym") != null')"
check "whole life" "the load" 1 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0 and .model == "tiny" and .bytes > 100000')"
check "whole life" "the decodes" 1 "$(number_of '.ev == "infer" and .ph == "end" and .submits == 3 and .tokens == 6 and .peak == 4')"
check "whole life" "the report" "clean tiny llama 1" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.engines | join(",")) \(.infers)"')"

both "only a load" --load-only tiny.gguf
check "only a load" "load and unload, no generation" "1 1 0" \
	"$(number_of '.ev == "load" and .ph == "end" and .rc == 0') $(number_of '.ev == "unload" and .ph == "end"') $(number_of '.ev == "infer"')"

both "nothing freed" --no-free tiny.gguf
check "nothing freed" "the drain at the exit" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
check "nothing freed" "unloads" 0 "$(number_of '.ev == "unload"')"

plain "${calls[@]}" no-such.gguf
guarded -- "${calls[@]}" no-such.gguf
check_same "no such model"
check "no such model" "status" "exit 1" "$(cat guarded.status)"

# A name with everything in it that could forge a record or steer a terminal.
odd=$'odd "name"\n{"ev":"exit"}\e[2J\t\xff.gguf'
cp tiny.gguf "$odd"
both "an odd name" "$odd"
check "an odd name" "loads" 1 "$(number_of '.ev == "load" and .ph == "end" and .rc == 0')"
check "an odd name" "lines of the log that are no record" 0 \
	"$(cat "$state"/crumbs/*.jsonl | grep -av '^$' | grep -avc '^{"t":.*"crc":"[0-9a-f]\{8\}"}$')"
"$taffrail" report --last >text
"$taffrail" log >>text
check "an odd name" "control characters on the terminal" 0 "$(LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f\x7f]' text)"
tally 30
