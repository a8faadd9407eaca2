#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report_limits.sh -- `report` says which limits were granted less than the program asked for and
# which evaluations were split; and, of mode observe, which would have been.
#
# The engine is a fake; the arrays are made here as libstdc++ lays them out in memory.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
bin=${TAFFRAIL:-$BUILD/taffrail}
export TAFFRAIL_STATE=$state

needs python3
python=$(python3 -c 'import sys; print(sys.executable)')
"$python" -c 'import ctypes; ctypes.CDLL("libstdc++.so.6")' 2>/dev/null || {
	echo "needs libstdc++, whose memory the pieces are made of"
	exit 77
}

cat >limits.py <<'END'
import ctypes, sys
ctypes.CDLL("libstdc++.so.6", ctypes.RTLD_GLOBAL)
lib = ctypes.CDLL(sys.argv[1])
at = ctypes.addressof
objects = (ctypes.c_uint64 * 21)()
counts = (ctypes.c_uint64 * 42)(*[0, 1 | 1 << 32] * 21)
pairs = [(at(objects) + 8 * i, at(counts) + 16 * i) for i in range(21)]
arrays = (ctypes.c_uint64 * 42)(*[v for pair in pairs for v in pair])
vector = (ctypes.c_uint64 * 3)(at(arrays), at(arrays) + 336, at(arrays) + 336)
evaluate = lib._ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE
evaluate(vector)
for n in 5 << 30, 1 << 20, 5 << 30:
    lib._ZN3mlx4core16set_memory_limitEm(ctypes.c_size_t(n))
lib._ZN3mlx4core15set_wired_limitEm(ctypes.c_size_t(5 << 30))
evaluate(vector)
END

limited() { # MODE
	fresh
	raw guest "$bin" run --set mode="$1" --set limits.memory=1GiB --set limits.wired=swallow \
		--set limits.cache=1MiB --set eval.chunk=4 -- "$python" limits.py "$tests/libfake_mlx.so"
	check "$1" status "exit 0" "$(cat guest.status)"
}

row() { # NAME
	"$bin" report | sed -n "s/^  $1  *//p"
}

key() { # NAME
	"$bin" report --json | jq -c ".sessions[0].$1 | map([.rule, .count, .msg])"
}

limited enforce
check enforce "run sends to the report" 1 "$(grep -c 'was limited 3 times by the policy: limits.wired, .*; see: taffrail report --last' guest.err)"
check enforce "what was limited" "limits.memory 2, limits.wired 1; the last: asked 5.0 GiB, granted nothing: limits.wired" "$(row limited)"
check enforce "the key of it" '[["limits.memory",2,"asked 5.0 GiB, granted 1.0 GiB: limits.memory"],["limits.wired",1,"asked 5.0 GiB, granted nothing: limits.wired"]]' "$(key limited)"
check enforce "what was split" "1, by rule eval.chunk: 21 arrays are evaluated in 5 pieces" "$(row split)"
check enforce "the key of that" '[["eval.chunk",1,"21 arrays are evaluated in 5 pieces"]]' "$(key split)"
check enforce "nothing was only observed" " []" "$(row would) $(key would)"

limited observe
check observe "run says nothing of it" 0 "$(grep -c 'by the policy' guest.err)"
check observe "nothing was limited" "  [] []" "$(row limited) $(row split) $(key limited) $(key split)"
check observe "what would have been" "limits.memory 3, limits.cache 1, eval.chunk 1, limits.wired 1, drain.at_exit 1; the last: would synchronize here" "$(row would)"
check observe "the key of it" '[["eval.chunk",1,"21 arrays would be evaluated in 5 pieces"],["limits.cache",1,"would be granted 1.0 MiB before the program asks, or the engine'"'"'s own limit where that is less"],["limits.memory",3,"asked 5.0 GiB, would be granted 1.0 GiB: limits.memory"],["limits.wired",1,"asked 5.0 GiB, would be granted nothing: limits.wired"]]' \
	"$("$bin" report --json | jq -c '.sessions[0].would | map(select(.rule | startswith("drain") | not) | [.rule, .count, .msg]) | sort')"

limited off
check off "no word of it" 0 "$(crumbs | wc -l)"
tally 14
