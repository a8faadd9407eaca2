#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# engine.sh -- engines opened and called by a Go program, whose calls change threads and
# whose ways out are system calls of its own.
#
# Nothing of it changes: output, status, signal, what the runtime does with signals. A way
# out that nobody can see is not drained, and the report says so.
#
# time-limit: 300
. "${SRC:?}/tests/engines/go/lib.sh"
build engine

# A traceback has addresses and numbers of goroutines in it.
same() { # CASE OPTION... -- COMMAND...
	local case=$1 words=()
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	plain "${@:2}"
	guarded "${words[@]}" "$@"
	sed -i '/^goroutine\|^\t\|^main\.\|^runtime\.\|pc=0x/d' plain.err guarded.err
	check_same "$case"
	check_whole "$case"
}
said() { # CASE PATTERN
	"$taffrail" report --last >text
	grep -Eq -- "$2" text
	check "$1" "the report says $2" 0 $?
}

llama=(./engine llama "${server%/*}/libllama.so.0" tiny.gguf)
for end in return exit panic notify; do
	same "llama, $end" -- "${llama[@]}" $end
	check "llama, $end" "decodes, whatever threads they were on" 12 "$(report '.[0].submits')"
	check "llama, $end" "threads" true "$(records | jq -s 'map(.tid) | unique | length > 1')"
	said "llama, $end" '^  exit       status [0-9]+, by a system call of its own: nothing was drained$'
done
check "llama, notify" "the runtime's own handler had it" "exit 5" "$(cat guarded.status)"
check "llama, notify" "no profile: it is not known" null "$(records | jq -r 'select(.role == "guest").profile')"

same "llama, cexit" -- "${llama[@]}" cexit
check "llama, cexit" "the drain" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
said "llama, cexit" '^  exit       status 4 by exit, drained'
same "llama, term" -- "${llama[@]}" term
check "llama, term" "the signal" "signal 15" "$(cat guarded.status)"
said "llama, term" '^  signal     ended by SIGTERM'

# With the signal in the policy it is drained first, and dies of it all the same.
same "llama, term, drained" --set exit.signals=TERM -- "${llama[@]}" term
check "llama, term, drained" "the drain" 1 "$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')"
# A program that takes the signal itself keeps it.
same "llama, notify, exit.signals" --set exit.signals=TERM -- "${llama[@]}" notify

for end in exit cexit; do
	same "mlx-c, $end" -- ./engine mlxc "$tests/libfake_mlxc.so" . $end
	check "mlx-c, $end" "evaluations by dlsym" 12 "$(report '.[0].submits')"
	check "mlx-c, $end" "the limit" 1 "$(number_of '.ev == "limit" and .ph == "end" and .call == "mlx_set_wired_limit"')"
done
"$taffrail" doctor -- ./engine >text
grep -q "Go's own exit, signals and exec go straight to the kernel" text
check doctor "what stays invisible" 0 $?
tally 70
