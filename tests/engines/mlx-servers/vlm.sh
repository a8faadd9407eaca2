#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# vlm.sh -- mlx_vlm.server, unmodified, whose batches evaluate in an order of their own: requests in
# turn and in one batch, and TERM in the midst of a generation.
#
# time-limit: 150
. "${SRC:?}/tests/engines/mlx/lib_server.sh"
PYTHONPATH=$("$SRC/tests/engines/mlx-servers/fetch.sh" mlx-vlm) || exit $?
export PYTHONPATH

model a
serve() { # COMMAND-IN-FRONT...
	port=$(free_port)
	"$@" "$python" -m mlx_vlm.server --model ./a --port "$port" </dev/null >bg.out 2>bg.err &
	runner=$!
}
in_turn() {
	ask --chat --in-turn --pause 0 --tokens 6 --more 3 ./a
}

serve env
in_turn >plain.out
kill -TERM $runner
await_runner
check plain "it ended by TERM" 143 $ended
check plain "answers" 4 "$(grep -c "^./a [0-3] '" plain.out)"

# As long as a thread has computed within the last drain.idle_ms who leaves waits for it.
fresh
serve "$taffrail" run --set drain.idle_ms=10m --set drain.deadline=200ms --set drain.post_clear=on --set exit.signals=TERM --
in_turn >guarded.out
check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
ask --chat --pause 0 --tokens 60 --more 5 ./a >batch.out
check server "answers of a batch" 4 "$(grep -c "^./a [0-3] '" batch.out)"
ask --chat --clients 1 --pause 0 --tokens 400 ./a >last.out &
client=$!
until_true has_records 9 '.ev == "infer" and .ph == "begin"'
guest_of
kill -TERM "$guest"
await_runner
{ wait $client; } 2>/dev/null
check term "it ended by TERM" 143 $ended
check term "the last answer" 400 "$(answered last.out)"
check_whole server
check server "tokens in turn" "6 9 12 15" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end") | .tokens)[:4] | join(" ")')"
check server "requests, and all their tokens" "9 9 $(($(answered guarded.out) + $(answered batch.out) + 400))" "$(number_of \
	'.ev == "infer" and .ph == "begin"') $(records | jq -rs 'map(select(.ev == "infer" and .ph == "end" and .requests == 1)) |
	"\(length) \(map(.tokens) | add)"')"
check server "several were in one batch" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end") | .sequences // 0) | max >= 2')"
# Of a batch several may be done at once.
check server "drains behind all but the last" true "$(records | jq -s 'map(select(.ev == "drain" and .ph == "end" and .rc == 0 and
	.rule == "drain.post_clear")) | length | . >= 5 and . <= 8')"
one server "the profile" '.ev == "start" and .role == "guest" and .profile == "mlx-server"'
tally 13
