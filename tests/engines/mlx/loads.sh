#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# loads.sh -- each entry point by which MLX reads a file, and the names of its oldest wheel,
# whose limits and caches are in mlx::core::metal.
#
# time-limit: 200
. "${SRC:?}/tests/engines/mlx/lib.sh"

model a
model b --layers 4
loads() { # CALL MODEL: whole ones
	one "$case" "the load of $2" ".ev == \"load\" and .ph == \"end\" and .rc == 0 and .model == \"$2\" and
		(.call | test(\"$1\")) and .bytes > 16000"
	check "$case" "all loads" 1 "$(number_of '.ev == "load" and .ph == "begin"')"
}

for version in 0.21.1 0.31.2 $newest; do
	use "$version"
	steps=("$python" "$here/steps.py")
	case="gguf, $version"
	plain "${steps[@]}" gguf
	check "$case" "the program works" "exit 0" "$(cat plain.status)"
	guarded -- "${steps[@]}" gguf
	check_same "$case"
	loads 9load_ggufERK tiny-f32
	case="streams, $version"
	plain "${steps[@]}" streams a
	check "$case" "the program works" "exit 0" "$(cat plain.status)"
	guarded -- "${steps[@]}" streams a
	check_same "$case"
	loads 16load_safetensorsB5cxx11 a
	one "$case" "the cache" '.ev == "note" and .msg == "a saved cache is read back, no model: cache.safetensors"'
	[ "$version" != "$newest" ] || continue
	case="a stream beside a path, $version"
	guarded -- "${steps[@]}" streams a b
	check "$case" "all loads" "a b a" "$(records | jq -rs '[.[] | select(.ev == "load" and .ph == "begin") | .model] | join(" ")')"
done

# The oldest: a generation ends with its bracket, and what is asked and granted is told apart.
use 0.21.1
steps=("$python" "$here/steps.py")
metal=_ZN3mlx4core5metal
plain "${steps[@]}" bracket
guarded --set drain.post_clear=on --set drain.idle_ms=10s -- "${steps[@]}" bracket
check_same bracket
check bracket "generations" 3 "$(number_of '.ev == "infer" and .ph == "end"')"
check bracket "drains" 3 "$(number_of '.ev == "drain" and .ph == "end" and .rc == 0 and .rule == "drain.post_clear"')"
plain "${steps[@]}" limits
guarded --set limits.wired=swallow --set limits.cache=1MiB --set limits.memory=50% -- "${steps[@]}" limits
check_same limits
for call in 15set_wired_limitEm 15set_cache_limitEm 16set_memory_limitEmb; do
	check limits "$call" true "$(records | jq -s "map(select(.ev == \"limit\" and .ph == \"end\" and .rc == 0 and .call == \"$metal$call\")) | length >= 7")"
done
one limits "what is wired" '.ev == "limit" and .ph == "end" and (.call | contains("wired")) and
	.bytes == 3145728 and .msg == "asked 3.0 MiB, granted nothing: limits.wired"'
one limits "what is cached" '.ev == "limit" and .ph == "end" and (.call | contains("cache")) and
	.bytes == 67108864 and .msg == "asked 64.0 MiB, granted 1.0 MiB: limits.cache"'
tally 43
