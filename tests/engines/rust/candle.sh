#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# candle.sh -- the real candle, on the processor: a program with weights and threads of its
# own, and nothing that is guarded. It behaves as without, and nothing is written of it.
. "${SRC:?}/tests/integration/lib.sh"
candle=$("$SRC/tests/engines/rust/fetch.sh" candle) || exit $?
unset RUST_BACKTRACE # it has addresses in it

for end in return exit panic thread; do
	raw plain "$candle" weights.safetensors "$end"
	fresh
	TAFFRAIL_STATE=$state raw guarded "$BUILD/taffrail" run -- "$candle" weights.safetensors "$end"
	for part in status out err; do
		check "$end" $part "$(sed 's/([0-9]*) panicked/panicked/' plain.$part)" \
			"$(sed 's/([0-9]*) panicked/panicked/' guarded.$part)"
	done
	check "$end" "a number came out" true "$(grep -qx '[0-9]*\.[0-9]*' plain.out && echo true)"
	check "$end" "what is written of it" "" "$(ls "$state/crumbs" 2>/dev/null)"
done
"$BUILD/taffrail" doctor -- "$candle" weights.safetensors return >doctor.out
check doctor "what it says" 1 "$(grep -c '^  verdict    nothing to guard' doctor.out)"
tally 21
