#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# drafts.sh -- mlx_lm with a draft model: each request has a record, and in it are the tokens that
# came out and not those that were proposed.
#
# time-limit: 120
. "${SRC:?}/tests/engines/mlx/lib_server.sh"

model a
model b --layers 1 # the same embeddings and first layer: some of what it proposes is right

# What is generated is the same. Nobody asks how many tokens a check gave: one each is what is known.
cat >drafts.py <<'END'
import sys
from mlx_lm import load, stream_generate
model, tokenizer = load(sys.argv[1])
draft, _ = load(sys.argv[2])
checks = tokens = 0
for text in ("hello there", "what else", "and more"):
    kinds = [r.from_draft for r in stream_generate(model, tokenizer, text, max_tokens=12,
                                                   draft_model=draft, num_draft_tokens=3)]
    # A check whose drafts are all that is wanted is the last one.
    checks += kinds.count(False) + kinds[-1]
    tokens += len(kinds)
print(checks, tokens)
END
plain "$python" drafts.py a b
guarded --set drain.idle_ms=10m --set drain.post_clear=on -- "$python" drafts.py a b
check_same stream_generate
check_whole stream_generate
check stream_generate "more tokens than checks" 1 "$(awk '$2 > $1' plain.out | wc -l)"
check stream_generate "loads" "a b" "$(records | jq -rs 'map(select(.ev == "load" and .ph == "end" and .rc == 0) | .model) | join(" ")')"
check stream_generate "requests, and drains behind them" "3 3" "$(number_of '.ev == "infer" and .ph == "end"') $(number_of \
	'.ev == "drain" and .ph == "end" and .rule == "drain.post_clear" and .rc == 0')"
check stream_generate "tokens" "$(cut -d ' ' -f 1 plain.out)" "$(records | jq -s 'map(select(.ev == "infer" and .ph == "end") |
	select(.steps == .tokens and .drafts >= .tokens) | .tokens) | add')"
"$taffrail" report --last | grep -q ' tokens or more ' || fail stream_generate "the report takes them for all"
"$taffrail" log | grep -q ' tokens or more, [0-9]* drafts' || fail stream_generate "the log takes them for all"

# mlx_lm.server asks how probable each token is, which tells of all. It serves one after another.
options=(--draft-model b --num-draft-tokens 3)
serve env
ask --in-turn --pause 0 --tokens 5 --more 4 a >plain.out
kill -TERM $runner
await_runner
fresh
serve "$taffrail" run --set drain.idle_ms=10m --set drain.post_clear=on --set exit.signals=TERM --
ask --in-turn --pause 0 --tokens 5 --more 4 a >guarded.out
guest_of
kill -TERM "$guest"
await_runner
check server "it ended by TERM" 143 $ended
check server "answers" "$(cat plain.out)" "$(cat guarded.out)"
check server "there are as many as clients" 4 "$(grep -c "^a [0-3] '" guarded.out)"
check_whole server
check server "requests, and their tokens" "5 9 13 17" "$(records | jq -rs 'map(select(.ev == "infer" and .ph == "end" and
	.requests == 1 and .sequences == 1 and .drafts > 0 and .steps == null) | .tokens) | join(" ")')"
# Behind the last one the server is idle, and has waited for all that it began.
check server "drains behind the others" 3 "$(number_of '.ev == "drain" and .ph == "end" and .rc == 0 and .rule == "drain.post_clear"')"
tally 15
