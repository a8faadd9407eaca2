#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# engine.sh -- a Rust program with its engine built in, as candle and mistral.rs are: seen
# at the GPU runtime and the C library, through which Rust leaves as well.
. "${SRC:?}/tests/integration/lib.sh"
command -v rustc >/dev/null || {
	echo "needs rustc"
	exit 77
}
taffrail=$BUILD/taffrail
export TAFFRAIL_STATE=$state
unset RUST_BACKTRACE # it has addresses in it
cuda=$tests/libfake_cuda.so
# The folder of toolchains of a manager stands in the HOME that is not the test's.
HOME=$(getent passwd "$(id -u)" | cut -d: -f6) rustc --edition 2021 -O -o mistralrs "$SRC/tests/engines/rust/engine.rs" 2>rustc.err || {
	cat rustc.err
	exit 1
}

number_of() { # CONDITION
	"$taffrail" log --json | jq -c "select($1)" | wc -l
}

for end in return exit panic catch; do
	raw plain ./mistralrs "$cuda" $end
	check $end "it works" 5 "$(grep -c '^0$' plain.out)"
	fresh
	raw guarded "$taffrail" run -- ./mistralrs "$cuda" $end
	sed -i '/^taffrail: /d' guarded.err
	for part in status out err; do
		# A thread's number is in the message of a panic.
		check $end $part "$(sed "s/([0-9]*) panicked/panicked/" plain.$part)" \
			"$(sed "s/([0-9]*) panicked/panicked/" guarded.$part)"
	done
	check $end "launches of both threads" 30 "$("$taffrail" report --last --json | jq '.sessions | map(.submits) | add')"
	check $end "the drain at its exit" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
	check $end "its profile" mistral.rs "$(crumbs | jq -r 'select(.role == "guest").profile')"
done
tally 28
