#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# abort.sh -- an assertion of ggml fails: the same words, the same death, and a
# record that holds the file, the line and the text.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

guest=("$python" "$here/abort_caller.py" tiny.gguf)

# Without its backtrace, which is full of addresses.
export GGML_NO_BACKTRACE=1
plain "${guest[@]}"
check abort "the program aborts" "signal 6" "$(cat plain.status)"
grep -q 'GGML_ASSERT' plain.err || fail abort "no assertion failed: $(cat plain.err)"
guarded -- "${guest[@]}"
check_same abort
check abort "one line of run" 1 "$(grep -c '^taffrail: .*SIGABRT' guarded.own)"
check_whole abort

# file:line: text, the same file and line that the engine printed.
where=$(sed -n 's|^.*/\([^/ ]*:[0-9]*\): GGML_ASSERT.*|\1|p' plain.err | head -n 1)
text=$(sed -n 's|^.*\(GGML_ASSERT.*\)$|\1|p' plain.err | head -n 1)
check abort "the record" "ggml_abort ggml $where: $text" \
	"$(records | jq -r 'select(.ev == "error" and .engine == "ggml") | "\(.call) \(.class | split("_")[0]) \(.msg)"')"
check abort "the report" "crash SIGABRT tiny" "$(report '.[0] | "\(.verdict) \(.signal) \(.model)"')"
"$taffrail" report --last >text
for word in crash SIGABRT GGML_ASSERT "$where" tiny; do
	grep -q -- "$word" text || fail abort "the report does not say '$word'"
done

# Raw preload: nobody saw how it ended, and the record alone tells.
fresh
raw guarded env LD_PRELOAD="$shim" "${guest[@]}"
check_same "raw preload"
check "raw preload" "the report" "crash tiny" "$(report '.[0] | "\(.verdict) \(.model)"')"

# With the backtrace the engine forks a debugger, where there is one.
unset GGML_NO_BACKTRACE
plain "${guest[@]}"
guarded -- "${guest[@]}"
check "with a backtrace" "status" "$(cat plain.status)" "$(cat guarded.status)"
check "with a backtrace" "the assertion" "$(grep -c GGML_ASSERT plain.err)" "$(grep -c GGML_ASSERT guarded.err)"
check "with a backtrace" "the record" 1 "$(number_of '.ev == "error" and .engine == "ggml"')"
tally 15
