#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# kill9.sh -- the process is killed in the middle; the report says of what.
#
# In a generation, in a load, with its supervisor alive and dead, more than once.
#
# time-limit: 600
. "${SRC:?}/tests/engines/llama/lib.sh"

says() { # CASE WORD...
	local word case=$1
	shift
	"$taffrail" report --last >text
	for word in "$@"; do
		grep -q -- "$word" text && continue
		fail "$case" "the report does not say '$word'"
		sed 's/^/  /' text
	done
	pass
}

# A silence that no busy machine reaches: the generation is under way when it is killed.
hanging=(--set drain.idle_ms=10m -- "${serve[@]}" --hang tiny.gguf)

# 1. The guest dies in a generation.
for round in 1 2 3; do
	start_guarded "${hanging[@]}"
	until_generating
	if [ "$round" = 1 ]; then
		check alive "the verdict" "running tiny" "$(report '.[0] | "\(.verdict) \(.model)"')"
		check alive "what is open" "infer llama_decode tiny" \
			"$(report '.[0].open[] | select(.ev == "infer") | "\(.ev) \(.call) \(.model)"')"
	fi
	kill -KILL "$guest"
	await_runner
	case="killed in a generation, round $round"
	check "$case" "how run ended" "signal 9" "$ended"
	check "$case" "one line of run" 1 "$(grep -c '^taffrail: .*SIGKILL.*llama_decode.*tiny' bg.err)"
	check "$case" "the verdict" "killed SIGKILL tiny llama $guest" \
		"$(report '.[0] | "\(.verdict) \(.signal) \(.model) \(.engines | join(",")) \(.pid)"')"
	check "$case" "what was open" "infer llama_decode tiny true" \
		"$(report '.[0].open[] | select(.ev == "infer") | "\(.ev) \(.call) \(.model) \(.age_ms >= 0)"')"
	check "$case" "submits, from the ring" true "$(report '.[0] | .submits >= 40 and .ring')"
	check "$case" "the threads that decode" true "$(report '.[0].last | any(.call // "" | test("^(llama|ggml)_"))')"
	check_whole "$case"
	says "$case" killed tiny infer llama_decode
	"$taffrail" report --last --json | jq -e . >/dev/null || fail "$case" "the JSON is none"
done

# 2. Nobody watches: raw preload, then --exec. The report knows it from the log alone.
fresh
LD_PRELOAD="$shim" TAFFRAIL_SET="drain.idle_ms=10m" "${serve[@]}" --hang tiny.gguf </dev/null >bg.out 2>bg.err &
runner=$!
until_generating
kill -KILL $runner
await_runner
check "raw preload" "how it ended" "signal 9" "$ended"
check "raw preload" "the verdict" "killed tiny infer llama_decode" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.open[] | select(.ev == "infer") | "\(.ev) \(.call)")"')"
says "raw preload" killed tiny llama_decode
start_guarded --exec "${hanging[@]}"
until_generating
check "run --exec" "the process" "$runner" "$guest"
kill -KILL "$guest"
await_runner
check "run --exec" "the verdict" "killed tiny infer llama_decode" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.open[] | select(.ev == "infer") | "\(.ev) \(.call)")"')"

# 3. `run` dies; the guest goes on, and is still told from the log when it dies itself.
start_guarded "${hanging[@]}"
until_generating
kill -KILL $runner
await_runner
check "run killed" "how it ended" "signal 9" "$ended"
before=$(report '.[0].submits')
until_true has_submits $((before + 40))
check "run killed" "the guest" "running tiny" "$(report '.[0] | "\(.verdict) \(.model)"')"
kill -KILL "$guest"
until_true is_gone "$guest"
check "run killed" "the verdict then" "killed tiny infer llama_decode" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.open[] | select(.ev == "infer") | "\(.ev) \(.call)")"')"
check_whole "run killed"
# One that ends by itself ends clean, though nobody waits for it.
start_guarded -- "${serve[@]}" --pause 3000 tiny.gguf
until_true has_records 1 '.ev == "infer" and .ph == "begin"'
guest=$(guest_pid)
kill -KILL $runner
await_runner
until_true is_gone "$guest"
check "run killed, a clean end" "the verdict" "clean 0 tiny" "$(report '.[0] | "\(.verdict) \(.rc) \(.model)"')"
check "run killed, a clean end" "both lines" 2 "$(wc -l <bg.out)"

# 4. The guest dies in a load: an object preloaded behind ours stops the engine where it reads the header.
cat >stall.c <<-'END'
	#include <unistd.h>
	void gguf_init_from_file(void);
	void gguf_init_from_file(void)
	{
		for (;;)
			pause();
	}
END
"${CC:-cc}" -shared -fPIC -o stall.so stall.c || exit 1
LD_PRELOAD=$work/stall.so start_guarded -- "${calls[@]}" tiny.gguf
until_true has_records 1 '.ev == "load" and .ph == "begin"'
guest=$(guest_pid)
check "in a load" "alive" "running load llama_model_load_from_file tiny" \
	"$(report '.[0] | "\(.verdict) \(.open[0] | "\(.ev) \(.call) \(.model)")"')"
kill -KILL "$guest"
await_runner
check "in a load" "how run ended" "signal 9" "$ended"
check "in a load" "the verdict" "killed tiny load llama_model_load_from_file tiny infers 0" \
	"$(report '.[0] | "\(.verdict) \(.model) \(.open[0] | "\(.ev) \(.call) \(.model)") infers \(.infers)"')"
check_whole "in a load"
says "in a load" killed load tiny llama_model_load_from_file

# 5. Between two generations, idle: killed, and nothing of the engine's is open.
start_guarded --set drain.idle_ms=1ms -- "${serve[@]}" --pause 600000 tiny.gguf
until_true grep -q . bg.out
guest=$(guest_pid)
kill -KILL "$guest"
await_runner
check "idle" "the verdict" "killed tiny" "$(report '.[0] | "\(.verdict) \(.model)"')"
check_whole "idle"
tally 45
