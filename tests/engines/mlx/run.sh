#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# run.sh -- mlx_lm under `taffrail run`, with three versions of MLX.
#
# What is generated is the same, and the log tells load, generations, drains,
# the swap of models and the exit, in that order.
#
# time-limit: 600
. "${SRC:?}/tests/engines/mlx/lib.sh"

model a
model b --seed 2 --parts 2

for version in 0.29.4 0.31.2 $newest; do
	use "$version"
	guest=("$python" "$here/generate.py" a b --pause 2.5)
	plain "${guest[@]}" --pause 0
	check "$version" "the program works" "exit 0" "$(cat plain.status)"
	# A machine that stands still in a generation does not end it.
	guarded --set drain.idle_ms=1500ms --set drain.post_clear=on -- "${guest[@]}"
	check_same "$version"
	check_whole "$version"
	check "$version" "the story" "load begin a
load end a
infer begin a
infer end a
drain begin a drain.post_clear
drain end a drain.post_clear
infer begin a
infer end a
drain begin a drain.post_clear
drain end a drain.post_clear
drain begin a drain.before_unload
drain end a drain.before_unload
unload begin a
unload end a
load begin b
load end b
infer begin b
infer end b
drain begin b drain.post_clear
drain end b drain.post_clear
infer begin b
infer end b
drain begin b drain.post_clear
drain end b drain.post_clear
drain begin b drain.at_exit
drain end b drain.at_exit" "$(story)"
	check "$version" "tokens of each generation" 4 "$(number_of '.ev == "infer" and .ph == "end" and
		.tokens == 24 and .requests == 1 and .sequences == 1 and .submits > 24 and .rate > 0 and .peak_bytes > 0 and .active != null and .prefill >= 1')"
	check "$version" "drains that worked" 6 "$(number_of '.ev == "drain" and .ph == "end" and .rc == 0')"
	check "$version" "bytes of the loads" 2 "$(number_of ".ev == \"load\" and .ph == \"end\" and .rc == 0 and
		.bytes > $(($(stat -c %s a/model.safetensors) / 2)) and .live == .bytes")"
	one "$version" "the version" ".ev == \"start\" and .role == \"guest\" and .versions.mlx == \"$version\""
	one "$version" "the exit" '.ev == "exit" and .ph == "end" and .rc == 0 and .engine == "libc"'
	check "$version" "caches left alone" "$([ "$version" = 0.31.2 ] && echo 6 || echo 0)" \
		"$(number_of '.ev == "drain" and .ph == "end" and (.msg // "" | startswith("not cleared: drain.no_clear"))')"
done

# Said by the user, the clear is left out by that version as well.
guarded --set drain.idle_ms=1500ms --set drain.post_clear=on --set drain.no_clear="mlx:>=0.32" -- "${guest[@]}"
check no_clear "not cleared" 6 "$(number_of '.ev == "drain" and .ph == "end" and .rc == 0 and
	(.msg // "" | startswith("not cleared"))')"

# A prompt cache that is read back is no model.
plain "$python" "$here/generate.py" --prompt-cache plain.safetensors a
guarded -- "$python" "$here/generate.py" --prompt-cache kept.safetensors a
check_same restore
check restore "loads" 1 "$(number_of '.ev == "load" and .ph == "begin"')"
one restore "a word of it" '.ev == "note" and .msg == "a saved cache is read back, no model: kept.safetensors"'

# Weights that end before their header says: the engine's own error, and a load that failed.
cp -r a cut
head -c 200000 a/model.safetensors >cut/model.safetensors
plain "$python" "$here/generate.py" cut
check cut "the program fails" "exit 1" "$(cat plain.status)"
guarded -- "$python" "$here/generate.py" cut
check_same cut
check_whole cut
check cut "the last line" "$(tail -n 1 plain.err)" "$(tail -n 1 guarded.err)"
# A header that is none: the engine throws before anything is evaluated.
cp -r a bad
printf '\377\377\377\377\377\377\377\177{}' >bad/model.safetensors
plain "$python" "$here/generate.py" bad
check bad "the program fails" "exit 1" "$(cat plain.status)"
guarded -- "$python" "$here/generate.py" bad
check_same bad
check bad "the last line" "$(tail -n 1 plain.err)" "$(tail -n 1 guarded.err)"
one bad "the error" '.ev == "error" and .class == "exception" and .model == "bad" and (.call | test("load_safetensors"))'
one bad "the load" '.ev == "load" and .ph == "end" and .rc == -1'
# Generations with no pause between them are told apart by the order of what is evaluated.
for version in 0.29.4 0.31.2 $newest; do
	use "$version"
	guest=("$python" "$here/generate.py" --pause 0 --more 2 a)
	plain "${guest[@]}"
	guarded --set drain.idle_ms=10s -- "${guest[@]}"
	check_same "back to back, $version"
	check_whole "back to back, $version"
	check "back to back, $version" "the story" "load begin a
load end a
$(yes "infer begin a
infer end a" | head -n 8)
drain begin a drain.at_exit
drain end a drain.at_exit" "$(story)"
	check "back to back, $version" "of as many tokens each" 4 "$(number_of '.ev == "infer" and .ph == "end" and .tokens == 24')"
done

# Arrays without a model are evaluations, and no tokens.
plain "$python" "$here/steps.py" many
guarded -- "$python" "$here/steps.py" many
check_same arrays
one arrays "evaluations" '.ev == "infer" and .ph == "end" and .submits > 8 and .evals == .submits and .tokens == 0 and .prefill == null and .active != null'
"$taffrail" report --last >text
check arrays "how the report calls them" 1 "$(grep -c '^ *inference .*, [0-9]* evaluations$' text)"
check arrays "tokens in it" 0 "$(grep -c token text)"

# Three requests in one batch, of which the shorter ones end first: a record each.
cat >batch.py <<'END'
import sys
from mlx_lm import batch_generate, load
model, tokenizer = load(sys.argv[1])
prompts = [tokenizer.encode(text) for text in ("aaa bbb", "ccc", "d e f g h i j")]
print([len(text) for text in batch_generate(model, tokenizer, prompts, max_tokens=[4, 12, 30]).texts])
END
for version in 0.29.4 0.31.2 $newest; do
	use $version
	plain "$python" batch.py a
	guarded --set drain.idle_ms=30s -- "$python" batch.py a
	check_same "batch, $version"
	check "batch, $version" "begins" 3 "$(number_of '.ev == "infer" and .ph == "begin"')"
	check "batch, $version" "tokens and sequences of each" "4 3, 12 3, 30 3" "$(records | jq -r 'select(.ev == "infer" and .ph == "end") |
		"\(.tokens) \(.sequences)"' | paste -sd , | sed 's/,/, /g')"
done
"$taffrail" report --last >text
check batch "what the report makes of it" 1 "$(grep -c 'at most 3 at once, more than one for [0-9]' text)"

# Loads by chance, with batches that are full: as many records as requests, and all their tokens.
# 0.31.2 cannot: it throws where prompts of different length are in one batch.
for version in 0.29.4 $newest; do
	use $version
	plain "$python" "$here/batches.py" a 7 15
	guarded --set drain.idle_ms=10m -- "$python" "$here/batches.py" a 7 15
	check_same "loads, $version"
	check "loads, $version" "begins, ends, tokens" "$(awk '{ print $1, $1, $2 }' plain.out)" "$(records | jq -rs 'map(select(.ev == "infer")) |
		map(select(.ph == "end")) as $ends | "\(map(select(.ph == "begin")) | length) \($ends | length) \($ends | map(.tokens) | add)"')"
	check "loads, $version" "requests without a token" 0 "$(number_of '.ev == "infer" and .ph == "end" and .tokens == 0')"
done

# Arrays of one's own between the tokens: no record, and no drain, for each.
cat >between.py <<'END'
import sys
import mlx.core as mx
from mlx_lm import load, stream_generate
model, tokenizer = load(sys.argv[1])
n = 0
for r in stream_generate(model, tokenizer, "hello there", max_tokens=25):
    mx.eval([mx.ones((4, k)) for k in range(1, 5)])
    n += 1
print(n)
END
for version in 0.29.4 0.31.2 $newest; do
	use $version
	plain "$python" between.py a
	guarded --set drain.idle_ms=10m --set drain.post_sync=on -- "$python" between.py a
	check_same "between, $version"
	check "between, $version" "records, drains" "1 1" "$(number_of '.ev == "infer" and .ph == "end"') $(number_of \
		'.ev == "drain" and .ph == "end" and .rule == "drain.post_sync"')"
done

# The host is busy in the midst of a batch, and a request comes in beside two that are begun anew.
cat >pause.py <<'END'
import sys
import time
from mlx_lm import load
from mlx_lm.generate import BatchGenerator
model, _ = load(sys.argv[1])
generator = BatchGenerator(model)
def served(steps):
    n = 0
    for _ in range(steps):
        for r in generator.next()[1]:
            r.logprobs[r.token].item()
            n += 1
    return n
generator.insert([[7] * 20, [7] * 5], [30, 30])
n = served(10)
time.sleep(float(sys.argv[2]))
generator.insert([[7] * 40], [6])
print(n + served(60))
END
use $newest
plain "$python" pause.py a 0
guarded --set drain.idle_ms=1500ms -- "$python" pause.py a 2.5
check_same pause
check pause "records of three" true "$(records | jq -s 'map(select(.ev == "infer" and .ph == "begin")) | length >= 5')"
check pause "tokens of all" "$(cat plain.out)" "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end") | .tokens) | add')"

tally 110
