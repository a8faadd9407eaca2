#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# interventions.sh -- each thing that taffrail does to a running engine.
#
# Switched on it fires, which its records show; switched off it does not; and
# the program shows and ends the same in every case.
#
# time-limit: 900
. "${SRC:?}/tests/engines/llama/lib.sh"

drains_by() { # RULE
	number_of ".ev == \"drain\" and .ph == \"end\" and .rc == 0 and .rule == \"$1\""
}

at_least() { # CASE WHAT NUMBER GOT
	if [ "$4" -ge "$3" ]; then
		pass
	else
		fail "$1: $2: $4, at least $3 were meant"
		crumbs | jq -c '{seq,ev,ph,call,rule,rc,msg}' | tail -n 20 | sed 's/^/  /'
	fi
}

# drain_case RULE OFF ON AT-LEAST COMMAND...
# With everything else at its default but for "also"; plain.* holds what COMMAND does.
also=()
drain_case() {
	local rule=$1 off=$2 on=$3 least=$4
	shift 4
	guarded "${also[@]}" --set "$rule=$on" -- "$@"
	check_same "$rule=$on"
	check_whole "$rule=$on"
	at_least "$rule=$on" "drains by it" "$least" "$(drains_by "$rule")"
	at_least "$rule=$on" "drains in the report" "$least" "$(report '.[0].drains')"
	guarded "${also[@]}" --set "$rule=$off" -- "$@"
	check_same "$rule=$off"
	check "$rule=$off" "drains by it" 0 "$(number_of ".rule == \"$rule\"")"
}

usual=("${serve[@]}" tiny.gguf)
plain "${usual[@]}"
check plain "the program works" "exit 0" "$(cat plain.status)"
cp plain.out usual.out
drain_case drain.post_sync off on 2 "${usual[@]}"
# The profile of node-llama-cpp synchronizes there anyway, and the drain has that name.
also=(--set drain.post_sync=off)
drain_case drain.post_clear off on 2 "${usual[@]}"
also=()
drain_case drain.pre_clear off on 2 "${usual[@]}"
drain_case drain.before_unload off on 1 "${usual[@]}"

# After each decode; the binding of node waits after each one itself, so that two are never under way.
drain_case drain.every_submits 0 1 16 "${usual[@]}"
steps=("${calls[@]}" --decodes 9 tiny.gguf)
plain "${steps[@]}"
drain_case drain.every_submits 0 2 4 "${steps[@]}"
guarded --set drain.idle_ms=10m --set drain.every_submits=2 -- "${steps[@]}"
check every_submits "the submits that each drain waited for" "1..2 3..4 5..6 7..8" \
	"$(records | jq -rs '[.[] | select(.rule == "drain.every_submits" and .ph == "begin").msg |
		capture("^submits (?<n>[0-9]+\\.\\.[0-9]+) of this generation$").n] | join(" ")')"

# Nothing is given back: the exit finds a context alive.
left=("${serve[@]}" --no-dispose tiny.gguf)
plain "${left[@]}"
drain_case drain.at_exit off on 1 "${left[@]}"

# A second model is loaded while the first is alive with its context.
model other.gguf --layers 3 --seed 2 --name "Other Random Llama"
two=("${serve[@]}" --twice --no-dispose tiny.gguf other.gguf)
plain "${two[@]}"
drain_case drain.between_models off on 1 "${two[@]}"
guarded -- "${two[@]}"
check two "both models" "other
tiny" "$(records | jq -r 'select(.ev == "load" and .ph == "end" and .rc == 0).model' | sort)"
check two "the drain is of the first model, before the second is loaded" "load begin tiny
drain end tiny
load begin other" "$(records | jq -r 'select((.ev == "load" and .ph == "begin") or
	(.rule == "drain.between_models" and .ph == "end")) | "\(.ev) \(.ph) \(.model)"' | awk '!seen[$0]++')"

# One after the other instead: the second load finds nobody to wait for.
again=("${serve[@]}" --twice tiny.gguf)
plain "${again[@]}"
guarded --set drain.between_models=on -- "${again[@]}"
check_same twice
check twice "drains between models that were never alive together" 0 "$(drains_by drain.between_models)"
check twice "loads and unloads" "2 4" \
	"$(number_of '.ev == "load" and .ph == "end" and .rc == 0') $(number_of '.ev == "unload" and .ph == "end"')"

# Observe writes what it would do and does none of it; off writes nothing at all.
plain "${usual[@]}"
guarded --set mode=observe --set drain.post_sync=on --set drain.every_submits=1 -- "${usual[@]}"
check_same observe
check_whole observe
check observe "drains" 0 "$(number_of '.ev == "drain"')"
at_least observe "would have, after every submit" 16 "$(number_of '.ev == "would" and .rule == "drain.every_submits"')"
at_least observe "would have, before an unload" 1 "$(number_of '.ev == "would" and .rule == "drain.before_unload"')"
check observe "the mode in its log" observe "$(records | jq -r 'select(.role == "guest").mode')"
guarded --set mode=off -- "${usual[@]}"
check_same off
check off "files" "" "$(find "$state/crumbs" "$XDG_RUNTIME_DIR" -type f 2>/dev/null)"
fresh
TAFFRAIL=off raw guarded "$taffrail" run -- "${usual[@]}"
check_same TAFFRAIL=off
check TAFFRAIL=off "files" "" "$(find "$state" "$XDG_RUNTIME_DIR" -type f 2>/dev/null)"

# A lever of the engine, set by the policy; what the user has set stays.
cat >lever.json <<-'END'
	{ "env": { "set": { "GGML_TEST_LEVER": "7" } } } // any name goes through
END
# shellcheck disable=SC2016 # the shell of the guest expands it
told=(sh -c 'printenv GGML_TEST_LEVER >lever; exec "$@"' sh "${usual[@]}")
plain "${told[@]}"
check env.set "without" "" "$(cat lever)"
guarded --policy "$work/lever.json" -- "${told[@]}"
check_same env.set
check env.set "the lever" 7 "$(cat lever)"
GGML_TEST_LEVER=9 guarded --policy "$work/lever.json" -- "${told[@]}"
check env.set "the user's own" 9 "$(cat lever)"
GGML_TEST_LEVER=9 guarded --policy "$work/lever.json" --set env.force=on -- "${told[@]}"
check env.force "the lever" 7 "$(cat lever)"
guarded -- "${told[@]}"
check env.set "not asked for" "" "$(cat lever)"

# A child whose environment was cleared.
if [ -z "${TAFFRAIL_CACHE:-}" ]; then
	cleared=(env -i "${usual[@]}")
else
	cleared=(env -i "TAFFRAIL_CACHE=$TAFFRAIL_CACHE" "${usual[@]}")
fi
plain "${cleared[@]}"
guarded --set propagate=force -- "${cleared[@]}"
check_same propagate=force
check propagate=force "sessions" "clean tiny true" "$(report '.[] | "\(.verdict) \(.model) \(.infers >= 2)"')"
guarded --set propagate=inherit -- "${cleared[@]}"
check_same propagate=inherit
check propagate=inherit "sessions" 0 "$(report length)"

# Where the ring is; a clean end takes it away.
plain "${usual[@]}"
guarded --set crumbs.ring=disk -- "${usual[@]}"
check_same crumbs.ring=disk
check crumbs.ring=disk "the ring" "$state/crumbs" "$(dirname "$(records | jq -r 'select(.role == "guest").ring')")"
guarded --set crumbs.ring=tmpfs -- "${usual[@]}"
check_same crumbs.ring=tmpfs
check crumbs.ring=tmpfs "the ring" "$XDG_RUNTIME_DIR/taffrail" "$(dirname "$(records | jq -r 'select(.role == "guest").ring')")"
check crumbs.ring "rings left" "" "$(find "$work" -name '*.ring')"

# SIGTERM in the middle of a generation: drained, noted, and the process dies of
# it as it would have. python leaves the signal to the system; node catches it
# to put the terminal right, and then raises it again.
sigterm() { # CASE OPTION COMMAND...
	local case=$1 option=$2
	shift 2
	start_guarded --set "$option" --set exit.deadline=60s --set drain.deadline=50s -- "$@"
	until_true has_submits 40
	kill -TERM "$(guest_pid)"
	await_runner
	check "$case" "how it ended" "signal 15" "$ended"
	check "$case" "its words" "" "$(grep -v '^taffrail: ' bg.err)"
	check "$case" "the verdict" "signal SIGTERM" "$(report '.[0] | "\(.verdict) \(.signal)"')"
	check_whole "$case"
}
endless=("${calls[@]}" --decodes 100000000 tiny.gguf)
for guest in python node; do
	[ $guest = node ] && endless=("${serve[@]}" --hang tiny.gguf)
	case="exit.signals=TERM, $guest"
	sigterm "$case" exit.signals=TERM "${endless[@]}"
	has "$case" "the signal" '.ev == "signal" and .call == "SIGTERM" and .rule == "exit.signals" and .rc == 15'
	has "$case" "the drain" '.ev == "drain" and .ph == "end" and .rc == 0 and .rule == "drain.at_exit"'
	has "$case" "the exit" '.ev == "exit" and .ph == "end" and .rc == -15'
	check "$case" "begins left open" 0 "$(report '.[0].open | length')"
	case="exit.signals=none, $guest"
	sigterm "$case" exit.signals=none "${endless[@]}"
	check "$case" "records of it" 0 "$(count '.ev == "signal" or .rule == "drain.at_exit"')"
done
tally 90
