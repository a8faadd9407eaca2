# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of the real llama-server share. Sourced, never run.
#
# On top of tests/engines/llama/lib.sh: the server in the background, plain or
# guarded, and clients.  Ends the test with 77 where the server cannot be had.
. "${SRC:?}/tests/engines/llama/lib.sh"

server=$("$SRC/tests/engines/server/fetch.sh") || exit $?
server=$server/llama-server
mkdir -m 700 models
cp tiny.gguf models/
"$tests/mkgguf" --name other --seed 5 models/other.gguf >/dev/null || exit 1

free_port() {
	"$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The server on the processor, with two sequences of 256 tokens; in front what guards it.
serve() { # COMMAND-IN-FRONT... -- OPTION...
	local front=()
	while [ "$1" != -- ]; do
		front+=("$1")
		shift
	done
	shift
	port=$(free_port)
	"${front[@]}" "$server" "$@" --port "$port" --device none -c 256 -np 2 </dev/null >bg.out 2>bg.err &
	runner=$!
}

ask() { # OPTION...
	"$python" "$SRC/tests/engines/ask.py" llama "$port" "$@"
}
