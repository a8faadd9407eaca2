#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# every_row.sh -- each row of the engine tables: passes once, keeps the value, is counted.
#
# The rows, their kinds and durabilities are read from the tables themselves, so
# that a new row is tested the day it is written.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

# NAME KIND THUNK of each engine row.
rows() {
	for engine in llama ggml; do
		"${CC:-cc}" -E -P -x c - <<-END | grep '^ROW' | tr -d ';'
			#include "$SRC/hooks/none.h"
			#undef HOOK
			#undef HOOKV
			#undef OWN
			#undef OWNV
			#undef NOTIFY
			#undef CALL
			#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ROW name kind made;
			#define HOOKV(name, params, args, kind, bytes, doc) ROW name kind made;
			#define OWN(ret, name, params, args, kind, refuse, doc) ROW name kind own;
			#define OWNV(name, params, args, kind, doc) ROW name kind own;
			#define NOTIFY(name, kind, doc) ROW name kind notify;
			#define CALL(ret, name, params, doc) ROW name LOOKUP call;
			#include "$SRC/hooks/$engine.def"
		END
	done | sed 's/ROW/\n&/g' | grep '^ROW' | cut -d' ' -f2-
}

durability() { # KIND
	sed -n "s/^KIND($1, *[a-z]*, *\([A-Z]*\),.*/\1/p" "$SRC/policy/kinds.def"
}

rows >rows.txt
check rows "rows found" "$(cat "$SRC"/hooks/llama.def "$SRC"/hooks/llama_*.def "$SRC"/hooks/ggml.def |
	grep -cE '^(HOOK|HOOKV|OWN|OWNV|NOTIFY|CALL)\(')" "$(wc -l <rows.txt)"

# With both fakes, and with values of their own in every return.
for odd in "" 1; do
	with_shim ${odd:+FAKE_ODD=$odd} "$tests/guest_rows"
	check "values ${odd:-0}" status "exit 0" "$(cat shim.status)"
	[ "$(cat shim.status)" = "exit 0" ] || grep -v '^called' shim.out
done
crumbs >all.json
while read -r name kind thunk; do
	case $thunk in notify | call) continue ;; esac
	grep -qx "called $name" shim.out || fail "$name" "was not called"
	begins=$(jq -c "select(.call == \"$name\" and .ph == \"begin\" and .ev == \"${kind,,}\")" all.json | wc -l)
	ends=$(jq -c "select(.call == \"$name\" and .ph == \"end\" and .ev == \"${kind,,}\" and .of and has(\"rc\"))" all.json | wc -l)
	case $name:$(durability "$kind") in
	ggml_backend_load:*) has "$name" "a mark" ".call == \"$name\" and .ev == \"note\" and .ph == \"mark\"" ;;
	*:LOG | *:SYNC)
		if [ "$begins" -ge 1 ] && [ "$begins" -eq "$ends" ]; then
			pass
		else
			fail "$name" "begins and ends in the log: $begins and $ends"
		fi
		;;
	# INFER names the decode that began it; anything else of such a row is in the ring alone.
	*) check "$name" "records in the log" 0 "$begins" ;;
	esac
done <rows.txt

# Without an engine every wrapper gives its row's refuse value.
with_shim "$tests/guest_rows" missing
check missing status "exit 0" "$(cat shim.status)"
check missing "rows called" "$(grep -cvE ' (notify|call)$' rows.txt)" "$(grep -c '^called' shim.out)"
[ "$(cat shim.status)" = "exit 0" ] || tail -n 3 shim.out

# The message of a failed assertion is in the log; the death is the program's own.
with_shim "$tests/guest_rows" abort
message='ggml-fake.c:77: assertion failed: 5 of 6000000000, five six 7,'
check abort status "signal 6" "$(cat shim.status)"
check abort message "$message 1.50" "$(cat shim.err)"
has abort "the message" ".ev == \"error\" and .class == \"ggml_abort\" and .msg == \"$message %.2f\""
# Even where nobody has it: it never returns, and it is no jump to nowhere.
with_shim "$tests/guest_rows" missing abort
check abort-missing status "signal 6" "$(cat shim.status)"

tally 29
