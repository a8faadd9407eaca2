#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# vllm.sh -- vllm-mlx, a server on MLX that is not mlx_lm's, unmodified: requests in turn and in one
# batch, and TERM in the midst of a generation.
#
# time-limit: 150
. "${SRC:?}/tests/engines/mlx/lib_server.sh"
PYTHONPATH=$("$SRC/tests/engines/mlx-servers/fetch.sh" vllm-mlx) || exit $?
export PYTHONPATH

model a
server=("$python" "$PYTHONPATH/bin/vllm-mlx" serve ./a --served-model-name a --continuous-batching --offline)
serve() { # COMMAND-IN-FRONT...
	port=$(free_port)
	"$@" "${server[@]}" --port "$port" </dev/null >bg.out 2>bg.err &
	runner=$!
}
in_turn() {
	ask --in-turn --pause 0 --tokens 6 --more 3 a
}

serve env
in_turn >plain.out
kill -TERM $runner
await_runner
check plain "it ended by TERM" 143 $ended
check plain "answers" 4 "$(grep -c "^a [0-3] '" plain.out)"

fresh
# Here nobody asks how probable a token is: that one is done shows when the next one comes.
serve "$taffrail" run --set drain.idle_ms=10m --set drain.post_clear=on --set exit.signals=TERM --
in_turn >guarded.out
check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
ask --pause 0 --tokens 60 --more 5 a >batch.out
check server "answers of a batch" 4 "$(grep -c "^a [0-3] '" batch.out)"
ask --clients 1 --pause 0 --tokens 400 a >last.out &
client=$!
until_true has_records 9 '.ev == "infer" and .ph == "begin"'
guest_of
"$taffrail" report --last >text
check server "the report while it runs" 1 "$(grep -c '^  profile  *mlx-server' text)"
kill -TERM "$guest"
await_runner
{ wait $client; } 2>/dev/null
# It lets the client have the rest, and raises the signal again when it is done.
check term "it ended by TERM" 143 $ended
check term "the last answer" 400 "$(answered last.out)"
check_whole server
check server "tokens in turn" "6 9 12 15" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end") | .tokens)[:4] | join(" ")')"
check server "requests, and all their tokens" "9 $(($(answered guarded.out) + $(answered batch.out) + 400))" \
	"$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end" and .requests == 1)) | "\(length) \(map(.tokens) | add)"')"
check server "several were in one batch" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end") | .sequences // 0) | max >= 2')"
# Of a batch several may be done at once.
check server "drains behind all but the last" true "$(records | jq -s 'map(select(.ev == "drain" and .ph == "end" and .rc == 0 and
	.rule == "drain.post_clear")) | length | . >= 5 and . <= 8')"
one term "the signal" '.ev == "signal" and .rule == "exit.signals" and (.call // "" | test("TERM"))'

# What is said of it before it is started.
"$taffrail" doctor -- "${server[@]}" >text
for word in 'role  *server' 'profile  *mlx-server, built in' 'asks for  *model ./a, called a' 'verdict  *guarded'; do
	grep -q -- "$word" text || fail doctor "it does not say '$word'"
done
tally 14
