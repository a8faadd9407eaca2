# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib_server.sh -- what the tests of mlx_lm.server share. Sourced, never run.
#
# On top of lib.sh: the server in the background, its clients, and what its records tell.
. "${SRC:?}/tests/engines/mlx/lib.sh"

free_port() {
	"$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ask() { # OPTION...
	"$python" "$SRC/tests/engines/ask.py" mlx "$port" --clients 4 --tokens 16 --pause 0.5 "$@"
}

# The server in the background; its process is in guest.
default=a
options=()
serve() { # COMMAND-IN-FRONT...
	port=$(free_port)
	"$@" "$python" -m mlx_lm server --model $default --port "$port" "${options[@]}" </dev/null >bg.out 2>bg.err &
	runner=$!
}

guest_of() {
	guest=$(crumbs | jq -rs 'map(select(.ev == "start" and .role == "guest"))[0].pid // empty')
}

await_runner() {
	{ wait "$runner"; } 2>/dev/null
	ended=$?
}

# A record each: model and tokens, and how often.
requests() {
	records | jq -r 'select(.ev == "infer" and .ph == "end" and .requests == 1) | "\(.model) \(.tokens)"' |
		uniq -c | awk '{ printf "%s %s x%s ", $2, $3, $1 }'
}

answered() { # FILE: tokens of the answers in it
	awk '{ n += $NF } END { print n }' "$1"
}
