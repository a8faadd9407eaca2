#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ds4.sh -- a program of ds4's shape: its loads, prompts and tokens are seen, its drains wait.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"

"$BUILD/tests/mkgguf" ds4-model.gguf >/dev/null || exit 1
for flags in -O2 "-O2 -no-pie" -O0; do
	# shellcheck disable=SC2086 # words
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -fvisibility=hidden -Wl,--build-id $flags -o ds4 \
		"$parts/ds4_serve.c" "$parts/ds4_engine.c" || exit 1
	alike "ds4 $flags" ./ds4 ds4-model.gguf free
	check "ds4 $flags" "nothing is said" "" "$(cat guarded.own)"
	has "ds4 $flags" "the load" '.ev == "load" and .ph == "end" and .rc == 0 and .engine == "ds4" and .model == "ds4-model"'
	# 5 of the first prompt, 3 tokens, 1 of the longer prompt that the session did not have.
	has "ds4 $flags" "the generation" '.ev == "infer" and .ph == "end" and .engine == "ds4" and .tokens == 9 and .submits == 6'
	has "ds4 $flags" "the context" '.ev == "infer" and .ctx == 64'
	has "ds4 $flags" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
	has "ds4 $flags" "what it turned down" '.ev == "error" and .engine == "ds4" and .call == "ds4_session_eval" and .rc == 1 and
		.class == "exception" and (.msg | endswith(": ds4: no room"))'
	has "ds4 $flags" "the session's end" '.ev == "unload" and .call == "ds4_session_free"'
	has "ds4 $flags" "the model's end" '.ev == "unload" and .ph == "end" and .call == "ds4_engine_close"'
done
# Each row that is watched, as its kind says, of that last run; the two that are called were
# needed for the tokens above, and for the wait below.
"${CC:-cc}" -E -P -x c - <<-END | tr ';' '\n' | sed -n 's/^ *ROW //p' >rows.txt
	#include "$SRC/hooks/none.h"
	#undef OWN
	#undef OWNV
	#define OWN(ret, name, params, args, kind, refuse, doc) ROW name kind;
	#define OWNV(name, params, args, kind, doc) ROW name kind;
	#include "$SRC/hooks/ds4.def"
END
check rows "rows found" "$(grep -cE '^OWNV?\(' "$SRC/hooks/ds4.def")" "$(wc -l <rows.txt)"
while read -r name kind; do
	if [ "$kind" = SUBMIT ]; then
		# The prompt begins the generation; the token that is turned down is an error.
		has "$name" "its call" ".call == \"$name\""
	else
		check "$name" "begins and ends" "1 1" \
			"$(for phase in begin end; do number_of ".call == \"$name\" and .ev == \"${kind,,}\" and .ph == \"$phase\""; done | xargs)"
	fi
done <rows.txt
without_shim env DS4_TELL=1 ./ds4 ds4-model.gguf
check "ds4 at exit" plain "0 waits" "$(tail -n 1 plain.out)"
fresh
raw guarded env DS4_TELL=1 "$bin" run -- ./ds4 ds4-model.gguf
check "ds4 at exit" guarded "1 waits" "$(tail -n 1 guarded.out)"
has "ds4 at exit" "the drain" '.ev == "drain" and .rule == "drain.at_exit" and .ph == "end" and .rc == 0'
export DS4_FAIL="Command buffer execution failed: Insufficient Memory"
alike "ds4, the device" ./ds4 ds4-model.gguf
has "ds4, the device" "what happened" '.ev == "error" and .engine == "ds4" and .class == "cmd_buffer_oom" and .model == "ds4-model"'
fresh
raw guarded env TAFFRAIL_SET=on_error=restart "$bin" run -- ./ds4 ds4-model.gguf
has "ds4, on_error" "the wish" '.ev == "note" and .rule == "on_error" and .class == "restart"'
unset DS4_FAIL
alike "ds4, no model" ./ds4 fail.bin
has "ds4, no model" "the failed load" '.ev == "load" and .ph == "end" and .rc != 0'

# What a rule refuses fails to open, and the program says that its own way.
fresh
raw guarded env TAFFRAIL_SET="memory.on_misfit=refuse;memory.headroom=512GiB" "$bin" run -- ./ds4 ds4-model.gguf
check "ds4, refused" status "exit 3" "$(cat guarded.status)"
has "ds4, refused" "why" '.ev == "refuse" and .call == "ds4_engine_open"'
"$bin" doctor -- ./ds4 >doctor.txt
check doctor route yes "$(grep -q 'call sites of 6 entry points of ds4 in the program itself' doctor.txt && echo yes)"
tally 54
