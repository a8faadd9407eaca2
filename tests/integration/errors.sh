#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# errors.sh -- on_error: what follows a failed computation, in every mode.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_errors
guest=$tests/guest_errors
fails=(FAKE_DECODE_RC=-3 FAKE_DECODE_RC_AT=2)

with() { # SETTINGS [NAME=VALUE...] WORD...
	local settings=$1 env=()
	shift
	while [[ $1 == [A-Z]* ]]; do
		env+=("$1")
		shift
	done
	with_shim TAFFRAIL_SET="$settings" "${env[@]}" "$guest" "$@"
	check "$settings ${env[*]} $*" status "exit 0" "$(cat shim.status)"
}

of_rule() { # PHASE-OR-MORE
	count ".rule == \"on_error\" and ($1)"
}

holds='last position 3, logits, embeddings, token some, state 64, sequence 32'
empty='last position -1, no logits, no embeddings, token none, state 0, sequence 0'

# 1. note, the default: the program sees what it would have seen; the crumb says what to do.
words=(load=a.gguf infer=3 show)
same note "${fails[@]}" "$guest" "${words[@]}"
check note "what it saw" "load ok
infer: 0 -3 0
$holds" "$(cat shim.out)"
has note "class and hint" '.ev == "error" and .call == "llama_decode" and .rc == -3 and .class == "compute_failed" and
	(.msg | test("not to be trusted")) and .model == "a"'
check note "that is all" 0 "$(of_rule true)"
for rc in -1 -2; do
	with "on_error=poison" FAKE_DECODE_RC=$rc load=a.gguf infer=2
	[ $rc = -1 ] && wanted="infer: -1 -1, 0" || wanted="infer: -2 -3, 2"
	check "rc $rc" "a bad batch is an answer, no memory is a failure" "$wanted" "$(tail -n 1 shim.out), $(of_rule true)"
done
with "on_error=poison" FAKE_DECODE_RC=1 load=a.gguf infer=2 show
check "rc 1" "no room in the cache is an answer" "infer: 1 1" "$(sed -n 2p shim.out)"

# 2. poison: nothing stale is shown; another context goes on; no model until a restart.
with on_error=poison "${fails[@]}" load=a.gguf infer=5 show old show infer=2 make infer=1 show free free load=b.gguf
check poison "what it saw" "load ok
infer: 0 -3 -3 -3 -3
$empty
$empty
$empty
infer: -3 -3
infer: 0
last position 1, logits, embeddings, token some, state 64, sequence 32
load failed" "$(cat shim.out)"
check poison "decodes that reached the engine" 3 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end") | .submits) | add')"
check poison "one crumb each: compute, positions, results, save" 4 "$(of_rule '.ev == "refuse" and .call != "llama_model_load_from_file"')"
has poison "the load" '.ev == "refuse" and .rule == "on_error" and .call == "llama_model_load_from_file"'
check poison "each is counted: decodes, what is shown, the load" true "$(TAFFRAIL_STATE=$state "$bin" report --all --json |
	jq '[.sessions[].refused[] | select(.rule == "on_error") | .count] == [24]')"
has poison "what is so from now on" '.ev == "note" and .rule == "on_error" and (.msg // "" | test("^poisoned: "))'
# A context at the address of one that was poisoned is another one.
with on_error=poison FAKE_DECODE_RC=-3 FAKE_DECODE_RC_AT=1 load=a.gguf infer=1 free make infer=1 show
check "poison, freed" "the next one" "infer: 0
last position 1, logits, embeddings, token some, state 64, sequence 32" "$(tail -n 2 shim.out)"

# 3. reset: cleared before the next use, whichever that is.
with on_error=reset "${fails[@]}" load=a.gguf infer=3 show
check reset "by the next decode" "infer: 0 -3 0
last position 1, logits, embeddings, token some, state 64, sequence 32" "$(tail -n 2 shim.out)"
check reset "a plan and a deed" 2 "$(of_rule '.ev == "note"')"
has reset "the deed" '.rule == "on_error" and .call == "llama_decode" and (.msg | test("was cleared"))'
with on_error=reset "${fails[@]}" load=a.gguf infer=2 show infer=1
check reset "by a question" "last position -1, logits, embeddings, token some, state 64, sequence 32
infer: 0" "$(tail -n 2 shim.out)"
has reset "the question" '.rule == "on_error" and .call != "llama_decode" and (.msg | test("was cleared"))'
# Restored over a failure: that is cleared first, and what was restored stays.
with on_error=reset "${fails[@]}" load=a.gguf infer=1 keep=a.state infer=1 back=a.state infer=1 show
check "reset, restored" "what it goes on from" "back ok
infer: 0
last position 3, logits, embeddings, token some, state 64, sequence 32" "$(tail -n 3 shim.out)"
with on_error=poison "${fails[@]}" FAKE_ODD=1 load=a.gguf infer=1 keep=a.state infer=1 back=a.state memory infer=1
check "poison, restored" "nothing is" "back failed
back failed
infer: -3" "$(tail -n 3 shim.out)"
check "poison, restored" "one crumb" 1 "$(of_rule '.ev == "refuse" and (.msg | test("restores no state"))')"
# An engine without any of the functions that clear: it is said, and nothing else happens.
hide() { # FILE NAME...
	echo "{ local: $(printf '%s; ' "${@:2}")};" >hide.map
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC -o "$1" "$SRC/tests/fake/fake_llama.c" -Wl,--version-script=hide.map
}
hide unclear.so llama_memory_clear llama_kv_self_clear llama_kv_cache_clear
with on_error=reset FAKE_LLAMA="$work/unclear.so" "${fails[@]}" "${words[@]}"
check "reset, not possible" "as with note" "$holds" "$(tail -n 1 shim.out)"
check "reset, not possible" "one note" "1 1" "$(of_rule true) $(of_rule '.msg | test("no function")')"
# By the names that engines had before.
hide older.so llama_memory_clear llama_kv_self_clear
with on_error=reset FAKE_LLAMA="$work/older.so" "${fails[@]}" load=a.gguf infer=2 infer=1 old
check "reset, older" "by llama_kv_cache_clear" "last position 1, logits, embeddings, token some, state 64, sequence 32" "$(tail -n 1 shim.out)"

# 4. restart: the supervisor does it; without one that is said.
with on_error=restart "${fails[@]}" "${words[@]}"
has restart "that nobody will" '.rule == "on_error" and (.msg | test("nobody will"))'
fresh
rm -f once
# shellcheck disable=SC2016 # for the inner shell
raw run timeout -s KILL 100 env TAFFRAIL_STATE="$state" "${fails[@]}" "$bin" run --restart --restart-max 1/1h --restart-delay 20ms \
	--set on_error=restart --set drain.idle_ms=5ms -- sh -c 'test -e once && exit 0; : >once; exec "$0" "$@"' "$guest" load=a.gguf infer=2 sleep
check restart "the second life is the last" "exit 0" "$(cat run.status)"
check restart "the line" 1 "$(grep -c 'a computation failed (on_error); restart 1 of 1' run.err)"
has restart "the wish" '.ev == "note" and .class == "restart" and .rule == "on_error"'
has_not restart "somebody does" '.msg != null and (.msg | test("nobody will"))'

# 5. A GPU runtime's fault inside a decode that says it went well; and one that leaps out of it.
with on_error=poison FAKE_ALL_FAIL=719 load=a.gguf fault infer=2 calm show
check fault "the second decode" "infer: 0 -3
$empty" "$(tail -n 2 shim.out)"
has fault "the fault itself" '.ev == "error" and .class == "launch_failed"'
with on_error=poison FAKE_ALL_FAIL=719 FAKE_FN_FIRST=1 load=a.gguf infer=1 leap infer=1
check leap "the decode after it" "infer: -3" "$(tail -n 1 shim.out)"
# What only says that memory is short is none.
with on_error=poison FAKE_ALL_FAIL=2 load=a.gguf fault infer=2
check "no fault" "decodes" "infer: 0 0" "$(tail -n 1 shim.out)"

# 6. observe: nothing happens, and what would is said once a context.
for rule in poison reset; do
	with "mode=observe;on_error=$rule" FAKE_DECODE_RC=-3 load=a.gguf infer=3 load=b.gguf
	check "observe $rule" "what it saw" "load ok infer: -3 -3 -3 load ok" "$(xargs <shim.out)"
	check "observe $rule" "would" 1 "$(of_rule '.ev == "would" and .call == "llama_decode"')"
done
with "mode=observe;on_error=restart" FAKE_DECODE_RC=-3 load=a.gguf infer=3
check "observe restart" "would" 1 "$(of_rule '.ev == "would"')"

# 7. ggml without llama: there is no context, only loads are refused.
with on_error=poison FAKE_GRAPH_RC=-1 graph load=a.gguf graph
check graph "failed" "graph: -1 load failed graph: -1" "$(xargs <shim.out)"
has graph "the failure" '.ev == "error" and .class == "compute_failed" and .engine == "ggml"'
with on_error=poison load=a.gguf graph
check graph "went well" "graph: 0" "$(tail -n 1 shim.out)"
check graph "no error" 0 "$(count '.ev == "error"')"
tally 64
