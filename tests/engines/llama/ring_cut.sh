#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time-limit: 240
# ring_cut.sh -- somebody cuts the ring of a live process: the process goes on
# (a store into a mapped file that has become shorter is SIGBUS), and the report
# still says how it ended, from the log.
set -u
SRC=${SRC:?} bin=${TAFFRAIL:?} BUILD=${BUILD:?}
unset TAFFRAIL
node=$("$SRC/tests/engines/node.sh") || exit $?
"$SRC/tests/engines/llama/fetch.sh" >/dev/null || exit $?

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/run"
export TAFFRAIL_STATE=$work/state XDG_RUNTIME_DIR=$work/run
"$BUILD/tests/mkgguf" "$work/tiny.gguf" >/dev/null || exit 1
"$bin" run -- "$node" "$SRC/tests/engines/llama/serve.mjs" --hang "$work/tiny.gguf" >"$work/out" 2>"$work/err" &
runner=$!
for ((i = 0; i < 600; i++)); do
	grep -q hanging "$work/out" && break
	sleep 0.1
done
guest=$(pgrep -P "$runner" | head -n 1)
rings=("$work"/run/taffrail/*.ring)
test -s "${rings[0]}" || {
	echo "there is no ring to cut"
	kill -KILL "${guest:-0}"
	exit 1
}
truncate -s 0 "${rings[0]}"
# Decodes take well under a millisecond: the ring is stored to many times in this time.
sleep 1
checks=0 bad=0
check() { # WHAT COMMAND...
	local what=$1
	shift
	checks=$((checks + 1))
	"$@" || {
		bad=$((bad + 1))
		echo "FAIL $what"
	}
}
check "the guest goes on" kill -0 "$guest"
kill -TERM "$guest"
wait "$runner" 2>/dev/null
check "it ended by the signal that it was sent" test $? -eq 143
check "the report says so" grep -q 'ended by SIGTERM' <("$bin" report --last)
check "the log is whole" grep -q '"ev":"load","ph":"end"' <("$bin" log --json)
echo "$checks checks, $bad failed"
test "$bad" -eq 0 && test "$checks" -eq 4
