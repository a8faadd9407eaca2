#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# estimate.sh -- a load that takes no memory is an estimate; memory that lies on the host is
# memory.  A load of the vocabulary alone is none for times between loads either.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
head -c 5000 /dev/zero >a.gguf

while read -r bytes wanted; do
	same "$bytes pinned" env FAKE_PIN="$tests/libfake_hip.so" FAKE_PIN_BYTES="$bytes" \
		"$tests/guest_steps" load=a.gguf infer=1 free
	check "$bytes pinned" "the load is an" "$wanted" "$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") |
		if (.msg // "" | startswith("an estimate")) then "estimate" else "load" end')"
done <<'END'
0 estimate
4096 load
END

# As an Ollama before 0.30 does: the vocabulary in one place, then the model in another.
cp a.gguf vocab-a.gguf
same vocabulary env TAFFRAIL_SET="cadence.on_violation=refuse;cadence.same_model=1h;cadence.cross_model=1h" \
	"$tests/guest_steps" load=vocab-a.gguf free load=vocab-a.gguf free load=a.gguf infer=1 free
check vocabulary "the loads" "its vocabulary alone: none of its tensors
its vocabulary alone: none of its tensors
load" "$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") | if (.msg // "" | startswith("its voc")) then .msg else "load" end')"
check vocabulary "refusals" 0 "$(count '.ev == "refuse"')"
# What is a load counts from there on.
same again env TAFFRAIL_SET="cadence.cross_model=1h" "$tests/guest_steps" load=a.gguf infer=1 free load=vocab-a.gguf free
check again "it is judged as any" 1 "$(count '.rule == "cadence.cross_model"')"
tally 17
