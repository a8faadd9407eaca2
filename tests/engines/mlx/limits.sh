#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# limits.sh -- limits.*, eval.chunk and drain.serialize on the real MLX; what throws.
#
# time-limit: 300
. "${SRC:?}/tests/engines/mlx/lib.sh"

steps=("$python" "$here/steps.py")
cached() { # FILE
	sed -n 's/^cached //p' "$1"
}

# The program gets the answers that the engine gave it before; the cache is smaller.
plain "${steps[@]}" limits
check limits "the program works" "exit 0" "$(cat plain.status)"
guarded -- "${steps[@]}" limits
check_same "limits as asked"
check "limits as asked" "all of them in the log" 22 "$(number_of '.ev == "limit" and .ph == "end" and .rc == 0 and .msg == null')"
guarded --set limits.wired=swallow --set limits.cache=1MiB --set limits.memory=50% -- "${steps[@]}" limits
check_same "limits"
check_whole "limits"
one limits "what was asked and granted" '.ev == "limit" and .ph == "end" and
	(.call | contains("wired")) and .bytes == 3145728 and .msg == "asked 3.0 MiB, granted nothing: limits.wired"'
one limits "the same of the cache" '.ev == "limit" and .ph == "end" and
	(.call | contains("cache")) and .bytes == 67108864 and .msg == "asked 64.0 MiB, granted 1.0 MiB: limits.cache"'
check limits "run says so" 1 "$(grep -c 'was limited [0-9]* times by the policy: limits\.[a-z]*, asked .* granted' guarded.own)"
check limits "what was small enough" 0 "$(number_of '.ev == "limit" and .ph == "end" and
	(.call | contains("memory")) and .bytes == 3145728 and .msg != null')"
check limits "the cache is kept small" "true true" \
	"$([ "$(cached guarded.err)" -le 1048576 ] && echo true) $([ "$(cached plain.err)" -gt 1048576 ] && echo true)"
# Nothing is an amount, too: the engine is told of it.
guarded --set limits.wired=0B --set limits.cache=0% -- "${steps[@]}" limits
check_same "limits of zero"
one "limits of zero" "what is wired" '.ev == "limit" and .ph == "end" and
	(.call | contains("wired")) and .bytes == 3145728 and .msg == "asked 3.0 MiB, granted 0 B: limits.wired"'
check "limits of zero" "nothing is cached" 0 "$(cached guarded.err)"
guarded --set mode=observe --set limits.cache=1MiB -- "${steps[@]}" limits
check_same "limits, observed"
one "limits, observed" "a word of it" '.ev == "limit" and .ph == "end" and .bytes == 67108864 and
	.msg == "asked 64.0 MiB, would be granted 1.0 MiB: limits.cache"'
check "limits, observed" "nothing is changed" "$(cached plain.err)" "$(cached guarded.err)"

# A server that asks for 32 GB in any case: it gets the answers of the engine, and not the memory.
plain "${steps[@]}" hard
check hard "the program works" "exit 0" "$(cat plain.status)"
guarded --set limits.wired=off --set limits.memory=1GiB --set limits.cache=64MiB -- "${steps[@]}" hard
check_same hard
check hard "what the engine was told" "34359738368 1073741824" \
	"$(sed -n 's/^engine //p' plain.err) $(sed -n 's/^engine //p' guarded.err)"
for told in "asked 32.0 GiB, granted nothing: limits.wired" "asked 32.0 GiB, granted 1.0 GiB: limits.memory" \
	"asked 32.0 GiB, granted 64.0 MiB: limits.cache"; do
	check hard "$told" 2 "$(number_of ".ev == \"limit\" and .ph == \"end\" and .bytes == 34359738368 and .msg == \"$told\"")"
done

# A limit that nobody asks for holds all the same.
plain "${steps[@]}" many
guarded --set limits.cache=1MiB -- "${steps[@]}" many
check_same "a limit of our own"
one "a limit of our own" "a word of it" '.ev == "limit" and .ph == "mark" and .rule == "limits.cache" and
	(.msg | startswith("granted 1.0 MiB before the program asks"))'

# Fourteen arrays by four: 4, 4, 4 and 2, which is half of four. Thirteen: 4, 4 and 5.
guarded --set eval.chunk=4 -- "${steps[@]}" many
check_same chunk
check_whole chunk
one chunk "a word of it" '.rule == "eval.chunk" and .msg == "14 arrays are evaluated in 4 pieces"'

# Exceptions reach the program, and the next call is counted as ever.
plain "${steps[@]}" throws
check throws "the program works" "exit 0" "$(cat plain.status)"
check throws "its errors" 3 "$(grep -c RuntimeError plain.out)"
for chunk in 0 1; do
	guarded --set eval.chunk=$chunk -- "${steps[@]}" throws
	check_same "throws, chunk $chunk"
	check "throws, chunk $chunk" "a word of each" 3 "$(number_of '.ev == "error" and .class == "exception" and .rc == -1 and
		(.msg | startswith("the engine reported a failure that tells nothing of the device: ["))')"
done

# What cannot be had is the device's doing. Newer ones die of it on the processor.
use 0.29.4
for rule in note poison; do
	guarded --set on_error=$rule -- "$python" "$here/steps.py" huge
	plain "$python" "$here/steps.py" huge
	check "huge, $rule" "the error" "RuntimeError [malloc] Unable to allocate 1125899906842624 bytes." "$(head -n 1 plain.out)"
	[ $rule = poison ] || check_same "huge, $rule"
	one "huge, $rule" "its class" '.ev == "error" and .class == "engine_oom" and .rc == -1'
done
check "huge, poison" "the next load" "RuntimeError [load_safetensors] Failed to open file (refused by taffrail: \`taffrail report\` says by which rule)" \
	"$(tail -n 1 guarded.out)"
use $newest

# Threads that generate at once take turns of whole generations.
changes() {
	sed -n 's/^changes //p' guarded.err
}
# Without it they come in between each other, nearly at every step.
guarded -- "${steps[@]}" together
check "not serialized" "every step" 18 "$(cat guarded.out)"
check "not serialized" "more changes than turns" true "$([ "$(changes)" -gt 2 ] && echo true)"
guarded --set drain.serialize=on --set drain.idle_ms=2s -- "${steps[@]}" together
check serialize status "exit 0" "$(cat guarded.status)"
check serialize "every step" 18 "$(cat guarded.out)"
check serialize "changes" 2 "$(changes)"
check_whole serialize
check serialize "who waited" 2 "$(number_of '.ev == "hold" and .ph == "end" and .ms > 0 and .of')"

# A refusal is the engine's own kind of error: of a load, and of what needs no model.
model a
guarded --set memory.limit=64KiB --set memory.on_misfit=refuse -- "$python" "$here/generate.py" a
check refused "the load" "exit 1" "$(cat guarded.status)"
check refused "its error" "RuntimeError: [load_safetensors] Failed to open file (refused by taffrail: \`taffrail report\` says by which rule)" \
	"$(tail -n 1 guarded.err)"
one refused "the record" '.ev == "refuse" and .rule == "memory.limit"'
none='.ev == "error" or (.msg // "" | test("saved cache"))'
check refused "what else is said of it" 0 "$(number_of "$none")"
use 0.31.2
guarded --set versions.on_hit=refuse -- "$python" "$here/steps.py" many
check refused "the evaluation" "exit 1" "$(cat guarded.status)"
check refused "its error" "RuntimeError: refused by taffrail: \`taffrail report\` says by which rule" "$(tail -n 1 guarded.err)"
one refused "the record of it" '.ev == "refuse" and .rule == "versions.on_hit"'
check refused "what else is said of the evaluation" 0 "$(number_of "$none")"
tally 62
