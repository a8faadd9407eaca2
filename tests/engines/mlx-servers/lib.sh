# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of servers on MLX that are not mlx_lm's share. Sourced, never run.
#
# The caller says by the array server how the server is started, by the array asks how it is
# asked, and by name what its model is called.
. "${SRC:?}/tests/engines/mlx/lib_server.sh"

use_package() { # NAME
	PYTHONPATH=$("$SRC/tests/engines/mlx-servers/fetch.sh" "$1") || exit $?
	export PYTHONPATH
}

serve() { # COMMAND-IN-FRONT...
	port=$(free_port)
	"$@" "${server[@]}" --port "$port" </dev/null >bg.out 2>bg.err &
	runner=$!
}

in_turn() {
	ask "${asks[@]}" --in-turn --pause 0 --tokens 6 --more 3 "$name"
}

answers_in() { # FILE
	grep -c "^$name [0-3] '" "$1"
}

by_itself() {
	serve env
	in_turn >plain.out
	kill -TERM $runner
	await_runner
	check plain "it ended by TERM" 143 $ended
	check plain "answers" 4 "$(answers_in plain.out)"
}

# Requests in turn, several at once, and one into which TERM comes; before that, WHILE.
guarded_with() { # WHILE SETTING...
	local client before=$1
	shift
	fresh
	serve "$taffrail" run "$@" --set drain.idle_ms=10m --set drain.post_clear=on --set exit.signals=TERM --
	in_turn >guarded.out
	ask "${asks[@]}" --pause 0 --tokens 60 --more 5 "$name" >batch.out
	ask "${asks[@]}" --clients 1 --pause 0 --tokens 400 "$name" >last.out &
	client=$!
	until_true has_records 9 '.ev == "infer" and .ph == "begin"'
	guest_of
	$before
	kill -TERM "$guest"
	await_runner
	{ wait $client; } 2>/dev/null
}

# Both servers let the client have the rest, and raise the signal again when it is done.
check_requests() {
	check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
	check server "answers of a batch" 4 "$(answers_in batch.out)"
	check term "it ended by TERM" 143 $ended
	check term "the last answer" 400 "$(answered last.out)"
	check_whole server
	check server "tokens in turn" "6 9 12 15" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end") | .tokens)[:4] | join(" ")')"
	check server "requests, and all their tokens" "9 $(($(answered guarded.out) + $(answered batch.out) + 400))" \
		"$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end" and .requests == 1)) | "\(length) \(map(.tokens) | add)"')"
	check server "several were in one batch" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end") | .sequences // 0) | max >= 2')"
	# Of a batch several may be done at once; behind the last one that of the exit may do.
	check server "drains" true "$(records | jq -s 'map(select(.ev == "drain" and .ph == "end" and .rc == 0 and
		.rule == "drain.post_clear")) | length | . >= 5 and . <= 9')"
}
