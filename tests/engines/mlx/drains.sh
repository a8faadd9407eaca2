#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# drains.sh -- drains round generations on the real MLX: when they happen, what they leave in
# the cache, and how often anything is synchronized.
#
# What is cached is asked of the engine past the guard (engine.py): asking by its own
# function makes the drain that is to be measured.
#
# time-limit: 300
. "${SRC:?}/tests/engines/mlx/lib.sh"

model a

at() { # WHEN FILE: what was cached
	sed -n "s/^$1 //p" "$2.err"
}

# Each of the second list is below its neighbour.
less() { # CASE WHAT COUNT WITHOUT WITH
	check "$1" "measures of $2" "$3 $3" "$(wc -l <<<"$4") $(wc -l <<<"$5")"
	check "$1" "$2: without, with" "" "$(paste <(echo "$4") <(echo "$5") | awk '!($2 < $1)')"
}

drains() { # RULE
	number_of ".ev == \"drain\" and .ph == \"end\" and .rc == 0 and .rule == \"$1\""
}

# A generation without a bracket. Its last token is followed by no call of the engine: while
# the program is idle nothing is drained, and what is cached stays. The next call finds it
# idle, whatever that call is: here a synchronize.
guest=("$python" "$here/generate.py" --sync --pause 3 --more 1 a)
idle=(--set drain.idle_ms=2s) # a machine that stands still in a generation does not end it
plain "${guest[@]}" --pause 0
check post_clear "the program works" "exit 0" "$(cat plain.status)"
guarded "${idle[@]}" --set drain.post_clear=on -- "${guest[@]}"
check_same post_clear
check post_clear "drains" 3 "$(drains drain.post_clear)"
less post_clear "the next call" 3 "$(at next plain)" "$(at next guarded)"
less post_clear "idle, not yet cleared" 3 "$(at idle guarded)" "$(at next guarded)"
check post_clear "idle, none was made" 0 "$(awk '!$2' guarded.err | grep -c '^idle')"

# The same drains, and nothing is cleared: it is as much as without.
guarded "${idle[@]}" --set drain.post_sync=on -- "${guest[@]}"
check_same post_sync
check post_sync "drains" 3 "$(drains drain.post_sync)"
check post_sync "nothing is cleared" "$(at idle guarded)" "$(at next guarded)"
check post_sync "clears" 0 "$(number_of '.ev == "drain" and .ph == "end" and .rule != "drain.at_exit" and .freed > 0')"

# Before each generation, the first as well.
guarded "${idle[@]}" --set drain.pre_clear=on -- "${guest[@]}"
check_same pre_clear
check pre_clear "drains" 3 "$(drains drain.pre_clear)"
check pre_clear "each stands before its generation" "$(for _ in 1 2 3; do echo "drain begin
drain end
infer begin
infer end"; done)" "$(records | jq -r 'select((.ev | IN("infer", "drain")) and .ph != "mark" and .rule != "drain.at_exit") | [.ev, .ph] | join(" ")')"
check pre_clear "not behind it" "$(at idle guarded)" "$(at next guarded)"

# In a bracket of the wired limit a generation ends with the bracket, and is drained there: no
# call follows, and no time passes. What was computed before the raise is another one.
told="infer begin
infer end
drain begin drain.post_clear
drain end drain.post_clear"
endless=(--set drain.post_clear=on --set drain.idle_ms=10s)
for version in 0.29.4 $newest; do
	use "$version"
	plain "$python" "$here/steps.py" bracket
	guarded "${endless[@]}" -- "$python" "$here/steps.py" bracket
	check_same "bracket, $version"
	check_whole "bracket, $version"
	check "bracket, $version" "the story" "$told
$told
$told" "$(story | grep '^infer\|post_clear')"
	check "bracket, $version" "what stands between" "begin end raise begin restore end raise begin restore end" \
		"$(records | jq -r 'if .ev == "infer" and .ph != "mark" then .ph elif .ev == "limit" and .ph == "begin" then
			(if .bytes > 0 then "raise" else "restore" end) else empty end' | xargs)"
done
check bracket "cached before it, and behind each" "720036 0 0" "$(at cached guarded | xargs)"
check bracket "without the guard" 0 "$(at cached plain | grep -cx 0)"

# mlx_lm's own bracket, which it makes where there is a GPU of Apple's.
guest=("$python" "$here/generate.py" --wired --pause 0 --more 1 a)
plain "${guest[@]}"
guarded "${endless[@]}" -- "${guest[@]}"
check_same "mlx_lm's bracket"
check "mlx_lm's bracket" "the story" "$told
$told
$told" "$(story | sed -n 's/ a\( \|$\)/\1/; /^infer/p; /post_clear/p')"
check "mlx_lm's bracket" "drained where it ends" "$(for _ in 1 2 3; do echo "limit
limit
drain"; done)" "$(records | jq -r 'select((.ev == "limit" and .ph == "end") or (.ev == "drain" and .ph == "end" and .rule == "drain.post_clear")) | .ev')"

# By default no synchronize is added to a generation: as many with the guard as without it,
# and those of the exit, however many tokens there are. They are counted where libmlx reaches
# synchronize(Stream), through its own table, by an object preloaded before the guard: what goes
# round every door is counted too.
cat >count_syncs.c <<'END'
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(unsigned long) count;

static int is_engine(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/libmlx.so"))
		return 0;
	*(uintptr_t *)base = info->dlpi_addr;
	return 1;
}

void _ZN3mlx4core11synchronizeENS0_6StreamE(uint64_t a, uint64_t b)
{
	const char *at = getenv("SYNC_AT");
	uintptr_t base = 0;

	atomic_fetch_add(&count, 1);
	if (!at || !dl_iterate_phdr(is_engine, &base))
		abort();
	((void (*)(uint64_t, uint64_t))(base + strtoul(at, NULL, 16)))(a, b);
}

__attribute__((destructor)) static void tell(void)
{
	fprintf(stderr, "syncs %lu\n", atomic_load(&count));
}
END
cc=${CC:-cc}
if command -v nm >/dev/null && $cc -D_GNU_SOURCE -shared -fPIC -O1 -o count_syncs.so count_syncs.c; then
	lib=$(find "$("$python" -c 'import sys; print(sys.prefix)')" -name libmlx.so)
	SYNC_AT=$(nm -D "$lib" | awk '$3 == "_ZN3mlx4core11synchronizeENS0_6StreamE" { print $1 }')
	export SYNC_AT
	syncs() { # PRELOAD TOKENS SETTINGS
		fresh
		LD_PRELOAD="$work/count_syncs.so $1" TAFFRAIL_SET=$3 \
			"$python" "$here/generate.py" --pause 0 --tokens "$2" a 2>&1 >/dev/null | sed -n 's/^syncs //p'
	}
	bare=$(syncs "" 4 "")
	few=$(($(syncs "$shim" 4 drain.at_exit=off) - bare))
	many=$(($(syncs "$shim" 200 drain.at_exit=off) - $(syncs "" 200 "")))
	check syncs "more than without the guard, of 2 times 4 tokens and of 2 times 200" "0 0" "$few $many"
	check syncs "whether they are counted" true "$([ "$(syncs "$shim" 4 drain.at_exit=on)" -gt "$bare" ] && echo true)"
else
	untried 2 "synchronizes are not counted: no C compiler, or no nm"
fi
tally 31
