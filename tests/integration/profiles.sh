#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# profiles.sh -- known programs: which profile applies, what it gives way to, as doctor,
# check and explain say it, and as a guest has it.
#
# The programs are copies of one guest under the names of others.
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
. "${SRC:?}/tests/integration/lib.sh"
bin=$BUILD/taffrail
plain_guests guest_exit
mkdir bin
cp "$tests"/libfake_llama.so bin/
for name in llama-server ollama whisper-cli ds4 other; do
	cp "$tests/guest_exit" bin/$name
done
export LD_LIBRARY_PATH=$work/bin
PATH=$work/bin:$PATH

says() { # CASE PATTERN FILE
	if grep -Eq -- "$2" "$3"; then
		pass
	else
		fail "$1: no line like '$2' in"
		sed 's/^/  /' "$3"
	fi
}

# Everything has its value from somewhere that check can name.
origin() { # PATH: of the last `check --effective --json`
	jq -r ".settings[] | select(.path == \"$1\") | \"\(.value) \(.origin) \(.profile) \(.builtin_profile)\"" out
}
effective() { # ARGUMENT...
	"$bin" check --effective --json "$@" >out 2>err </dev/null
}

# 1. By name and words.
while read -r profile words; do
	# shellcheck disable=SC2086 # several words
	"$bin" doctor --json -- $words >out 2>err </dev/null
	check "$words" "its profile" "$profile" "$(jq -r '.profiles[0].name // "none"' out)"
done <<'END'
llama-server llama-server -m x.gguf
ollama-child llama-server --model /m/blobs/sha256-0123 --port 1
ollama ollama serve
ollama-child ollama runner --model x
none ollama list
whisper whisper-cli -m x.bin
ds4 ds4 -m x
none other serve
END
LLAMA_SERVER_ROUTER_PORT=80 "$bin" doctor --json -- llama-server --alias a >out 2>err
check router "its child" llama-server-child "$(jq -r '.profiles[0].name' out)"

# 2. What doctor says.
"$bin" doctor -- llama-server -m /m/x.gguf -c 4096 -np 4 --alias nice >out 2>err
says doctor '^  profile    llama-server, built in \(the server of llama.cpp\): drain.post_sync on, drain.deadline 5s, exit.deadline 8s$' out
says doctor '^  asks for   model /m/x.gguf, called nice, 4096 tokens of context, 4 sequences$' out
"$bin" doctor -- other >out 2>err
says 'not known' '^  profile    none: the program is not known, and no profile of a policy matches$' out
"$bin" doctor -- llama-server -c 0 -np many >out 2>err
says 'no number' '^  asks for   the context of the model$' out
for words in nohup "nice -n 5" "nice -5" "env A=b" "timeout -k 5 10" "stdbuf -oL"; do
	# shellcheck disable=SC2086 # words
	"$bin" doctor --json -- $words llama-server -m x.gguf >out 2>err
	check "$words" "the profile of what it starts" "llama-server x.gguf" \
		"$(jq -r '"\(.profiles[0].name) \(.asks.model)"' out)"
done
"$bin" doctor --json -- sh -c './llama-server -m a.gguf' >out 2>err
check 'a text for the shell' 'asks for nothing' null "$(jq -r .asks.model out)"
LLAMA_ARG_CTX_SIZE=512 "$bin" doctor --json -- llama-server >out 2>err
check 'from the environment' context 512 "$(jq -r .asks.context out)"
check 'nothing is asked' model null "$(jq -r .asks.model out)"
cat >policy.json <<'END'
{
	"drain": { "deadline": "4s" },
	"profiles": [
		{ "name": "mine", "match": { "exe": "llama-server" },
		  "settings": { "exit": { "deadline": "9s" } } },
		{ "name": "gpu", "match": { "exe": "llama-server", "engine": "cuda" },
		  "settings": { "exit": { "deadline": "7s" } } },
		{ "name": "yours", "match": { "exe": "another" }, "settings": { "drain": { "at_exit": false } } }
	]
}
END
"$bin" doctor --policy policy.json -- llama-server >out 2>err
says 'a file' '^  profile    mine, /.*/policy.json:4: exit.deadline 9s$' out
says 'a file' '^             gpu, /.*/policy.json:6: applies when the engine is cuda$' out
says 'a file' '^             llama-server, built in \(the server of llama.cpp\): drain.post_sync on$' out
check 'a file' 'profiles' 3 "$("$bin" doctor --json --policy policy.json -- llama-server | jq '.profiles | length')"
echo '{ "drain": 7 }' >bad.json
"$bin" doctor --policy bad.json -- llama-server >out 2>err
check 'a bad file' 'is looked at all the same' 0 $?
says 'a bad file' 'the policy has 1 mistake; see: taffrail check' out
"$bin" doctor --policy policy.json >out 2>err
check 'no command' 'exit status' 64 $?

# 3. The order: --set, TAFFRAIL_SET, a profile, the file, the known program, the default.
effective -- llama-server
check order 'a known program' '8s built-in profile null llama-server' "$(origin exit.deadline)"
check order 'the default' '3m built-in null null' "$(origin cadence.same_model)"
effective policy.json -- llama-server
check order 'the file' '4s file null null' "$(origin drain.deadline)"
check order 'a profile' '9s profile mine null' "$(origin exit.deadline)"
check order 'a known program beside them' 'on built-in profile null llama-server' "$(origin drain.post_sync)"
TAFFRAIL_SET='exit.deadline=11s' effective policy.json -- llama-server
check order 'TAFFRAIL_SET' '11s TAFFRAIL_SET null null' "$(origin exit.deadline)"
TAFFRAIL_SET='exit.deadline=11s' effective --set exit.deadline=12s -- llama-server
check order '--set' '12s --set null null' "$(origin exit.deadline)"
effective --set drain.post_sync=off -- llama-server
check order 'what somebody turned off stays off' 'off --set null null' "$(origin drain.post_sync)"
effective --set recognize=off -- llama-server
check order 'recognize off' '3s built-in null null' "$(origin exit.deadline)"
"$bin" check --effective -- llama-server >out 2>err
says check '^built-in profile llama-server .* applies where nothing else gives a value$' out
says check '^  exit.deadline +8s +built-in profile llama-server$' out
"$bin" check --effective --set recognize=off -- llama-server >out 2>err
says check '^built-in profile llama-server .* does not apply: recognize is off$' out
# A wait behind each generation would meet the token that MLX computes one ahead.
effective -- mlx_lm.server
check 'a server on MLX' 'waits' 'off built-in null null' "$(origin drain.post_sync)"
check 'a server on MLX' 'deadlines' '5s mlx-server 8s mlx-server' \
	"$("$bin" check --effective -- mlx_lm.server | awk '$1 == "drain.deadline" || $1 == "exit.deadline" { print $2, $NF }' | xargs)"
"$bin" explain --model tiny -- llama-server >out 2>err
says explain '^policy +built-in, with the profile of llama-server$' out

# 4. A guest has it, under `run` and by a preload alone.
fresh
TAFFRAIL_STATE=$state "$bin" run -- llama-server exit >out 2>err
check run 'the profile' llama-server "$(crumbs | jq -r 'select(.role == "guest").profile')"
check run 'nothing is said of it' '' "$(grep taffrail err)"
with_shim llama-server exit
check preload 'the profile' llama-server "$(crumbs | jq -r 'select(.role == "guest").profile')"
with_shim TAFFRAIL_SET=recognize=off llama-server exit
check 'switched off' 'the profile' null "$(crumbs | jq -r 'select(.role == "guest").profile')"
with_shim other exit
check 'not known' 'the profile' null "$(crumbs | jq -r 'select(.role == "guest").profile')"
tally 39
