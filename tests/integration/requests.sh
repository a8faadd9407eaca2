#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# requests.sh -- how many requests a generation served, by its own batches alone.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps

served() { # tokens, requests and sequences of each generation
	crumbs | jq -r 'select(.ev == "infer" and .ph == "end") | "\(.tokens):\(.requests):\(.sequences)"' | xargs
}

same batches env TAFFRAIL_SET=drain.idle_ms=5ms "$tests/guest_steps" load=a.gguf \
	lanes=3 wait=20 prompt=4 wait=20 lanes=2 free
check batches "requests of each" "3:3:3 4:1:1 2:2:2" "$(served)"
# What an encoder gets does not say. The context may have the place of an earlier one.
same encode env TAFFRAIL_SET=drain.idle_ms=5ms "$tests/guest_steps" load=a.gguf \
	lanes=3 wait=20 encode=5 free load=a.gguf encode=6 free
check encode "requests of each" "3:3:3 5:null:null 6:null:null" "$(served)"
has encode "what idle is" '.ev == "start" and .idle_ms == 5'
tally 9
