#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report_end.sh -- what `report` says of a process that a signal ended: whether the device was
# waited for, what would have it waited for, and whether anything was being computed.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
bin=${TAFFRAIL:-$BUILD/taffrail}
export TAFFRAIL_STATE=$state

needs python3
python=$(python3 -c 'import sys; print(sys.executable)')

# Evaluates nothing, which computes all the same, and ends itself.
cat >ended.py <<'END'
import ctypes, os, signal, sys
for s in signal.SIGINT, signal.SIGPIPE:
    signal.signal(s, signal.SIG_DFL)
ctypes.CDLL(sys.argv[1])._ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE((ctypes.c_uint64 * 3)())
os.kill(os.getpid(), int(sys.argv[2]))
END

ended() { # SIGNAL OPTIONS...: what a pause of the machine takes ends no generation
	fresh
	raw guest "$bin" run --set drain.idle_ms=10m "${@:2}" -- "$python" ended.py "$tests/libfake_mlx.so" "$1"
	"$bin" report >page.txt
}

row() { # NAME
	sed -n "s/^  $1  *//p" page.txt
}

for signal in 1:HUP 2:INT 15:TERM; do
	name=${signal#*:}
	ended "${signal%:*}"
	check "$name" "how it ended" 1 "$(grep -cE "^  signal +ended by SIG$name .* into a generation by mlx::core::eval, or shortly after it" page.txt)"
	check "$name" "the way out" "by SIG$name: nothing was drained" "$(row exit)"
	check "$name" "what to do" "exit.signals: [\"$name\"] in the policy, or --set exit.signals=$name, waits for the device before SIG$name ends the program" "$(row next)"
done

ended 15 --set exit.signals=TERM
check asked "how it ended" 1 "$(grep -cE '^  signal +ended by SIGTERM [0-9.]+m?s into a generation by mlx::core::eval, or (just|[0-9.]+m?s) after it; it was on its way out$' page.txt)"
check asked "the way out" 1 "$(row exit | grep -c '^by SIGTERM, .*of leaving')"
"$bin" log >log.txt
check asked "the mark in the log" 1 "$(grep -cE '^ +latest  [0-9]+ +infer mark +last known state: between computations, or idle \(' log.txt)"
check asked "the command in the log" 1 "$(grep -c " start .* guest, $python ended.py /" log.txt)"
check asked "the signal in the log" 1 "$(grep -c ' exit end .* by SIGTERM$' log.txt)"
check asked "no advice of signals" 0 "$(grep -c 'exit\.signals' page.txt)"

# Of another signal than those of the policy.
ended 1 --set exit.signals=TERM
check other "what to do" 1 "$(row next | grep -c '^exit.signals: \["HUP"\]')"

sed -i 's/^os.kill/import time; time.sleep(0.05)\n&/' ended.py
ended 15 --set drain.idle_ms=1ms
check idle "how it ended" 1 "$(grep -cE '^  signal +ended by SIGTERM while idle' page.txt)"
check idle "the way out" "by SIGTERM: nothing was drained" "$(row exit)"
check idle "nothing to do" "" "$(row next)"

# One that exit.signals cannot name.
ended 13
check PIPE "the way out" "by SIGPIPE: nothing was drained" "$(row exit)"
check PIPE "nothing to do" "" "$(row next)"

# What no policy can help: there is nothing to be set for it.
ended 9
check killed "no advice of signals" 0 "$(grep -c exit.signals page.txt)"
"$bin" log --ev infer,exit >log.txt
check killed "what was left open" 1 "$(grep -c ' infer mark .*: between computations, or idle; 1 generation has no end (' log.txt)"
check killed "its number, and the other kind" 'begin #3 exit' "$(sed -n 's/.* infer \(begin\) .* \(#[0-9]*\)$/\1 \2/p; s/.* \(exit\) .*/\1/p' log.txt | xargs)"
tally 24
