#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fit.sh -- what the rules about memory do to loads, contexts and allocations of a program.
#
# The built-in policy only remarks; a setting makes a load fail as it fails when
# the engine itself has no memory, and a record names the rule and the numbers.
#
# time-limit: 120
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_memory
guest=$tests/guest_memory

# 3.0 GiB by its header, of 8192 tokens, and nothing but a hole behind it.
"$BUILD/tests/mkgguf" --hollow --layers 4 --embd 4096 --ff 12288 --ctx 8192 big.gguf >/dev/null || exit 1
"$BUILD/tests/mkgguf" --seed 2 --name small small.gguf >/dev/null || exit 1
weights=$(($(stat -c %s big.gguf) / 4096 * 4096))

# with SETTINGS STEPS...
with() {
	local set=$1
	shift
	with_shim TAFFRAIL_SET="cadence.same_model=0s;cadence.cross_model=0s;$set" "$guest" "$@"
}

shows() { # CASE LINE...
	local case=$1
	shift
	check "$case" "what the program shows" "$(printf '%s\n' "$@")" "$(cat shim.out)"
	check "$case" "status and errors" "exit 0 " "$(cat shim.status) $(cat shim.err)"
}

refused='.ev == "refuse"'

# ---- a model over the limit ----

limit="memory.limit=2GiB;memory.on_misfit=refuse"
with "$limit" load=big.gguf load=small.gguf
shows limit "load big.gguf: failed" "load small.gguf: ok"
has limit "the rule and its numbers" "$refused and .rule == \"memory.limit\" and .have == 2147483648 and
	.need > $weights and .unit == \"bytes\" and .call == \"llama_model_load_from_file\" and
	(.msg | test(\"^needs 3.[0-9] GiB, has 2.0 GiB, weights 3.0 GiB\"))"
check limit "loads that began" 1 "$(count '.ev == "load" and .ph == "begin"')"
with "memory.limit=2GiB" load=big.gguf
shows "a warning" "load big.gguf: ok"
has "a warning" "the rule" '.ev == "note" and .rule == "memory.limit"'
has_not "a warning" "refused" "$refused"
with "$limit;mode=observe" load=big.gguf
shows observe "load big.gguf: ok"
has observe "what would be" '.ev == "would" and .rule == "memory.limit" and (.msg | startswith("would refuse: "))'
with "memory.limit=8GiB;memory.on_misfit=refuse" load=big.gguf
shows "under the limit" "load big.gguf: ok"
has_not "under the limit" "a remark" '.rule == "memory.limit"'
# What is loaded already counts.
with "memory.limit=5GiB;memory.on_misfit=refuse;drain.between_models=off" \
	load=big.gguf context=16 infer=1 load=big.gguf
shows "the second one" "load big.gguf: ok" "context: ok" "infer: 1 of 1" "load big.gguf: failed"
has "the second one" "what is left" "$refused and .rule == \"memory.limit\" and .have < 5368709120 - $weights"
has "the second one" "a drain before the verdict" '.ev == "drain" and .ph == "end" and .rule == "memory.limit"'

# The user's word, for one run.
"$BUILD/taffrail" run --state "$work/once" --set memory.limit=2GiB --set memory.on_misfit=refuse --fit-anyway -- \
	"$guest" load=big.gguf >anyway.out 2>anyway.err
check --fit-anyway "the load" "load big.gguf: ok" "$(cat anyway.out)"
state=$work/once has --fit-anyway "a remark" '.ev == "note" and .rule == "memory.limit" and
	(.msg | contains("--fit-anyway"))'
"$BUILD/taffrail" run --state "$work/twice" --set memory.limit=2GiB --set memory.on_misfit=refuse -- \
	"$guest" load=big.gguf >refused.out 2>refused.err
check run "the load" "load big.gguf: failed" "$(cat refused.out)"
check run "its one line" 1 "$(grep -c '^taffrail: .*memory.limit' refused.err)"

# ---- free memory ----

# Nobody has that much, and no wait for it is begun.
with "memory.headroom=100%;memory.on_misfit=refuse" load=small.gguf
shows headroom "load small.gguf: failed"
has headroom "the rule" "$refused and .rule == \"memory.headroom\""
with "memory.headroom=100%;memory.on_misfit=wait;memory.max_wait=1h" load=small.gguf
shows "no use to wait" "load small.gguf: ok"
has "no use to wait" "a remark" '.ev == "note" and .rule == "memory.headroom"'
# What this process holds may be given back: that is waited for, and then let through.
with "memory.limit=5GiB;memory.on_misfit=wait;memory.max_wait=300ms" load=big.gguf context=16 infer=1 load=big.gguf
shows "a wait" "load big.gguf: ok" "context: ok" "infer: 1 of 1" "load big.gguf: ok"
has "a wait" "its end" '.ev == "hold" and .ph == "end" and .rule == "memory.limit" and .ms >= 300'
has "a wait" "the remark after it" '.ev == "note" and .rule == "memory.limit"'

# ---- models.max_loaded ----

with "models.max_loaded=1;memory.on_misfit=refuse" load=small.gguf context=16 infer=1 load=big.gguf free load=big.gguf
shows max_loaded "load small.gguf: ok" "context: ok" "infer: 1 of 1" "load big.gguf: failed" free "load big.gguf: ok"
has max_loaded "the rule" "$refused and .rule == \"models.max_loaded\" and .have == 1 and .need == 2"

# ---- a context ----

# 2 layers of 64 in keys and in values, f16: 512 bytes a token.
cache="memory.limit=16MiB;memory.on_misfit=refuse"
with "$cache" load=small.gguf context=16384 context=1048576
shows context "load small.gguf: ok" "context: ok" "context: failed"
has context "the rule" "$refused and .rule == \"memory.limit\" and .call == \"llama_init_from_model\" and
	(.msg | contains(\"cache \"))"
# Its own context, of 256 tokens.
with "$cache" load=small.gguf context=0
shows "a context of 0" "load small.gguf: ok" "context: ok"

# ---- allocations ----

with "memory.max_single_alloc=1MiB;memory.on_misfit=refuse" alloc=1048576 alloc=1048577 alloc=5
shows single "alloc: ok" "alloc: failed" "alloc: ok"
has single "the rule" "$refused and .rule == \"memory.max_single_alloc\" and .need == 1048577"
with "memory.max_single_alloc=1MiB" alloc=1048577 alloc=1048578
shows "single, warned" "alloc: ok" "alloc: ok"
check "single, warned" "remarks" 1 "$(count '.ev == "note" and .rule == "memory.max_single_alloc" and .class != "count"')"
has "single, warned" "how often" '.class == "count" and .rule == "memory.max_single_alloc" and .counts == "note" and .times == 2'
with "memory.limit=3MiB;memory.on_misfit=refuse" alloc=2097152 alloc=1048576 alloc=1
shows "all together" "alloc: ok" "alloc: ok" "alloc: failed"
has "all together" "the rule" "$refused and .rule == \"memory.limit\" and .need == 1 and .have == 0"

# ---- out of memory ----

FAKE_ALLOC_FAILS=2 with "memory.oom_retries=3" load=small.gguf context=16 infer=1 alloc=4096
shows "made good" "load small.gguf: ok" "context: ok" "infer: 1 of 1" "alloc: ok"
check "made good" "tries" "out of memory: try 1 of 3 after a drain
out of memory: try 2 of 3 after a drain" "$(crumbs | jq -r 'select(.rule == "memory.oom_retries" and .ev == "note").msg')"
check "made good" "drains for it" 2 "$(count '.ev == "drain" and .ph == "end" and .rule == "memory.oom_retries"')"
FAKE_ALLOC_FAILS=9 with "memory.oom_retries=2" alloc=4096
shows "no memory at all" "alloc: failed"
check "no memory at all" "tries" 2 "$(count '.rule == "memory.oom_retries"')"
FAKE_ALLOC_FAILS=1 with "" alloc=4096
shows "off" "alloc: failed"
has_not off "a try" '.rule == "memory.oom_retries"'
FAKE_ALLOC_FAILS=1 with "memory.oom_retries=2;mode=observe" alloc=4096
shows "observe" "alloc: failed"
has observe "what would be" '.ev == "would" and .rule == "memory.oom_retries"'

# ---- an engine without a load entry: its opens ----

with "$limit" alloc=1 open=big.gguf fopen=big.gguf open=small.gguf write=big.gguf
shows opens "alloc: ok" "open: Cannot allocate memory" "fopen: Cannot allocate memory" "open: ok" "write: ok"
has opens "the rule" "$refused and .rule == \"memory.limit\" and (.call | startswith(\"open\"))"
with "memory.limit=2GiB" alloc=1 open=big.gguf open=big.gguf
shows "opens, warned" "alloc: ok" "open: ok" "open: ok"
check "opens, warned" "remarks" 1 "$(count '.ev == "note" and .rule == "memory.limit"')"
with "memory.limit=2GiB;memory.on_misfit=wait" alloc=1 open=big.gguf
shows "opens do not wait" "alloc: ok" "open: ok"
with "$limit;mode=observe" alloc=1 open=big.gguf
shows "opens, observed" "alloc: ok" "open: ok"
has "opens, observed" "what would be" '.ev == "would" and .rule == "memory.limit"'
# Nothing of a device yet, or an engine that loads by a call of its own: opens are let alone.
with "$limit" open=big.gguf
shows "no device" "open: ok"
check "no device" "records" 0 "$(crumbs | wc -l)"
with "$limit" load=small.gguf open=big.gguf
shows "a load entry" "load small.gguf: ok" "open: ok"

# A process that uses no device may do with weights what it likes.
for tool in "cp small.gguf copy.gguf" "sha256sum small.gguf" "head -c 4 small.gguf"; do
	# shellcheck disable=SC2086 # words
	TAFFRAIL_SET="memory.limit=1KiB;memory.on_misfit=refuse" same "${tool%% *}" $tool
	check "${tool%% *}" "records" 0 "$(crumbs | wc -l)"
done
cmp -s small.gguf copy.gguf || fail cp "the copy differs"
# Nor is anything but reading judged, or what a child opens before it is another program.
with "$limit" alloc=1 make=big.gguf handle=big.gguf update=big.gguf vfork=big.gguf signal=big.gguf
shows "no reading" "alloc: ok" "make: ok" "handle: ok" "update: ok" "vfork: ok" "signal: Cannot allocate memory"
check "no reading" "records of the rule" 1 "$(count '.rule == "memory.limit"')"

# By a folder's descriptor, and by a name that means another file elsewhere.
mkdir -p large little
ln big.gguf large/model.gguf
ln small.gguf little/model.gguf
with "$limit" alloc=1 cd=large at=../little/model.gguf cd=../little at=../large/model.gguf
shows openat "alloc: ok" "at: ok" "at: Cannot allocate memory"
with "$limit" alloc=1 cd=little open=model.gguf cd=../large open=model.gguf open=../little/model.gguf
shows chdir "alloc: ok" "open: ok" "open: Cannot allocate memory" "open: ok"

# The parts of a set are looked at once: neither what is loaded of it meanwhile counts
# against the rest, nor is a header read again.
gib=$((1 << 30))
cp --sparse=always small.gguf part-00001-of-00002.gguf
ln big.gguf part-00002-of-00002.gguf
with "memory.limit=5GiB;memory.on_misfit=refuse" alloc=1 open=part-00001-of-00002.gguf alloc=$((3 * gib)) \
	grow=part-00001-of-00002.gguf open=part-00002-of-00002.gguf
shows parts "alloc: ok" "open: ok" "alloc: ok" "open: ok"
# What passed once and was given back is judged again, with what there is now.
FAKE_BUFFER_BYTES=$((4 * gib)) with "memory.limit=5GiB;memory.on_misfit=refuse" \
	alloc=$((4 * gib)) back open=big.gguf alloc=$((4 * gib)) back alloc=$((4 * gib)) open=big.gguf back open=big.gguf
shows again "alloc: ok" "open: ok" "alloc: ok" "alloc: ok" "open: Cannot allocate memory" "open: ok"
# A child knows nothing of what its parent was allowed.
with "memory.limit=5GiB;memory.on_misfit=refuse" alloc=1 open=big.gguf child alloc=$((4 * gib)) open=big.gguf
shows "a fork child" "alloc: ok" "open: ok" "alloc: ok" "open: Cannot allocate memory"

# ---- use and growth ----

with "memory.warn=1%;memory.critical=100%;drain.idle_ms=10ms" load=small.gguf context=16 infer=3
shows fills "load small.gguf: ok" "context: ok" "infer: 3 of 3"
check fills "remarks, once a crossing" 1 "$(count '.ev == "note" and .rule == "memory.warn"')"
# Nobody knows how large it is: let through, and said so.
with "memory.on_misfit=refuse" load=/nowhere/at-all.gguf
shows unknown "load at-all.gguf: ok"
has unknown "a remark" '.ev == "note" and (.msg // "" | startswith("nobody can say whether it fits"))'
with "memory.growth_per_infer=1KiB;memory.max_single_alloc=1GiB;drain.idle_ms=10ms" load=small.gguf context=16 \
	infer=1 alloc=1048576 wait=20 infer=1 alloc=1048576 wait=20 infer=1 alloc=1048576 wait=20 infer=1 \
	alloc=1048576 wait=20 infer=1
check growth "remarks" 1 "$(count '.ev == "note" and .rule == "memory.growth_per_infer" and .need == 1048576')"
tally 90
