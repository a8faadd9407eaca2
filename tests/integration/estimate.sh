#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# estimate.sh -- a load that takes no memory is an estimate; memory that lies on the host is
# memory.
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
tally 8
