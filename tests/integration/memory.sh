#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# memory.sh -- `run` and memory: how readily the kernel ends the guest, and the user's own word.
. "${SRC:?}/tests/integration/lib.sh"

taffrail=$BUILD/taffrail
export TAFFRAIL_STATE=$state

adj() { # OPTION...
	"$taffrail" run "$@" -- cat /proc/self/oom_score_adj 2>adj.err
}

before=$(cat /proc/self/oom_score_adj)
check oom_score_adj "not asked for" "$before" "$(adj)"
check oom_score_adj "the guest's" 700 "$(adj --set memory.oom_score_adj=700)"
check oom_score_adj "the guest's, without a parent" 700 "$(adj --exec --set memory.oom_score_adj=700)"
check oom_score_adj "a child's" 700 \
	"$("$taffrail" run --set memory.oom_score_adj=700 -- sh -c 'cat /proc/self/oom_score_adj; :')"
check oom_score_adj "nothing is said" "" "$(cat adj.err)"
check oom_score_adj "of who started it" "$before" "$(cat /proc/self/oom_score_adj)"
check observe "not set" "$before" "$(adj --set memory.oom_score_adj=700 --set mode=observe)"
check off "not set" "$before" "$(TAFFRAIL=off adj --set memory.oom_score_adj=700)"

# Without the privilege for it a lower one costs one line, and the guest runs.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource \
		"$taffrail" run --set memory.oom_score_adj=-900 -- cat /proc/self/oom_score_adj >low.out 2>low.err
	check EACCES "the guest runs" "$before" "$(cat low.out)"
	check EACCES "one line" 1 "$(grep -c 'memory.oom_score_adj: -900 could not be set' low.err)"
fi

# shellcheck disable=SC2016 # the guest's shell expands it
show=(sh -c 'echo "${TAFFRAIL_FIT_ANYWAY-none}"')
check --fit-anyway "in the guest" 1 "$("$taffrail" run --fit-anyway -- "${show[@]}")"
check --fit-anyway "not asked for" none "$("$taffrail" run -- "${show[@]}")"
tally 10
